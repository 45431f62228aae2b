"""How far can reporters move what is said of options, and does the desk equal its twin?"""

import itertools
import math
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.chain.twin.boards import Listing
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.positions import instrument_id
from plimsoll.chain.twin.publication import Quote
from plimsoll.chain.twin.rates import HOUR, ONE
from plimsoll.chain.twin.reverts import Message
from tests.support.evm import Chain, RevertError
from tests.support.houses import BTC_PERP, E6, LOTS, TRADERS, House
from tests.support.option_desks import OPTION_BOUNDS, SIGNED, Desk
from tests.support.pairs import refused
from tests.support.reporters import BITCOIN, BOUNDS, ETHER, RATES, REPORTERS, parameters_pair
from tests.support.reporters import publish as publish_rates

WAD, DAY = 10**18, 86_400
ROWS = constants("packed_rows")["ROWS"]
SPOT = 50_000 * WAD
WRITER, BUYER, KEEPER, WHALE, _ = TRADERS
CALL = instrument_id(0, 0, 1)


@pytest.fixture
def desk():
    """A desk with the perpetual, a call and a put on bitcoin, published once."""
    parameters, _volatility = parameters_pair(Chain())
    made = Desk(parameters)
    made.open(0, BITCOIN, LOTS[BITCOIN])
    made.list(0, 0, listings(parameters.chain.timestamp + 30 * DAY))
    say(made, 600_000, 2_000_000)
    return made


def listings(expiry, *more):
    return (Listing(0), Listing(1, expiry, 52_000 * WAD), Listing(2, expiry, 48_000 * WAD), *more)


def said(desk, volatility, basis=0, **changed):
    rows = len(desk.world.twin.boards[0].listings)
    quotes = [Quote(), *(Quote(basis, volatility) for _ in range(rows - 1))]
    return replace(desk.publication(0, quotes, SPOT), **changed)


def say(desk, volatility, basis=0, signers=SIGNED):
    desk.publish(0, said(desk, volatility, basis), signers)


def wait(desk, seconds):
    desk.pair.chain.pass_seconds(seconds)


def test_fewer_than_the_quorum_publish_nothing(desk):
    wait(desk, 60)
    refused("quorum: too few", say, desk, 600_000, signers=SIGNED[:-1])
    refused("quorum: order", say, desk, 600_000, signers=(SIGNED[0], SIGNED[0], SIGNED[1]))
    refused("quorum: stranger", say, desk, 600_000, signers=(*SIGNED[:2], BUYER))


def test_what_was_said_once_is_not_said_again(desk):
    wait(desk, 60)
    older = said(desk, 600_000, 2_000_000)
    wait(desk, 60)
    newer = said(desk, 600_000, 2_000_000)
    desk.publish(0, newer)
    for replayed in (newer, older):
        with pytest.raises(AssertionError, match="engine: bad time"):
            desk.publish(0, replayed)


@pytest.mark.parametrize(
    ("volatility", "basis", "reason"),
    [
        (OPTION_BOUNDS.least - 1, 0, "desk: volatility out of bounds"),
        (OPTION_BOUNDS.most + 1, 0, "desk: volatility out of bounds"),
        (600_000, 30_000_000, "desk: forward out of bounds"),
        (600_000, -30_000_000, "desk: forward out of bounds"),
        (650_000, 2_000_000, "desk: volatility rises too fast"),
        (560_000, 2_000_000, "desk: volatility falls too fast"),
        (600_000, 2_400_000, "desk: forward moves too fast"),
        (600_000, 1_600_000, "desk: forward moves too fast"),
    ],
)
def test_a_quorum_stays_within_bounds_and_speed(desk, volatility, basis, reason):
    wait(desk, 60)
    refused(reason, say, desk, volatility, basis)
    say(desk, 600_000, 2_000_000)


def test_the_perpetual_is_held_to_spot_by_the_slack_alone(desk):
    wait(desk, HOUR)
    for basis, reason in ((5_000_001, "desk: forward out of bounds"), (-5_000_000, None)):
        quotes = [Quote(basis), Quote(2_000_000, 600_000), Quote(2_000_000, 600_000)]
        sent = desk.publication(0, quotes, SPOT)
        if reason:
            refused(reason, desk.publish, 0, sent)
        else:
            desk.publish(0, sent)


def driven(desk, hours, volatility, basis):
    """Let a quorum push as far and as often as it may; give what then stands in the engine."""
    for step in itertools.cycle((600, 60, 3_600, 7_200, 1)):
        if hours <= 0:
            break
        wait(desk, step)
        hours -= step / HOUR
        elapsed = min(step, OPTION_BOUNDS.fresh_for)
        old = desk.world.twin.boards[0].rows[1]
        pace = OPTION_BOUNDS.rise_per_hour if volatility > 0 else OPTION_BOUNDS.fall_per_hour
        moved = old.volatility + volatility * (old.volatility * pace * elapsed // (ONE * HOUR))
        shifted = old.basis + basis * (OPTION_BOUNDS.shift_per_hour * elapsed // HOUR)
        with pytest.raises(Revert):
            say(desk, moved + volatility, shifted + basis)
        say(desk, moved, shifted)
    return desk.world.twin.boards[0].rows[1]


def test_a_lying_majority_is_bounded_by_the_speed_limits(desk):
    """It signs what it likes for five hours, as often as it likes."""
    began, spent = desk.pair.chain.timestamp, 5.0
    high = driven(desk, spent, 1, 0)
    hours = (desk.pair.chain.timestamp - began) / HOUR
    assert high.volatility > 600_000 * (1 + OPTION_BOUNDS.rise_per_hour / ONE), "the test pushes"
    assert high.volatility <= 600_000 * math.exp(OPTION_BOUNDS.rise_per_hour / ONE * hours)
    began = desk.pair.chain.timestamp
    low = driven(desk, spent, -1, 0)
    hours = (desk.pair.chain.timestamp - began) / HOUR
    fall = OPTION_BOUNDS.fall_per_hour / ONE
    pace = fall / (1 - fall * OPTION_BOUNDS.fresh_for / HOUR)
    assert high.volatility * math.exp(-pace * hours) <= low.volatility < high.volatility * (1 - fall)


def test_a_lying_majority_shifts_a_forward_no_faster_than_it_may_and_never_beyond_its_limit(desk):
    began, before = desk.pair.chain.timestamp, desk.world.twin.boards[0].rows[1].basis
    with pytest.raises(Revert, match="desk: forward out of bounds"):
        driven(desk, 5.0, 0, 1)
    hours = (desk.pair.chain.timestamp - began) / HOUR
    reached = desk.world.twin.boards[0].rows[1].basis
    limit = OPTION_BOUNDS.slack + OPTION_BOUNDS.carry * 30 * DAY // (365 * DAY)
    assert before < reached <= limit
    assert reached - before <= OPTION_BOUNDS.shift_per_hour * hours


def test_a_forward_comes_to_spot_as_expiry_nears_and_honest_reporters_are_never_locked_out(desk):
    """Nobody publishes for ten days; the limit has come in by more than a forward may move at once."""
    driven(desk, 1.0, 0, 1)
    far = desk.world.twin.boards[0].rows[1].basis
    assert far > 20_000_000
    wait(desk, 29 * DAY)
    refused("desk: forward out of bounds", say, desk, 600_000, far)
    say(desk, 600_000, OPTION_BOUNDS.slack)


def test_a_new_row_begins_within_bounds_and_known_rows_keep_their_speed(desk):
    expiry = desk.world.twin.boards[0].listings[1].expiry
    wait(desk, 60)
    desk.list(0, 0, listings(expiry, Listing(1, expiry, 60_000 * WAD)))
    quotes = [Quote(), Quote(2_000_000, 600_000), Quote(2_000_000, 600_000), Quote(2_000_000, 1_500_000)]
    fast = [*quotes[:2], Quote(2_000_000, 700_000), quotes[3]]
    refused("desk: volatility rises too fast", desk.publish, 0, desk.publication(0, fast, SPOT))
    wild = [*quotes[:3], Quote(2_000_000, OPTION_BOUNDS.most + 1)]
    refused("desk: volatility out of bounds", desk.publish, 0, desk.publication(0, wild, SPOT))
    desk.publish(0, desk.publication(0, quotes, SPOT))
    wait(desk, 60)
    refused("desk: volatility rises too fast", say, desk, 600_000 + 10**6, 2_000_000)


def test_options_are_listed_by_the_quorum_and_by_nobody_else(desk):
    now = desk.pair.chain.timestamp
    good = listings(now + 30 * DAY)
    refused("quorum: too few", desk.list, 0, 1, good[1:], REPORTERS[:2])
    refused("quorum: nonce", desk.list, 0, 1, good[1:], nonce=1)
    refused("quorum: expired", desk.list, 0, 1, good[1:], deadline=now - 1)
    refused("desk: not the perpetual", desk.list, 0, 0, good[1:])
    refused("desk: expiry", desk.list, 0, 1, good)
    far = (Listing(1, now + 731 * DAY, 50_000 * WAD),)
    refused("desk: expiry", desk.list, 0, 1, far)
    desk.list(0, 1, good[1:])
    engine = desk.world.contract
    for name, arguments in (
        ("open_market", (1, 1, 1, 0, [])),
        ("set_range", (0, 1)),
        ("list_board", (0, 2, [])),
        ("publish", (0, 0, now, 1, 1, 1, b"")),
        ("resume", ()),
    ):
        for role in ("deployer", "publisher", "keeper"):
            with pytest.raises(RevertError, match="engine: not the"):
                engine.call(name, *arguments, sender=role)


def test_markets_are_opened_once_with_sound_bounds_until_the_list_is_closed(desk):
    pair, bound = desk.pair, OPTION_BOUNDS
    refused("desk: opened already", desk.open, 0, BITCOIN, LOTS[BITCOIN])
    for wrong in (
        {"least": 0},
        {"least": bound.most + 1},
        {"most": 20_000_001},
        {"rise_per_hour": 0},
        {"rise_per_hour": ONE + 1},
        {"fall_per_hour": 0},
        {"fall_per_hour": ONE},
        {"fresh_for": 0},
        {"fresh_for": DAY + 1},
        {"slack": ONE},
        {"carry": ONE // 2},
        {"shift_per_hour": 0},
    ):
        refused("desk: bounds", desk.open, 1, ETHER, LOTS[ETHER], bound._replace(**wrong))
    desk.open(1, ETHER, LOTS[ETHER])
    assert pair.both("bounds", 1) == bound
    with pytest.raises(RevertError, match="desk: bound already"):
        pair.contract.call("bind", desk.world.contract.address)
    pair.both("close_listing")
    refused("desk: not the lister", desk.open, 2, BITCOIN, LOTS[BITCOIN])
    refused("desk: no such market", pair.both, "bounds", 2)


def test_an_engine_that_has_other_masters_is_not_bound():
    parameters, _ = parameters_pair(Chain())
    chain, made = parameters.chain, Desk(parameters)
    other = chain.deploy("OptionDesk", REPORTERS, 3, BUYER, parameters.contract.address)
    with pytest.raises(RevertError, match="desk: not the governor"):
        other.call("bind", made.world.contract.address)
    with pytest.raises(RevertError, match="desk: not the lister"):
        other.call("bind", made.world.contract.address, sender="stranger")


def test_the_range_follows_the_rates_once_they_are_apart(desk):
    parameters = desk.pair.twin.parameters
    refused("desk: range is near", desk.pair.both, "follow_range", 0)
    refused("desk: no such market", desk.pair.both, "follow_range", 5)
    assert desk.world.twin.markets[0].spread == 52_000
    wait(desk, BOUNDS.fresh_for + 3 * BOUNDS.stale_step)
    rates = parameters.rates(Message("", desk.pair.chain.timestamp), BITCOIN)
    desk.pair.both("follow_range", 0, sender="stranger")
    assert desk.world.twin.markets[0].spread == -(-rates.short.maintenance // 1_000) > 52_000
    assert desk.world.contract.call("spread", 0) == desk.world.twin.markets[0].spread


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_contract_and_twin_take_and_refuse_every_publication_alike(data):
    parameters, _ = parameters_pair(Chain())
    made = Desk(parameters)
    made.open(0, BITCOIN, LOTS[BITCOIN])
    expiry = parameters.chain.timestamp + data.draw(st.sampled_from([HOUR, DAY, 300 * DAY]))
    made.list(0, 0, listings(expiry))
    volatility, basis = 600_000, 0
    more: list[Listing] = []
    for _ in range(6):
        wait(made, data.draw(st.sampled_from([1, 60, 900, 3_600, 90_000])))
        if data.draw(st.integers(0, 5)) == 0:
            more.append(Listing(2, expiry, (50 + len(more)) * 1_000 * WAD))
            made.list(0, 0, listings(expiry, *more))
        volatility = max(round(volatility * data.draw(st.sampled_from([1, 1, 1.001, 0.999, 1.2, 0.7, 9]))), 1)
        basis += data.draw(st.sampled_from([0, 0, 1_000, -5_000, 400_000, -9_000_000, 40_000_000]))
        with suppress(Revert):
            say(made, volatility, basis, data.draw(st.sampled_from([SIGNED, SIGNED, REPORTERS, SIGNED[1:]])))
        board = made.world.twin.boards[0]
        if board.as_of:
            source = made.world.contract.call("source", 0, 0)
            rows = b"".join(row.encoded() for row in board.rows)
            assert made.pair.chain.code(source[2])[ROWS:] == rows.rstrip(b"\0")


@pytest.fixture
def house():
    """A writer of a call with a little more than maintenance, and whoever bought it."""
    made = House()
    made.desk.open(0, BITCOIN, LOTS[BITCOIN])
    made.desk.list(0, 0, listings(made.chain.timestamp + 30 * DAY))
    say(made.desk, 600_000, 2_000_000)
    for trader in (WRITER, BUYER, KEEPER, WHALE):
        made.both("deposit", 1_000_000 * E6, sender=trader)
    made.trade(WRITER, BUYER, CALL, -100_000)
    return made


def test_silence_widens_options_by_the_same_steps_as_rates(house):
    before = house.both("assessed_exactly", WRITER, sender=KEEPER)
    asked = [before.maintenance]
    for hours in (2, 1, 1, 1):
        house.chain.pass_seconds(hours * HOUR)
        publish_rates(house.parameters, RATES[BITCOIN])
        asked.append(house.both("assessed_exactly", WRITER, sender=KEEPER).maintenance)
    assert all(later > earlier for earlier, later in itertools.pairwise(asked[1:])), "step by step"
    step = BOUNDS.stale_rise / ONE
    assert asked[-1] >= asked[1] * (1 + 3 * step) * (1 - step), "while rates are fresh, by age alone"
    say(house.desk, 600_000, 2_000_000)
    assert house.both("assessed_exactly", WRITER, sender=KEEPER).maintenance < asked[-1]


def lied(house, **header):
    """Publish rows whose figures are out of the air, with volatilities and forwards that are allowed."""
    sent = said(house.desk, 600_000, 2_000_000, **header)
    rows = tuple(
        replace(row, exponent=row.exponent + 3, lanes=(16_383,) * len(row.lanes)) for row in sent.rows
    )
    house.desk.publish(0, replace(sent, rows=rows) if not header else sent)


@pytest.mark.parametrize("header", [{}, {"decay": 2**48 - 1}, {"notional": 2**48 - 1}])
def test_no_published_row_liquidates_anybody_or_keeps_their_money(house, header):
    house.chain.pass_seconds(60)
    honest = house.both("assessed_exactly", WRITER, sender=KEEPER)
    lied(house, **header)
    house.crash(BITCOIN, 50_100)
    packed = house.both("assessed", WRITER, sender=KEEPER)
    assert packed.equity < packed.maintenance, "by the rows alone the account would fail"
    assert honest.equity > honest.initial
    assert house.refused("start_auction", WRITER, sender=KEEPER) == "house: healthy"
    assert house.refused("withdraw", 1_000 * E6, sender=WRITER) is None
    order = house.order(WRITER, CALL, 10, 1.0)
    assert house.refused("fill", order, house.sign(order), 10, sender=BUYER) is None
    house.check()


def test_a_perpetual_of_a_market_without_rows_does_not_stand_in_the_way_of_options(house):
    house.trade(WRITER, WHALE, 1 << 13, 10)
    both = house.both("assessed", WRITER, sender=KEEPER)
    house.trade(WRITER, WHALE, 1 << 13, -10)
    assert both.maintenance > house.both("assessed", WRITER, sender=KEEPER).maintenance
    house.trade(WRITER, WHALE, BTC_PERP, 10)
    house.check()

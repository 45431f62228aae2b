"""Do the risk parameters on chain equal their twin, and does no signature move a rate out of its limits?"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.chain.hashing import Signature
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.quorum import HALF_ORDER, Quorum
from plimsoll.chain.twin.rates import ONE, SideRates
from plimsoll.chain.twin.risk_parameters import LONGEST_PAUSE
from tests.support.evm import Chain
from tests.support.pairs import SIGNERS, refused, signatures
from tests.support.reporters import (
    BITCOIN,
    BOUNDS,
    ETHER,
    GUARDIAN,
    RATES,
    REACH,
    REPORTERS,
    THRESHOLD,
    parameters_pair,
    publish,
    signed_update,
)

ORDER = 2 * HALF_ORDER + 1
"""Of the curve: s and ORDER - s sign the same message."""


@pytest.fixture
def pair():
    made, _ = parameters_pair(Chain())
    made.chain.pass_seconds(3_600)
    return made


def moved(market, **changes):
    rates = RATES[market]
    return rates._replace(long=rates.long._replace(**changes))


SIDES = st.builds(SideRates, *[st.integers(0, 700_000_000)] * 4)
NEAR = st.tuples(*[st.integers(-3_000_000, 3_000_000)] * 4)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_contract_and_twin_answer_every_update_alike(data):
    pair, volatility = parameters_pair(Chain())
    for _ in range(6):
        pair.chain.pass_seconds(data.draw(st.sampled_from([0, 1, 600, 3_600, 7_201, 50_000])))
        volatility.set(
            data.draw(st.integers(0, 10**9)), pair.chain.timestamp - data.draw(st.integers(0, 9_000))
        )
        rates = []
        for market in data.draw(st.lists(st.sampled_from([BITCOIN, ETHER, b"\x09" * 32]), max_size=3)):
            old = pair.twin.stored(market)
            sides = [
                data.draw(SIDES)
                if data.draw(st.integers(0, 9)) == 0
                else SideRates(*(max(a + b, 0) for a, b in zip(side, data.draw(NEAR), strict=True)))
                for side in old[1:]
            ]
            rates.append(old._replace(long=sides[0], short=sides[1]))
        act = data.draw(st.sampled_from(["update", "update", "update", "follow", "pause", "resume"]))
        try:
            if act == "update":
                publish(pair, *rates, effective=pair.chain.timestamp + data.draw(st.integers(-60, 62)))
            elif act == "follow":
                pair.both("follow", data.draw(st.sampled_from([BITCOIN, b"\x09" * 32])))
            else:
                pair.both(act, sender="keeper")
        except Revert:
            pass
        for market in (BITCOIN, ETHER):
            pair.both("rates", market)
            for view in ("stored", "bounds", "record"):
                check_view(pair, view, market)


def check_view(pair, view, market):
    assert tuple(pair.contract.call(view, market)) == plain(getattr(pair.twin, view)(market))


def plain(value):
    return tuple(plain(each) if isinstance(each, tuple) else each for each in value)


def test_an_update_is_accepted_once(pair):
    update, signed = signed_update(pair, moved(BITCOIN, maintenance=50_500_000))
    pair.both("update", update, signed)
    refused("quorum: nonce", pair.both, "update", update, signed)


def test_an_update_after_its_deadline_is_refused(pair):
    update, signed = signed_update(pair, RATES[BITCOIN])
    pair.chain.pass_seconds(601)
    refused("quorum: expired", pair.both, "update", update, signed)


def test_an_update_for_another_contract_or_chain_is_refused(pair):
    update, _ = signed_update(pair, RATES[BITCOIN])
    other, _ = parameters_pair(pair.chain)
    _, foreign = signed_update(other, RATES[BITCOIN])
    refused("quorum: stranger", pair.both, "update", update, foreign)


def test_a_signer_counts_once(pair):
    update, signed = signed_update(pair, RATES[BITCOIN], signers=(REPORTERS[0], REPORTERS[0], REPORTERS[1]))
    refused("quorum: order", pair.both, "update", update, signed)


def test_one_signer_too_few_moves_nothing(pair):
    update, signed = signed_update(pair, RATES[BITCOIN], signers=REPORTERS[: THRESHOLD - 1])
    refused("quorum: too few", pair.both, "update", update, signed)
    stranger = next(address for address in SIGNERS if address not in REPORTERS)
    signers = sorted((*REPORTERS[: THRESHOLD - 1], stranger), key=lambda address: int(address, 16))
    update, signed = signed_update(pair, RATES[BITCOIN], signers=signers)
    refused("quorum: stranger", pair.both, "update", update, signed)


def test_the_other_signature_of_the_same_message_is_refused(pair):
    update, signed = signed_update(pair, RATES[BITCOIN])
    first = signed[0]
    s = ORDER - int.from_bytes(first.s, "big")
    mirrored = Signature(55 - first.v, first.r, s.to_bytes(32, "big"))
    refused("quorum: malleable", pair.both, "update", update, (mirrored, *signed[1:]))
    refused("quorum: stranger", pair.both, "update", update, (Signature(29, *first[1:]), *signed[1:]))
    refused("quorum: stranger", pair.both, "update", update, (Signature(27, bytes(32), first.s), *signed[1:]))


@pytest.mark.parametrize("direction", [1, -1])
def test_a_lying_majority_moves_maintenance_no_faster_than_the_limit(pair, direction):
    """Rises stay below exp(u T), falls above exp(-d T / (1 - d P)), however the time is cut."""
    begin = pair.chain.timestamp
    rise, fall = BOUNDS.rise_per_hour / ONE, BOUNDS.fall_per_hour / ONE
    cap = 1.0 - fall * BOUNDS.fresh_for / 3_600
    first = pair.twin.stored(BITCOIN).long
    for seconds in (1, 59, 3_600, 7_200, 40_000, 600, 3_600, 7_200):
        pair.chain.pass_seconds(seconds)
        old = pair.twin.stored(BITCOIN)
        counted = min(pair.chain.timestamp - pair.twin.record(BITCOIN).accepted, BOUNDS.fresh_for)
        if direction > 0:
            most = old.long.maintenance + old.long.maintenance * BOUNDS.rise_per_hour * counted // (
                3_600 * ONE
            )
            greedy = old.long._replace(maintenance=most + 1, call=BOUNDS.most, initial=BOUNDS.most)
            reason = "parameters: rises too fast"
            honest = greedy._replace(maintenance=most)
        else:
            least = [rate - rate * BOUNDS.fall_per_hour * counted // (3_600 * ONE) for rate in old.long]
            honest = SideRates(*least)
            greedy = honest._replace(floor=honest.floor - 1)
            reason = "parameters: falls too fast"
        refused(reason, publish, pair, old._replace(long=greedy))
        publish(pair, old._replace(long=honest))
    hours = (pair.chain.timestamp - begin + 3_600) / 3_600
    last = pair.twin.stored(BITCOIN).long.maintenance / first.maintenance
    assert math.exp(-fall * hours / cap) <= last <= math.exp(rise * hours)
    assert last != 1.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"floor": 50_000_001}, "parameters: floor above maintenance"),
        ({"call": 49_999_999}, "parameters: maintenance above call"),
        ({"call": 80_000_001}, "parameters: call above initial"),
        ({"initial": 600_000_001}, "parameters: above the bound"),
        ({"floor": 4_999_999}, "parameters: below the bound"),
        ({"call": 50_000_000, "initial": 51_999_999}, "parameters: notice"),
    ],
)
def test_rates_that_contradict_themselves_are_refused(pair, changes, reason):
    refused(reason, publish, pair, moved(BITCOIN, **changes))


def test_all_markets_of_an_update_move_or_none(pair):
    bad = moved(ETHER, initial=600_000_001)
    refused("parameters: above the bound", publish, pair, moved(BITCOIN, maintenance=50_500_000), bad)
    assert pair.contract.call("stored", BITCOIN) == plain(RATES[BITCOIN])
    refused("parameters: backwards", publish, pair, RATES[BITCOIN], RATES[BITCOIN])


def test_versions_and_moments_only_move_on(pair):
    publish(pair, RATES[BITCOIN], version=7)
    pair.chain.pass_seconds(60)
    refused("parameters: version", publish, pair, RATES[BITCOIN], version=7)
    refused("parameters: backwards", publish, pair, RATES[BITCOIN], effective=pair.chain.timestamp - 60)
    refused("parameters: from the future", publish, pair, effective=pair.chain.timestamp + 61)
    publish(pair, RATES[BITCOIN], effective=pair.chain.timestamp + 60)
    assert pair.both("rates", BITCOIN) == RATES[BITCOIN], "a clock that runs ahead raises nothing"


def test_silence_raises_rates_step_by_step_up_to_the_last(pair):
    before = pair.both("rates", BITCOIN).long
    seen = []
    for hours in range(60):
        rates = pair.both("rates", BITCOIN).long
        assert before.floor == rates.floor
        assert all(new >= old for new, old in zip(rates, before, strict=True)), f"fell after {hours} hours"
        seen.append(rates.maintenance)
        before = rates
        pair.chain.pass_seconds(3_600)
    assert seen[1] == 50_000_000 < seen[2]
    assert seen[-1] == seen[-9] == 50_000_000 * (ONE + 48 * BOUNDS.stale_rise) // ONE
    rise = BOUNDS.rise_per_hour / ONE
    assert all(late <= seen[0] * (1 + rise * hour) for hour, late in enumerate(seen))


def test_after_silence_rates_follow_the_volatility_within_the_limits():
    pair, volatility = parameters_pair(Chain())
    volatility.set(20_000_000, pair.chain.timestamp)
    refused("parameters: not silent", pair.both, "follow", BITCOIN)
    pair.chain.pass_seconds(BOUNDS.fresh_for + 1)
    refused("parameters: volatility is stale", pair.both, "follow", BITCOIN)
    goal = 20_000_000 * REACH // ONE
    after = 0
    for _ in range(40):
        volatility.set(20_000_000, pair.chain.timestamp)
        before = pair.twin.stored(BITCOIN).long.maintenance
        pair.both("follow", BITCOIN)
        after = pair.twin.stored(BITCOIN).long.maintenance
        assert before <= after <= before + before * BOUNDS.rise_per_hour * BOUNDS.fresh_for // (3_600 * ONE)
        pair.chain.pass_seconds(BOUNDS.fresh_for + 1)
    assert after == goal
    volatility.set(0, pair.chain.timestamp)
    pair.both("follow", BITCOIN)
    assert after > pair.twin.stored(BITCOIN).long.maintenance >= pair.twin.stored(BITCOIN).long.floor


def test_initial_margin_follows_the_volatility_at_once(pair):
    volatility = pair.twin.volatility
    volatility.set(30_000_000, pair.chain.timestamp)
    rates = pair.both("rates", BITCOIN).long
    assert rates.initial > 30_000_000 * REACH // ONE > RATES[BITCOIN].long.initial
    assert rates.maintenance == RATES[BITCOIN].long.maintenance


def test_the_guardian_can_only_make_margins_safer(pair):
    before = pair.both("rates", BITCOIN)
    refused("parameters: not the guardian", pair.both, "pause", sender="stranger")
    pair.both("pause", sender=GUARDIAN)
    after = pair.both("rates", BITCOIN)
    assert after.long == before.long._replace(initial=BOUNDS.most), "nobody is liquidated by a pause"
    lower = moved(BITCOIN, initial=79_999_999)
    refused("parameters: falls too fast", publish, pair, lower)
    publish(pair, moved(BITCOIN, maintenance=50_500_000))
    pair.chain.pass_seconds(LONGEST_PAUSE)
    assert pair.both("rates", BITCOIN).long.initial < BOUNDS.most, "a pause ends by itself"
    refused("parameters: paused too lately", pair.both, "pause", sender=GUARDIAN)
    refused("parameters: not paused", pair.both, "resume", sender=GUARDIAN)
    pair.chain.pass_seconds(LONGEST_PAUSE)
    pair.both("pause", sender=GUARDIAN)
    pair.both("resume", sender=GUARDIAN)


def test_reporters_are_replaced_by_their_own_quorum_alone(pair):
    new = SIGNERS[2:8]
    deadline = pair.chain.timestamp + 600
    message = Quorum.rotation(1, deadline, new, 4)
    few = signatures(pair.contract.address, message, REPORTERS[:2])
    refused("quorum: too few", pair.both, "rotate", 1, deadline, new, 4, few)
    enough = signatures(pair.contract.address, message, REPORTERS[:3])
    pair.both("rotate", 1, deadline, new, 4, enough)
    assert tuple(pair.contract.call("members")) == new
    refused("quorum: too few", publish, pair, RATES[BITCOIN])
    publish(pair, RATES[BITCOIN], signers=new[:4])
    gone = signatures(pair.contract.address, Quorum.rotation(3, deadline, new, 3), new[:4])
    refused("quorum: threshold", pair.both, "rotate", 3, deadline, new, 3, gone)


def test_only_the_lister_lists_and_only_until_it_closes_the_list(pair):
    market = b"\x07" * 32
    rates, now = RATES[BITCOIN]._replace(market=market), pair.chain.timestamp
    refused("parameters: not the lister", pair.both, "list_market", rates, BOUNDS, 0, now, sender="stranger")
    refused("parameters: listed already", pair.both, "list_market", RATES[BITCOIN], BOUNDS, 0, now)
    refused("parameters: effective", pair.both, "list_market", rates, BOUNDS, 0, now + 1)
    hasty = BOUNDS._replace(stale_rise=20_000_001)
    refused("parameters: stale rise", pair.both, "list_market", rates, hasty, 0, now)
    pair.both("list_market", rates, BOUNDS, 0, now)
    pair.chain.pass_seconds(9_000)
    refused("parameters: no reach", pair.both, "follow", market)
    pair.both("close_listing")
    other = rates._replace(market=b"\x08" * 32)
    refused("parameters: not the lister", pair.both, "list_market", other, BOUNDS, 0, now)


def test_what_was_accepted_is_told_with_its_evidence(pair):
    contract = publish(pair, moved(BITCOIN, maintenance=50_500_000))
    accepted, changed = contract.events()
    assert (accepted.name, changed.name) == ("UpdateAccepted", "RatesMoved")
    assert accepted.fields["digest"] == contract.call("digest") == b"\x11" * 32
    assert accepted.fields["evidence"] == contract.call("evidence") == b"\x22" * 32
    assert accepted.fields["nonce"] == contract.call("nonce") == 1
    assert changed.fields["rates"] >> 32 & (2**32 - 1) == 50_500_000

"""Do options clear on chain as their twin says: margined with their hedges, settled at expiry to the unit?"""

import pytest

from plimsoll.chain.twin.boards import Listing
from plimsoll.chain.twin.positions import instrument_id
from plimsoll.chain.twin.publication import Quote
from tests.support.houses import BTC_PERP, E6, LOTS, TRADERS, House
from tests.support.reporters import BITCOIN, RATES

WRITER, BUYER, KEEPER, WHALE, _ = TRADERS
WAD = 10**18
DAY = 86_400
SPREAD = 52_000
"""The engine's range: the maintenance rate of the worse side."""
CALL, PUT = instrument_id(0, 0, 1), instrument_id(0, 0, 2)
TENOR = 10 * DAY


@pytest.fixture
def house():
    """A board of the perpetual, a call and a put on bitcoin, and four accounts."""
    made = House()
    made.desk.open(0, BITCOIN, LOTS[BITCOIN])
    expiry = made.chain.timestamp + TENOR
    listings = (Listing(0), Listing(1, expiry, 52_000 * WAD), Listing(2, expiry, 48_000 * WAD))
    made.desk.list(0, 0, listings)
    publish(made)
    for trader in TRADERS:
        made.both("deposit", 1_000_000 * E6, sender=trader)
    return made


def publish(house):
    spot = house.oracle.both("reading", BITCOIN).price
    quotes = (Quote(), Quote(2_000_000, 600_000), Quote(2_000_000, 650_000))
    house.desk.publish(0, house.desk.publication(0, quotes, spot))


def required(house, account):
    return house.both("assessed", account, sender=KEEPER)


def test_a_written_call_is_margined_by_the_worst_scenario_times_the_rate_over_the_range(house):
    house.trade(WRITER, BUYER, CALL, -10_000)
    found = required(house, WRITER)
    words, spots = house.house.contract.call("words", WRITER), [0] * 8
    spots[0] = 50_000 * WAD
    (risk,) = house.world.twin.packed(words, spots, house.chain.timestamp)
    loss, worse = risk.value - risk.worst + 1, RATES[BITCOIN].short
    assert found.maintenance == -(-loss * worse.maintenance // (SPREAD * 1_000))
    wider = -(-worse.initial * 10**6 // SPREAD)
    assert found.initial == -(-loss * wider // 10**9)
    assert found.liquid == house.house.twin.ledger.cash_of(WRITER) + risk.value
    house.check()


def test_a_hedge_with_the_perpetual_lowers_what_an_option_asks(house):
    house.trade(WRITER, BUYER, CALL, -10_000)
    alone = required(house, WRITER)
    house.trade(WRITER, WHALE, BTC_PERP, 4_000)
    hedged = required(house, WRITER)
    assert hedged.maintenance < alone.maintenance
    assert hedged.equity <= alone.equity, "a hedge makes no money"


def test_stale_rows_give_way_to_the_exact_path(house):
    house.trade(WRITER, BUYER, PUT, -2_000)
    house.crash(BITCOIN, 45_000)
    found = required(house, WRITER)
    spots = [45_000 * WAD] + [0] * 7
    words = house.house.contract.call("words", WRITER)
    (risk,) = house.world.twin.exact(words, spots, house.chain.timestamp)
    assert found.liquid == house.house.twin.ledger.cash_of(WRITER) + risk.value
    assert found.maintenance > 0


@pytest.mark.parametrize("settles", [60_000, 51_999.5, 40_000])
def test_options_settle_at_expiry_to_the_unit(house, settles):
    house.trade(WRITER, BUYER, CALL, -3_001)
    house.trade(WRITER, WHALE, PUT, -777)
    house.trade(WRITER, KEEPER, BTC_PERP, 50)
    assert house.refused("fix_settlement", CALL, sender=KEEPER) == "house: not expired"
    assert house.refused("settle", WRITER, CALL, sender=KEEPER) == "house: not fixed"
    house.chain.pass_seconds(TENOR)
    assert house.refused("fix_settlement", CALL, sender=KEEPER) == "house: no live price"
    order = house.order(WRITER, CALL, -1, 5)
    assert house.refused("fill", order, house.sign(order), -1, sender=BUYER) == "house: expired"
    house.crash(BITCOIN, settles)
    assert house.refused("fix_settlement", BTC_PERP, sender=KEEPER) == "house: not expired"
    before = {account: house.house.twin.ledger.cash_of(account) for account in TRADERS}
    for instrument in (CALL, PUT):
        house.both("fix_settlement", instrument, sender=KEEPER)
        assert house.refused("fix_settlement", instrument, sender=KEEPER) == "house: fixed already"
    house.crash(BITCOIN, 30_000)
    for account, instrument in ((WRITER, CALL), (BUYER, CALL), (WRITER, PUT), (WHALE, PUT)):
        house.both("settle", account, instrument, sender=KEEPER)
        assert house.refused("settle", account, instrument, sender=KEEPER) == "house: no position"
    ledger = house.house.twin.ledger
    each = {CALL: max(settles - 52_000, 0) * 1_000, PUT: max(48_000 - settles, 0) * 1_000}
    paid = {account: ledger.cash_of(account) - before[account] for account in TRADERS}
    assert paid[BUYER] == round(3_001 * each[CALL])
    assert paid[WHALE] == round(777 * each[PUT])
    assert sum(paid.values()) == 0
    house.check()


def test_a_book_of_options_is_sold_in_an_auction_with_its_hedges(house):
    house.trade(WRITER, WHALE, CALL, -150_000)
    house.trade(WRITER, WHALE, BTC_PERP, 20_000)
    house.crash(BITCOIN, 60_000)
    publish(house)
    assert house.refused("start_auction", WRITER, sender=KEEPER) is None
    house.crash(BITCOIN, 60_000, seconds=600)
    before = required(house, WRITER)
    sold = house.both("bid", WRITER, 10**9, sender=WHALE)
    after = required(house, WRITER)
    assert sold > 0
    assert after.maintenance < before.maintenance
    if before.equity > 0:
        assert after.equity * before.maintenance >= before.equity * after.maintenance
    house.check()


def test_what_an_expired_option_pays_is_fixed_for_whoever_judges_its_owner(house):
    """A call is fixed to pay nothing; then bitcoin rises, and its mark. It is worth nothing all the same."""
    house.trade(WRITER, BUYER, CALL, -60_000)
    house.chain.pass_seconds(TENOR)
    house.crash(BITCOIN, 50_000)
    house.both("fix_settlement", CALL, sender=KEEPER)
    house.crash(BITCOIN, 70_000)
    kept = house.house.twin.ledger.cash_of(BUYER)
    assert required(house, BUYER).liquid > kept + 1_000_000 * E6, "its mark says that it is worth a million"
    assert house.refused("withdraw", kept + 1, sender=BUYER) == "house: below initial margin"
    assert house.refused("start_auction", WRITER, sender=KEEPER) == "house: healthy"
    assert house.refused("withdraw", kept, sender=BUYER) is None
    house.both("withdraw", house.house.twin.ledger.cash_of(WRITER), sender=WRITER)
    house.check()

"""Is a loss that no margin covers divided exactly, among winners alone, and never begun for nothing?"""

from plimsoll.chain.twin.allocation import PATIENCE
from plimsoll.chain.twin.rates import ONE
from tests.support.houses import BTC_PERP, E6, ETH_PERP, TRADERS
from tests.support.reporters import BITCOIN, ETHER

LONG, SHORT, KEEPER, WHALE, OWNER = TRADERS


def bankrupt(house, fund=0):
    """Let the long lose far more than it has, and sell all of it."""
    if fund:
        house.both("give_fund", fund, sender="stranger")
    house.trade(LONG, SHORT, BTC_PERP, 20_000)
    house.trade(WHALE, KEEPER, ETH_PERP, -10_000)
    house.crash(BITCOIN, 40_000)
    house.crash(ETHER, 2_400)
    house.both("start_auction", LONG, sender=KEEPER)
    assert house.both("bid", LONG, ONE, sender=WHALE) == ONE
    return -house.house.twin.ledger.cash_of(LONG)


def test_what_is_owed_comes_from_the_fund_first_and_then_from_winners_exactly(house):
    debt = bankrupt(house, fund=30_000 * E6 + 1)
    assert debt == 100_000 * E6
    house.both("absorb", LONG, sender=KEEPER)
    ledger = house.house.twin.ledger
    assert (ledger.fund, ledger.shortfall) == (0, 69_999 * E6 + 999_999)
    gains = {a: max(house.equity(a) - ledger.basis[a], 0) for a in (SHORT, WHALE)}
    before = {a: house.equity(a) for a in ledger.accounts}
    house.both("begin_allocation", SHORT, sender=KEEPER)
    assert house.refused("withdraw", 1, sender=KEEPER) == "house: allocating"
    assert house.refused("charge", 1, sender=KEEPER) == "house: weigh first"
    for _ in range(len(ledger.accounts)):
        house.both("weigh", 1, sender=KEEPER)
    assert house.refused("weigh", 1, sender=KEEPER) == "house: nothing to weigh"
    house.both("charge", 2, sender=KEEPER)
    house.both("charge", 200, sender=KEEPER)
    ledger = house.house.twin.ledger
    paid = {account: before[account] - house.equity(account) for account in before}
    assert sum(paid.values()) == 69_999 * E6 + 999_999
    assert ledger.shortfall == 0
    for account, amount in paid.items():
        exact = gains.get(account, 0) * (69_999 * E6 + 999_999) / sum(gains.values())
        assert abs(amount - exact) <= 1, "pro rata, and none is off by more than the unit that is cut"
        assert amount <= gains.get(account, 0)
    house.check()


def test_winners_pay_no_more_than_they_won(house):
    house.trade(LONG, KEEPER, BTC_PERP, 20_000)
    house.both("deposit", 900_000 * E6, sender=KEEPER)
    house.crash(BITCOIN, 40_000)
    house.both("start_auction", LONG, sender=WHALE)
    house.both("bid", LONG, ONE, sender=KEEPER)
    assert not house.house.twin.ledger.book(KEEPER), "the winner itself took over what it was against"
    house.both("absorb", LONG, sender=KEEPER)
    for account in (LONG, KEEPER, WHALE, SHORT, OWNER):
        assert house.refused("begin_allocation", account, sender=KEEPER) == "house: no winner"
    assert house.refused("deposit", E6, sender=OWNER) == "house: amount", "and not that it is closed"
    house.both("withdraw", 1, sender=SHORT)
    assert house.house.twin.ledger.shortfall == 100_000 * E6, "no open gain is left to ask"
    house.both("give_fund", 150_000 * E6, sender="stranger")
    assert (house.house.twin.ledger.shortfall, house.house.twin.ledger.fund) == (0, 50_000 * E6)
    house.check()


def allocate(house, winner):
    """Begin an allocation, turn all its pages, and give what each account paid."""
    before = dict(house.house.twin.ledger.cash)
    for name, given in (("begin_allocation", winner), ("weigh", 256), ("charge", 256)):
        house.both(name, given, sender=OWNER)
    after = house.house.twin.ledger.cash
    return {account: cash - after[account] for account, cash in before.items() if cash != after[account]}


def test_nobody_closes_the_house_again_and_again_for_gas_alone(house):
    """Once all open gains are charged no round begins before somebody won ten units more."""
    bankrupt(house)
    house.both("absorb", LONG, sender=KEEPER)
    house.trade(SHORT, WHALE, BTC_PERP, 20_000)
    assert allocate(house, WHALE) == {WHALE: 10_000 * E6}, "a hundred ether, a hundred dollars each"
    for seconds, price in ((0, 2_400), (60, 2_400), (3_600, 2_399.91)):
        house.crash(ETHER, price, seconds)
        for account in TRADERS:
            assert house.refused("begin_allocation", account, sender=OWNER) == "house: no winner"
        house.both("deposit", 10 * E6, sender=KEEPER)
        house.both("withdraw", 10 * E6, sender=KEEPER)
    house.crash(ETHER, 2_399.9)
    assert allocate(house, WHALE) == {WHALE: 10 * E6}
    assert house.house.twin.ledger.shortfall == 89_990 * E6
    house.check()


def test_a_dead_feed_holds_up_an_allocation_for_a_day_and_no_longer(house):
    """Who holds of its market is left out meanwhile: what that is worth nobody knows."""
    bankrupt(house)
    house.both("absorb", LONG, sender=KEEPER)
    house.move(ETHER, 0, feeds=2)
    recorded = house.oracle.both("reading", ETHER).time
    for wait in (0, recorded + PATIENCE - house.chain.timestamp):
        house.chain.pass_seconds(wait)
        assert house.refused("begin_allocation", SHORT, sender=KEEPER) == "house: no live price"
    house.chain.pass_seconds(1)
    assert house.refused("begin_allocation", WHALE, sender=KEEPER) == "house: no winner"
    assert allocate(house, SHORT) == {SHORT: 100_000 * E6}, "it won twice as much"
    assert house.house.twin.ledger.shortfall == 0
    house.check()

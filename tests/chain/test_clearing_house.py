"""Does the clearing house hold under attack: tokens, dust, rounding, auctions, and its own powers?"""

import pytest

from plimsoll.chain.hashing import Signature
from plimsoll.chain.twin.clearing_house import AUCTION, HALF_ORDER, ORDER_TYPE
from plimsoll.chain.twin.rates import ONE
from tests.support.evm import RevertError
from tests.support.houses import BTC_PERP, E6, ETH_PERP, TRADERS, WETH
from tests.support.pairs import refused
from tests.support.reporters import BITCOIN, ETHER, RATES, publish

LONG, SHORT, KEEPER, WHALE, OWNER = TRADERS


@pytest.fixture
def sunk(house):
    """The long is below maintenance and up for auction; still solvent."""
    house.trade(LONG, SHORT, BTC_PERP, 20_000)
    house.crash(BITCOIN, 47_000)
    house.both("start_auction", LONG, sender=KEEPER)
    return house


def test_a_token_that_calls_back_gets_nothing_twice(house):
    """Its second withdrawal would be its own right; what is refused is its coming from within the first."""
    thief = house.chain.deploy("reentering_mock", house.house.contract.address)
    house.quote.call("mint", thief.address, 1_000 * E6)
    house.quote.call("set_caller", thief.address)
    for name in ("withdraw", "deposit"):
        with pytest.raises(RevertError) as error:
            thief.call("begin", 1_000 * E6, 400 * E6, name == "deposit")
        assert error.value.reason == "", "the lock says nothing; the ledger would have let it pass"
    house.quote.call("set_caller", "0x" + "00" * 20)
    thief.call("begin", 1_000 * E6, 400 * E6, False)  # noqa: FBT003
    assert house.quote.call("balanceOf", thief.address) == 400 * E6


def test_a_token_that_keeps_a_fee_is_refused(house):
    house.quote.call("set_fee", 1)
    house.ether.call("set_fee", 1)
    call = house.house.contract.call
    for name, arguments in (("deposit", (E6,)), ("deposit_collateral", (WETH, E6)), ("give_fund", (E6,))):
        with pytest.raises(RevertError, match="house: fee on transfer"):
            call(name, *arguments, sender=LONG)


def test_an_order_fills_once_and_only_as_its_maker_signed_it(house):
    order = house.order(LONG, BTC_PERP, 100, 50)
    signature = house.sign(order)
    for changed in ({"lots": 101}, {"price": 49 * E6}, {"account": WHALE}, {"instrument": ETH_PERP}):
        forged = order._replace(**changed)
        assert house.refused("fill", forged, signature, 100, sender=SHORT) == "house: not signed"
    s = (2 * HALF_ORDER + 1 - int.from_bytes(signature.s, "big")).to_bytes(32, "big")
    mirrored = Signature(55 - signature.v, signature.r, s)
    assert house.refused("fill", order, mirrored, 100, sender=SHORT) == "house: malleable"
    assert house.refused("fill", order, signature, 101, sender=SHORT) == "house: filled"
    assert house.refused("fill", order, signature, -1, sender=SHORT) == "house: lots"
    assert house.refused("fill", order, signature, 1, sender=LONG) == "house: own order"
    assert house.refused("fill", order, signature, 60, sender=SHORT) is None
    assert house.refused("fill", order, signature, 41, sender=SHORT) == "house: filled"
    assert house.refused("fill", order, signature, 40, sender=SHORT) is None
    house.chain.pass_seconds(601)
    assert house.refused("fill", order, signature, 1, sender=SHORT) == "house: expired"
    house.check()
    assert ORDER_TYPE.startswith("Order(")


def test_a_cancelled_order_fills_no_more(house):
    order = house.order(LONG, BTC_PERP, 100, 50)
    assert house.refused("cancel", order, sender=SHORT) == "house: not the maker"
    house.both("cancel", order, sender=LONG)
    assert house.refused("fill", order, house.sign(order), 1, sender=SHORT) == "house: filled"


def test_nobody_takes_risk_or_cash_below_initial_margin(house):
    assert house.refused("withdraw", 100_001 * E6, sender=LONG) == "house: below initial margin"
    house.trade(LONG, WHALE, BTC_PERP, 24_000)
    required = house.both("assessed", LONG, sender=KEEPER).initial
    spare = 100_000 * E6 - required
    assert house.refused("withdraw", spare + 1, sender=LONG) == "house: below initial margin"
    assert house.refused("withdraw", spare, sender=LONG) is None
    order = house.order(LONG, BTC_PERP, 1, 50)
    assert house.refused("fill", order, house.sign(order), 1, sender=WHALE) == "house: below initial margin"
    house.check()


def test_whoever_is_below_initial_margin_may_reduce_but_not_give_away(house):
    house.trade(LONG, WHALE, BTC_PERP, 24_000)
    house.crash(BITCOIN, 48_000)
    fair = house.order(LONG, BTC_PERP, -1_000, 48)
    assert house.refused("fill", fair, house.sign(fair), -1_000, sender=WHALE) is None
    gift = house.order(LONG, BTC_PERP, -1_000, 40)
    assert (
        house.refused("fill", gift, house.sign(gift), -1_000, sender=WHALE) == "house: below initial margin"
    )
    flip = house.order(LONG, BTC_PERP, -50_000, 48)
    assert house.refused("fill", flip, house.sign(flip), -50_000, sender=WHALE) is not None
    house.check()


@pytest.mark.parametrize(("mark", "equity"), [(45.1, 2_000), (45, 0), (44, -20_000)])
def test_whoever_reduces_leaves_no_debt_for_the_fund_to_an_accomplice(house, mark, equity):
    """Closing sets maintenance free; what of it the account does not have is not the account's to give."""
    house.both("give_fund", 50_000 * E6, sender=WHALE)
    house.trade(LONG, SHORT, BTC_PERP, 20_000)
    house.crash(BITCOIN, 1_000 * mark)
    assert house.equity(LONG) == equity * E6
    least = mark - max(equity, 0) / 20_000
    gift = house.order(LONG, BTC_PERP, -20_000, least - 1 / E6)
    reason = house.refused("fill", gift, house.sign(gift), -20_000, sender=WHALE)
    assert reason == "house: below initial margin"
    fair = house.order(LONG, BTC_PERP, -20_000, least)
    assert house.refused("fill", fair, house.sign(fair), -20_000, sender=WHALE) is None
    assert house.equity(LONG) == min(equity, 0) * E6
    house.check()


def test_a_healthy_account_cannot_be_put_up_for_auction(house):
    house.trade(LONG, SHORT, BTC_PERP, 20_000)
    for price in (50_000, 47_500):
        house.crash(BITCOIN, price)
        for account in (LONG, SHORT, OWNER):
            assert house.refused("start_auction", account, sender=KEEPER) == "house: healthy"
            assert house.refused("bid", account, ONE, sender=KEEPER) == "house: no auction"


def test_an_auction_sells_no_more_than_brings_the_account_back(sunk):
    sunk.chain.pass_seconds(300)
    before = sunk.both("assessed", LONG, sender=KEEPER)
    sold = sunk.both("bid", LONG, ONE, sender=WHALE)
    after = sunk.both("assessed", LONG, sender=KEEPER)
    assert 0 < sold < ONE
    step = before.initial // 20_000 + 1  # a lot is the least that is sold
    assert after.initial <= after.equity <= after.initial + step
    assert sunk.refused("bid", LONG, ONE, sender=WHALE) == "house: restored"
    sunk.both("end_auction", LONG, sender=KEEPER)
    sunk.check()


def test_an_auction_goes_on_until_the_call_level_is_met(sunk):
    assert sunk.refused("end_auction", LONG, sender=LONG) == "house: not restored"
    assert sunk.refused("bid", LONG, ONE, sender=LONG) == "house: own account"
    assert sunk.refused("bid", LONG, 0, sender=KEEPER) == "house: share"
    assert sunk.refused("start_auction", LONG, sender=KEEPER) == "house: in auction"
    sunk.both("deposit", 50_000 * E6, sender=LONG)
    sunk.both("end_auction", LONG, sender=KEEPER)


def test_the_premium_grows_with_time_and_never_takes_more_than_there_is(sunk):
    paid = []
    for _ in range(5):
        before = sunk.both("assessed", LONG, sender=KEEPER)
        sold = sunk.both("bid", LONG, 10_000_000, sender=WHALE)
        after = sunk.both("assessed", LONG, sender=KEEPER)
        premium = before.equity - after.equity
        assert 0 <= premium <= before.equity * sold // ONE
        paid.append(premium)
        sunk.crash(BITCOIN, 47_000, seconds=AUCTION // 4)
    assert paid[0] < paid[1] < paid[2]
    sunk.check()


@pytest.mark.parametrize("wait", [0, 400, AUCTION, 3 * AUCTION])
def test_liquidating_oneself_brings_no_profit_while_solvent(house, wait):
    """One owner behind all three accounts gains nothing, whenever it bids on itself."""
    house.both("give_fund", 1_000_000 * E6, sender=WHALE)
    house.trade(LONG, SHORT, BTC_PERP, 20_000)
    house.crash(BITCOIN, 47_000)
    before = house.equity(LONG, SHORT, KEEPER)
    house.both("start_auction", LONG, sender=KEEPER)
    house.crash(BITCOIN, 47_000, seconds=wait)
    house.both("deposit", 500_000 * E6, sender=KEEPER)
    assert house.refused("bid", LONG, ONE, sender=KEEPER) is None
    house.refused("bid", LONG, ONE // 3, sender=SHORT)
    assert house.equity(LONG, SHORT, KEEPER) == before + 500_000 * E6
    house.check()


def test_rounding_grief_pays_nobody_a_unit(house):
    """Many small bids and trades at odd prices leave every unit where it was."""
    house.trade(LONG, SHORT, BTC_PERP, 20_000)
    house.crash(BITCOIN, 46_999.87654321)
    total = house.equity(LONG, SHORT, KEEPER, WHALE)
    house.both("start_auction", LONG, sender=KEEPER)
    house.chain.pass_seconds(7)
    for share in (1, 3, 999_999, 7, 33_333_333):
        house.refused("bid", LONG, share, sender=WHALE)
        assert house.equity(LONG, SHORT, KEEPER, WHALE) == total
    house.check()


def test_a_bid_that_unhedges_the_rest_is_refused(house):
    house.trade(LONG, WHALE, BTC_PERP, 20_000)
    house.trade(LONG, WHALE, ETH_PERP, 1)
    house.crash(BITCOIN, 47_000)
    house.both("start_auction", LONG, sender=KEEPER)
    house.crash(BITCOIN, 46_000, seconds=900)
    for share in (1, 10, 1_000):
        before = house.both("assessed", LONG, sender=KEEPER)
        if house.refused("bid", LONG, share, sender=WHALE) is None:
            after = house.both("assessed", LONG, sender=KEEPER)
            assert after.equity * before.maintenance >= before.equity * after.maintenance
    house.check()


def test_dust_must_hold_as_much_as_is_worth_liquidating(house):
    house.both("deposit", 10 * E6, sender=OWNER)
    assert house.refused("deposit", 9 * E6, sender="stranger") == "house: amount"
    house.trade(OWNER, WHALE, BTC_PERP, 1)
    found = house.both("assessed", OWNER, sender=KEEPER)
    assert found.maintenance == found.initial == 10 * E6
    assert house.refused("withdraw", 1, sender=OWNER) == "house: below initial margin"
    house.crash(BITCOIN, 49_000)
    house.both("start_auction", OWNER, sender=KEEPER)
    house.crash(BITCOIN, 49_000, seconds=600)
    before = house.equity(KEEPER)
    assert house.both("bid", OWNER, ONE, sender=KEEPER) == ONE
    assert house.equity(KEEPER) - before == 5 * E6, "half of the least margin, after half the time"
    assert house.both("assessed", OWNER, sender=KEEPER).maintenance == 0
    house.check()


def test_collateral_counts_after_its_haircut_and_is_sold_for_the_debt_alone(house):
    house.both("deposit", 10 * E6, sender=OWNER)
    house.both("deposit_collateral", WETH, 40 * 10**18, sender=OWNER)
    assert house.equity(OWNER) == 10 * E6 + 40 * 2_500 * E6 * 85 // 100
    assert house.refused("withdraw", 10 * E6 + 1, sender=OWNER) == "house: a debt"
    house.trade(OWNER, WHALE, BTC_PERP, 18_000)
    house.crash(BITCOIN, 46_000)
    house.both("start_auction", OWNER, sender=KEEPER)
    house.crash(BITCOIN, 46_000, seconds=AUCTION)
    house.both("bid", OWNER, ONE, sender=WHALE)
    ledger = house.house.twin.ledger
    debt = -ledger.cash_of(OWNER)
    assert debt > 0
    assert house.refused("absorb", OWNER, sender=KEEPER) == "house: collateral left"
    sold = house.both("buy_collateral", OWNER, WETH, 10**24, sender=WHALE)
    assert 0 < sold <= 40 * 10**18
    assert ledger is not house.house.twin
    assert house.house.twin.ledger.cash_of(OWNER) >= 0 or sold == 40 * 10**18
    assert house.refused("buy_collateral", OWNER, WETH, 1, sender=OWNER) is not None
    house.check()


def test_without_a_live_price_only_reductions_pass(house):
    house.trade(LONG, SHORT, BTC_PERP, 10_000)
    house.move(BITCOIN, 0, feeds=2)
    order = house.order(LONG, BTC_PERP, 1, 50)
    assert house.refused("fill", order, house.sign(order), 1, sender=SHORT) == "house: no live price"
    assert house.refused("withdraw", 1, sender=LONG) == "house: no live price"
    assert house.refused("start_auction", LONG, sender=KEEPER) == "house: no live price"
    less = house.order(LONG, BTC_PERP, -4_000, 50)
    assert house.refused("fill", less, house.sign(less), -4_000, sender=SHORT) is None
    assert house.refused("withdraw", E6, sender=KEEPER) is None, "who holds nothing is free to go"
    house.check()


def test_sandwiching_an_update_liquidates_nobody_and_pays_nobody(house):
    """Open right before a signed rise, liquidate right after it: initial margin covers the next rise."""
    house.chain.pass_seconds(7_200)
    for market, price in ((BITCOIN, 50_000), (ETHER, 2_500)):
        house.move(market, price)
    rates = house.parameters.both("rates", BITCOIN)
    most = 100_000 * E6 * ONE // (50 * E6 * rates.long.initial)
    house.trade(LONG, WHALE, BTC_PERP, most)
    total = house.equity(LONG, WHALE)
    old = RATES[BITCOIN]
    up = old.long._replace(maintenance=52_000_000, initial=600_000_000, call=52_000_000 * 2)
    greedy = up._replace(maintenance=80_000_000)
    refused("parameters: rises too fast", publish, house.parameters, old._replace(long=greedy))
    thin = up._replace(initial=54_000_000, call=54_000_000)
    refused("parameters: notice", publish, house.parameters, old._replace(long=thin))
    publish(house.parameters, old._replace(long=up))
    assert house.refused("start_auction", LONG, sender=KEEPER) == "house: healthy"
    assert house.equity(LONG, WHALE) == total
    house.trade(LONG, WHALE, BTC_PERP, -most)
    assert house.equity(LONG, WHALE) == total == 10_100_000 * E6


def test_an_attestation_moves_initial_margin_within_bounds_and_never_below_the_call_level(house):
    house.trade(LONG, SHORT, BTC_PERP, 10_000)
    plain = house.both("assessed", LONG, sender=KEEPER)
    house.attest(LONG, 900_000_000)
    lower = house.both("assessed", LONG, sender=KEEPER)
    assert plain.called < lower.initial == plain.initial * 9 // 10 < plain.initial
    house.attest(LONG, 750_000_000)
    assert house.both("assessed", LONG, sender=KEEPER).initial == plain.called
    house.attestations.both("suspend", True, sender="keeper")  # noqa: FBT003
    assert house.both("assessed", LONG, sender=KEEPER) == plain
    house.attestations.both("suspend", False, sender="keeper")  # noqa: FBT003
    house.attest(LONG, 1_500_000_000)
    assert house.both("assessed", LONG, sender=KEEPER).initial == plain.initial * 3 // 2
    house.crash(BITCOIN, 50_000, seconds=86_400)
    assert house.attestations.both("factor", LONG) == ONE, "it expired"


def test_winding_down_ends_new_risk_and_nothing_else(house):
    house.trade(LONG, SHORT, BTC_PERP, 10_000)
    assert house.refused("wind_down", sender=OWNER) == "house: not the guardian"
    house.both("wind_down", sender="keeper")
    order = house.order(LONG, BTC_PERP, 1, 50)
    assert house.refused("fill", order, house.sign(order), 1, sender=SHORT) == "house: winding down"
    house.trade(LONG, SHORT, BTC_PERP, -10_000)
    for account in (LONG, SHORT, KEEPER):
        house.both("withdraw", 100_000 * E6, sender=account)
    assert house.house.twin.ledger.accounts == [WHALE]
    house.check()


def test_tokens_are_listed_once_and_only_until_the_list_is_closed(house):
    other = house.chain.deploy("token_mock", 18).address
    assert house.refused("list_token", 0, other, sender="deployer") == "house: listed already"
    assert house.refused("list_token", 1, other, sender="deployer") == "house: no such asset"
    assert house.refused("list_token", 0, other, sender="stranger") == "house: not the lister"
    house.both("close_listing", sender="deployer")
    assert house.refused("list_token", 0, other, sender="deployer") == "house: not the lister"

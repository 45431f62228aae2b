"""Are margins those that one works out by hand, and is bad input answered by code, place and remedy?"""

import math

import pytest
from msgspec import structs

from plimsoll.domain.instruments import Future, Instrument, Option, Perpetual, Spot
from plimsoll.domain.market import AssetQuote, ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Collateral, Holding, Portfolio
from plimsoll.domain.profiles import (
    CollateralTerms,
    Contingencies,
    OpenInterestTier,
    PortfolioProfile,
)
from plimsoll.domain.scenario_sets import (
    GridScenario,
    JointMoves,
    MarketMove,
    NamedStress,
    ScenarioGrid,
    VolatilityMove,
)
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.open_interest import initial_margin_up, initial_ppm_down, with_open_interest
from plimsoll.margin.profiles import profile, profile_names
from plimsoll.margin.venue import requirement, requirements

DAY = 86_400_000
NOW, EXPIRY = 100 * DAY, 465 * DAY
CALL, PUT = Option("BTC", EXPIRY, 100.0, "C"), Option("BTC", EXPIRY, 100.0, "P")
UP_DOWN = ScenarioGrid(scenarios=(GridScenario(name="down", spot=-0.2), GridScenario(name="up", spot=0.1)))


def quote(underlying: str, spot: float) -> UnderlyingQuote:
    expiries = (ExpiryQuote(expiry=EXPIRY, forward=spot),)
    return UnderlyingQuote(underlying=underlying, spot=spot, perpetual=spot, expiries=expiries)


MARKET = Market(
    time=NOW,
    underlyings=(quote("BTC", 100.0), quote("ETH", 10.0)),
    options=(OptionQuote(CALL, 0.0), OptionQuote(PUT, 0.0)),
    assets=(AssetQuote(asset="gold", price=50.0),),
)


def plain(*scenarios, **parts) -> PortfolioProfile:
    return PortfolioProfile(name="plain", title="Plain", source="the test", scenarios=scenarios, **parts)


def required(held: tuple[Holding, ...], chosen: PortfolioProfile, level: Level = Level.MAINTENANCE) -> float:
    return requirement(Portfolio(holdings=held), MARKET, chosen, level).required


def test_each_underlying_is_charged_its_own_worst_cell():
    """Long 3 BTC at 100 lose 60 in a fall of 20 %; short 5 ETH at 10 lose 5 in a rise of 10 %."""
    held = (Holding(Perpetual("BTC"), 3.0), Holding(Perpetual("ETH"), -5.0))
    assert required(held, plain(UP_DOWN)) == pytest.approx(65.0)


def test_with_gains_credited_the_underlyings_move_together():
    """In the fall BTC loses 60 and ETH gains 10, of which half counts: 55."""
    held = (Holding(Perpetual("BTC"), 3.0), Holding(Perpetual("ETH"), -5.0))
    assert required(held, plain(structs.replace(UP_DOWN, gain_credit=0.5))) == pytest.approx(55.0)


def test_a_short_straddle_without_volatility_loses_the_larger_move():
    """Without volatility the put is worth 20 after the fall, the call 10 after the rise; short two each."""
    held = (Holding(CALL, -2.0), Holding(PUT, -2.0))
    assert required(held, plain(UP_DOWN)) == pytest.approx(40.0)


def test_a_skew_scenario_without_a_shape_is_refused():
    skewed = GridScenario(name="skew", spot=0.0, volatility=VolatilityMove.LINEAR_SKEW)
    with pytest.raises(PlimsollError) as refused:
        required((Holding(CALL, 1.0),), plain(ScenarioGrid(scenarios=(skewed,))))
    assert refused.value.code is Code.MISSING_PARAMETERS


def test_joint_moves_average_the_worst_rows():
    """Long 1 BTC and short 10 ETH, 100 each: rows lose 10, 30, 5 and -20; the two worst average 20."""
    joint = JointMoves(
        underlyings=("BTC", "ETH"),
        names=("a", "b", "c", "d"),
        spot=((-0.1, 0.0), (-0.1, 0.2), (0.0, 0.05), (0.1, -0.1)),
        tail=2,
    )
    held = (Holding(Perpetual("BTC"), 1.0), Holding(Perpetual("ETH"), -10.0))
    assert required(held, plain(joint)) == pytest.approx(20.0)


def test_a_named_stress_moves_those_it_does_not_name_by_the_rest():
    stress = NamedStress(name="bank run", moves=(MarketMove(underlying="BTC", spot=-0.5),), others=-0.8)
    held = (Holding(Spot("BTC"), 1.0), Holding(Future("ETH", EXPIRY), 1.0))
    answer = requirement(Portfolio(holdings=held), MARKET, plain(UP_DOWN, stress), Level.MAINTENANCE)
    assert answer.required == pytest.approx(58.0)
    assert answer.worst == "bank run"


def test_a_basis_scenario_moves_forwards_and_not_spot():
    basis = ScenarioGrid(scenarios=(GridScenario(name="backwardation", spot=0.0, basis=-0.05),))
    held = (Holding(Spot("BTC"), 1.0), Holding(Future("BTC", EXPIRY), 2.0))
    assert required(held, plain(basis)) == pytest.approx(10.0)


def test_the_floor_keeps_a_share_of_what_lone_positions_would_lose():
    """Long and short cancel; alone they would lose 20 and 10, of which a third counts."""
    held = (Holding(Perpetual("BTC"), 1.0), Holding(Future("BTC", EXPIRY), -1.0))
    assert required(held, plain(UP_DOWN)) == 0.0
    assert required(held, plain(UP_DOWN, gross_floor=1 / 3)) == pytest.approx(10.0)


def test_calls_and_puts_of_one_strike_are_netted_before_shorts_are_charged():
    charged = plain(contingencies=Contingencies(short_option=0.01, short_option_initial=0.02))
    assert required((Holding(CALL, -3.0), Holding(PUT, 1.0)), charged) == pytest.approx(2.0)
    assert required((Holding(CALL, -3.0), Holding(PUT, 1.0)), charged, Level.INITIAL) == pytest.approx(6.0)


def test_collateral_that_moves_with_a_short_cancels_its_risk():
    """Two pieces of gold are worth 100, as one BTC short is; in the rise one gains what the other loses."""
    terms = CollateralTerms(asset="gold", haircut=0.1, moves_with="BTC")
    portfolio = Portfolio(holdings=(Holding(Perpetual("BTC"), -1.0),), collateral=(Collateral("gold", 2.0),))
    answer = requirement(portfolio, MARKET, plain(UP_DOWN, collateral=(terms,)), Level.MAINTENANCE)
    assert answer.part("scenarios") == pytest.approx(0.0)
    assert answer.part("collateral") == pytest.approx(10.0)
    assert answer.equity == pytest.approx(100.0)


def test_spot_and_options_count_as_equity_and_perpetuals_do_not():
    held = (Holding(Spot("ETH"), 2.0), Holding(Perpetual("BTC"), 1.0), Holding(CALL, 1.0))
    answer = requirement(
        Portfolio(cash=7.0, unrealised=1.0, holdings=held), MARKET, plain(UP_DOWN), Level.INITIAL
    )
    assert answer.equity == pytest.approx(28.0)


def test_open_interest_raises_the_initial_fraction_and_not_maintenance():
    tier = OpenInterestTier(initial_ppm=100_000, maintenance_ppm=500_000, lower=1_000, upper=2_000)
    assert [initial_ppm_down(tier, held) for held in (0, 1_000, 1_333, 2_000, 9_000)] == [
        100_000, 100_000, 399_700, 1_000_000, 1_000_000,
    ]  # fmt: skip
    assert initial_margin_up(tier, 1_333, -7) == math.ceil(7 * 0.3997)
    chosen = with_open_interest(
        structs.replace(profile("dydx-large-cap"), open_interest=tier), {"BTC": 1_333, "ETH": 0}
    )
    held = (Holding(Perpetual("BTC"), -2.0), Holding(Perpetual("ETH"), 3.0))
    assert required(held, chosen, Level.INITIAL) == pytest.approx(200 * 0.3997 + 30 * 0.1)
    assert required(held, chosen) == pytest.approx(230 * 0.05)


STATED = [name for name in profile_names() if not profile(name).calibrated_volatility]


@pytest.mark.parametrize("name", STATED)
def test_every_packaged_profile_margins_a_perpetual_on_both_sides(name):
    chosen = with_open_interest(profile(name), {"BTC": 0})
    market = structs.replace(MARKET, underlyings=MARKET.underlyings[:1])
    for size in (1.0, -1.0):
        portfolio = Portfolio(holdings=(Holding(Perpetual("BTC"), size),))
        answer = requirement(portfolio, market, chosen, Level.INITIAL)
        assert answer.required > 0.0
        assert answer.profile == name
        assert answer.worst in {scenario.name for scenario in answer.scenarios}


def test_a_profile_that_moves_volatility_by_a_set_is_refused_without_one():
    with pytest.raises(PlimsollError, match="--implied") as refused:
        requirement(Portfolio(), MARKET, profile("plimsoll-implied"), Level.INITIAL)
    assert refused.value.code is Code.BAD_SETTING


def test_a_profile_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(PlimsollError, match="span-16") as refused:
        profile("nowhere")
    assert refused.value.code is Code.UNKNOWN_POLICY


BAD_HOLDINGS = {
    Code.UNKNOWN_INSTRUMENT: Holding(Perpetual("DOGE"), 1.0),
    Code.EXPIRED_INSTRUMENT: Holding(Future("BTC", NOW), 1.0),
    Code.MISSING_VOLATILITY: Holding(Option("BTC", EXPIRY, 120.0, "C"), 1.0),
    Code.BAD_STRIKE: Holding(Option("BTC", EXPIRY, -1.0, "C"), 1.0),
    Code.BAD_QUANTITY: Holding(CALL, math.nan),
}


@pytest.mark.parametrize("code", BAD_HOLDINGS)
def test_a_bad_holding_is_that_accounts_answer_and_the_others_are_margined(code):
    good = Portfolio(cash=5.0, holdings=(Holding(CALL, -1.0), Holding(Perpetual("ETH"), 1.0)))
    bad = Portfolio(holdings=(good.holdings[0], BAD_HOLDINGS[code]))
    before, fault, after = requirements((good, bad, good), MARKET, plain(UP_DOWN), Level.INITIAL)
    assert isinstance(fault, PlimsollError)
    assert fault.code is code
    assert fault.where
    assert fault.remedy
    assert before == after == requirement(good, MARKET, plain(UP_DOWN), Level.INITIAL)
    with pytest.raises(PlimsollError) as refused:
        requirement(bad, MARKET, plain(UP_DOWN), Level.INITIAL)
    assert refused.value.code is code


BAD_MARKETS: dict[str, tuple[Code, UnderlyingQuote, Instrument]] = {
    "spot": (Code.BAD_PRICE, structs.replace(quote("BTC", 100.0), spot=-1.0), Spot("BTC")),
    "perpetual": (Code.MISSING_PRICE, structs.replace(quote("BTC", 100.0), perpetual=None), Perpetual("BTC")),
    "expiries": (Code.UNKNOWN_INSTRUMENT, structs.replace(quote("BTC", 100.0), expiries=()), CALL),
    "forward": (
        Code.BAD_PRICE,
        structs.replace(quote("BTC", 100.0), expiries=(ExpiryQuote(expiry=EXPIRY, forward=math.nan),)),
        Future("BTC", EXPIRY),
    ),
    "rate": (
        Code.BAD_PRICE,
        structs.replace(
            quote("BTC", 100.0), expiries=(ExpiryQuote(expiry=EXPIRY, forward=1.0, rate=math.inf),)
        ),
        Future("BTC", EXPIRY),
    ),
}


@pytest.mark.parametrize("field", BAD_MARKETS)
def test_a_bad_quote_is_named_by_its_field(field):
    code, bad, instrument = BAD_MARKETS[field]
    market = structs.replace(MARKET, underlyings=(bad,))
    with pytest.raises(PlimsollError) as refused:
        requirement(Portfolio(holdings=(Holding(instrument, 1.0),)), market, plain(UP_DOWN), Level.INITIAL)
    assert refused.value.code is code
    assert field in refused.value.where


def test_collateral_without_terms_or_quote_is_refused():
    terms = (CollateralTerms(asset="silver", haircut=0.1),)
    for asset, code in (("gold", Code.MISSING_PARAMETERS), ("silver", Code.MISSING_PRICE)):
        portfolio = Portfolio(collateral=(Collateral(asset, 1.0),))
        (fault,) = requirements((portfolio,), MARKET, plain(UP_DOWN, collateral=terms), Level.INITIAL)
        assert isinstance(fault, PlimsollError)
        assert fault.code is code


def test_options_under_open_interest_tiers_and_coins_of_two_kinds_are_refused():
    with pytest.raises(PlimsollError) as refused:
        required((Holding(CALL, 1.0),), profile("dydx-large-cap"))
    assert refused.value.code is Code.UNSUPPORTED_INSTRUMENT
    with pytest.raises(PlimsollError) as refused:
        required((Holding(Perpetual("BTC"), 1.0),), profile("deribit-pm"))
    assert refused.value.code is Code.BAD_SETTING


@pytest.mark.parametrize("name", ["span-16", "dydx-large-cap"])
def test_an_underlying_without_a_range_is_refused_where_others_have_one(name):
    with pytest.raises(PlimsollError, match="no range for DOGE") as refused:
        required((Holding(Perpetual("DOGE"), 1.0),), profile(name))
    assert refused.value.code is Code.MISSING_PARAMETERS


def test_a_scenario_that_takes_a_price_below_zero_is_refused():
    impossible = ScenarioGrid(scenarios=(GridScenario(name="gone", spot=-1.2),))
    with pytest.raises(PlimsollError, match="gone"):
        required((Holding(Spot("BTC"), 1.0),), plain(impossible))


def test_joint_moves_must_cover_every_underlying_held():
    joint = JointMoves(underlyings=("ETH",), names=("a",), spot=((0.1,),), tail=1)
    with pytest.raises(PlimsollError) as refused:
        required((Holding(Spot("BTC"), 1.0),), plain(joint))
    assert refused.value.code is Code.MISSING_PARAMETERS

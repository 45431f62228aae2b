"""Do options pay for being closed what quotes and underlying ask, and nothing where they cancel?"""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.clearing.relief import ReliefTerms, choose_reductions
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.instruments import Option, Perpetual
from plimsoll.domain.market import ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.market_liquidity import OptionLiquidity
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import LiquidityTerms, UnderlyingRange
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.option_cost import fit_option_liquidity
from plimsoll.margin.option_legs import option_legs, unit_costs
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import requirement
from plimsoll.pricing import build_chain
from plimsoll.pricing.greeks import unit_greeks

ROUNDING = 1e-9
SPREAD = 0.15
"""Median of fitted over quoted widths on days that were not fitted: 0.94 to 1.09 was measured."""
DAY = 86_400_000
TIME = 1_768_000_000_000
EXPIRY = TIME + 30 * DAY
SPOT = 90_000.0
VEGAS = OptionLiquidity(
    band=7e-5,
    curve=CostCurve(
        half_spread=0.003, slope=0.003, reference=1e4, exponent=0.5, volatility=0.0, volume=1e4,
        stressed_depth=0.1,
    ),
)  # fmt: skip
DEEP = CostCurve(half_spread=2e-5, slope=2e-3, reference=5e6, exponent=0.6, volatility=0.01, volume=1e9)
TERMS = LiquidityTerms(underlying="BTC", curves=(DEEP,), options=VEGAS)
CALL, PUT = Option("BTC", EXPIRY, 90_000.0, "C"), Option("BTC", EXPIRY, 90_000.0, "P")
HIGH = Option("BTC", EXPIRY, 120_000.0, "C")
PERPETUAL = Perpetual("BTC")
MARKET = Market(
    time=TIME,
    underlyings=(
        UnderlyingQuote(
            underlying="BTC",
            spot=SPOT,
            perpetual=SPOT,
            expiries=(ExpiryQuote(expiry=EXPIRY, forward=SPOT),),
        ),
    ),
    options=tuple(OptionQuote(option, 0.5) for option in (CALL, PUT, HIGH)),
)
CHAIN = build_chain((CALL, PUT, HIGH, PERPETUAL), MARKET)
ALL_SPOT = np.full(4, SPOT)


def charge(*held, terms=TERMS):
    """Take the part of maintenance that is charged for size."""
    chosen = structs.replace(
        profile("plimsoll"),
        liquidity=(terms,),
        ranges=(UnderlyingRange(underlying="BTC", maintenance=0.1, initial=0.2),),
    )
    portfolio = Portfolio(holdings=tuple(Holding(entry, size) for entry, size in held))
    told = requirement(portfolio, MARKET, chosen, Level.MAINTENANCE)
    return {part.name: part.amount for part in told.parts}["liquidity"]


def test_an_option_pays_for_its_vega_its_band_and_the_hedge_of_its_delta():
    greeks = unit_greeks(CHAIN)
    vega, delta = 7.0 * greeks.vega[0], 7.0 * greeks.delta[0] * SPOT
    thin = VEGAS.curve.stressed_depth**-0.5
    expected = vega * VEGAS.curve.cost(vega) + thin * VEGAS.band * 7.0 * SPOT + delta * DEEP.cost(delta)
    assert charge((CALL, 7.0)) == pytest.approx(expected, rel=ROUNDING)
    assert charge((CALL, 7.0)) == pytest.approx(charge((CALL, -7.0)), rel=ROUNDING)


def test_a_call_against_a_put_is_a_forward_and_a_hedged_option_crosses_no_perpetual():
    forward = charge((CALL, 5.0), (PUT, -5.0))
    discounted = unit_greeks(CHAIN)
    size = 5.0 * (discounted.delta[0] - discounted.delta[1]) * SPOT
    assert forward == pytest.approx(size * DEEP.cost(size), rel=ROUNDING)
    hedge = -5.0 * float(discounted.delta[0])
    assert charge((CALL, 5.0), (PERPETUAL, hedge)) < charge((CALL, 5.0))
    legs = option_legs(CHAIN, unit_greeks(CHAIN), ALL_SPOT, np.array([5.0, 0.0, 0.0, 0.0]))
    assert charge((CALL, 5.0), (PERPETUAL, hedge)) == pytest.approx(
        VEGAS.cost(legs.vega, legs.forwards), rel=1e-6
    )


@given(st.floats(0.1, 1e4), st.floats(1.0, 5.0), st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_the_charge_grows_with_size_and_is_convex(size, factor, share):
    other = size * factor
    low, high = charge((HIGH, size)), charge((HIGH, other))
    assert low <= high
    between = charge((HIGH, share * size + (1.0 - share) * other))
    if VEGAS.curve.cost(other * float(unit_greeks(CHAIN).vega[2])) < 1.0:
        assert between <= (share * low + (1.0 - share) * high) * (1.0 + ROUNDING)


def test_without_an_option_curve_options_pay_nothing_for_size():
    assert charge((CALL, 7.0), terms=structs.replace(TERMS, options=None)) == 0.0


def test_relief_sells_first_what_is_cheap_to_close_for_the_margin_that_it_frees():
    """Two short calls of the same margin: the one that costs less to close goes first."""
    costs = unit_costs(CHAIN, ALL_SPOT, (TERMS,))
    greeks = unit_greeks(CHAIN)
    assert costs[0] == pytest.approx(
        VEGAS.curve.half_spread * greeks.vega[0]
        + VEGAS.band * SPOT
        + abs(greeks.delta[0]) * SPOT * DEEP.half_spread
    )
    assert costs[2] < costs[0]
    assert costs[3] == pytest.approx(SPOT * DEEP.half_spread)
    lots = np.array([[-40, 0, -40, 0]])
    terms = ReliefTerms(
        margin=lambda held: 9_000.0 * np.abs(held).sum(axis=-1).astype(float),
        cost=np.maximum(costs, 1e-6),
        profit=np.zeros((1, 4)),
        target=1.0,
    )
    found = choose_reductions(lots, np.array([600_000.0]), terms)
    assert found.enough[0]
    assert found.trades[0, 2] > 0
    assert found.trades[0, 0] == 0


def test_widths_are_found_again_in_quotes_that_follow_them():
    generator = np.random.default_rng(4)
    vega, forward = generator.uniform(10.0, 2e4, 400), np.full(400, SPOT)
    shown = generator.uniform(0.1, 20.0, 400)
    width = (0.0041 * vega + 9e-5 * forward) * np.exp(generator.laplace(0.0, 0.3, 400))
    found = fit_option_liquidity(width, vega, forward, shown)
    exact = fit_option_liquidity(0.0041 * vega + 9e-5 * forward, vega, forward, shown)
    assert found.curve.half_spread == pytest.approx(0.0041, rel=0.2)
    assert found.band == pytest.approx(9e-5, rel=0.2)
    grid = 0.06
    assert exact.curve.half_spread == pytest.approx(0.0041, rel=grid)
    assert exact.band == pytest.approx(9e-5, rel=grid)
    assert exact.curve.reference == np.median(shown * vega)
    with pytest.raises(PlimsollError) as few:
        fit_option_liquidity(width[:29], vega[:29], forward[:29], shown[:29])
    assert few.value.code == Code.TOO_LITTLE_HISTORY


def test_one_days_fit_prices_the_quotes_of_the_other_days(market_data):
    chain = pl.read_parquet(market_data / "options" / "deribit_btc_chain_2026-01.parquet").with_columns(
        width=(pl.col("best_ask_price") - pl.col("best_bid_price")) / 2.0 * pl.col("underlying_price"),
        vega=100.0 * pl.col("greeks_vega"),
        shown=pl.min_horizontal("best_bid_amount", "best_ask_amount"),
    )
    quoted = chain.filter(
        (pl.col("best_bid_price") > 0.0)
        & (pl.col("best_ask_price") > pl.col("best_bid_price"))
        & (pl.col("vega") > 0.0)
        & ((pl.col("option_type") == "call") == (pl.col("strike") >= pl.col("underlying_price")))
    )
    assert len(quoted) > 1_000
    for (day,), fitted in quoted.group_by("snapshot"):
        columns = [fitted[name].to_numpy() for name in ("width", "vega", "underlying_price", "shown")]
        found = fit_option_liquidity(*columns)
        others = quoted.filter(pl.col("snapshot") != day)
        told = found.curve.half_spread * others["vega"] + found.band * others["underlying_price"]
        ratio = (told / others["width"]).to_numpy()
        assert np.median(ratio) == pytest.approx(1.0, abs=SPREAD)
        assert np.quantile(ratio, 0.05) > 0.4
        assert np.quantile(ratio, 0.95) < 3.0

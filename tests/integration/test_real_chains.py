"""How well does the surface fit real chains, and is it free of arbitrage there?"""

from datetime import UTC, datetime

import numpy as np
import pytest

from plimsoll.domain.surface import SurfaceSettings
from plimsoll.estimators.surface import fit_surface
from plimsoll.kernels.implied import Reason, implied_volatilities
from plimsoll.kernels.surface import svi_surface_volatility
from tests.support.chains import deribit_2024, deribit_2026

MEDIAN_ERROR = 0.005
"""Half a point; 0.40 points is measured over the 59 expiries of January 2026."""
WORST_ERROR = 0.015
LEAST_INSIDE = 0.9
"""Share of all two-sided quotes that a smile passes between; 0.93 is measured."""
LATEST_LISTING = int(datetime(2024, 5, 24, 13, 6, tzinfo=UTC).timestamp() * 1000)


def test_every_expiry_of_january_2026_is_fitted_free_of_arbitrage_within_the_spread(market_data):
    errors, half_spreads, inside, quotes = [], [], [], []
    for smiles in deribit_2026(market_data).values():
        fit = fit_surface("BTC", smiles, SurfaceSettings())
        assert not fit.refused
        for part in fit.slices:
            assert part.is_free_of_arbitrage, part
            errors.append(part.error)
            half_spreads.append(part.half_spread)
            inside.append(part.inside)
            quotes.append(part.quotes)
    assert len(errors) > 50
    assert float(np.median(errors)) < MEDIAN_ERROR
    assert max(errors) < WORST_ERROR
    assert float(np.mean(np.array(errors) < np.array(half_spreads))) > 0.75
    assert float(np.average(inside, weights=quotes)) > LEAST_INSIDE


def test_marks_alone_of_may_2024_are_fitted_and_a_thin_expiry_is_refused(market_data):
    fit = fit_surface("BTC", deribit_2024(market_data, "BTC", LATEST_LISTING), SurfaceSettings())
    assert len(fit.refused) == 1
    assert len(fit.slices) == 10
    for part in fit.slices:
        assert part.is_free_of_arbitrage, part
        assert part.quotes == 0
        assert np.isnan(part.error)
        assert part.mark_error < 0.08


def test_the_venue_s_own_prices_imply_the_volatilities_that_it_states(market_data):
    import polars as pl

    chain = pl.read_parquet(market_data / "options" / "deribit_btc_chain_2026-01.parquet").filter(
        (pl.col("best_bid_price") > 0.0) & (pl.col("bid_iv") > 0.0) & (pl.col("greeks_vega") > 20.0)
    )
    tau = (chain["expiry"] - chain["ts"]).dt.total_milliseconds().to_numpy() / (365.0 * 86_400_000)
    forward = chain["underlying_price"].to_numpy()
    found = implied_volatilities(
        chain["best_bid_price"].to_numpy() * forward,
        forward,
        chain["strike"].to_numpy(),
        tau,
        (chain["option_type"] == "call").to_numpy(),
    )
    assert (found.reason == Reason.SOLVED).all()
    difference = np.abs(found.volatility - chain["bid_iv"].to_numpy() / 100.0)
    assert len(difference) > 1_000
    assert float(np.median(difference)) < 1e-3


def test_a_surface_of_a_chain_answers_between_expiries_and_beyond_them(market_data):
    smiles = deribit_2026(market_data)["20260115"]
    surface = fit_surface("BTC", smiles, SurfaceSettings()).surface
    k, tau = np.meshgrid(np.linspace(-0.5, 0.5, 21), np.linspace(0.001, 1.5, 40))
    found = svi_surface_volatility(k, tau, surface.tenors(), surface.parameters())
    assert np.isfinite(found).all()
    tested = (tau[1:] > surface.tenors()[0]) & (np.abs(k[1:]) < 0.1)
    assert (np.diff(found**2 * tau, axis=0)[tested] >= 0.0).all()


@pytest.mark.parametrize("snapshot", ["20260114", "20260118"])
def test_the_same_chain_gives_the_same_surface_in_any_order(market_data, snapshot):
    smiles = deribit_2026(market_data)[snapshot]
    forwards, backwards = (fit_surface("BTC", one, SurfaceSettings()) for one in (smiles, smiles[::-1]))
    assert forwards.surface == backwards.surface

"""What must hold of every volatility surface?"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.domain.surface import YEAR, GridSlice, GridSurface, SviSlice, SviSurface
from plimsoll.kernels.surface import grid_surface_volatility, svi_surface_volatility
from plimsoll.kernels.svi import svi_volatility

ROUNDING = 1e-12
NOW = 1_700_000_000_000

log_moneyness = st.floats(-3.0, 3.0)
smiles = st.builds(
    lambda least, b, rho, m, sigma: (least - b * sigma * (1.0 - rho**2) ** 0.5, b, rho, m, sigma),
    st.floats(1e-3, 0.2),
    st.floats(0.01, 0.5),
    st.floats(-0.95, 0.95),
    st.floats(-0.5, 0.5),
    st.floats(0.01, 1.0),
)


def surface(smile: tuple[float, ...], tenors: list[float]) -> SviSurface:
    """Return a smile whose variance grows in proportion to time."""
    a, b, rho, m, sigma = smile
    slices = tuple(
        SviSlice(expiry=NOW + round(t * YEAR), forward=100.0, a=a * t, b=b * t, rho=rho, m=m, sigma=sigma)
        for t in tenors
    )
    return SviSurface(underlying="BTC", time=NOW, slices=slices)


@given(smiles, log_moneyness, st.floats(0.001, 3.0))
def test_variance_in_proportion_to_time_is_one_volatility_at_all_times(smile, k, tau):
    made = surface(smile, [0.02, 0.1, 0.7])
    found = svi_surface_volatility(k, tau, made.tenors(), made.parameters())
    np.testing.assert_allclose(found, svi_volatility(k, 1.0, np.array(smile)), rtol=1e-9)


@given(smiles, log_moneyness, st.floats(1.0, 3.0), st.lists(st.floats(0.05, 0.6), min_size=2, max_size=6))
def test_total_variance_never_falls_with_time_where_it_rises_between_expiries(smile, k, growth, times):
    near = surface(smile, [0.1]).parameters()[0]
    far = near * np.array([growth, growth, 1.0, 1.0, 1.0])
    tau = np.sort(np.array(times))
    found = svi_surface_volatility(k, tau, np.array([0.1, 0.4]), np.array([near, far])) ** 2 * tau
    assert (np.diff(found) >= -ROUNDING).all()


@given(st.lists(st.floats(0.05, 3.0), min_size=1, max_size=8), st.data())
def test_a_grid_gives_back_every_quote_and_stays_between_its_neighbours(volatilities, data):
    strikes = tuple(80.0 + 7.0 * i for i in range(len(volatilities)))
    slices = tuple(
        GridSlice(
            expiry=NOW + days * 86_400_000, forward=100.0, strikes=strikes, volatilities=tuple(volatilities)
        )
        for days in (7, 30)
    )
    grid = GridSurface(underlying="BTC", time=NOW, slices=slices)
    k = np.log(np.array(strikes) / 100.0)
    for tau in (0.001, 7.0 / 365.0, 0.05, 1.0):
        found = grid_surface_volatility(k, tau, grid.tenors(), grid.grids())
        np.testing.assert_allclose(found, volatilities, rtol=ROUNDING)
    anywhere = data.draw(log_moneyness)
    between = float(grid_surface_volatility(anywhere, 0.04, grid.tenors(), grid.grids()))
    assert min(volatilities) * (1 - ROUNDING) <= between <= max(volatilities) * (1 + ROUNDING)

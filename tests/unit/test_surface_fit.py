"""Does a surface fit refuse what it cannot use, repair what admits arbitrage, and say what it did?"""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from plimsoll.domain.surface import YEAR, Smile, SurfaceSettings, SviSlice, SviSurface
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.surface import fit_grid, fit_surface
from plimsoll.kernels.surface import grid_surface_volatility, svi_surface_volatility
from plimsoll.kernels.svi import svi_volatility

NOW = 1_768_000_000_000
FORWARD = 96_000.0
CALM = np.array([0.001, 0.03, -0.3, -0.02, 0.06])
SETTINGS = SurfaceSettings()


def smile(days: float, parameters: np.ndarray, half_spread: float = 0.005, strikes: int = 21) -> Smile:
    tau = days / 365.0
    k = np.linspace(-5.0, 5.0, strikes) * 0.5 * math.sqrt(tau)
    middle = svi_volatility(k, tau, parameters)
    return Smile(
        expiry=NOW + round(tau * YEAR),
        time=NOW,
        forward=FORWARD,
        strikes=FORWARD * np.exp(k),
        bid=middle - half_spread,
        ask=middle + half_spread,
        mark=middle,
    )


def grown(factor: float) -> np.ndarray:
    a, b, *shape = CALM.tolist()
    return np.array([factor * a, factor * b, *shape])


def test_quotes_on_a_smile_are_fitted_to_a_millionth_and_between_bid_and_ask():
    fit = fit_surface("BTC", [smile(30.0, grown(5.0)), smile(7.0, CALM)], SETTINGS)
    assert [part.slice.expiry for part in fit.slices] == sorted(part.slice.expiry for part in fit.slices)
    for part in fit.slices:
        assert part.error < 1e-5
        assert part.half_spread == pytest.approx(0.005)
        assert part.inside == 1.0
        assert part.is_free_of_arbitrage
        assert not part.is_repaired
        assert part.marks == 0
    assert fit.slices[-1].calendar_gap == math.inf
    assert fit.slices[0].calendar_gap > 0.0


def test_an_expiry_with_too_few_quotes_is_refused_and_the_others_are_fitted():
    few = smile(14.0, grown(2.0), strikes=4)
    fit = fit_surface("BTC", [few, smile(30.0, grown(5.0))], SETTINGS)
    ((expiry, error),) = fit.refused
    assert expiry == few.expiry
    assert error.code is Code.NO_SURFACE
    assert "4 strikes are quoted and 6 are needed" in str(error)
    assert len(fit.slices) == 1


BAD = [
    (lambda good: replace(good, time=good.expiry), "not after"),
    (lambda good: replace(good, forward=math.nan), "forward is nan"),
    (lambda good: replace(good, forward=-1.0), "forward is -1"),
    (lambda good: replace(good, strikes=good.strikes[::-1]), "increasing"),
    (lambda good: replace(good, strikes=good.strikes - good.strikes[3]), "positive"),
    (lambda good: replace(good, bid=good.bid * np.nan, mark=good.mark * np.nan), "0 strikes"),
]


@pytest.mark.parametrize(("spoil", "words"), BAD)
def test_a_chain_without_one_usable_expiry_is_an_error(spoil, words):
    with pytest.raises(PlimsollError, match=words) as caught:
        fit_surface("BTC", [spoil(smile(7.0, CALM))], SETTINGS)
    assert caught.value.code is Code.NO_SURFACE


def test_a_near_smile_above_a_far_one_is_moved_below_it_and_says_so():
    fit = fit_surface("BTC", [smile(7.0, grown(1.3)), smile(9.0, CALM)], SETTINGS)
    near, far = fit.slices
    assert near.is_repaired
    assert not far.is_repaired
    assert near.is_free_of_arbitrage
    assert near.error > 10.0 * far.error
    k = np.linspace(-0.3, 0.3, 61)
    rows = fit.surface.parameters()
    assert (svi_volatility(k, 1.0, rows[0]) <= svi_volatility(k, 1.0, rows[1])).all()


def test_a_smile_whose_density_would_be_negative_is_repaired():
    crooked = np.array([-0.041, 0.1331, 0.306, 0.3586, 0.4153])  # the example of Gatheral and Jacquier
    k = np.linspace(-1.5, 1.5, 31)
    middle = svi_volatility(k, 1.0, crooked)
    quotes = Smile(NOW + YEAR, NOW, FORWARD, FORWARD * np.exp(k), middle - 0.002, middle + 0.002, middle)
    (part,) = fit_surface("BTC", [quotes], SETTINGS).slices
    assert part.is_repaired
    assert part.is_free_of_arbitrage
    assert 0.0005 < part.error < 0.02


def test_where_one_side_is_missing_the_mark_is_used_with_less_weight():
    good = smile(7.0, CALM)
    bid, mark = good.bid.copy(), good.mark.copy()
    bid[:3], mark[:3] = 0.0, mark[:3] * 2.0
    (part,) = fit_surface("BTC", [replace(good, bid=bid, mark=mark)], SETTINGS).slices
    assert part.quotes == 18
    assert part.marks == 3
    assert part.mark_error > 0.1
    assert part.error < 0.005


def test_a_grid_keeps_every_middle_as_it_stands():
    quotes = [smile(30.0, grown(5.0)), smile(7.0, CALM)]
    grid = fit_grid("BTC", quotes, SETTINGS)
    for one in quotes:
        found = grid_surface_volatility(one.log_moneyness, one.tau, grid.tenors(), grid.grids())
        np.testing.assert_allclose(found, 0.5 * (one.bid + one.ask), rtol=1e-12)


def test_a_surface_survives_writing_and_reading():
    surface = fit_surface("BTC", [smile(7.0, CALM)], SETTINGS).surface
    again = msgspec.json.decode(msgspec.json.encode(surface), type=SviSurface)
    assert again == surface
    found = svi_surface_volatility(0.1, 0.02, again.tenors(), again.parameters())
    assert found == svi_surface_volatility(0.1, 0.02, surface.tenors(), surface.parameters())


@pytest.mark.parametrize("field", [{"sigma": 0.0}, {"rho": 1.5}, {"b": -0.1}, {"forward": 0.0}, {"extra": 1}])
def test_a_slice_outside_of_its_bounds_is_refused_when_read(field):
    good = {"expiry": NOW, "forward": 1.0, "a": 0.1, "b": 0.1, "rho": 0.0, "m": 0.0, "sigma": 0.1}
    assert msgspec.convert(good, SviSlice).forward == 1.0
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(good | field, SviSlice)

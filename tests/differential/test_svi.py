"""Do the compiled SVI kernels equal their definitions, and does the fit find what it should?"""

import mpmath
import numpy as np
import pytest

from plimsoll.kernels.surface import svi_surface_volatility, svi_surface_volatility_definition
from plimsoll.kernels.svi import (
    butterfly,
    butterfly_definition,
    svi_variance,
    svi_variance_definition,
    svi_volatility,
)
from plimsoll.kernels.svi_fit import best_linear, best_linear_definition, closest_svi
from plimsoll.kernels.svi_repair import refined_svi

SMILES = 200
ROUNDING = 1e-13
CANCELLED = 1e-15
"""The smallest variance of a smile is a difference of numbers of order one."""


def smiles(seed: int, size: int) -> np.ndarray:
    """Draw a, b, rho, m, sigma as chains show them; variance is positive."""
    generator = np.random.default_rng(seed)
    b = np.exp(generator.uniform(np.log(0.003), np.log(0.8), size))
    rho = generator.uniform(-0.95, 0.95, size)
    m = generator.normal(0.0, 0.2, size)
    sigma = np.exp(generator.uniform(np.log(0.003), np.log(1.5), size))
    least = np.exp(generator.uniform(np.log(1e-4), np.log(0.3), size))
    return np.column_stack([least - b * sigma * np.sqrt(1.0 - rho**2), b, rho, m, sigma])


def test_variance_and_butterfly_equal_their_definitions():
    for parameters in smiles(1, SMILES).tolist():
        for k in (-2.0, -0.3, -1e-3, 0.0, 0.07, 1.1):
            w = svi_variance_definition(k, *parameters)
            assert svi_variance(k, *parameters) == pytest.approx(w, rel=ROUNDING, abs=CANCELLED)
            assert svi_volatility(k, 0.2, np.array(parameters)) == pytest.approx(
                (w / 0.2) ** 0.5, rel=ROUNDING, abs=0.0
            )
            defined = butterfly_definition(k, *parameters)
            assert butterfly(k, *parameters) == pytest.approx(defined, rel=1e-9, abs=1e-9)


def test_the_butterfly_factor_is_the_density_of_the_price_at_expiry():
    """The density is the second derivative of the call in the strike, at high precision."""
    a, b, rho, m, sigma = 0.01, 0.12, -0.4, 0.03, 0.15

    def call(strike: mpmath.mpf) -> mpmath.mpf:
        k = mpmath.log(strike)
        deviation = mpmath.sqrt(a + b * (rho * (k - m) + mpmath.sqrt((k - m) ** 2 + sigma**2)))
        d1 = -k / deviation + deviation / 2
        return mpmath.ncdf(d1) - strike * mpmath.ncdf(d1 - deviation)

    with mpmath.workdps(40):
        for k in (-0.6, -0.1, 0.02, 0.4):
            density = mpmath.diff(call, mpmath.exp(mpmath.mpf(k)), 2)
            deviation = mpmath.sqrt(svi_variance_definition(k, a, b, rho, m, sigma))
            d2 = -k / deviation - deviation / 2
            factor = density * mpmath.exp(mpmath.mpf(k)) * deviation / mpmath.npdf(d2)
            assert butterfly_definition(k, a, b, rho, m, sigma) == pytest.approx(
                float(factor), rel=1e-9, abs=0.0
            )


def test_a_surface_between_its_expiries_equals_its_definition():
    parameters = smiles(2, 4)
    tenors = np.array([0.01, 0.08, 0.3, 0.9])
    k, tau = np.meshgrid(np.linspace(-1.0, 1.0, 9), [0.001, 0.01, 0.05, 0.08, 0.5, 0.9, 2.0])
    found = svi_surface_volatility(k, tau, tenors, parameters)
    for place in np.ndindex(*k.shape):
        defined = svi_surface_volatility_definition(float(k[place]), float(tau[place]), tenors, parameters)
        assert found[place] == pytest.approx(defined, rel=ROUNDING, abs=0.0)


def test_a_surface_of_one_expiry_is_that_smile():
    parameters = smiles(3, 1)
    k = np.linspace(-0.5, 0.5, 11)
    for tau in (0.05, 0.1, 0.4):
        found = svi_surface_volatility(k, tau, np.array([0.1]), parameters)
        np.testing.assert_allclose(found, svi_volatility(k, 0.1, parameters[0]), rtol=ROUNDING)


def quotes(seed: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    k = np.sort(generator.normal(0.0, 0.4, size))
    w = (
        0.05
        + 0.3 * generator.random() * np.abs(k) ** generator.uniform(0.5, 2.0)
        + 0.01 * generator.normal(size=size)
    )
    return k, np.abs(w), np.exp(generator.normal(0.0, 1.0, size))


def test_the_inner_programme_equals_its_definition_whatever_limit_binds():
    seen = set()
    for seed in range(60):
        k, w, weight = quotes(seed, 12)
        generator = np.random.default_rng(1000 + seed)
        w = w * np.exp(generator.normal() * k)  # lopsided, so that limits bind
        m, sigma = generator.normal(0.0, 0.5), float(np.exp(generator.uniform(-3.0, 1.0)))
        defined = best_linear_definition(k, w, weight, m, sigma)
        found = best_linear(k, w, weight, m, sigma)
        total = float(np.sum((weight * w) ** 2))
        assert found[0] == pytest.approx(defined[0], rel=1e-6, abs=1e-9 * total)
        _, a, d, c = defined
        seen |= {
            name
            for name, value in (("a", a + c), ("convex", c - abs(d)), ("wing", 2.0 * sigma - c - abs(d)))
            if value < 1e-9
        }
    assert seen >= {"a", "convex"}


@pytest.mark.parametrize("seed", range(12))
def test_a_smile_without_noise_is_found_again(seed):
    (parameters,) = smiles(100 + seed, 1)
    a, b, rho, m, sigma = parameters
    k = np.linspace(m - 2.0 * sigma - 0.1, m + 3.0 * sigma + 0.1, 25)
    w = np.array([svi_variance_definition(x, a, b, rho, m, sigma) for x in k.tolist()])
    if a + b * sigma < 0.0 or b * (1.0 + abs(rho)) > 2.0:
        pytest.skip("the drawn smile is outside of the limits that the fit keeps")
    ceiling = np.full(len(k), np.inf)
    found = refined_svi(closest_svi(k, w, 1.0 / w), k, w, 1.0 / w, k, ceiling, 0.0)
    again = np.array([svi_variance_definition(x, *found) for x in k.tolist()])
    np.testing.assert_allclose(again, w, rtol=1e-6)

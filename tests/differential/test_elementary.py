"""Do the kernels' own exp, log, normal tail and elimination agree with high precision?"""

import math

import mpmath
import numpy as np
import pytest

from plimsoll.kernels.elementary import exponential, log_ratio
from plimsoll.kernels.elimination import solve_in_place
from plimsoll.kernels.normal import (
    mills_ratio,
    mills_ratio_definition,
    normal_probability,
    normal_probability_definition,
)

POINTS = 3_000
FEW_ULPS = 6e-16
"""About three units in the last place: what three roundings of a well-conditioned formula can cost."""
MILLS_TOLERANCE = 1e-15
CANCELLED = 1e-12
"""The definitions lose up to z^2 units in the last place as exp and erfc nearly undo each other."""


def relative(found: float, exact: mpmath.mpf) -> float:
    return float(abs(found - exact) / abs(exact))


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(40):
        yield


def test_exp_keeps_nearly_every_digit_down_to_underflow():
    arguments = -np.random.default_rng(1).exponential(60.0, POINTS)
    arguments = np.concatenate([arguments[arguments > -708.0], [0.0, -1e-300, -0.5 * math.log(2.0), -708.0]])
    assert max(relative(exponential(x), mpmath.exp(mpmath.mpf(x))) for x in arguments.tolist()) < FEW_ULPS


@pytest.mark.parametrize(("x", "value"), [(-709.0, 0.0), (-math.inf, 0.0), (math.nan, math.nan), (0.0, 1.0)])
def test_exp_at_its_ends_is_what_it_should_be(x, value):
    assert exponential(x) == pytest.approx(value, nan_ok=True, abs=0.0)


def test_the_log_of_a_ratio_is_relatively_exact_near_one_and_far_from_it():
    generator = np.random.default_rng(2)
    larger = np.exp(generator.uniform(-20.0, 20.0, POINTS))
    distance = np.exp(generator.uniform(math.log(1e-15), math.log(300.0), POINTS))
    smaller = np.minimum(larger * np.exp(-distance), np.nextafter(larger, 0.0))
    errors = [
        relative(log_ratio(a, b), mpmath.log(mpmath.mpf(a) / mpmath.mpf(b)))
        for a, b in zip(smaller.tolist(), larger.tolist(), strict=True)
    ]
    assert max(errors) < FEW_ULPS
    assert log_ratio(3.7, 3.7) == 0.0


def exact_mills(z: float) -> mpmath.mpf:
    if z < 100.0:
        return (
            mpmath.sqrt(mpmath.pi / 2) * mpmath.exp(mpmath.mpf(z) ** 2 / 2) * mpmath.erfc(z / mpmath.sqrt(2))
        )
    inverse = 1 / mpmath.mpf(z) ** 2
    return (1 - inverse * (1 - 3 * inverse * (1 - 5 * inverse * (1 - 7 * inverse)))) / z


def test_the_mills_ratio_keeps_nearly_every_digit_at_any_distance():
    places = np.concatenate(
        [[0.0, 1e-12, 39.0], np.exp(np.random.default_rng(3).uniform(-12.0, 45.0, POINTS))]
    )
    assert max(relative(mills_ratio(z), exact_mills(z)) for z in places.tolist()) < MILLS_TOLERANCE
    assert mills_ratio(math.inf) == pytest.approx(0.0, abs=1e-19)


def test_the_compiled_tails_equal_their_definitions():
    for z in np.linspace(0.0, 26.0, 271).tolist():
        assert mills_ratio(z) == pytest.approx(mills_ratio_definition(z), rel=CANCELLED, abs=0.0)
    for z in np.linspace(-37.0, 37.0, 741).tolist():
        assert normal_probability(z) == pytest.approx(
            normal_probability_definition(z), rel=CANCELLED, abs=1e-300
        )


def test_elimination_solves_what_numpy_solves():
    generator = np.random.default_rng(4)
    for size in (1, 3, 6):
        system, right = generator.normal(size=(size, size)), generator.normal(size=size)
        system[0, 0] = 0.0 if size > 1 else 2.0
        found = right.copy()
        solve_in_place(system.copy(), found, size)
        np.testing.assert_allclose(found, np.linalg.solve(system, right), rtol=1e-9)

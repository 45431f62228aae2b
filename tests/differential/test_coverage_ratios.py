"""Are the likelihood ratios of the coverage tests those of arithmetic with fifty digits, on our own cases?"""

import mpmath
import numpy as np
import pytest

from plimsoll.backtest.coverage import first_failure_ratio, kupiec_ratio
from plimsoll.backtest.independence import independence_ratio

DIGITS = 50
TOLERANCE = 1e-9
"""Relative to one: logarithms of tens of thousands of observations nearly cancel where the claim fits."""

COUNTS = [
    (250, 0, "0.01"),
    (250, 250, "0.01"),
    (15_292, 61, "0.005"),
    (61_150, 331, "0.005"),
    (500, 25, "0.05"),
]


def likelihood(breaches, observations, chance):
    """Return the likelihood itself, which underflows in doubles."""
    return mpmath.mpf(chance) ** breaches * (1 - mpmath.mpf(chance)) ** (observations - breaches)


@pytest.mark.parametrize(("observations", "breaches", "share"), COUNTS)
def test_the_proportion_of_failures_is_that_of_raw_likelihoods(observations, breaches, share):
    with mpmath.workdps(DIGITS):
        seen = mpmath.mpf(breaches) / observations
        free, bound = (likelihood(breaches, observations, chance) for chance in (seen, share))
        exact = float(2 * mpmath.log(free / bound))
    assert float(kupiec_ratio(breaches, observations, float(share))) == pytest.approx(
        exact, rel=TOLERANCE, abs=TOLERANCE
    )


@pytest.mark.parametrize(
    "counts", [(932, 53, 53, 4), (15_140, 70, 70, 11), (240, 9, 9, 0), (0, 10, 10, 230), (249, 0, 0, 0)]
)
def test_independence_is_that_of_raw_likelihoods(counts):
    n00, n01, n10, n11 = counts
    with mpmath.workdps(DIGITS):
        after_none = mpmath.mpf(n01) / max(n00 + n01, 1)
        after_one = mpmath.mpf(n11) / max(n10 + n11, 1)
        any_chance = mpmath.mpf(n01 + n11) / sum(counts)
        free = likelihood(n01, n00 + n01, after_none) * likelihood(n11, n10 + n11, after_one)
        exact = float(2 * mpmath.log(free / likelihood(n01 + n11, sum(counts), any_chance)))
    found = float(independence_ratio(np.array(counts, dtype=np.float64)))
    assert found == pytest.approx(exact, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("first", [1, 2, 58, 200, 9_000])
def test_the_first_failure_is_that_of_raw_likelihoods(first):
    with mpmath.workdps(DIGITS):
        free, bound = (likelihood(1, first, chance) for chance in (mpmath.mpf(1) / first, "0.005"))
        exact = float(2 * mpmath.log(free / bound))
    assert float(first_failure_ratio(first, 0.005)) == pytest.approx(exact, rel=TOLERANCE, abs=TOLERANCE)

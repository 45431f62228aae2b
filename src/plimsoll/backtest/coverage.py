r"""Is a rate breached as often as promised?

Throughout, a breach is an excursion beyond the rate, `share` the promised share of breaches (one minus the
level), n observations and x breaches. Likelihoods are taken in logarithms, with 0 ln 0 = 0: products of raw
likelihoods underflow at a few thousand observations and then pass any model.
"""

import math

import numpy as np

from plimsoll.backtest.chances import binomial_at_least, chi_square_tail, normal_tail_both, times_log
from plimsoll.backtest.small_samples import is_small, simulated_p_value
from plimsoll.backtest.verdicts import Verdict
from plimsoll.types import Array, Flags

__all__ = [
    "binomial_z",
    "breach_count_test",
    "first_failure_ratio",
    "first_failure_test",
    "kupiec_ratio",
    "proportion_test",
]


def kupiec_ratio(breaches: Array | float, observations: int, share: float) -> Array:
    r"""Compare the share of breaches with the promised one, both as likelihoods.

    .. math:: LR = 2 \left[ x \ln \frac{x / n}{p} + (n - x) \ln \frac{1 - x / n}{1 - p} \right]

    Parameters
    ----------
    breaches : array   x; any shape.

    Returns
    -------
    array   Chi-square with one degree of freedom where breaches are independent with chance p, as n grows.

    Source: Kupiec (1995), Techniques for verifying the accuracy of risk measurement models.
    """
    x = np.asarray(breaches, dtype=np.float64)
    seen = x / observations
    ratio: Array = 2.0 * (
        times_log(x, seen / share) + times_log(observations - x, (1.0 - seen) / (1.0 - share))
    )
    return ratio


def proportion_test(breaches: Flags, share: float, generator: np.random.Generator) -> Verdict:
    """Kupiec's test of the proportion of failures; simulated where fewer than ten breaches are expected.

    Parameters
    ----------
    breaches : Flags [T]   Of windows that do not overlap.
    """
    observations, seen = len(breaches), int(breaches.sum())
    statistic = float(kupiec_ratio(seen, observations, share))
    if not is_small(observations, share):
        return Verdict(
            "Kupiec", statistic, chi_square_tail(statistic, 1), observations, seen, "chi-square, 1 d.o.f."
        )
    p_value, basis = simulated_p_value(
        statistic,
        lambda hits: kupiec_ratio(hits.sum(axis=1), observations, share),
        observations,
        share,
        generator,
    )
    return Verdict("Kupiec", statistic, p_value, observations, seen, basis)


def binomial_z(breaches: int, observations: int, share: float) -> float:
    """Return how many standard deviations the breaches lie above what is expected."""
    return (breaches - observations * share) / math.sqrt(observations * share * (1.0 - share))


def breach_count_test(breaches: Flags, share: float) -> Verdict:
    """Test the number of breaches by the normal approximation; exactly where few are expected.

    The statistic is `binomial_z`. The exact p-value is twice the smaller of the chances of so many breaches
    or more, and of so many or fewer.
    """
    observations, seen = len(breaches), int(breaches.sum())
    z = binomial_z(seen, observations, share)
    if not is_small(observations, share):
        return Verdict("binomial", z, normal_tail_both(z), observations, seen, "normal")
    at_least = binomial_at_least(seen, observations, share)
    at_most = 1.0 - (binomial_at_least(seen + 1, observations, share) if seen < observations else 0.0)
    p_value = min(1.0, 2.0 * min(at_least, at_most))
    return Verdict("binomial", z, p_value, observations, seen, "exact binomial")


def first_failure_ratio(first: Array | float, share: float) -> Array:
    r"""Judge the time until the first breach.

    .. math:: LR = 2 \left[ \ln \frac{1}{v} + (v - 1) \ln \left(1 - \frac1v\right)
                            - \ln p - (v - 1) \ln (1 - p) \right]

    Parameters
    ----------
    first : array   v: which observation, from 1, is the first breach.

    Source: Kupiec (1995).
    """
    v = np.asarray(first, dtype=np.float64)
    ratio: Array = 2.0 * (-np.log(v) - np.log(share) + times_log(v - 1.0, (1.0 - 1.0 / v) / (1.0 - share)))
    return ratio


def first_failure_test(breaches: Flags, share: float) -> Verdict | None:
    """Kupiec's time until first failure; None where there was no breach. It uses that one and no other."""
    seen = int(breaches.sum())
    if not seen:
        return None
    first = int(np.argmax(breaches)) + 1
    statistic = float(first_failure_ratio(first, share))
    p_value = chi_square_tail(statistic, 1)
    return Verdict(
        "time until first failure", statistic, p_value, len(breaches), seen, "chi-square, 1 d.o.f."
    )

"""Do breaches come one by one, or in clusters?"""

import numpy as np

from plimsoll.backtest.chances import chi_square_tail, times_log
from plimsoll.backtest.coverage import kupiec_ratio
from plimsoll.backtest.small_samples import is_small, simulated_p_value
from plimsoll.backtest.verdicts import Verdict
from plimsoll.types import Array, Flags

__all__ = ["conditional_coverage_test", "independence_ratio", "independence_test", "transitions"]


def transitions(breaches: Flags) -> Array:
    """Count what followed what.

    Parameters
    ----------
    breaches : Flags [..., T]

    Returns
    -------
    array [4, ...]   n00, n01, n10, n11: the first digit is the state before, the second the state after.
    """
    before, after = breaches[..., :-1], breaches[..., 1:]
    both = (before & after).sum(axis=-1)
    counts = (
        (~before & ~after).sum(axis=-1),
        after.sum(axis=-1) - both,
        before.sum(axis=-1) - both,
        both,
    )
    return np.array(counts, dtype=np.float64)


def independence_ratio(counts: Array) -> Array:
    r"""Compare a chance of a breach that depends on whether one came just before with one that does not.

    .. math:: LR = 2 \left[ \ln L(\pi_{01}, \pi_{11}) - \ln L(\pi, \pi) \right], \quad
              \pi_{ij} = \frac{n_{ij}}{n_{i0} + n_{i1}}, \quad
              \pi = \frac{n_{01} + n_{11}}{n}

    Parameters
    ----------
    counts : array [4, ...]   From `transitions`.

    Returns
    -------
    array   Chi-square with one degree of freedom where breaches are independent.

    Source: Christoffersen (1998), Evaluating interval forecasts.
    """
    n00, n01, n10, n11 = counts
    calm, wild = np.maximum(n00 + n01, 1.0), np.maximum(n10 + n11, 1.0)
    total = np.maximum(n00 + n01 + n10 + n11, 1.0)
    any_chance = (n01 + n11) / total
    apart = (
        times_log(n00, n00 / calm)
        + times_log(n01, n01 / calm)
        + times_log(n10, n10 / wild)
        + times_log(n11, n11 / wild)
    )
    alike = times_log(n00 + n10, 1.0 - any_chance) + times_log(n01 + n11, any_chance)
    ratio: Array = 2.0 * (apart - alike)
    return np.maximum(ratio, 0.0)


def independence_test(breaches: Flags, share: float, generator: np.random.Generator) -> Verdict:
    """Christoffersen's test of independence; simulated where fewer than ten breaches are expected."""
    statistic = float(independence_ratio(transitions(breaches)))
    seen = int(breaches.sum())
    if not is_small(len(breaches), share):
        p_value, basis = chi_square_tail(statistic, 1), "chi-square, 1 d.o.f."
    else:
        p_value, basis = simulated_p_value(
            statistic,
            lambda hits: independence_ratio(transitions(hits)),
            len(breaches),
            share,
            generator,
        )
    return Verdict("Christoffersen independence", statistic, p_value, len(breaches), seen, basis)


def conditional_coverage_test(breaches: Flags, share: float, generator: np.random.Generator) -> Verdict:
    """Christoffersen's test of number and independence at once: the sum of both ratios."""
    observations, seen = len(breaches), int(breaches.sum())
    statistic = float(kupiec_ratio(seen, observations, share) + independence_ratio(transitions(breaches)))
    if not is_small(observations, share):
        p_value, basis = chi_square_tail(statistic, 2), "chi-square, 2 d.o.f."
    else:
        p_value, basis = simulated_p_value(
            statistic,
            lambda hits: (
                kupiec_ratio(hits.sum(axis=1), observations, share) + independence_ratio(transitions(hits))
            ),
            observations,
            share,
            generator,
        )
    return Verdict("Christoffersen conditional coverage", statistic, p_value, observations, seen, basis)

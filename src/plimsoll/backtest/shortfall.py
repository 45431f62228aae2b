r"""Where the rate is breached, is the loss beyond it as large as forecast?

L is the adverse excursion, V the rate, E the forecast of the excursion where it exceeds the rate, p the
promised share of breaches.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from plimsoll.backtest.small_samples import DRAWS, rank_p_value
from plimsoll.backtest.verdicts import Verdict
from plimsoll.types import Matrix, Vector

__all__ = [
    "TailDraw",
    "acerbi_szekely_conditional",
    "acerbi_szekely_unconditional",
    "exceedance_residual_test",
    "exponential_tail",
    "unconditional_null",
    "z1",
    "z2",
]

TailDraw: TypeAlias = Callable[[np.random.Generator, int], Vector]
"""Draws so many ratios L / E of breaches under the forecast."""


def z1(excursions: Vector, rates: Vector, shortfalls: Vector) -> float:
    r"""Return :math:`1 - \frac1N \sum_{L_t > V_t} L_t / E_t`, N breaches; NaN without any.

    Zero where the forecast is right, negative where breaches go deeper. Source: Acerbi and Szekely (2014),
    Backtesting expected shortfall, test 1.
    """
    breached = excursions > rates
    if not breached.any():
        return float("nan")
    return 1.0 - float((excursions[breached] / shortfalls[breached]).mean())


def z2(excursions: Vector, rates: Vector, shortfalls: Vector, share: float) -> float:
    r"""Return :math:`1 - \frac{1}{T p} \sum_{L_t > V_t} L_t / E_t`.

    Zero where number and depth of breaches are as forecast, negative where there is more of either. Source:
    Acerbi and Szekely (2014), test 2.
    """
    breached = excursions > rates
    return 1.0 - float((excursions[breached] / shortfalls[breached]).sum()) / (len(excursions) * share)


def exponential_tail(rates: Vector, shortfalls: Vector) -> TailDraw:
    r"""Draw breaches whose excess over the rate is exponential with mean E - V, at a moment drawn by lot.

    The exponential is the limit of thin tails; heavier ones spread the statistic more, so that the test is
    then too severe rather than too mild.
    """
    floor = rates / shortfalls

    def draw(generator: np.random.Generator, size: int) -> Vector:
        at = floor[generator.integers(0, len(floor), size)]
        ratios: Vector = at + (1.0 - at) * generator.exponential(size=size)
        return ratios

    return draw


def unconditional_null(
    observations: int, share: float, tail: TailDraw, draws: int, generator: np.random.Generator
) -> Vector:
    """Draw Z2 where the forecast is right: a binomial number of breaches, each with a ratio from the tail."""
    counts = generator.binomial(observations, share, draws)
    ratios = np.concatenate(([0.0], np.cumsum(tail(generator, int(counts.sum())))))
    ends = np.cumsum(counts)
    sums: Vector = ratios[ends] - ratios[ends - counts]
    return 1.0 - sums / (observations * share)


def acerbi_szekely_unconditional(
    excursions: Vector, rates: Vector, shortfalls: Vector, share: float, generator: np.random.Generator
) -> Verdict:
    """Test number and depth of breaches together, one-sided against more of either."""
    statistic = z2(excursions, rates, shortfalls, share)
    tail = exponential_tail(rates, shortfalls)
    drawn = unconditional_null(len(excursions), share, tail, DRAWS, generator)
    p_value = rank_p_value(-statistic, -drawn, generator)
    breaches = int((excursions > rates).sum())
    basis = f"Monte Carlo, {DRAWS:,} draws, exponential excess"
    return Verdict("Acerbi-Szekely Z2", statistic, p_value, len(excursions), breaches, basis)


def acerbi_szekely_conditional(
    excursions: Vector, rates: Vector, shortfalls: Vector, generator: np.random.Generator
) -> Verdict | None:
    """Test the depth of breaches alone, one-sided against deeper; None without a breach."""
    breaches = int((excursions > rates).sum())
    if not breaches:
        return None
    statistic = z1(excursions, rates, shortfalls)
    ratios = exponential_tail(rates, shortfalls)(generator, DRAWS * breaches)
    drawn = 1.0 - ratios.reshape(DRAWS, breaches).mean(axis=1)
    p_value = rank_p_value(-statistic, -drawn, generator)
    basis = f"Monte Carlo, {DRAWS:,} draws, exponential excess"
    return Verdict("Acerbi-Szekely Z1", statistic, p_value, len(excursions), breaches, basis)


def exceedance_residual_test(
    excursions: Vector, rates: Vector, shortfalls: Vector, generator: np.random.Generator
) -> Verdict | None:
    r"""Test whether breaches exceed their forecast on average, one-sided, by bootstrap.

    .. math:: r_t = \frac{L_t - E_t}{V_t} \text{ where } L_t > V_t, \quad
              T = \frac{\sqrt N\, \bar r}{s_r}

    The residuals, less their mean, are drawn with replacement; the p-value is the share of draws whose T is
    at least as large. None with fewer than two breaches, or where all residuals are the same.

    Source: McNeil and Frey (2000), Estimation of tail-related risk measures; the scale there is the forecast
    volatility, here the rate, which is proportional to it.
    """
    breached = excursions > rates
    residuals = (excursions[breached] - shortfalls[breached]) / rates[breached]
    count = len(residuals)
    if count < 2 or np.ptp(residuals) == 0.0:
        return None
    statistic = _studentised(residuals[None, :])[0]
    centred = residuals - residuals.mean()
    drawn = _studentised(centred[generator.integers(0, count, (DRAWS, count))])
    return Verdict(
        "McNeil-Frey exceedance residuals",
        float(statistic),
        rank_p_value(float(statistic), drawn, generator),
        len(excursions),
        count,
        f"bootstrap, {DRAWS:,} draws",
    )


def _studentised(samples: Matrix) -> Vector:
    """Divide each row's mean by its standard error; without spread it is infinite, or 0."""
    mean, spread = samples.mean(axis=1), samples.std(axis=1, ddof=1)
    flat = spread <= 0.0
    errors = np.where(flat, 1.0, spread) / np.sqrt(samples.shape[1])
    far = np.where(mean == 0.0, 0.0, np.copysign(np.inf, mean))
    studentised: Vector = np.where(flat, far, mean / errors)
    return studentised

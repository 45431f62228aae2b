"""What do the last hour, day and month say about the variance of the next hours?"""

from typing import NamedTuple

import numpy as np
from numba import njit

from plimsoll.kernels.normal_equations import learn_outcome, solve_normal
from plimsoll.types import Array, Flags, Matrix, Times, Vector

__all__ = ["AGES", "CALENDAR", "HarMemory", "HarTerms", "advance_har"]

AGES = 5
"""Averages regressed on: hour, quarter day, day, week, month."""

CALENDAR = 24
"""Hours of the day, in UTC, with a level of their own."""

_MOST_SURPRISE = 8.0
"""Standard deviations, and"""
_MOST_VOLUME = 5.0
"""logs of the usual volume, beyond which a bar counts as no stranger still."""

_MOST_RATIO = 50.0
"""No outcome counts for more than this multiple of its forecast when the forecast's bias is learnt."""
_FEWEST_OUTCOMES = 100
"""Outcomes before the fit is corrected by them: the square of a single return is often next to nothing, and a
correction from it alone forecast a millionth of the variance."""

_REACH = 4.0
"""A forecast stays within this factor of the smallest and of the largest average: no regression is believed
further outside of what it has seen."""

_RIDGE = 1.0
"""Added to the diagonal, as one outcome would: in the first weeks, with some dozen outcomes for each hour of
day, it keeps weights small, and later it is lost among thousands."""

_FAR = 64.0
"""Multiple of the day's average, eight deviations squared, from which on a bar counts for no more: a wrong
print must not be remembered for a month."""

_DAY = 2
"""Place of the day's average among the regressors."""

_END, _RUN, _PLACE, _LEARNT = range(4)
_SAMPLE, _SQUARE, _UNIT = range(3)


class HarMemory(NamedTuple):
    """What is remembered of one market: R bars, P regressors, K horizons. Arrays are changed in place.

    Attributes
    ----------
    averages : Matrix [2, AGES + 1]   Numerators and denominators; the last is of the volume.
    rows : Matrix [R, P]              Regressors after each of the last bars, a ring.
    fits : Matrix [R, K]              What the regressions said then, before their bias was taken out.
    trail : Matrix [R, 3]             Variance sample and squared return of these bars, and the unit that
                                      variances are regressed in: the day's average, or 1 for logs.
    normal : array [K, P, P]; right, weights : Matrix [K, P]   Normal equations and their solution.
    bias : Matrix [2, K]              Average of outcome over forecast: numerator and denominator.
    latest : Vector [K]               Mean variance per bar over each horizon; NaN until known.
    counts : Times [3 + K]            End of the last bar, bars since a gap, place in the ring, and how many
                                      outcomes each regression has learnt from.
    """

    averages: Matrix
    rows: Matrix
    fits: Matrix
    trail: Matrix
    normal: Array
    right: Matrix
    weights: Matrix
    bias: Matrix
    latest: Vector
    counts: Times


class HarTerms(NamedTuple):
    """What does not change: settings in units of bars.

    Attributes
    ----------
    keeps : Vector [AGES + 1]   Weight of the past in each average, and in the volume's.
    horizons : Times [K]        Bars.
    forgetting : float          Weight that an outcome keeps for every later one.
    refit, least : int          Outcomes between two solutions; outcomes before the first.
    floor : float               Least variance of a bar.
    logarithmic, enriched : bool   Logs of variances; hour, surprise and volume as regressors.
    """

    keeps: Vector
    horizons: Times
    forgetting: float
    refit: int
    least: int
    floor: float
    logarithmic: bool
    enriched: bool


@njit(cache=True)
def _write(into: Vector, values: Vector) -> None:
    """Copy by elements: an assignment of arrays takes numba three seconds to compile."""
    for i in range(len(into)):
        into[i] = values[i]


@njit(cache=True)
def _average(sums: Matrix, place: int, sample: float, keep: float) -> None:
    sums[0, place] = keep * sums[0, place] + (1.0 - keep) * sample
    sums[1, place] = keep * sums[1, place] + (1.0 - keep)


@njit(cache=True)
def _credible(averages: Matrix, sample: float, floor: float) -> float:
    if averages[1, _DAY] == 0.0:
        return sample
    return float(min(sample, _FAR * max(averages[0, _DAY] / averages[1, _DAY], floor)))


@njit(cache=True)
def _describe(
    memory: HarMemory,
    terms: HarTerms,
    ret: float,
    volume: float,
    hour: int,
    extra: Vector,
    row: Vector,
) -> None:
    averages = memory.averages
    daily = max(averages[0, _DAY] / averages[1, _DAY], terms.floor)
    for k in range(AGES):
        level = max(averages[0, k] / averages[1, k], terms.floor)
        row[k] = np.log(level) if terms.logarithmic else level / daily
    memory.trail[memory.counts[_PLACE], _UNIT] = daily
    place = AGES
    if terms.enriched:
        surprise = 0.0 if np.isnan(ret) else ret / np.sqrt(daily)
        row[place] = min(max(-surprise, 0.0), _MOST_SURPRISE)
        row[place + 1] = min(max(surprise, 0.0), _MOST_SURPRISE)
        usual = averages[0, AGES] / averages[1, AGES] if averages[1, AGES] > 0.0 else 0.0
        known = usual > 0.0 and volume > 0.0
        row[place + 2] = min(max(np.log(volume / usual), -_MOST_VOLUME), _MOST_VOLUME) if known else 0.0
        row[place + 3 : place + 3 + CALENDAR] = 0.0
        row[place + 3 + hour] = 1.0
        place += 3 + CALENDAR
    else:
        row[place] = 1.0
        place += 1
    _write(row[place:], extra)


@njit(cache=True)
def _mature(memory: HarMemory, terms: HarTerms, k: int) -> None:
    """Let the outcome of the horizon that ends now correct its regression and its bias."""
    ring, h = len(memory.rows), terms.horizons[k]
    place = memory.counts[_PLACE]
    mean, square = 0.0, 0.0
    for back in range(h):
        at = (place - back) % ring
        mean += memory.trail[at, _SAMPLE] / h
        square += memory.trail[at, _SQUARE] / h
    start = (place - h) % ring
    fit = memory.fits[start, k]
    if fit > 0.0:
        _average(memory.bias, k, min(square / fit, _MOST_RATIO), terms.forgetting)
    outcome = max(mean, terms.floor)
    outcome = np.log(outcome) if terms.logarithmic else outcome / memory.trail[start, _UNIT]
    learn_outcome(memory.normal[k], memory.right[k], memory.rows[start], outcome, terms.forgetting)
    memory.counts[_LEARNT + k] += 1
    learnt = memory.counts[_LEARNT + k]
    if learnt >= terms.least and (learnt - terms.least) % terms.refit == 0:
        _write(memory.weights[k], solve_normal(memory.normal[k], memory.right[k], _RIDGE))


@njit(cache=True)
def _forecast(memory: HarMemory, terms: HarTerms, k: int, row: Vector) -> float:
    if memory.counts[_LEARNT + k] < terms.least:
        return np.nan
    fit = 0.0
    for i in range(len(row)):
        fit += row[i] * memory.weights[k, i]
    fit = np.exp(fit) if terms.logarithmic else fit * memory.trail[memory.counts[_PLACE], _UNIT]
    least, most = np.inf, 0.0
    for a in range(AGES):
        level = max(memory.averages[0, a] / memory.averages[1, a], terms.floor)
        least, most = min(least, level), max(most, level)
    return float(min(max(fit, least / _REACH), most * _REACH))


@njit(cache=True)
def advance_har(
    memory: HarMemory,
    terms: HarTerms,
    ends: Times,
    contiguous: Flags,
    samples: Vector,
    returns: Vector,
    volume: Vector,
    extra: Matrix,
) -> Matrix:
    r"""Advance by T bars: average, regress, forecast.

    .. math:: \ln \bar v_{t, t+h} = \sum_a \beta_a \ln m_a(t) + \gamma^- z^-_t + \gamma^+ z^+_t
              + \delta \ln (V_t / \bar V_t) + \tau_{hour(t)} + \epsilon

    with m_a the exponentially weighted averages of mean age a, z the last return in deviations of the day.
    One regression per horizon h, by least squares with forgetting; the exponential of its fit is multiplied
    by the average of outcome over fit, so that the *mean* squared return is forecast. Without logs both
    sides are divided by the day's average, lest the wildest hours decide alone. Row t uses bars up to t: an
    outcome is learnt from when its last bar has closed. A missing bar breaks the horizons open over it.

    Parameters
    ----------
    memory : HarMemory       Changed in place.
    ends : Times [T]             Closing times; contiguous: whether the bar before is the predecessor.
    samples : Vector [T]         Variance that each bar shows; NaN where there is no bar.
    returns, volume : Vector [T] Log return, NaN after a gap; base units, NaN where unknown.
    extra : Matrix [T, E]        Further regressors; none may be NaN.

    Returns
    -------
    Matrix [T, K]   Mean variance per bar over each horizon; NaN until known.

    Source: Corsi (2009), A simple approximate long-memory model of realized volatility; Bollerslev, Hood,
    Huss and Pedersen (2018), Risk everywhere, for exponential averages.
    """
    horizons = len(terms.horizons)
    path = np.full((len(ends), horizons), np.nan)
    for t in range(len(ends)):
        if np.isnan(samples[t]):
            memory.counts[_RUN] = 0
            _write(path[t], memory.latest)
            continue
        memory.counts[_RUN] = memory.counts[_RUN] + 1 if contiguous[t] else 1
        memory.counts[_PLACE] = (memory.counts[_PLACE] + 1) % len(memory.rows)
        place = memory.counts[_PLACE]
        sample = _credible(memory.averages, samples[t], terms.floor)
        memory.trail[place, _SAMPLE] = sample
        memory.trail[place, _SQUARE] = sample if np.isnan(returns[t]) else returns[t] ** 2
        for k in range(horizons):
            if memory.counts[_RUN] > terms.horizons[k]:
                _mature(memory, terms, k)
        for a in range(AGES):
            _average(memory.averages, a, sample, terms.keeps[a])
        if volume[t] >= 0.0:
            _average(memory.averages, AGES, volume[t], terms.keeps[AGES])
        row = memory.rows[place]
        _describe(memory, terms, returns[t], volume[t], (ends[t] // 3_600_000) % CALENDAR, extra[t], row)
        for k in range(horizons):
            fit = _forecast(memory, terms, k, row)
            memory.fits[place, k] = fit
            known = memory.bias[1, k] >= 1.0 - terms.forgetting**_FEWEST_OUTCOMES
            ratio = memory.bias[0, k] / memory.bias[1, k] if known else 1.0
            memory.latest[k] = fit if np.isnan(fit) else max(fit * ratio, terms.floor)
            path[t, k] = memory.latest[k]
        memory.counts[_END] = ends[t]
    return path

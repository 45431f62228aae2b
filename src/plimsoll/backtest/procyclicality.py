"""How far and how fast does a requirement move, and what does it cost to hold?"""

import math
from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR
from plimsoll.types import Times, Vector

__all__ = [
    "Procyclicality",
    "Response",
    "measure_procyclicality",
    "response_to_a_shock",
    "rises",
    "rises_definition",
]


@dataclass(frozen=True, slots=True)
class Procyclicality:
    """What one rate did over time.

    Attributes
    ----------
    mean : float             Mean requirement, share of the notional: the cost of the policy.
    peak_to_trough : float   Largest rate over smallest.
    spread : float           99 % quantile over time, over the 1 % quantile.
    worst_rise : float       Largest relative rise within `hours`.
    liquidity_call : float   Largest rise within `hours` in shares of the notional: the cash that a holder of
                             one position must find by then for the policy's sake.
    hours : float
    """

    mean: float
    peak_to_trough: float
    spread: float
    worst_rise: float
    liquidity_call: float
    hours: float


@dataclass(frozen=True, slots=True)
class Response:
    """How a rate answers a shock that passes.

    Attributes
    ----------
    overshoot : float    Largest relative excess over the rate of the same market without the shock.
    hours_to_peak : float
    half_life : float    Hours from the peak until half of the excess is gone; infinite where it is not gone
                         within the series.
    """

    overshoot: float
    hours_to_peak: float
    half_life: float


def rises_definition(times: Times, rates: Vector, window: int) -> Vector:
    """Divide each rate by the lowest within the `window` milliseconds up to it: Vector [T], at least 1."""
    found = np.ones(len(rates))
    for row, time in enumerate(times):
        near = (times <= time) & (times >= time - window)
        found[row] = rates[row] / rates[near].min()
    return found


def rises(times: Times, rates: Vector, window: int) -> Vector:
    """`rises_definition` by a queue of candidates for the minimum: each row enters and leaves it once."""
    found = np.ones(len(rates))
    queue: list[int] = []
    head = 0
    for row in range(len(rates)):
        while len(queue) > head and rates[queue[-1]] >= rates[row]:
            queue.pop()
        queue.append(row)
        while times[queue[head]] < times[row] - window:
            head += 1
        found[row] = rates[row] / rates[queue[head]]
    return found


def measure_procyclicality(times: Times, rates: Vector, *, hours: float = 24.0) -> Procyclicality:
    """Measure one rate.

    Parameters
    ----------
    times : Times [T]; rates : Vector [T]   Shares of the notional, positive.
    hours : float                           Window of the worst rise and of the liquidity call.

    Source: Murphy, Vasios and Vause (2014), An investigation into the procyclicality of risk-based initial
    margin models, Bank of England; BCBS-CPMI-IOSCO (2022), Review of margining practices.
    """
    grown = rises(times, rates, round(hours * HOUR))
    high, low = np.quantile(rates, (0.99, 0.01))
    return Procyclicality(
        mean=float(rates.mean()),
        peak_to_trough=float(rates.max() / rates.min()),
        spread=float(high / low),
        worst_rise=float(grown.max()) - 1.0,
        liquidity_call=float((rates - rates / grown).max()),
        hours=hours,
    )


def response_to_a_shock(times: Times, shocked: Vector, calm: Vector, shock: int) -> Response:
    """Compare the rates on two paths that are alike but for a shock that begins at `shock`, milliseconds."""
    after = times >= shock
    excess = shocked[after] / calm[after] - 1.0
    moments = times[after]
    peak = int(np.argmax(excess))
    later = np.flatnonzero(excess[peak:] <= 0.5 * excess[peak])
    half_life = (moments[peak + later[0]] - moments[peak]) / HOUR if len(later) else math.inf
    return Response(float(excess[peak]), float((moments[peak] - shock) / HOUR), float(half_life))

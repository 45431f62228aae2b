"""May coverage be doubted now, however often and whenever one has looked?"""

import math
from dataclasses import dataclass

import numpy as np

from plimsoll.types import Flags, Matrix, Vector

__all__ = [
    "ALTERNATIVES",
    "MonitorState",
    "anytime_p_value",
    "begin_monitor",
    "evidence_path",
    "log_evidence",
    "pooled_evidence",
    "update_monitor",
]

ALTERNATIVES = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""How many times the promised share of breaches each bettor believes in."""

_MOST_CERTAIN = 0.9
"""No bettor believes in a larger chance of a breach."""


@dataclass(frozen=True, slots=True)
class MonitorState:
    """What the monitor remembers.

    Attributes
    ----------
    share : float          Promised share of breaches.
    log_capital : Vector   Logarithm of each bettor's capital; all began with 1.
    """

    share: float
    log_capital: Vector


def begin_monitor(share: float) -> MonitorState:
    """Start with every bettor's capital at 1."""
    return MonitorState(share, np.zeros(len(ALTERNATIVES)))


def update_monitor(state: MonitorState, *, breached: bool) -> MonitorState:
    r"""Settle one bet.

    .. math:: C_k \leftarrow C_k \times
              \begin{cases} q_k / p & \text{breach} \\ (1 - q_k) / (1 - p) & \text{none} \end{cases},
              \qquad q_k = \min(a_k p, 0.9) > p

    Where the chance of a breach, given all that is known, is at most p, each factor's expectation is at most
    1: every capital, and so their mean, is a non-negative supermartingale that began at 1. By Ville's
    inequality the chance that it *ever* exceeds 1/alpha is at most alpha.

    Source: Shafer and Vovk (2019), Game-theoretic foundations for probability and finance; Waudby-Smith and
    Ramdas (2024), Estimating means of bounded random variables by betting.
    """
    believed = _believed(state.share)
    gain = np.log(believed / state.share) if breached else np.log1p(-believed) - math.log1p(-state.share)
    return MonitorState(state.share, state.log_capital + gain)


def log_evidence(state: MonitorState) -> float:
    """Return the logarithm of the mean capital: the evidence against the promised share."""
    return float(_log_mean(state.log_capital[None, :])[0])


def evidence_path(breaches: Flags, share: float) -> Vector:
    """Return the logarithm of the evidence after each observation: `update_monitor` over a whole series.

    Parameters
    ----------
    breaches : Flags [T]   Of windows that do not overlap, in order.

    Returns
    -------
    Vector [T]   Row t uses breaches up to t only.
    """
    believed = _believed(share)
    gains = np.where(breaches[:, None], np.log(believed / share), np.log1p(-believed) - math.log1p(-share))
    return _log_mean(np.cumsum(gains, axis=0))


def pooled_evidence(phases: list[Vector]) -> float:
    """Return the largest evidence of any phase at any time, divided by the number of phases, in logarithm.

    Windows that overlap are split into phases that do not. The phases depend on each other, so their number
    is paid for (union bound): the chance that the result exceeds ln(1/alpha) is at most alpha.
    """
    return max(float(path.max(initial=0.0)) for path in phases) - math.log(len(phases))


def anytime_p_value(log_value: float) -> float:
    """Return a p-value that stays valid under any stopping: 1 / the largest evidence, at most 1."""
    return math.exp(-max(log_value, 0.0))


def _believed(share: float) -> Vector:
    believed: Vector = np.minimum(np.array(ALTERNATIVES) * share, max(_MOST_CERTAIN, 0.5 * (1.0 + share)))
    return believed


def _log_mean(logs: Matrix) -> Vector:
    top = logs.max(axis=1)
    mean: Vector = top + np.log(np.exp(logs - top[:, None]).mean(axis=1))
    return mean

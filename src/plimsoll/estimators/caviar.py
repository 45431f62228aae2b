"""Which recursion of the quantile itself fits these losses?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.caviar import CAVIAR_KINDS, CaviarKind, caviar_path
from plimsoll.types import Vector

__all__ = ["Caviar", "fit_caviar"]

_FEWEST = 250
_STARTS = {
    "symmetric": ((0.0, 0.9, 0.3, 0.0), (0.0, 0.8, 0.6, 0.0)),
    "asymmetric": ((0.0, 0.9, 0.4, 0.1), (0.0, 0.8, 0.6, 0.4)),
    "indirect-garch": ((0.0, 0.9, 0.5, 0.0), (0.0, 0.8, 1.2, 0.0)),
    "adaptive": ((0.1, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
}
"""Where the search begins, in units of the unconditional quantile: persistent and less so."""
_FREE = {"symmetric": 3, "asymmetric": 4, "indirect-garch": 3, "adaptive": 1}


@dataclass(frozen=True, slots=True)
class Caviar:
    """A fitted recursion: `kernels.caviar.caviar_path_definition` has the equations.

    Attributes
    ----------
    kind : CaviarKind
    level : share          Of losses that the quantile covers.
    weights : Vector [4]   In units of `first`.
    first : float          The unconditional quantile of the sample it was fitted on.
    """

    kind: CaviarKind
    level: float
    weights: Vector
    first: float

    def path(self, losses: Vector) -> Vector:
        """Give the quantile of the next loss after each of these; row t uses losses up to t only."""
        kind = CAVIAR_KINDS.index(self.kind)
        scaled: Vector = losses / self.first
        return self.first * caviar_path(scaled, kind, self.weights, 1.0 - self.level, 1.0)


def fit_caviar(losses: Vector, kind: CaviarKind, level: float) -> Caviar:
    r"""Minimise the pinball loss of the one-step quantile over the weights, by Nelder and Mead's search.

    Parameters
    ----------
    losses : Vector [T]   Positive where money is lost; NaN is left out.

    Raises
    ------
    PlimsollError   `MISSING_EXTRA` without SciPy, `TOO_LITTLE_HISTORY` below 250 losses, `BAD_PRICE` where
                    the quantile of the sample is not above zero.

    The best of several starts is taken; the loss is not convex, and nothing proves that it is the least.
    """
    known = losses[~np.isnan(losses)]
    first = float(np.quantile(known, level)) if len(known) >= _FEWEST else 0.0
    if len(known) < _FEWEST or not first > 0.0:
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY if len(known) < _FEWEST else Code.BAD_PRICE,
            f"{len(known)} losses with a quantile of {first:g}; it takes {_FEWEST}, and one above 0",
            where="CAViaR fit",
            remedy="Give more bars of a market that moves, or choose a tail that needs no fit.",
        )
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "fitting CAViaR needs SciPy",
            where="CAViaR fit",
            remedy="Install plimsoll-margin[backtest].",
        ) from error
    scaled, number, free = known / first, CAVIAR_KINDS.index(kind), _FREE[kind]

    def weights_of(chosen: Vector) -> Vector:
        return np.concatenate([chosen, np.zeros(4 - free)])

    def cost(chosen: Vector) -> float:
        path = caviar_path(scaled[:-1], number, weights_of(chosen), 1.0 - level, 1.0)
        short = scaled[1:] - path
        return float(np.where(short > 0.0, level * short, (level - 1.0) * short).mean())

    found = [
        minimize(cost, np.array(start[:free]), method="Nelder-Mead", options={"maxiter": 800, "xatol": 1e-4})
        for start in _STARTS[kind]
    ]
    best = min(found, key=lambda result: float(result.fun))
    return Caviar(kind, level, weights_of(np.asarray(best.x)), first)

"""Within which ranges of spot and volatility does a grid move an underlying?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.repricing import NO_SKEW
from plimsoll.pricing.chain import Chain
from plimsoll.pricing.moves import Moves
from plimsoll.types import Matrix, Rows

__all__ = ["MoveBox", "move_boxes"]


@dataclass(frozen=True, slots=True)
class MoveBox:
    """A range of moves whose worst counts by its weight.

    Attributes
    ----------
    low, high : float      Relative moves of spot and of every forward.
    everywhere : bool      Whether any move from low to high counts, 0 among them; else they are one move.
    weight : float         Share of the loss that counts.
    volatility : Matrix [J, I]   Moves of volatility, any share of one of which counts (0.1 is ten points).
    """

    low: float
    high: float
    everywhere: bool
    weight: float
    volatility: Matrix


def move_boxes(chain: Chain, moves: Moves, underlying: int) -> tuple[MoveBox, ...]:
    """Draw one box around the cells that count in full, and one for each that is damped.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where the set has skews, or moves forwards of one underlying apart.
    """
    slots = np.array(
        [e for e, slot in enumerate(chain.slots) if slot.underlying == underlying], dtype=np.intp
    )
    _check(moves, slots)
    spot, weight = moves.multiple[slots[0]] - 1.0, moves.weight[slots[0]]
    full = np.flatnonzero(weight == 1.0)
    boxes = [
        MoveBox(
            low=float(spot[s]),
            high=float(spot[s]),
            everywhere=False,
            weight=float(weight[s]),
            volatility=_volatility(chain, moves, np.array([s])),
        )
        for s in np.flatnonzero((weight > 0.0) & (weight != 1.0))
    ]
    if len(full):
        around = MoveBox(
            low=min(0.0, float(spot[full].min())),
            high=max(0.0, float(spot[full].max())),
            everywhere=True,
            weight=1.0,
            volatility=_volatility(chain, moves, full),
        )
        boxes.insert(0, around)
    return tuple(boxes)


def _volatility(chain: Chain, moves: Moves, cells: Rows) -> Matrix:
    """Give each distinct move of volatility among some cells, for every instrument: Matrix [J, I]."""
    scaled = chain.volatility * moves.scale[chain.slot][:, cells].T
    moved = np.maximum(scaled, moves.floor[cells, None]) - chain.volatility
    distinct: Matrix = np.unique(np.where(chain.volatility > 0.0, moved, 0.0), axis=0)
    return distinct


def _check(moves: Moves, slots: Rows) -> None:
    apart = np.ptp(moves.multiple[slots], axis=0).max(initial=0.0) > 0.0
    uneven = np.ptp(moves.weight[slots], axis=0).max(initial=0.0) > 0.0
    if apart or uneven or np.any(moves.skew != NO_SKEW):
        raise PlimsollError(
            Code.BAD_SETTING,
            "the scenarios bend the smile or move forwards apart, which Greeks do not see",
            where="profile.scenarios",
            remedy="Margin under this profile by full repricing.",
        )

"""What does a scenario set do to every forward and every volatility?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plimsoll.domain.scenario_sets import (
    GridScenario,
    JointMoves,
    NamedStress,
    ScenarioGrid,
    ScenarioSet,
    SkewShape,
    VolatilityMove,
    VolatilityRange,
)
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.repricing import ABSOLUTE_SKEW, LINEAR_SKEW, NO_SKEW
from plimsoll.pricing.chain import Chain, Slot
from plimsoll.types import Matrix, Vector

__all__ = ["Moves", "build_moves", "spot_moves", "tenor_multiple"]

_REFERENCE_DAYS = 30.0
_SKEWS = {VolatilityMove.LINEAR_SKEW: LINEAR_SKEW, VolatilityMove.ABSOLUTE_SKEW: ABSOLUTE_SKEW}


@dataclass(frozen=True, slots=True)
class Moves:
    """A scenario set, worked out for the slots of a chain.

    Attributes
    ----------
    names : tuple [S]
    multiple : Matrix [E, S]   Shocked forward over forward.
    scale : Matrix [E, S]      Shocked volatility over volatility, before skew.
    floor : Vector [S]         Least shocked volatility.
    skew : int8 [S]; cap : Matrix [E, S]; width : Vector [E]
    weight : Matrix [E, S]     Share of the result that counts.
    """

    names: tuple[str, ...]
    multiple: Matrix
    scale: Matrix
    floor: Vector
    skew: NDArray[np.int8]
    cap: Matrix
    width: Vector
    weight: Matrix


def tenor_multiple(days: float, tenors: VolatilityRange) -> float:
    r"""Carry a 30-day volatility move to another tenor: :math:`(30 / \max(T, shortest))^p`."""
    power = tenors.short_power if days <= _REFERENCE_DAYS else tenors.long_power
    return float((_REFERENCE_DAYS / max(days, tenors.shortest)) ** power)


def build_moves(scenarios: ScenarioSet, chain: Chain, ranges: dict[str, float]) -> Moves:
    """Work out a scenario set for the slots of a chain.

    Parameters
    ----------
    ranges : dict   Size of one unit of a grid's spot move, by underlying; 1 for those it does not name.

    Raises
    ------
    PlimsollError   `MISSING_PARAMETERS` where joint moves or a skew do not cover the chain, `BAD_SETTING`
    where a
                    move takes a price below zero.
    """
    if isinstance(scenarios, ScenarioGrid):
        moves = _grid(scenarios, chain, ranges)
    elif isinstance(scenarios, JointMoves):
        moves = _joint(scenarios, chain)
    else:
        moves = _stress(scenarios, chain)
    if np.any(moves.multiple < 0.0):
        raise PlimsollError(
            Code.BAD_SETTING,
            "a scenario moves a price below zero",
            where=f"scenarios.{moves.names[int(np.argmin(moves.multiple.min(axis=0)))]}",
            remedy="A relative move cannot be below -1.",
        )
    return moves


def _grid(grid: ScenarioGrid, chain: Chain, ranges: dict[str, float]) -> Moves:
    shape = (len(chain.slots), len(grid.scenarios))
    multiple, scale, cap, weight = np.ones(shape), np.ones(shape), np.zeros(shape), np.ones(shape)
    for e, slot in enumerate(chain.slots):
        reach = ranges.get(chain.underlyings[slot.underlying], 1.0)
        rung = _rung(grid, reach)
        for s, scenario in enumerate(grid.scenarios):
            unit = 1.0 if grid.nested else reach
            multiple[e, s], weight[e, s] = _spot(scenario, slot, unit, chain.tau[e])
            if abs(scenario.spot) > rung:
                weight[e, s] = 0.0
            if slot.is_option:
                scale[e, s] = _scale(scenario.volatility, grid.volatility, chain.days[e])
            cap[e, s] = _cap(scenario.volatility, grid.skew, chain.tau[e])
    rises = np.array([scenario.volatility is VolatilityMove.UP for scenario in grid.scenarios])
    return Moves(
        names=tuple(scenario.name for scenario in grid.scenarios),
        multiple=multiple,
        scale=scale,
        floor=np.where(rises, grid.volatility.least_after_rise, 0.0),
        skew=np.array(
            [_SKEWS.get(scenario.volatility, NO_SKEW) for scenario in grid.scenarios], dtype=np.int8
        ),
        cap=cap,
        width=np.array([_width(grid.skew, tau) for tau in chain.tau], dtype=np.float64),
        weight=weight,
    )


def _rung(grid: ScenarioGrid, reach: float) -> float:
    """Give the largest move that counts: of a nested grid the first that reaches the range, else any."""
    if not grid.nested:
        return math.inf
    rungs = [abs(scenario.spot) for scenario in grid.scenarios if abs(scenario.spot) >= reach]
    if not rungs:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"no cell of the nested grid reaches a range of {reach:g}",
            where="scenarios",
            remedy="Add wider cells, or narrow the range.",
        )
    return min(rungs)


def _spot(scenario: GridScenario, slot: Slot, reach: float, tau: float) -> tuple[float, float]:
    """Give the forward's multiple and the weight of the result."""
    if scenario.linear_spot is not None and not slot.is_option:
        return 1.0 + reach * scenario.linear_spot, 1.0
    return (1.0 + reach * scenario.spot) * (1.0 + scenario.basis * tau), scenario.weight


def _scale(move: VolatilityMove, tenors: VolatilityRange, days: float) -> float:
    if move is VolatilityMove.UP:
        return 1.0 + tenors.rise * tenor_multiple(days, tenors)
    if move is VolatilityMove.DOWN:
        return max(0.0, 1.0 - tenors.fall * tenor_multiple(days, tenors))
    return 1.0


def _cap(move: VolatilityMove, shape: SkewShape | None, tau: float) -> float:
    if move not in _SKEWS:
        return 0.0
    if shape is None:
        raise PlimsollError(
            Code.MISSING_PARAMETERS,
            f"a {move} scenario stands in a grid without a skew",
            where="scenarios.skew",
            remedy="Give the grid a skew, or take the scenario out.",
        )
    if move is VolatilityMove.LINEAR_SKEW:
        return shape.linear_slope * math.sqrt(tau) + shape.linear_cap
    return shape.absolute_slope * math.sqrt(tau) + shape.absolute_cap


def _width(shape: SkewShape | None, tau: float) -> float:
    if shape is None:
        return 1.0
    root = math.sqrt(tau)
    return max(shape.narrowest, root * shape.width * (shape.level + root * shape.change))


def _joint(joint: JointMoves, chain: Chain) -> Moves:
    spot = np.array(joint.spot, dtype=np.float64).reshape(len(joint.names), len(joint.underlyings))
    volatility = np.array(joint.volatility, dtype=np.float64) if joint.volatility else np.zeros_like(spot)
    columns = [_column(chain.underlyings[slot.underlying], joint) for slot in chain.slots]
    return _plain(joint.names, spot[:, columns].T, volatility[:, columns].T, chain, joint.tenors)


def _stress(stress: NamedStress, chain: Chain) -> Moves:
    named = {move.underlying: move.volatility for move in stress.moves}
    underlyings = [chain.underlyings[slot.underlying] for slot in chain.slots]
    volatility = np.array([[named.get(underlying, 0.0)] for underlying in underlyings]).reshape(-1, 1)
    spot = spot_moves(stress, underlyings).reshape(-1, 1)
    return _plain((stress.name,), spot, volatility, chain, stress.tenors)


def spot_moves(stress: NamedStress, underlyings: Sequence[str]) -> Vector:
    """Give the relative move of each underlying's price: its own where the stress names it, else `others`."""
    named = {move.underlying: move.spot for move in stress.moves}
    return np.array([named.get(underlying, stress.others) for underlying in underlyings], dtype=np.float64)


def _plain(
    names: tuple[str, ...], spot: Matrix, volatility: Matrix, chain: Chain, tenors: VolatilityRange
) -> Moves:
    """Make moves of relative changes, Matrix [E, S] both: no skew, no weights."""
    tenor = np.ones((len(chain.slots), 1))
    for e, slot in enumerate(chain.slots):
        if slot.is_option:
            tenor[e] = tenor_multiple(chain.days[e], tenors)
    return Moves(
        names=names,
        multiple=1.0 + spot,
        scale=np.maximum(0.0, 1.0 + volatility * tenor),
        floor=np.zeros(len(names)),
        skew=np.zeros(len(names), dtype=np.int8),
        cap=np.zeros(spot.shape),
        width=np.ones(len(chain.slots)),
        weight=np.ones(spot.shape),
    )


def _column(underlying: str, joint: JointMoves) -> int:
    if underlying not in joint.underlyings:
        raise PlimsollError(
            Code.MISSING_PARAMETERS,
            f"the joint moves have no underlying {underlying}",
            where="scenarios.underlyings",
            remedy=f"Calibrate it as well; they know {', '.join(joint.underlyings)}.",
        )
    return joint.underlyings.index(underlying)

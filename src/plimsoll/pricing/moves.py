"""What does a scenario set do to every forward and every volatility?"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

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
from plimsoll.pricing.chain import Chain
from plimsoll.types import Matrix, Vector

__all__ = ["Moves", "build_moves", "spot_moves", "tenor_multiple"]

_REFERENCE_DAYS = 30.0
_LEAST_MULTIPLE = 0.01
"""No joint move takes a price below this share of itself: ranges scale moves, and no price falls by more."""
_NOWHERE: Mapping[str, float] = MappingProxyType({})
_KINDS = tuple(VolatilityMove)
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
    tries : int                How often each row stands in S, one rung after the other; the worst try counts.
    """

    names: tuple[str, ...]
    multiple: Matrix
    scale: Matrix
    floor: Vector
    skew: NDArray[np.int8]
    cap: Matrix
    width: Vector
    weight: Matrix
    tries: int = 1


def tenor_multiple(days: float, tenors: VolatilityRange) -> float:
    r"""Carry a 30-day volatility move to another tenor: :math:`(30 / \max(T, shortest))^p`."""
    power = tenors.short_power if days <= _REFERENCE_DAYS else tenors.long_power
    return float((_REFERENCE_DAYS / max(days, tenors.shortest)) ** power)


def build_moves(
    scenarios: ScenarioSet, chain: Chain, ranges: Mapping[str, float], least: Mapping[str, float] = _NOWHERE
) -> Moves:
    """Work out a scenario set for the slots of a chain.

    Parameters
    ----------
    ranges : mapping   Size of one unit of a spot move, by underlying; 1 for those it does not name.
    least : mapping    The smallest that it may be taken for in joint moves; 0 for those it does not name.

    Raises
    ------
    PlimsollError   `MISSING_PARAMETERS` where joint moves or a skew do not cover the chain, `BAD_SETTING`
                    where a move takes a price below zero.
    """
    if isinstance(scenarios, ScenarioGrid):
        moves = _grid(scenarios, chain, ranges)
    elif isinstance(scenarios, JointMoves):
        moves = _joint(scenarios, chain, ranges, least)
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


def _grid(grid: ScenarioGrid, chain: Chain, ranges: Mapping[str, float]) -> Moves:
    cells = grid.scenarios
    shape = (len(chain.slots), len(cells))
    multiple, scale, cap, weight = np.ones(shape), np.ones(shape), np.zeros(shape), np.ones(shape)
    years = chain.tau.tolist()
    spot = np.array([cell.spot for cell in cells], dtype=np.float64)
    basis = np.array([cell.basis for cell in cells], dtype=np.float64)
    weights = np.array([cell.weight for cell in cells], dtype=np.float64)
    apart = np.array([cell.linear_spot is not None for cell in cells], dtype=np.bool_)
    linear = np.array([cell.linear_spot or 0.0 for cell in cells], dtype=np.float64)
    kinds = np.array([_KINDS.index(cell.volatility) for cell in cells], dtype=np.intp)
    rungs = sorted({abs(cell.spot) for cell in cells})
    for e, slot in enumerate(chain.slots):
        reach = ranges.get(chain.underlyings[slot.underlying], 1.0)
        unit = 1.0 if grid.nested else reach
        multiple[e], weight[e] = (1.0 + unit * spot) * (1.0 + basis * years[e]), weights
        if not slot.is_option:
            multiple[e, apart], weight[e, apart] = 1.0 + unit * linear[apart], 1.0
        if grid.nested:
            weight[e, np.abs(spot) > rungs[_reaching(rungs, reach)]] = 0.0
        if slot.is_option:
            scale[e] = _scales(grid.volatility, chain.days[e])[kinds]
        cap[e] = _caps(cells, grid.skew, years[e])[kinds]
    rises = np.array([cell.volatility is VolatilityMove.UP for cell in cells], dtype=np.bool_)
    return Moves(
        names=tuple(cell.name for cell in cells),
        multiple=multiple,
        scale=scale,
        floor=np.where(rises, grid.volatility.least_after_rise, 0.0),
        skew=np.array([_SKEWS.get(cell.volatility, NO_SKEW) for cell in cells], dtype=np.int8),
        cap=cap,
        width=np.array([_width(grid.skew, tau) for tau in years], dtype=np.float64),
        weight=weight,
    )


def _reaching(rungs: Sequence[float], reach: float) -> int:
    """Find the first rung that reaches a range; raises `BAD_SETTING` where none does."""
    place = bisect_left(rungs, reach)
    if place == len(rungs):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"no rung reaches a range of {reach:g}",
            where="scenarios",
            remedy="Add wider ones, or narrow the range.",
        )
    return place


def _scales(tenors: VolatilityRange, days: float) -> Vector:
    """Give shocked volatility over volatility by kind of move: Vector [5]."""
    multiple = tenor_multiple(days, tenors)
    scales = dict.fromkeys(_KINDS, 1.0)
    scales[VolatilityMove.UP] = 1.0 + tenors.rise * multiple
    scales[VolatilityMove.DOWN] = max(0.0, 1.0 - tenors.fall * multiple)
    return np.array(list(scales.values()))


def _caps(cells: tuple[GridScenario, ...], shape: SkewShape | None, tau: float) -> Vector:
    """Give the largest relative move of a smile by kind of move: Vector [5]."""
    caps = dict.fromkeys(_KINDS, 0.0)
    if shape is not None:
        caps[VolatilityMove.LINEAR_SKEW] = shape.linear_slope * math.sqrt(tau) + shape.linear_cap
        caps[VolatilityMove.ABSOLUTE_SKEW] = shape.absolute_slope * math.sqrt(tau) + shape.absolute_cap
        return np.array(list(caps.values()))
    for cell in cells:
        if cell.volatility in _SKEWS:
            raise PlimsollError(
                Code.MISSING_PARAMETERS,
                f"a {cell.volatility} scenario stands in a grid without a skew",
                where="scenarios.skew",
                remedy="Give the grid a skew, or take the scenario out.",
            )
    return np.zeros(len(_KINDS))


def _width(shape: SkewShape | None, tau: float) -> float:
    if shape is None:
        return 1.0
    root = math.sqrt(tau)
    return max(shape.narrowest, root * shape.width * (shape.level + root * shape.change))


def _joint(joint: JointMoves, chain: Chain, ranges: Mapping[str, float], least: Mapping[str, float]) -> Moves:
    spot = np.array(joint.spot, dtype=np.float64).reshape(len(joint.names), len(joint.underlyings))
    volatility = np.array(joint.volatility, dtype=np.float64) if joint.volatility else np.zeros_like(spot)
    if joint.rungs:
        return _laddered(joint, spot, volatility, chain, ranges, least)
    columns = [_column(chain.underlyings[slot.underlying], joint) for slot in chain.slots]
    return _plain(joint.names, spot[:, columns].T, volatility[:, columns].T, chain, joint.tenors)


def _laddered(
    joint: JointMoves,
    spot: Matrix,
    volatility: Matrix,
    chain: Chain,
    ranges: Mapping[str, float],
    least: Mapping[str, float],
) -> Moves:
    """Try every row at every rung between a range's least and most; who has fewer repeats the last.

    An underlying that the rows do not know counts in other sets alone.
    """
    sizes = [_between(joint.rungs, least.get(u, 0.0), ranges.get(u, 1.0)) for u in joint.underlyings]
    tries = max(map(len, sizes))
    rungs = np.array([each + (each[-1],) * (tries - len(each)) for each in sizes]).reshape(-1, tries)
    names = [chain.underlyings[slot.underlying] for slot in chain.slots]
    known = np.array([name in joint.underlyings for name in names], dtype=np.bool_)
    columns = [_column(name, joint) if name in joint.underlyings else 0 for name in names]
    moved = np.maximum(rungs[:, :, None] * spot.T[:, None, :], _LEAST_MULTIPLE - 1.0)
    stacked = moved.reshape(len(joint.underlyings), tries * len(joint.names))[columns]
    plain = _plain(
        joint.names * tries, stacked, np.tile(volatility.T[columns], (1, tries)), chain, joint.tenors
    )
    return replace(plain, weight=np.where(known[:, None], plain.weight, 0.0), tries=tries)


def _between(rungs: tuple[float, ...], least: float, most: float) -> tuple[float, ...]:
    """Give the rungs from the last at or below the least, or the first of all, to the first at the most."""
    first = max(0, bisect_right(rungs, least) - 1)
    return rungs[first : max(first, _reaching(rungs, most)) + 1]


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

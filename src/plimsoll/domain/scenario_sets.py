"""Which moves must a portfolio survive, as data?"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "FactorCovariance",
    "GridScenario",
    "JointMoves",
    "MarketMove",
    "NamedStress",
    "ScenarioGrid",
    "ScenarioSet",
    "SkewShape",
    "VolatilityMove",
    "VolatilityRange",
]

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Weight = Annotated[float, Meta(ge=0.0)]


class VolatilityMove(StrEnum):
    """How a scenario moves the volatility of an option."""

    NONE = "none"
    UP = "up"
    DOWN = "down"
    LINEAR_SKEW = "linear-skew"
    ABSOLUTE_SKEW = "absolute-skew"


class VolatilityRange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""How far volatility moves at each tenor.

    With T days to expiry, :math:`m(T) = (30 / \max(T, shortest))^p`, where p is `short_power` up to 30
    days and `long_power` beyond; up multiplies volatility by :math:`1 + rise\, m`, down by
    :math:`\max(0, 1 - fall\, m)`.

    Attributes
    ----------
    rise, fall : float     Relative move at 30 days.
    short_power, long_power : float
    shortest : float       Days below which a tenor counts as this long.
    least_after_rise : float   Volatility that no option falls short of in an `UP` scenario.
    """

    rise: float = 0.0
    fall: float = 0.0
    short_power: float = 0.0
    long_power: float = 0.0
    shortest: Annotated[float, Meta(ge=0.0)] = 1.0
    least_after_rise: Annotated[float, Meta(ge=0.0)] = 0.0


class SkewShape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""How far the smile tilts (linear) or bends (absolute).

    With :math:`k = \ln(K / F)`, :math:`\tau` in years, :math:`c = slope\sqrt\tau + cap` and
    :math:`w = \max(narrowest, \sqrt\tau\, width\, (level + \sqrt\tau\, change))`, volatility is multiplied by
    :math:`\max(0, 1 + \mathrm{sgn}(k) \min(|k| c / w, c))`; the absolute skew has no sign.
    """

    linear_cap: float
    linear_slope: float
    absolute_cap: float
    absolute_slope: float
    narrowest: float
    width: float
    level: float
    change: float


class GridScenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cell of a grid.

    Attributes
    ----------
    name : str
    spot : float       Relative move of spot and forwards, in units of the underlying's range.
    volatility : VolatilityMove
    weight : float     Share of the result that counts: below 1 in damped tails.
    basis : float      Move of the forwards against spot, relative, per year to expiry.
    linear_spot : float or None
        Move of spot, perpetuals and futures where it is not that of options; it is then not weighted.
    """

    name: str
    spot: float
    volatility: VolatilityMove = VolatilityMove.NONE
    weight: Weight = 1.0
    basis: float = 0.0
    linear_spot: float | None = None


class ScenarioGrid(Struct, frozen=True, kw_only=True, tag="grid", forbid_unknown_fields=True):
    """Moves of spot by volatility, the same cells for every underlying.

    Attributes
    ----------
    scenarios : tuple [S] of GridScenario
    volatility : VolatilityRange
    skew : SkewShape or None
    gain_credit : share or None
        Share of a gain that counts against losses of other underlyings in the same scenario; `None` sums the
        worst of each underlying instead.
    allowance : float        Loss in quote currency that is not charged.
    nested : bool
        Cells are relative moves as they stand, and a range says which count: all up to the first that
        reaches it. A wider range then only adds cells, so it never asks for less; this is what makes notice
        hold where a smaller move can hurt more than a larger one.
    announced : bool
        Not in force yet: counts at initial margin alone.
    """

    scenarios: tuple[GridScenario, ...]
    volatility: VolatilityRange = VolatilityRange()
    skew: SkewShape | None = None
    gain_credit: Share | None = None
    allowance: Annotated[float, Meta(ge=0.0)] = 0.0
    nested: bool = False
    announced: bool = False


class JointMoves(Struct, frozen=True, kw_only=True, tag="joint", forbid_unknown_fields=True):
    r"""Moves of several underlyings that happened together; their tail is averaged (expected shortfall).

    With rungs, spot moves are in units of the underlying's range, and how far today's market reaches is
    known only between the range's least and most. Each underlying's result in a row is then its worst over
    all rungs between, and rows are added up after that:

    .. math:: P_j = \sum_u \min_{r \in [least_u, most_u]} P_u(r\, spot_{j,u}, volatility_{j,u})

    So a loss is counted at the most and a gain at the least, and a straddle wherever it hurts. Wider ranges
    only add rungs, for every underlying by itself: no result rises, whichever ranges grow. This is what makes
    notice hold, while the shortfall stays sub-additive, as a sum of minima is at most the minimum of a sum.

    Attributes
    ----------
    underlyings : tuple [U]
    names : tuple [S]                 Each row's moment.
    spot : tuple [S][U]               Relative moves of spot and forwards.
    volatility : tuple [S][U]         Relative moves of 30-day implied volatility; may be empty for none.
    tenors : VolatilityRange          Its powers carry the volatility moves to other tenors.
    tail : int                        Worst rows that are averaged.
    rungs : tuple                     Sizes of a range, increasing; empty where spot moves stand as they are.
    announced : bool                  Not in force yet: counts at initial margin alone.
    """

    underlyings: tuple[str, ...]
    names: tuple[str, ...]
    spot: tuple[tuple[float, ...], ...]
    tail: Annotated[int, Meta(ge=1)]
    volatility: tuple[tuple[float, ...], ...] = ()
    tenors: VolatilityRange = VolatilityRange(short_power=0.3, long_power=0.13)
    rungs: tuple[float, ...] = ()
    announced: bool = False


class MarketMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one underlying does under a named stress: relative moves of spot and of 30-day volatility."""

    underlying: str
    spot: float
    volatility: float = 0.0


class NamedStress(Struct, frozen=True, kw_only=True, tag="stress", forbid_unknown_fields=True):
    """One named event that moves every underlying at once; `others` moves those it does not name."""

    name: str
    moves: tuple[MarketMove, ...]
    others: float = 0.0
    tenors: VolatilityRange = VolatilityRange(short_power=0.3, long_power=0.13)


class FactorCovariance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far spot and volatility of several underlyings move together over a horizon, on average not at all.

    Attributes
    ----------
    underlyings : tuple [U]
    covariance : tuple [2U][2U]   Of relative moves: spot of every underlying, then 30-day implied volatility
        of every underlying.
    tenors : VolatilityRange      Its powers carry the volatility moves to other tenors.
    """

    underlyings: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...]
    tenors: VolatilityRange = VolatilityRange(short_power=0.3, long_power=0.13)


ScenarioSet: TypeAlias = ScenarioGrid | JointMoves | NamedStress

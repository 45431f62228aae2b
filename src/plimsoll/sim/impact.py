"""What would a change of parameters do to a book before it is published: who is called, how much is sold?"""

from math import copysign

import numpy as np
from msgspec import Struct

from plimsoll.clearing.feedback import Held, branching_profile, branching_ratio
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.settings import ClearingRules
from plimsoll.margin import margin_model
from plimsoll.sim.book_at_marks import BookAtMarks
from plimsoll.sim.pacing import forced_by_change
from plimsoll.types import Flags, Matrix

__all__ = ["Impact", "MarketImpact", "impact_of"]


class MarketImpact(Struct, frozen=True, kw_only=True):
    """What a change does in one market. Money is in units of quote currency.

    Attributes
    ----------
    market : str
    depth : float             Notional that moves the price by 1 %, per side.
    sold, bought : float      By force, because of the change alone; of options the delta.
    move : float              What that does to the price, as a share, in one go.
    branching_before, branching_after : float   Branching ratio under the old and the new set.
    vega : float              Of the options traded by force, per 1.0 of volatility.
    """

    market: str
    depth: float
    sold: float
    bought: float
    move: float
    branching_before: float
    branching_after: float
    vega: float = 0.0


class Impact(Struct, frozen=True, kw_only=True):
    """What a change of parameters does to a book at today's marks. Money is in units of quote currency.

    Attributes
    ----------
    accounts : int
    required_before, required_after : float   Maintenance of all accounts.
    called : tuple of str        Accounts that the change brings below the call level, not below maintenance.
    breached : tuple of str      Accounts that it brings below maintenance.
    restored : int               Accounts that it lifts out of either.
    already : int                Accounts below maintenance before and after: prices did that.
    markets : tuple of MarketImpact
    """

    accounts: int
    required_before: float
    required_after: float
    called: tuple[str, ...]
    breached: tuple[str, ...]
    restored: int
    already: int
    markets: tuple[MarketImpact, ...]


def impact_of(
    book: BookAtMarks,
    old: ParameterSet,
    new: ParameterSet,
    curves: tuple[CostCurve, ...],
    rules: ClearingRules,
) -> Impact:
    """Compare a book under two sets at the same marks.

    Parameters
    ----------
    curves : tuple [M]   Of the book's markets.
    """
    before, after = (
        book.held(margin_model(each.method, book.listings, each.liquidity), rules) for each in (old, new)
    )
    is_called, is_breached = (_below(before, level) for level in (Level.CALL, Level.MAINTENANCE))
    now_called, now_breached = (_below(after, level) for level in (Level.CALL, Level.MAINTENANCE))
    quanta = np.array([curve.depth() for curve in curves]) * QUANTA_PER_UNIT
    ratios = [branching_ratio(branching_profile(held, book.columns, quanta)) for held in (before, after)]
    caused = forced_by_change(before, after)
    return Impact(
        accounts=len(book.names),
        required_before=_required(before),
        required_after=_required(after),
        called=_named(book, now_called & ~now_breached & ~is_called & ~is_breached),
        breached=_named(book, now_breached & ~is_breached),
        restored=int((is_called & ~now_called).sum()),
        already=int((is_breached & now_breached).sum()),
        markets=tuple(
            _market(book, m, caused, curves[m], (float(ratios[0][m]), float(ratios[1][m])))
            for m in range(len(book.markets))
        ),
    )


def _below(held: Held, level: Level) -> Flags:
    notional = held.lots * held.unit
    equity = held.cash + notional.sum(axis=1)
    below: Flags = equity < held.model.requirement(notional, level)
    return below & notional.any(axis=1)


def _required(held: Held) -> float:
    return float(held.model.requirement(held.lots * held.unit, Level.MAINTENANCE).sum()) / QUANTA_PER_UNIT


def _named(book: BookAtMarks, flags: Flags) -> tuple[str, ...]:
    return tuple(book.names[row] for row in np.flatnonzero(flags))


def _market(
    book: BookAtMarks, market: int, caused: Matrix, curve: CostCurve, ratios: tuple[float, float]
) -> MarketImpact:
    sold, bought = caused[:, book.columns == market].sum(axis=1) / QUANTA_PER_UNIT
    net = float(bought - sold)
    return MarketImpact(
        market=book.markets[market],
        depth=curve.depth(),
        sold=float(sold),
        bought=float(bought),
        move=copysign(curve.move(abs(net), 1.0), net) if net != 0.0 else 0.0,
        branching_before=ratios[0],
        branching_after=ratios[1],
    )

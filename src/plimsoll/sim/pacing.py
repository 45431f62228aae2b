"""In how many steps is a rise of parameters published, so that what it forces to be sold finds a market?"""

from dataclasses import replace

import numpy as np
from msgspec import structs

from plimsoll.clearing.feedback import Held, forced_sales
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import (
    CrossMargin,
    Level,
    MarketParameters,
    ParameterSet,
    PerPosition,
    SideParameters,
)
from plimsoll.domain.settings import ClearingRules
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import MarginModel, margin_model
from plimsoll.sim.book_at_marks import BookAtMarks
from plimsoll.types import Flags, Matrix, Rows, Vector

__all__ = ["BUDGET", "blended", "forced_by_change", "largest_step", "paced"]

BUDGET = 0.1
"""Forced selling that one step of a rise may cause, over the depth within 1 %: it then moves no price by more
than a tenth of a per cent."""

_HALVINGS = 12
"""Bisection steps of a rise: to less than a thousandth of it."""

_MOST_STEPS = 1000


def largest_step(
    held: Held,
    old: ParameterSet,
    new: ParameterSet,
    listings: tuple[Listing, ...],
    columns: Rows,
    depth: Vector,
    budget: float = BUDGET,
) -> float:
    """Find the largest share of a change whose forced selling stays within a share of depth in each market.

    Rates are blended in proportion. Selling grows with every rate, so bisection finds the step.

    Parameters
    ----------
    held : Held          The book; its model is replaced by those of the blends.
    depth : Vector [M]   Quote quanta per 1 %, at present.

    Returns
    -------
    float   In [0, 1].
    """
    before = replace(held, model=_model(old, listings))
    after = replace(held, model=_model(new, listings))
    near = np.flatnonzero(_near(before) | _near(after))
    before = replace(before, cash=held.cash[near], lots=held.lots[near])

    def fits(share: float) -> bool:
        model = _model(blended(old, new, share), listings)
        total = np.zeros(len(depth))
        np.add.at(total, columns, forced_by_change(before, replace(before, model=model)).sum(axis=0))
        return bool((total <= budget * depth).all())

    if fits(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def paced(
    book: BookAtMarks,
    old: ParameterSet,
    new: ParameterSet,
    curves: tuple[CostCurve, ...],
    rules: ClearingRules,
    budget: float = BUDGET,
) -> tuple[float, ...]:
    """Cut a rise into steps, each of which forces no more selling than a share of depth.

    Between two steps the accounts that were breached are taken to have been sold down, and depth to have come
    back. A step that even a millionth of the rise exceeds is taken as the smallest: one account may be larger
    than the budget.

    Parameters
    ----------
    curves : tuple [M]   Of the book's markets.

    Returns
    -------
    tuple of float   Shares of the whole rise after each step, the last is 1.
    """
    quanta = np.array([curve.depth() for curve in curves]) * QUANTA_PER_UNIT
    held = book.held(_model(old, book.listings), rules)
    shares: list[float] = []
    reached = 0.0
    while reached < 1.0 and len(shares) < _MOST_STEPS:
        current = blended(old, new, reached)
        step = largest_step(held, current, new, book.listings, book.columns, quanta, budget)
        step = max(step, 1.0 / _MOST_STEPS)
        reached = min(1.0, reached + step * (1.0 - reached))
        reached = 1.0 if reached > 1.0 - 1.0 / _MOST_STEPS else reached
        shares.append(reached)
        model = _model(blended(old, new, reached), book.listings)
        held = _sold_down(replace(held, model=model))
    return tuple(shares)


def blended(old: ParameterSet, new: ParameterSet, share: float) -> ParameterSet:
    """Move every rate a share of the way from one set to another; dependence is the new set's.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where the sets are not calibrated ones of the same kind and markets.
    """
    first, last = old.method, new.method
    if (
        type(first) is not type(last)
        or not isinstance(first, CrossMargin | PerPosition)
        or not isinstance(last, CrossMargin | PerPosition)
        or {entry.market for entry in first.markets} != {entry.market for entry in last.markets}
    ):
        raise PlimsollError(
            Code.BAD_SETTING,
            "the two sets are not calibrated ones of the same kind and markets",
            where="parameters",
            remedy="Give two sets that `plimsoll calibrate --out` wrote for the same markets.",
        )
    known = {entry.market: entry for entry in first.markets}
    markets = tuple(_between(known[entry.market], entry, share) for entry in last.markets)
    return structs.replace(new, method=structs.replace(last, markets=markets), digest="")


def _between(old: MarketParameters, new: MarketParameters, share: float) -> MarketParameters:
    def side(one: SideParameters, other: SideParameters) -> SideParameters:
        rates = {
            name: getattr(one, name) * (1.0 - share) + getattr(other, name) * share
            for name in SideParameters.__struct_fields__
        }
        return SideParameters(**rates)

    return structs.replace(new, long=side(old.long, new.long), short=side(old.short, new.short))


def forced_by_change(before: Held, after: Held) -> Matrix:
    """Take what the change alone forces, not what prices force already: sold and bought, quanta [2, I]."""
    caused = forced_sales(after, after.unit) - forced_sales(before, before.unit)
    return np.maximum(caused, 0.0)


def _model(parameters: ParameterSet, listings: tuple[Listing, ...]) -> MarginModel:
    return margin_model(parameters.method, listings, parameters.liquidity)


def _near(held: Held) -> Flags:
    """Say who may be below maintenance; between two sets requirements are linear in the share."""
    return held.model.near(held.cash, held.lots, held.unit, Level.MAINTENANCE)


def _sold_down(held: Held) -> Held:
    """Let every breached account sell what brings it to its target, at the marks."""
    notional = held.lots * held.unit
    equity = held.cash + notional.sum(axis=1)
    maintenance = held.model.requirement(notional, Level.MAINTENANCE)
    target = held.rules.health_target * maintenance
    short = (equity < maintenance) & notional.any(axis=1)
    kept = np.where(
        short, np.clip(np.divide(equity, target, out=np.ones_like(equity), where=short), 0, 1), 1.0
    )
    lots = np.trunc(held.lots * kept[:, None]).astype(np.int64)
    cash = held.cash + np.floor((held.lots - lots) * held.unit).astype(np.int64).sum(axis=1)
    return replace(held, cash=cash, lots=lots)

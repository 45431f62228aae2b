"""Does a margin model keep the laws that an engine relies on?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.margin.model import MarginModel
from plimsoll.testing.laws import hold
from plimsoll.types import Lots, Matrix, Vector

__all__ = ["MARGIN_LAWS", "NETTING_LAWS", "Book", "check_margin_model", "draw_book"]

_ROUNDING = 1e-11
"""Relative to what an account holds: sums of floats in another order. Requirements are later rounded up."""
_CHANGED_ORDER = 1e-9
"""Relative to the requirement, where columns change places: scenarios are then added up in another order."""
_LONE = 7.3e9
"""Quanta of a lone small position, some 7,300 units of the quote."""


@dataclass(frozen=True, slots=True)
class Book:
    """Accounts at marks.

    Attributes
    ----------
    listings : tuple [I]
    unit : Vector [I]      Quote quanta per lot at the mark.
    lots : Lots [A, I]
    seed : int             Draws whatever else a law needs.
    """

    listings: tuple[Listing, ...]
    unit: Vector
    lots: Lots
    seed: int

    @property
    def notional(self) -> Matrix:
        """Signed value of each position: Matrix [A, I], quote quanta."""
        return self.lots * self.unit

    @property
    def slack(self) -> Vector:
        """What rounding may make of a requirement: Vector [A]."""
        slack: Vector = _ROUNDING * np.abs(self.notional).sum(axis=1)
        return slack


Law = Callable[[MarginModel, Book, Level], None]


def draw_book(listings: tuple[Listing, ...], marks: Vector, seed: int, accounts: int = 60) -> Book:
    """Draw accounts of every kind: dust and whales, flat, one-sided, hedged within and between columns.

    Parameters
    ----------
    marks : Vector [I]   Quote units per unit of each instrument.
    """
    generator = np.random.default_rng(seed)
    unit = np.array([listing.lot for listing in listings]) * marks * QUANTA_PER_UNIT
    shape = accounts, len(listings)
    notional = np.exp(generator.normal(22.0, 3.0, shape)) * generator.choice([-1.0, 0.0, 0.0, 1.0], shape)
    hedged = slice(accounts // 2, None)
    one, other = generator.integers(0, len(listings), 2)
    notional[hedged, one] = -notional[hedged, other] * generator.uniform(0.5, 1.5, accounts - accounts // 2)
    lots: Lots = np.rint(notional / unit).astype(np.int64)
    return Book(listings, unit, lots, seed)


def check_margin_model(
    model: MarginModel,
    listings: tuple[Listing, ...],
    marks: Vector,
    seeds: Iterable[int] = range(5),
    *,
    nets: bool = True,
) -> None:
    """Hold a model over some listings to every law of `MARGIN_LAWS`, and to `NETTING_LAWS` if it nets.

    Parameters
    ----------
    marks : Vector [I]   Quote units per unit of each instrument.
    seeds : ints         Each gives another book.
    nets : bool          Whether it promises that hedges cost no more than their parts.

    Raises
    ------
    BrokenLawError   Names the law, the level, the account's row and the seed.
    """
    laws = {**MARGIN_LAWS, **(NETTING_LAWS if nets else {})}
    for seed in seeds:
        book = draw_book(listings, marks, seed)
        for level in Level:
            for law in laws.values():
                law(model, book, level)


def _nothing_needs_nothing(model: MarginModel, book: Book, level: Level) -> None:
    """Requirements are finite and not negative; an account without positions needs nothing."""
    needed = model.requirement(book.notional, level)
    hold("a requirement for each account", needed.shape == (len(book.lots),), _where(book, level))
    hold(
        "requirements are finite, none is negative",
        np.isfinite(needed) & (needed >= 0.0),
        _where(book, level),
    )
    hold("nothing needs nothing", model.requirement(0.0 * book.notional, level) == 0.0, _where(book, level))


def _higher_levels_ask_for_no_less(model: MarginModel, book: Book, level: Level) -> None:
    """Maintenance, then call, then initial: none asks for less than the one before."""
    if level is Level.MAINTENANCE:
        return
    needed = model.requirement(book.notional, level)
    below = model.requirement(book.notional, Level(level - 1))
    hold("a higher level asks for no less", below <= needed + book.slack, _where(book, level))


def _order_changes_nothing(model: MarginModel, book: Book, level: Level) -> None:
    """Other orders of accounts give the same to the last bit, other orders of columns but for rounding."""
    generator = np.random.default_rng(book.seed)
    accounts, columns = generator.permutation(len(book.lots)), generator.permutation(len(book.listings))
    needed = model.requirement(book.notional, level)
    again = model.requirement(book.notional[accounts], level)
    hold("the order of accounts changes nothing", again == needed[accounts], _where(book, level))
    other = model.over(tuple(book.listings[column] for column in columns))
    shuffled = other.requirement(np.ascontiguousarray(book.notional[:, columns]), level)
    close = np.abs(shuffled - needed) <= _CHANGED_ORDER * needed + book.slack
    hold("the order of columns changes nothing", close, _where(book, level))


def _a_share_needs_at_most_its_share(model: MarginModel, book: Book, level: Level) -> None:
    """A part of every position needs at most that part of the whole."""
    share = float(np.random.default_rng(book.seed).uniform())
    part, whole = model.requirement(share * book.notional, level), model.requirement(book.notional, level)
    hold("a share needs at most its share", part <= share * whole + book.slack, _where(book, level))


def _nobody_below_escapes_notice(model: MarginModel, book: Book, level: Level) -> None:
    """`near` names whoever is below a level, down to a quantum, and nobody who covers all thrice."""
    worth, gross = book.notional.sum(axis=1), np.abs(book.notional).sum(axis=1)
    needed = np.ceil(model.requirement(book.notional, level))
    for short_of in (-2, -1, 0, 1):
        cash = np.floor(needed - worth).astype(np.int64) + short_of
        below = np.floor(cash + worth) < needed
        near = model.near(cash, book.lots, book.unit, level)
        hold("nobody below a level escapes notice", near | ~below, _where(book, level))
    rich = np.ceil(3.0 * gross).astype(np.int64) + 10
    far = ~model.near(rich, book.lots, book.unit, level)
    hold("nobody who covers all thrice is looked at", far, _where(book, level))


def _a_lone_small_position_pays_its_rate(model: MarginModel, book: Book, level: Level) -> None:
    """A small position alone needs exactly the rate that `standalone` tells."""
    rates = model.standalone(level)
    lone = _LONE * np.eye(len(book.listings))
    for place, sign in enumerate((1.0, -1.0)):
        needed = model.requirement(sign * lone, level)
        close = np.abs(needed - _LONE * rates[:, place]) <= _ROUNDING * _LONE
        hold("a lone small position pays its rate", close, _where(book, level))


def _no_step_is_steeper_than_told(model: MarginModel, book: Book, level: Level) -> None:
    """A change of one notional changes the requirement by at most what `steepest` tells."""
    generator = np.random.default_rng(book.seed)
    steepest, needed = model.steepest(level), model.requirement(book.notional, level)
    for column in range(len(book.listings)):
        moved = book.notional
        step = generator.normal(0.0, 1.0, len(moved)) * np.maximum(np.abs(moved[:, column]), _LONE)
        moved[:, column] += step
        grown = np.abs(model.requirement(moved, level) - needed)
        slack = book.slack + _ROUNDING * np.abs(moved).sum(axis=1)
        hold(
            "no step is steeper than told",
            grown <= steepest[column] * np.abs(step) + slack,
            _where(book, level),
        )


def _netting_never_exceeds_the_parts(model: MarginModel, book: Book, level: Level) -> None:
    """An account needs at most what its positions need each alone."""
    held = np.eye(len(book.listings))
    parts = np.sum([model.requirement(book.notional * row, level) for row in held], axis=0)
    whole = model.requirement(book.notional, level)
    hold("netting never exceeds the parts", whole <= parts + book.slack, _where(book, level))


def _together_needs_at_most_apart(model: MarginModel, book: Book, level: Level) -> None:
    """Two accounts put together need at most what they need apart: sub-additivity."""
    other = np.random.default_rng(book.seed).permutation(book.notional)
    apart = model.requirement(book.notional, level) + model.requirement(other, level)
    together = model.requirement(book.notional + other, level)
    slack = book.slack + _ROUNDING * np.abs(other).sum(axis=1)
    hold("together needs at most apart", together <= apart + slack, _where(book, level))


MARGIN_LAWS: Mapping[str, Law] = {
    law.__name__.removeprefix("_"): law
    for law in (
        _nothing_needs_nothing,
        _higher_levels_ask_for_no_less,
        _order_changes_nothing,
        _a_share_needs_at_most_its_share,
        _nobody_below_escapes_notice,
        _a_lone_small_position_pays_its_rate,
        _no_step_is_steeper_than_told,
    )
}
"""Laws of every model, by name: called with the model, a `Book` and a level."""

NETTING_LAWS: Mapping[str, Law] = {
    law.__name__.removeprefix("_"): law
    for law in (_netting_never_exceeds_the_parts, _together_needs_at_most_apart)
}
"""Laws of models that credit hedges."""


def _where(book: Book, level: Level) -> str:
    return f"level {level.name}, seed {book.seed}"

"""How does a venue's own book enter a simulated crash?"""

from dataclasses import replace

import numpy as np

from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.errors import Code, PlimsollError
from plimsoll.sim.book_at_marks import BookAtMarks
from plimsoll.sim.cascade import Cast
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.owners import draw_owners
from plimsoll.sim.population import Population
from plimsoll.sim.shock import Anchor, draw_value
from plimsoll.types import Vector

__all__ = ["anchored_at", "cast_from_book"]


def cast_from_book(book: BookAtMarks, anchor: Anchor, settings: CascadeSettings, seed: int) -> Cast:
    """Put a book into a crash; its positions are open already, whatever margin would admit.

    Accounts that owe more than they have before the shock are not in it. Positions count as opened at the
    marks; only who is asked to share a loss depends on that.

    Parameters
    ----------
    anchor : Anchor   From `anchored_at`.

    Raises
    ------
    PlimsollError   `EMPTY_RANGE` where no account is solvent.
    """
    equity = np.floor(book.cash + (book.lots * book.unit).sum(axis=1)).astype(np.int64)
    solvent = np.flatnonzero(equity > 0)
    if len(solvent) == 0:
        raise PlimsollError(
            Code.EMPTY_RANGE,
            "no account has more than it owes at these prices",
            where="book",
            remedy="Give the book of a solvent venue.",
        )
    shock, behaviour = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
    lots = book.lots[solvent]
    population = Population(
        names=tuple(book.names[row] for row in solvent),
        deposits=equity[solvent],
        collateral=np.where(book.positions, 0, lots),
        wanted=np.where(book.positions, lots, 0),
    )
    return Cast(
        anchor=anchor,
        listings=book.listings,
        columns=book.columns,
        population=population,
        owners=draw_owners(population.deposits, settings.owners, behaviour),
        interest=np.maximum(book.interest(), 1.0),
        value=draw_value(anchor, settings.shock, shock),
        seed=seed,
        brought=True,
    )


def anchored_at(book: BookAtMarks, anchor: Anchor) -> Anchor:
    """Take the moves of a crash to the book's markets and prices.

    A market that the crash did not know falls like the one that fell furthest.
    """
    worst = int(anchor.fall.argmin())
    places = [anchor.markets.index(m) if m in anchor.markets else worst for m in book.markets]
    return replace(
        anchor,
        markets=book.markets,
        prices=_prices(book),
        fall=anchor.fall[places],
        close=anchor.close[places],
        before=anchor.before.aligned(book.markets),
    )


def _prices(book: BookAtMarks) -> Vector:
    """Read each market's price off its first listing: Vector [M]."""
    marks = book.unit / np.array([entry.lot for entry in book.listings]) / QUANTA_PER_UNIT
    return np.array([marks[np.flatnonzero(book.columns == m)[0]] for m in range(len(book.markets))])

"""How large must the insurance fund be for this book?"""

from collections.abc import Callable

import numpy as np
from msgspec import Struct, structs

from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import ParameterSet
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.scenarios.history import crashes
from plimsoll.sim.book_at_marks import BookAtMarks
from plimsoll.sim.brought_book import anchored_at, cast_from_book
from plimsoll.sim.caps import Exposure
from plimsoll.sim.cascade import run_cascade
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.loss_tail import Basis, quantile_band, tail_quantile
from plimsoll.sim.publishing import Fixed
from plimsoll.sim.shock import Anchor, anchor

__all__ = ["CoverTwo", "FundSize", "cover_two", "fund_size"]

Progress = Callable[[str, int, int], None]


class CoverTwo(Struct, frozen=True, kw_only=True):
    """What the two accounts that would owe most owe together, if prices jumped before anybody could sell.

    Attributes
    ----------
    scenario : str     The crash in which that is most; its worst hour's fall, or as large a rise.
    side : str         ``fall`` or ``rise``.
    accounts : tuple   The two, the larger debt first.
    loss : float       Units of quote currency.
    """

    scenario: str
    side: str
    accounts: tuple[str, ...]
    loss: float


class FundSize(Struct, frozen=True, kw_only=True):
    """The fund that a book needs. Money is in units of quote currency.

    Attributes
    ----------
    fund : float            The larger of `quantile` and cover-2.
    level : float           Share of crashes that the fund outlasts alone.
    quantile : float        Of bad debt over the simulated crashes, at the level.
    basis : str             ``observed``, ``fitted`` or ``largest``; see `loss_tail.Basis`.
    low : float             Lower end of its band; see `loss_tail.quantile_band`.
    high : float or None    Upper end; None where so few runs with losses bound it by nothing.
    largest : float         Bad debt of the worst simulated crash.
    mean : float            Of all of them.
    runs : int
    scenarios : tuple       Crashes that anchor them, in turn.
    interest : float        Gross notional of the book's positions.
    cover_two : CoverTwo
    """

    fund: float
    level: float
    quantile: float
    basis: Basis
    low: float
    high: float | None
    largest: float
    mean: float
    runs: int
    scenarios: tuple[str, ...]
    interest: float
    cover_two: CoverTwo


def fund_size(
    book: BookAtMarks,
    parameters: ParameterSet,
    settings: CascadeSettings,
    *,
    level: float,
    scenarios: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> FundSize:
    """Let crashes run through a book that has no fund and no backstop, and see what is missing.

    Each run is anchored by one crash of the library, in turn, with its own seed. What accounts owe beyond
    what they have is what a fund would have had to pay for winners to be asked nothing.

    Parameters
    ----------
    level : share    In (0, 1).
    scenarios : tuple of str   Crashes that happened; all of the library where empty.
    """
    names = scenarios or tuple(crashes()[1])
    anchors = {name: anchored_at(book, anchor(name)) for name in names}
    alone = structs.replace(settings, fund_share=0.0, backstop_share=0.0)
    losses = np.zeros(settings.seeds)
    for run in range(settings.seeds):
        losses[run] = _loss(book, anchors[names[run % len(names)]], parameters, alone, settings.seed + run)
        if progress is not None:
            progress("simulating", run + 1, settings.seeds)
    quantile, basis = tail_quantile(losses, level)
    low, high = quantile_band(losses, level, settings.seed)
    two = cover_two(book, anchors)
    return FundSize(
        fund=max(quantile, two.loss),
        level=level,
        quantile=quantile,
        basis=basis,
        low=low,
        high=high,
        largest=float(losses.max()),
        mean=float(losses.mean()),
        runs=settings.seeds,
        scenarios=names,
        interest=float(book.interest().sum()),
        cover_two=two,
    )


def cover_two(book: BookAtMarks, anchors: dict[str, Anchor]) -> CoverTwo:
    """Add the two largest debts in the worst jump: each crash's fall, and a rise as large in logs."""
    notional = book.lots * book.unit
    equity = book.cash + notional.sum(axis=1)
    found = []
    for name, known in anchors.items():
        for side, sign in (("fall", 1.0), ("rise", -1.0)):
            move = np.expm1(sign * known.fall)[book.columns]
            debt = np.maximum(-(equity + notional @ move), 0.0)
            first = np.argsort(-debt, kind="stable")[:2]
            found.append(
                CoverTwo(
                    scenario=name,
                    side=side,
                    accounts=tuple(book.names[row] for row in first if debt[row] > 0.0),
                    loss=float(debt[first].sum()) / QUANTA_PER_UNIT,
                )
            )
    return max(found, key=lambda each: each.loss)


def _loss(
    book: BookAtMarks, known: Anchor, parameters: ParameterSet, settings: CascadeSettings, seed: int
) -> float:
    cast = cast_from_book(book, known, settings, seed)
    runner = Runner(DigestJournal())
    facts, _ = run_cascade("book", Fixed(parameters), cast, settings, runner, exposure=Exposure.FREE)
    return facts.bad_debt

"""What do readers see of the venue while the engine works on?

The engine replaces one frozen view with the next, so a reader never waits for it and never sees half a step.
"""

from collections import deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from msgspec import Struct, structs

from plimsoll.domain.events import Effect
from plimsoll.domain.parameters import CrossMargin, ParameterSet
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.state import State
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.insight import Insight
from plimsoll.service.margins import Margins
from plimsoll.types import Rows, Vector

__all__ = ["Happened", "Moment", "View", "Window", "in_force", "without_scenarios"]

Entry = TypeVar("Entry")


class Happened(Struct, frozen=True):
    """An effect with the journal record that it followed from, numbered in the order it happened."""

    number: int
    sequence: int
    effect: Effect


class Moment(Struct, frozen=True, kw_only=True):
    """One point of every chart. Money is in quote quanta, rates are shares; M markets, long then short.

    Attributes
    ----------
    time : int
    prices : tuple [M]
    maintenance, initial, target : tuple [M][2]
    branching : tuple [M]   NaN where it is not known.
    called, liquidating, closed : int   Accounts.
    fund, margin, equity, open_notional, liquidated : int   Liquidated since the moment before.
    """

    time: int
    prices: tuple[float, ...]
    maintenance: tuple[tuple[float, float], ...]
    initial: tuple[tuple[float, float], ...]
    target: tuple[tuple[float, float], ...]
    branching: tuple[float, ...]
    called: int
    liquidating: int
    closed: int
    fund: int
    margin: int
    equity: int
    open_notional: int
    liquidated: int


class Window(Generic[Entry]):
    """The last so many of a series; one thread adds, any thread reads.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self._kept: deque[Entry] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._kept)

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        self._kept.extend(entries)

    def listed(self) -> list[Entry]:
        """Copy all that is kept, oldest first."""
        return list(self._kept)


@dataclass(frozen=True)
class View:
    """The venue after one batch of events.

    Attributes
    ----------
    state : State
    sequence : int           Last journal record in it.
    margins : Margins
    markets : tuple [M]      In the order of the parameters.
    history : tuple of ParameterSet   Newest last; without the joint scenarios of older ones.
    insight : Insight or None    Stress tests and branching ratios, some seconds old.
    feed : str               ``running``, or why it is not.
    """

    state: State
    sequence: int
    margins: Margins
    markets: tuple[str, ...]
    history: tuple[ParameterSet, ...]
    insight: Insight | None
    feed: str

    def with_insight(self, insight: Insight) -> "View":
        """Give the same view with a newer look at it; what was worked out from it is kept."""
        newer = copy(self)
        object.__setattr__(newer, "insight", insight)
        return newer

    @cached_property
    def nearest(self) -> Rows:
        """Rows of traders with positions, those with least equity over maintenance first."""
        health = self.margins.health[FIRST_TRADER:]
        held = np.flatnonzero(np.isfinite(health))
        rows: Rows = held[np.argsort(health[held], kind="stable")] + FIRST_TRADER
        return rows

    @cached_property
    def open_lots(self) -> tuple[Vector, Vector]:
        """Lots [I] that traders hold long and short, all accounts together: every reader asks for them."""
        held = self.state.book.lots[FIRST_TRADER:]
        long, short = np.maximum(held, 0).sum(axis=0), -np.minimum(held, 0).sum(axis=0)
        return long.astype(np.float64), short.astype(np.float64)

    @cached_property
    def idle(self) -> Rows:
        """Rows of traders of whom nothing is needed, in the order they were opened."""
        health = self.margins.health[FIRST_TRADER:]
        rows: Rows = np.flatnonzero(~np.isfinite(health)) + FIRST_TRADER
        return rows


def in_force(view: View) -> ParameterSet:
    """Give the parameter set in force; raises `MISSING_PARAMETERS` before the first."""
    if view.state.parameters is None:
        raise PlimsollError(
            Code.MISSING_PARAMETERS,
            "no parameter set is in force",
            where="venue",
            remedy="Wait until the venue has opened.",
        )
    return view.state.parameters


def without_scenarios(parameters: ParameterSet) -> ParameterSet:
    """Leave out the joint scenarios, which are most of a set's size; the digest stays that of the whole."""
    if not isinstance(parameters.method, CrossMargin):
        return parameters
    return structs.replace(parameters, method=structs.replace(parameters.method, dependence=()))

"""How do dated contracts of a venue that lists options settle when they have expired?"""

from dataclasses import replace

import numpy as np

from plimsoll.domain.events import Effect, Expired
from plimsoll.domain.instruments import Listing, Option
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_up
from plimsoll.engine.book import MAKERS
from plimsoll.engine.options import has_expired
from plimsoll.engine.state import State
from plimsoll.types import Vector

__all__ = ["settle_expired"]


def settle_expired(state: State, forwards: Vector, time: int) -> tuple[State, tuple[Effect, ...]]:
    """Pay out what expired contracts are worth at their forward, everybody against the makers.

    Cash rounds against the account.
    """
    effects: list[Effect] = []
    for column in np.flatnonzero(has_expired(state.listings, time) & state.book.lots.any(axis=0)):
        listing = state.listings[column]
        payoff = _payoff(listing, float(forwards[column]))
        rows = np.flatnonzero(state.book.lots[:, column])
        rows = rows[rows != MAKERS]
        lots = np.zeros((len(rows), len(state.listings)), dtype=np.int64)
        lots[:, column] = -state.book.lots[rows, column]
        unit = listing.lot * payoff * QUANTA_PER_UNIT
        book = state.book.traded(rows, lots, quanta_up(lots.astype(np.float64) * unit))
        names = tuple(book.names[row] for row in rows)
        held = tuple((-lots[:, column]).tolist())
        effects.append(Expired(time, listing.name, float(forwards[column]), payoff, names, held))
        state = replace(state, book=book)
    return state, tuple(effects)


def _payoff(listing: Listing, price: float) -> float:
    contract = listing.instrument
    if not isinstance(contract, Option):
        return price
    return max(price - contract.strike, 0.0) if contract.right == "C" else max(contract.strike - price, 0.0)

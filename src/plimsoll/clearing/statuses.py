"""In which statuses can an account be, and what moves it from one to another?"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Flags, Rows

__all__ = ["IN_HAND", "TRANSITIONS", "Signal", "Status", "advance", "in_hand"]


class Status(IntEnum):
    """Where an account stands."""

    HEALTHY = 0
    CALLED = 1
    PARTIAL = 2
    """Positions are sold until the health target is met."""
    FULL = 3
    """Everything is sold."""
    AUCTION = 4
    """The book cannot take it in time: whoever bids takes over a share of everything."""
    BACKSTOP = 5
    """The backstop took over what it could; the book is sold the rest."""
    FUND = 6
    """Nothing is left but a debt, and the insurance fund is asked."""
    ALLOCATION = 7
    """The fund did not reach: whoever is in profit is asked."""
    CLOSED = 8


class Signal(IntEnum):
    """What is seen of an account when it is valued."""

    SHORT = 0
    """Equity is below the call level."""
    BREACHED = 1
    """Equity is below maintenance."""
    SUNK = 2
    """Equity is below the share of maintenance at which everything is sold."""
    RESTORED = 3
    """Equity is at the call level or above it."""
    MENDED = 4
    """Equity is back at the health target of a liquidation."""
    FLAT = 5
    """Nothing is left to sell."""
    FUNDED = 6
    """The owner paid in again."""
    STUCK = 7
    """The book would take too long to sell what must be sold."""
    UNSOLD = 8
    """An auction ran out of time or of value."""
    TAKEN = 9
    """The backstop took positions over."""
    OWING = 10
    """Nothing is left to sell, and cash is negative."""
    EXHAUSTED = 11
    """The insurance fund is empty."""
    PAID = 12
    """What was owed is settled, or nobody is left to ask."""


TRANSITIONS: dict[Status, dict[Signal, Status]] = {
    Status.HEALTHY: {
        Signal.SHORT: Status.CALLED,
        Signal.BREACHED: Status.PARTIAL,
        Signal.SUNK: Status.FULL,
    },
    Status.CALLED: {
        Signal.RESTORED: Status.HEALTHY,
        Signal.BREACHED: Status.PARTIAL,
        Signal.SUNK: Status.FULL,
    },
    Status.PARTIAL: {
        Signal.MENDED: Status.CALLED,
        Signal.SUNK: Status.FULL,
        Signal.STUCK: Status.AUCTION,
        Signal.FLAT: Status.CLOSED,
        Signal.OWING: Status.FUND,
    },
    Status.FULL: {
        Signal.MENDED: Status.CALLED,
        Signal.STUCK: Status.AUCTION,
        Signal.TAKEN: Status.BACKSTOP,
        Signal.FLAT: Status.CLOSED,
        Signal.OWING: Status.FUND,
    },
    Status.AUCTION: {
        Signal.MENDED: Status.CALLED,
        Signal.UNSOLD: Status.FULL,
        Signal.FLAT: Status.CLOSED,
        Signal.OWING: Status.FUND,
    },
    Status.BACKSTOP: {
        Signal.MENDED: Status.CALLED,
        Signal.FLAT: Status.CLOSED,
        Signal.OWING: Status.FUND,
    },
    Status.FUND: {
        Signal.PAID: Status.CLOSED,
        Signal.EXHAUSTED: Status.ALLOCATION,
    },
    Status.ALLOCATION: {
        Signal.PAID: Status.CLOSED,
    },
    Status.CLOSED: {
        Signal.FUNDED: Status.HEALTHY,
    },
}
"""The whole state machine; what is not here is an error."""


IN_HAND = (Status.PARTIAL, Status.FULL, Status.AUCTION, Status.BACKSTOP)
"""The venue, no longer the owner, decides what happens to the positions."""


def in_hand(statuses: NDArray[np.int8]) -> Flags:
    """Say which accounts are being liquidated, whichever way."""
    return np.isin(statuses, IN_HAND)


def _matrix() -> NDArray[np.int8]:
    table = np.full((len(Status), len(Signal)), -1, dtype=np.int8)
    for status, moves in TRANSITIONS.items():
        for signal, after in moves.items():
            table[status, signal] = after
    return table


_TABLE = _matrix()


def advance(statuses: NDArray[np.int8], rows: Rows, signal: Signal) -> NDArray[np.int8]:
    """Move the accounts in `rows` on one signal; the others stay.

    Parameters
    ----------
    statuses : int8 [A]   `Status` of every account; not changed.
    rows : Rows [B]

    Raises
    ------
    PlimsollError   `UNKNOWN_TRANSITION` where the table has no such move.
    """
    after = _TABLE[statuses[rows], signal]
    if np.any(after < 0):
        status = Status(int(statuses[rows][after < 0][0]))
        raise PlimsollError(
            Code.UNKNOWN_TRANSITION,
            f"an account that is {status.name} cannot take the signal {signal.name}",
            where="clearing",
            remedy="This is a defect of the program: report it with the journal.",
        )
    moved = statuses.copy()
    moved[rows] = after
    return moved

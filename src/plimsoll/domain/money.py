"""How does an amount of money become an integer, and which way is it rounded?

Money is held in quote quanta of 1e-6, as `int64`. A float becomes money in one of two functions whose names
carry the rounding; a decimal written by a user becomes money exactly or not at all.
"""

from decimal import Decimal

import numpy as np

from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Array, Quanta

__all__ = [
    "LARGEST_AMOUNT",
    "QUANTA_PER_UNIT",
    "exact_quanta",
    "exact_sum",
    "quanta_down",
    "quanta_up",
    "units",
]

QUANTA_PER_UNIT = 1_000_000
LARGEST_AMOUNT = 2**62
"""Largest amount in quanta (4.6e12 units of quote): two of them still add up within 64 bits."""


def quanta_down(amounts: Array) -> Quanta:
    """Convert quanta held as floats to integers, towards minus infinity: what an account has.

    Parameters
    ----------
    amounts : Array   Quote quanta, any shape.

    Raises
    ------
    PlimsollError   `AMOUNT_OUT_OF_RANGE` where an amount is not finite or beyond `LARGEST_AMOUNT`.
    """
    return _checked(np.floor(amounts))


def quanta_up(amounts: Array) -> Quanta:
    """Convert quanta held as floats to integers, towards plus infinity: what an account owes."""
    return _checked(np.ceil(amounts))


def exact_quanta(amount: Decimal, where: str) -> int:
    """Convert a decimal amount in quote units; refuse one that is finer than a quantum or too large."""
    if not amount.is_finite() or abs(amount) > LARGEST_AMOUNT // QUANTA_PER_UNIT:
        raise PlimsollError(
            Code.AMOUNT_OUT_OF_RANGE,
            f"amount {amount} is not a finite amount below {LARGEST_AMOUNT // QUANTA_PER_UNIT}",
            where=where,
            remedy="Give a smaller amount.",
        )
    scaled = amount * QUANTA_PER_UNIT
    if scaled != scaled.to_integral_value():
        raise PlimsollError(
            Code.AMOUNT_OUT_OF_RANGE,
            f"amount {amount} is finer than one quantum of 0.000001",
            where=where,
            remedy="Round it to six decimals.",
        )
    return int(scaled)


def exact_sum(amounts: Quanta) -> int:
    """Add whole amounts without wrapping, however large: within 64 bits where they surely fit."""
    if len(amounts) == 0:
        return 0
    most = max(abs(int(amounts.max())), abs(int(amounts.min())))
    return int(amounts.sum()) if most <= _LARGEST_WHOLE // len(amounts) else sum(map(int, amounts))


_LARGEST_WHOLE = 2**63 - 1


def units(quanta: int | np.int64) -> float:
    """Express quanta in units of the quote currency, for people to read."""
    return int(quanta) / QUANTA_PER_UNIT


def _checked(rounded: Array) -> Quanta:
    if not np.all(np.abs(rounded) <= LARGEST_AMOUNT):
        raise PlimsollError(
            Code.AMOUNT_OUT_OF_RANGE,
            f"an amount is not finite or beyond {LARGEST_AMOUNT:.3g} quanta",
            where="money",
            remedy="Check the prices and sizes that were multiplied.",
        )
    return rounded.astype(np.int64)

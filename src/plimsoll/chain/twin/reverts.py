"""How does a twin refuse what its contract refuses, and leave nothing half done?"""

import copy
import functools
from collections.abc import Callable
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from plimsoll.chain.twin.fixed_point import Revert

__all__ = ["ZERO_ADDRESS", "Message", "Part", "atomic", "require", "within"]

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"

_Twin = TypeVar("_Twin")
_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class Message(NamedTuple):
    """What a contract knows of a call: who calls and in which second."""

    sender: str
    timestamp: int


class Part:
    """What a twin holds as part of its own state: undone with it, unlike another contract that it knows."""


def require(condition: bool, reason: str) -> None:  # noqa: FBT001 - reads as the contract's assert
    """Revert with a reason where the condition does not hold."""
    if not condition:
        raise Revert(reason)


def within(value: int, bits: int, *, signed: bool = False) -> int:
    """Return an integer that its type can hold; revert without a reason where it cannot."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    require(low <= value < high, "")
    return value


def atomic(
    method: Callable[Concatenate[_Twin, _Arguments], _Answer],
) -> Callable[Concatenate[_Twin, _Arguments], _Answer]:
    """Undo what a method changed of its twin before it reverted."""

    @functools.wraps(method)
    def whole(twin: _Twin, /, *arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        kept = {
            name: copy.copy(value) if isinstance(value, dict | list | set | Part) else value
            for name, value in vars(twin).items()
        }
        try:
            return method(twin, *arguments, **named)
        except Revert:
            vars(twin).update(kept)
            raise

    return whole

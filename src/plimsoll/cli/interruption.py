"""How does a signal end a command, wherever in a library it arrives?"""

import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["Interruption", "end_if_asked"]

_STATUS_OF_SIGNALS = 128
"""Added to a signal's number it gives the exit status, as shells count."""


class Interruption:
    """Handler of SIGINT and SIGTERM: unwinds, so that unfinished files are removed, and remembers which.

    The exception that a handler raises can get lost: where the signal arrives in Python code that a C library
    tries out, such as NumPy asking whether an operand is an array, the library takes the exception for
    "no" and goes on. `end_if_asked` raises it again.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    def listen(self) -> None:
        """Take over the signals that ask a process to end."""
        signal.signal(signal.SIGINT, self)
        signal.signal(signal.SIGTERM, self)

    def __call__(self, number: int, _frame: FrameType | None) -> NoReturn:
        """Note the signal and unwind."""
        self.number = number
        _end(number)


def end_if_asked() -> None:
    """Unwind, where a signal asked for it and its exception was lost; otherwise do nothing."""
    handler = signal.getsignal(signal.SIGTERM)
    if isinstance(handler, Interruption) and handler.number is not None:
        _end(handler.number)


def _end(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(_STATUS_OF_SIGNALS + number)

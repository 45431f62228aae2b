"""What do stress tests and branching ratios say of the book, some seconds ago?"""

import logging
import sys
import threading
from collections.abc import Callable
from time import perf_counter

from msgspec import Struct

from plimsoll.engine.state import State
from plimsoll.errors import PlimsollError
from plimsoll.service.branching import Branching, branching
from plimsoll.service.stress import StressResult, library_stresses

__all__ = ["Insight", "insight_into", "look_until"]

_LOG = logging.getLogger("plimsoll.service")
_REST = 9.0
"""Rest after a look, as a multiple of what it took: insight into a large book may take a tenth of a core."""


class Insight(Struct, frozen=True, kw_only=True):
    """Answers that take too long to be given at every tick.

    Attributes
    ----------
    time, sequence : int   Of the state that was looked at.
    branching : tuple of Branching
    stresses : tuple of StressResult
    """

    time: int
    sequence: int
    branching: tuple[Branching, ...]
    stresses: tuple[StressResult, ...]


def insight_into(state: State, sequence: int) -> Insight:
    """Look at one state."""
    return Insight(
        time=state.time,
        sequence=sequence,
        branching=branching(state),
        stresses=library_stresses(state),
    )


def look_until(ending: threading.Event, seconds: float, look: Callable[[], None]) -> None:
    """Look again and again, with a rest of so many seconds or more in between, until an event is set.

    A look that is refused, as once the engine has ended, is logged and the next is taken all the same.
    """
    rest = seconds
    while not ending.wait(rest):
        began = perf_counter()
        try:
            look()
        except PlimsollError as error:
            _LOG.warning("no insight", extra={"code": error.code, "what": str(error)})
        finally:
            if sys.exc_info()[0] is not None:
                _LOG.critical("insight has ended", exc_info=True)
        rest = max(seconds, _REST * (perf_counter() - began))

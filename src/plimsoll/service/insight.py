"""What do stress tests and branching ratios say of the book, some seconds ago?"""

from msgspec import Struct

from plimsoll.engine.state import State
from plimsoll.service.branching import Branching, branching
from plimsoll.service.stress import StressResult, library_stresses

__all__ = ["Insight", "insight_into"]


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

"""What is a scenario, and what does it hand to a replay?"""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from plimsoll.domain.bars import Bars
from plimsoll.types import Vector

__all__ = ["Kind", "Scenario", "ScenarioPath"]


class Kind(StrEnum):
    """Whether a scenario happened."""

    HISTORICAL = "historical"
    HYPOTHETICAL = "hypothetical"


class Scenario(Struct, frozen=True, kw_only=True):
    """One entry of the library.

    Attributes
    ----------
    name : str               What a command names it by.
    title, summary : str     For people; a line and a paragraph.
    kind : Kind
    source : str             Where its figures are from.
    markets : tuple of str   The M axis of its bars.
    first, last : int        Opening of the first and end of the last bar, milliseconds UTC.
    """

    name: str
    title: str
    summary: str
    kind: Kind
    source: str
    markets: tuple[str, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ScenarioPath:
    """Bars to replay, with the depth of the books beside them.

    Attributes
    ----------
    bars : Bars [T, M]
    liquidity : Vector [T]   Depth in each bar relative to normal; 1 is normal.
    """

    bars: Bars
    liquidity: Vector

"""What does an oracle's reporter sign, what may a venue set about reports, and what is made of them?"""

from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from plimsoll.domain.observations import Refusal
from plimsoll.errors import Code, PlimsollError

__all__ = ["LONGEST_LADDER", "Agreed", "OracleSettings", "Report", "Step", "check_ladder", "raised_by"]

LONGEST_LADDER = 20

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(ge=0.0, le=86_400.0)]


class Report(Struct, frozen=True):
    """What one reporter says of one market, its signature checked already.

    Attributes
    ----------
    price : float        Quote currency per base unit, > 0.
    confidence : float   Half-width that the reporter vouches for, quote currency, >= 0.
    time : int           When the price was seen, milliseconds UTC.
    """

    reporter: str
    market: str
    price: float
    confidence: float
    time: int


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """A rung: above this measure, initial margin is raised by this factor.

    Attributes
    ----------
    above : float        Seconds of age, or confidence as a share of the price; see the ladder.
    multiplier : float   Factor on initial margin.
    """

    above: Annotated[float, Meta(ge=0.0)]
    multiplier: Annotated[float, Meta(ge=1.0, le=10.0)]


class OracleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a venue believes, and when.

    Attributes
    ----------
    weights : dict            Reporter to weight, whole numbers; at least one.
    quorum : share            Of all weight, whose fresh reports make a price. Two thirds leave fewer than a
                              third of liars in the minority among those who count.
    longest_age : seconds     Older reports do not count.
    longest_lead : seconds    Nor do reports from further in the future: clocks differ.
    deviation : share         A report further than this from the median is counted as deviating. It keeps
                              its vote: who is outside is decided after the vote, not before.
    """

    weights: dict[str, Annotated[int, Meta(ge=1, le=1_000_000)]]
    quorum: Annotated[float, Meta(gt=0.5, le=1.0)] = 2.0 / 3.0
    longest_age: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 60.0
    longest_lead: Seconds = 5.0
    deviation: Share = 0.02

    def __post_init__(self) -> None:
        if not self.weights:
            raise PlimsollError(
                Code.BAD_SETTING, "no reporter", where="weights", remedy="Name at least one, with its weight."
            )


class Agreed(Struct, frozen=True):
    """The price in force of one market.

    Attributes
    ----------
    price : float           Weighted median; that of the last quorum where there is none now.
    confidence : float      Half-width, quote currency.
    time : int              When the quorum that this price comes from was reached, milliseconds UTC.
    share : float           Of all weight, whose fresh reports were counted now.
    has_quorum : bool       Whether the price is of now.
    refusals : tuple        Reports that were not counted, or that deviate.
    """

    market: str
    price: float
    confidence: float
    time: int
    share: float
    has_quorum: bool
    refusals: tuple[Refusal, ...]


def check_ladder(name: str, ladder: tuple[Step, ...]) -> None:
    """Raise `BAD_SETTING` where a ladder is too long or does not rise in both."""
    rungs = [(step.above, step.multiplier) for step in ladder]
    rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(rungs))
    if len(rungs) > LONGEST_LADDER or not rising:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"a ladder has at most {LONGEST_LADDER} steps, each higher than the one before in both",
            where=name,
            remedy="Sort the steps, and let the multiplier rise with the measure.",
        )


def raised_by(ladder: tuple[Step, ...], measure: float) -> float:
    """Read a ladder: the multiplier of the highest step below `measure`, 1 below the first."""
    return max((step.multiplier for step in ladder if measure > step.above), default=1.0)

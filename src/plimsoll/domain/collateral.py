"""What is known of an asset that accounts post as collateral, and how is it to be judged?"""

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["Answer", "CollateralAsset", "CollateralSettings", "Question", "ScoreCard", "ScoreStep"]

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class CollateralSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How haircuts are set.

    Attributes
    ----------
    stable_floor : share      Least haircut of an asset with a peg: its quiet past says little.
    depeg_share : share       Of the worst known fall below its peg, that is always held against it.
    peg_threshold : quote     Price below which a peg counts as giving way.
    peg_factor : factor       Times the gap below the threshold, held against it then.
    crowd_share : share       Of what all other accounts hold of an asset, that is sold together with an
                              account's own.
    """

    stable_floor: Share = 0.02
    depeg_share: Share = 0.25
    peg_threshold: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.995
    peg_factor: Annotated[float, Meta(ge=0.0, le=100.0)] = 4.0
    crowd_share: Share = 0.1


class CollateralAsset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One asset.

    Attributes
    ----------
    asset : str
    stable : bool             It is meant to be worth one unit of the quote currency.
    worst_depeg : share       Worst known fall below the peg; 0 where there is none.
    moves_with : str or None  Underlying whose scenarios move it, so that a position in the same thing, or one
                              that falls with it, is seen together with it (wrong-way risk).
    """

    asset: str
    stable: bool = False
    worst_depeg: Share = 0.0
    moves_with: str | None = None


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """One possible answer; `points` are 0 for the safest and 1 for the riskiest."""

    answer: str
    points: Share


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """One question of a score card, with its weight among the others."""

    name: str
    question: str
    weight: Annotated[float, Meta(gt=0.0)]
    answers: Annotated[tuple[Answer, ...], Meta(min_length=2)]


class ScoreStep(Struct, frozen=True, forbid_unknown_fields=True):
    """From this score on (share of all points), the add-on is this."""

    score: Share
    add_on: Share


class ScoreCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How answers become an add-on to a haircut; what is not answered counts as the riskiest answer.

    Attributes
    ----------
    steps : tuple of ScoreStep   Ascending in both; the add-on between two is on the line that joins them.
    """

    name: str
    title: str
    source: str
    questions: Annotated[tuple[Question, ...], Meta(min_length=1)]
    steps: Annotated[tuple[ScoreStep, ...], Meta(min_length=1)]

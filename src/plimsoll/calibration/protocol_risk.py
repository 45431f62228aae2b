"""How much is held against the failure of a token's own protocol, and which answers is that made of?"""

from collections.abc import Mapping

import msgspec
import numpy as np

from plimsoll.domain.collateral import Question, ScoreCard
from plimsoll.errors import Code, PlimsollError

__all__ = ["Scored", "ScoredAnswer", "score"]


class ScoredAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question, answered; `points` times `weight` is what it adds to the sum.

    Attributes
    ----------
    answer : str or None   None where it was not answered, which counts as the riskiest answer.
    """

    name: str
    answer: str | None
    points: float
    weight: float

    @property
    def amount(self) -> float:
        """Points times weight."""
        return self.points * self.weight


class Scored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A protocol's score, part by part.

    Attributes
    ----------
    card : str
    parts : tuple of ScoredAnswer
    score : share     Sum of points times weights over the sum of weights.
    add_on : share    What it adds to the haircut.
    """

    card: str
    parts: tuple[ScoredAnswer, ...]
    score: float
    add_on: float

    def lines(self) -> tuple[str, ...]:
        """Write the sum down, one line per question and two for the result."""
        width = max(len(part.name) for part in self.parts)
        told = [
            f"{part.name:<{width}}  {part.points:4.2f} x {part.weight:4.1f} = {part.amount:5.2f}"
            f"  {part.answer or 'not answered'}"
            for part in self.parts
        ]
        total, most = sum(part.amount for part in self.parts), sum(part.weight for part in self.parts)
        told.append(f"{'sum':<{width}}  {total:.2f} of {most:.1f} = {self.score:.1%}")
        return (*told, f"{'add-on':<{width}}  {self.add_on:.1%} of value")


def score(card: ScoreCard, answers: Mapping[str, str]) -> Scored:
    r"""Score a protocol.

    .. math:: score = \frac{\sum_q w_q p_q}{\sum_q w_q}

    The add-on is interpolated between the card's steps: non-decreasing in every answer's points.

    Parameters
    ----------
    answers : mapping   Question's name to the words of one of its answers.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for a question or an answer that the card does not have.
    """
    known = {question.name for question in card.questions}
    for name in answers:
        if name not in known:
            raise _unknown(f"the card {card.name} has no question {name!r}", name, sorted(known))
    parts = tuple(_answered(question, answers.get(question.name)) for question in card.questions)
    total = sum(part.points * part.weight for part in parts) / sum(part.weight for part in parts)
    steps = np.array([(step.score, step.add_on) for step in card.steps])
    add_on = float(np.interp(total, steps[:, 0], steps[:, 1]))
    return Scored(card.name, parts, total, add_on)


def _answered(question: Question, answer: str | None) -> ScoredAnswer:
    points = {given.answer: given.points for given in question.answers}
    if answer is None:
        return ScoredAnswer(question.name, None, max(points.values()), question.weight)
    if answer not in points:
        raise _unknown(f"{answer!r} is no answer to {question.name}", question.name, list(points))
    return ScoredAnswer(question.name, answer, points[answer], question.weight)


def _unknown(what: str, where: str, names: list[str]) -> PlimsollError:
    return PlimsollError(Code.BAD_SETTING, what, where=where, remedy=f"Choose among {'; '.join(names)}.")

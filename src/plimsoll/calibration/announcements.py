"""When does a cost curve that was announced come into force?"""

from dataclasses import dataclass, replace

from plimsoll.domain.bars import HOUR
from plimsoll.domain.cost_curve import CostCurve

__all__ = ["CurveNotice", "announce", "curves_at"]


@dataclass(frozen=True, slots=True)
class CurveNotice:
    """What one market's accounts have been told.

    Attributes
    ----------
    in_force : CostCurve
    announced : tuple of (time, CostCurve)   In order; each takes force when its notice ends.
    """

    in_force: CostCurve
    announced: tuple[tuple[int, CostCurve], ...] = ()


def announce(notice: CurveNotice, curve: CostCurve, time: int, notice_hours: float) -> CurveNotice:
    """Announce a curve; one that waits already goes first, whatever it says.

    Curves may cross: dearer for one size, cheaper for another. So none is let in early, and the notice holds
    for every size.
    """
    settled = _settled(notice, time, notice_hours)
    if settled.announced and settled.announced[-1][1] == curve:
        return settled
    return replace(settled, announced=(*settled.announced, (time, curve)))


def curves_at(
    notice: CurveNotice, time: int, notice_hours: float
) -> tuple[CurveNotice, tuple[CostCurve, ...]]:
    """Give the curves that margin answers to: in force, then announced; and what is left to announce."""
    settled = _settled(notice, time, notice_hours)
    return settled, (settled.in_force, *(curve for _, curve in settled.announced))


def _settled(notice: CurveNotice, time: int, notice_hours: float) -> CurveNotice:
    """Let those into force whose notice has ended: the last of them stands."""
    due = [curve for told, curve in notice.announced if time - told > notice_hours * HOUR]
    if not due:
        return notice
    return CurveNotice(due[-1], notice.announced[len(due) :])

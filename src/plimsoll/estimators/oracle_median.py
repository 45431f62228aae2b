"""Which price do many reporters agree on when some of them lie?

With weights `w_i`, total `W`, fresh reports counted once per reporter, and a quorum `q > 1/2`:

    price      = midpoint of the lower and the upper weighted median of the p_i
    scatter    = the same of |p_i - price|
    confidence = max(the same of the stated c_i, scatter)

**Law.** Let liars hold less than `W / 3` and let `q >= 2/3`. Then among those counted they hold less than
half, both medians lie between two honest reports, and the price does too. The same holds for the scatter, so
the confidence is at most the largest honest one or the width of the honest range, whatever liars state. In
general liars are harmless while they hold less than `q W / 2`.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from plimsoll.domain.observations import Fault, Refusal
from plimsoll.domain.oracle import Agreed, OracleSettings, Report

__all__ = ["agree", "report_fault", "weighted_median", "weighted_price"]

_SOURCE = "oracle"
_MILLISECONDS = 1000


def weighted_median(values: Sequence[float], weights: Sequence[int]) -> float:
    """Take the midpoint of the lower and the upper weighted median.

    Parameters
    ----------
    values : sequence [n]    Not empty, finite.
    weights : sequence [n]   Whole numbers > 0, so that sums are exact and no order of addition matters.
    """
    pairs = sorted(zip(values, weights, strict=True))
    total, below = sum(weights), 0
    lower: float | None = None
    for value, weight in pairs:
        below += weight
        if lower is None and 2 * below >= total:
            lower = value
        if lower is not None and 2 * below > total:
            return lower + (value - lower) / 2.0
    raise ValueError("no value has any weight")


def weighted_price(
    prices: Sequence[float], stated: Sequence[float], weights: Sequence[int]
) -> tuple[float, float]:
    """Give the weighted median of prices, and its confidence from those stated and from the scatter.

    Parameters
    ----------
    prices, stated : sequence [n]   Not empty, finite; what each vouches for, 0 where it says nothing.
    weights : sequence [n]          Whole numbers > 0.
    """
    price = weighted_median(prices, weights)
    scatter = weighted_median([abs(one - price) for one in prices], weights)
    return price, max(weighted_median(stated, weights), scatter)


def agree(
    reports: Iterable[Report], market: str, settings: OracleSettings, now: int, before: Agreed | None
) -> Agreed | None:
    """Make a price of the reports that are there.

    Parameters
    ----------
    reports : iterable      Of this market, in any order, any of them any number of times.
    now : int               Milliseconds UTC.
    before : Agreed or None   What was in force; it stays in force without a quorum.

    Returns
    -------
    Agreed or None   None where there is no quorum and never was one.
    """
    counted, refusals = _counted(reports, market, settings, now)
    weights = [settings.weights[report.reporter] for report in counted]
    share = sum(weights) / sum(settings.weights.values())
    if not counted or share < settings.quorum:
        return _held(before, share, refusals)
    price, confidence = weighted_price(
        [report.price for report in counted], [report.confidence for report in counted], weights
    )
    far = [r for r in counted if abs(r.price - price) > settings.deviation * price]
    refusals += [_refused(r, now, Fault.DEVIATING, f"{r.price:g} beside a median of {price:g}") for r in far]
    return Agreed(market, price, confidence, now, share, has_quorum=True, refusals=_ordered(refusals))


def _held(before: Agreed | None, share: float, refusals: list[Refusal]) -> Agreed | None:
    """Keep the last price, which grows old: a venue that stops cannot liquidate anybody."""
    if before is None:
        return None
    return replace(before, share=share, has_quorum=False, refusals=_ordered(refusals))


def _counted(
    reports: Iterable[Report], market: str, settings: OracleSettings, now: int
) -> tuple[list[Report], list[Refusal]]:
    """Take each reporter's latest fresh report; who signed two different ones for one moment has none."""
    refusals: list[Refusal] = []
    latest: dict[str, set[Report]] = {}
    for report in set(reports):
        fault = report_fault(report, market, settings, now)
        if fault is not None:
            refusals.append(_refused(report, now, fault, f"seen at {report.time}, price {report.price:g}"))
            continue
        own = latest.setdefault(report.reporter, {report})
        newest = next(iter(own)).time
        if report.time == newest:
            own.add(report)
        elif report.time > newest:
            latest[report.reporter] = {report}
    counted: list[Report] = []
    for reporter in sorted(latest):
        own = latest[reporter]
        if len(own) == 1:
            counted.extend(own)
        else:
            any_of_them = min(own, key=lambda report: (report.price, report.confidence))
            refusals.append(_refused(any_of_them, now, Fault.EQUIVOCAL, f"{len(own)} reports of one moment"))
    return counted, refusals


def report_fault(report: Report, market: str, settings: OracleSettings, now: int) -> Fault | None:
    """Say why a report cannot count for a market now, whatever others say; None where it may."""
    if report.market != market:
        return Fault.UNKNOWN_MARKET
    if report.reporter not in settings.weights:
        return Fault.UNKNOWN_REPORTER
    if not (0.0 < report.price < float("inf") and 0.0 <= report.confidence < float("inf")):
        return Fault.BAD_PRICE
    age = (now - report.time) / _MILLISECONDS
    if age > settings.longest_age:
        return Fault.STALE
    return Fault.AHEAD if -age > settings.longest_lead else None


def _refused(report: Report, now: int, fault: Fault, what: str) -> Refusal:
    return Refusal(f"{_SOURCE}:{report.reporter}", report.market, now, fault, what)


def _ordered(refusals: list[Refusal]) -> tuple[Refusal, ...]:
    """Sort, so that no order of arrival shows."""
    return tuple(sorted(refusals, key=lambda refusal: (refusal.source, refusal.fault, refusal.what)))

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

from plimsoll.domain.observations import Fault, Refusal
from plimsoll.domain.oracle import Agreed, OracleSettings, Report, raised_by

__all__ = ["agree", "weighted_median"]

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
        return _held(before, settings, now, share, refusals)
    prices = [report.price for report in counted]
    price = weighted_median(prices, weights)
    scatter = weighted_median([abs(one - price) for one in prices], weights)
    confidence = max(weighted_median([report.confidence for report in counted], weights), scatter)
    far = [r for r in counted if abs(r.price - price) > settings.deviation * price]
    refusals += [_refused(r, now, Fault.DEVIATING, f"{r.price:g} beside a median of {price:g}") for r in far]
    multiplier = raised_by(settings.spread_steps, confidence / price)
    return Agreed(
        market,
        price,
        confidence,
        now,
        share,
        has_quorum=True,
        multiplier=multiplier,
        refusals=_ordered(refusals),
    )


def _held(
    before: Agreed | None, settings: OracleSettings, now: int, share: float, refusals: list[Refusal]
) -> Agreed | None:
    """Keep the last price, and raise margin by its age: a venue that stops cannot liquidate anybody."""
    if before is None:
        return None
    age = raised_by(settings.age_steps, (now - before.time) / _MILLISECONDS)
    spread = raised_by(settings.spread_steps, before.confidence / before.price)
    return Agreed(
        before.market,
        before.price,
        before.confidence,
        before.time,
        share,
        has_quorum=False,
        multiplier=max(age, spread),
        refusals=_ordered(refusals),
    )


def _counted(
    reports: Iterable[Report], market: str, settings: OracleSettings, now: int
) -> tuple[list[Report], list[Refusal]]:
    """Take each reporter's latest fresh report; who signed two different ones for one moment has none."""
    refusals: list[Refusal] = []
    latest: dict[str, set[Report]] = {}
    for report in set(reports):
        fault = _fault(report, market, settings, now)
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


def _fault(report: Report, market: str, settings: OracleSettings, now: int) -> Fault | None:
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

"""Which signed reports stand, and which price do they agree on?

Of each reporter and market the newest moment stands, with what was said of it: one report, or two that
differ, which convict their signer. Nothing else can change what `agree` makes of all reports that ever came,
so what is kept is bounded, and neither order nor repetition matters.
"""

from collections.abc import Collection
from threading import Lock
from typing import final

from plimsoll.domain.observations import Fault, OraclePrice, Refusal
from plimsoll.domain.oracle import Agreed, OracleSettings, Report
from plimsoll.estimators.oracle_median import agree, report_fault

__all__ = ["ReportBoard"]

_DIFFERENT = 2
"""Reports of one moment that are kept: two different ones are proof enough."""


@final
class ReportBoard:
    """The reports of all reporters; may be used from several threads.

    Parameters
    ----------
    settings : OracleSettings   Whose reporters are named as `Report` names them.
    markets : collection of str
    """

    def __init__(self, settings: OracleSettings, markets: Collection[str]) -> None:
        self._settings = settings
        self._standing: dict[str, dict[str, tuple[Report, ...]]] = {market: {} for market in markets}
        self._agreed: dict[str, Agreed | None] = dict.fromkeys(markets)
        self._lock = Lock()

    def put(self, report: Report, received: int) -> Refusal | None:
        """Let a report stand, or say why it does not.

        A report that contradicts another of the same moment is refused as equivocal and stands beside it:
        from then on neither counts, until the reporter reports a later moment.
        """
        own = self._standing.get(report.market)
        if own is None:
            return _refusal(report, received, Fault.UNKNOWN_MARKET, "no such market")
        fault = report_fault(report, report.market, self._settings, received)
        if fault is not None:
            return _refusal(report, received, fault, f"seen at {report.time}, price {report.price:g}")
        with self._lock:
            before = own.get(report.reporter, ())
            if report in before:
                return _refusal(report, received, Fault.DUPLICATE, "said before")
            if before and report.time < before[0].time:
                return _refusal(report, received, Fault.LATE, f"a report of {before[0].time} stands")
            if before and report.time == before[0].time:
                own[report.reporter] = (*before, report)[:_DIFFERENT]
                return _refusal(report, received, Fault.EQUIVOCAL, "another report of this moment stands")
            own[report.reporter] = (report,)
        return None

    def standing(self, market: str) -> tuple[Report, ...]:
        """Give what stands of one market."""
        with self._lock:
            return tuple(report for own in self._standing[market].values() for report in own)

    def agreed(self, market: str, now: int) -> Agreed | None:
        """Give the price in force of one market; None before the first quorum."""
        with self._lock:
            reports = [report for own in self._standing[market].values() for report in own]
            found = agree(reports, market, self._settings, now, self._agreed[market])
            self._agreed[market] = found
        return found

    def prices(self, source: str, now: int) -> tuple[OraclePrice, ...]:
        """Give the price of each market that has a quorum at this moment, as a source says it."""
        found = (self.agreed(market, now) for market in self._standing)
        return tuple(
            OraclePrice(source, each.market, each.time, now, each.price, each.confidence)
            for each in found
            if each is not None and each.has_quorum
        )


def _refusal(report: Report, received: int, fault: Fault, what: str) -> Refusal:
    return Refusal(f"oracle:{report.reporter}", report.market, received, fault, what)

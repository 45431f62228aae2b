"""How do signed reports come in through the API, and what do readers learn of those who sign them?

A report is its own key: the signature covers reporter, market, moment and price, so the same report again
changes nothing, and another one of the same moment convicts its signer. Nothing of it goes into the journal
but the tick that follows, so no idempotency key is asked for.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from plimsoll.domain.observations import Fault, OraclePrice, Refusal
from plimsoll.domain.oracle import Report
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.oracle_median import report_fault
from plimsoll.feeds.report_board import ReportBoard
from plimsoll.feeds.reports import ReportDoor, SignedReport
from plimsoll.service.settings import REPORTERS, ReportSettings

__all__ = [
    "AgreedLine",
    "RefusedReport",
    "ReporterLine",
    "Reporters",
    "Reports",
    "ReportsAnswer",
]

_MOST = 200
"""Reports of one request: their signatures take about 50 ms to check with coincurve."""

_CODES = {
    Fault.UNKNOWN_MARKET: Code.UNKNOWN_MARKET,
    Fault.BAD_PRICE: Code.BAD_PRICE,
    Fault.BAD_SIGNATURE: Code.BAD_SIGNATURE,
    Fault.UNKNOWN_REPORTER: Code.UNKNOWN_REPORTER,
    Fault.EQUIVOCAL: Code.EQUIVOCAL,
    Fault.STALE: Code.BAD_TIME,
    Fault.AHEAD: Code.BAD_TIME,
    Fault.LATE: Code.OUT_OF_ORDER,
}
_COUNTED = ("counted", "deviating")


class Reports(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What reporters signed."""

    reports: Annotated[tuple[SignedReport, ...], Meta(min_length=1, max_length=_MOST)]


class RefusedReport(Struct, frozen=True, kw_only=True):
    """A report that does not stand; `place` counts from 0 in the request."""

    place: int
    code: Code
    what: str


class ReportsAnswer(Struct, frozen=True, kw_only=True):
    """What became of reports.

    Attributes
    ----------
    taken : int    That stand now.
    known : int    That stood already.
    refused : tuple of RefusedReport
    """

    taken: int
    known: int
    refused: tuple[RefusedReport, ...]


class ReporterLine(Struct, frozen=True, kw_only=True):
    """What a reporter says of a market.

    Attributes
    ----------
    state : str   ``counted``, ``deviating`` (counted, and far from the median), ``equivocal``, ``stale`` or
                  ``silent``.
    time : int    Milliseconds UTC; 0 where it has said nothing.
    """

    reporter: str
    weight: int
    state: str
    price: float | None
    confidence: float | None
    time: int


class AgreedLine(Struct, frozen=True, kw_only=True):
    """What the reporters agree on for a market.

    Attributes
    ----------
    price, confidence : float or None   Of the last quorum; None before the first.
    time : int                          Of that quorum, milliseconds UTC; 0 before the first.
    share, quorum : float               Of all weight: what counts now, and what is needed.
    has_quorum : bool                   Whether this price counts in the mark.
    """

    market: str
    price: float | None
    confidence: float | None
    time: int
    share: float
    quorum: float
    has_quorum: bool
    reporters: tuple[ReporterLine, ...]


class Reporters:
    """The reporters of a venue: the door their reports come through, and the board where these stand.

    Parameters
    ----------
    settings : ReportSettings
    markets : sequence of str
    clock : callable   Milliseconds UTC.

    Raises
    ------
    PlimsollError   `MISSING_EXTRA` without the library that checks signatures.
    """

    def __init__(self, settings: ReportSettings, markets: Sequence[str], clock: Callable[[], int]) -> None:
        weights = {name.lower(): weight for name, weight in settings.weights.items()}
        self._settings = replace(settings, weights=weights)
        self._markets = tuple(markets)
        self._clock = clock
        self._door = ReportDoor(chain=settings.chain, venue=settings.venue)
        self._board = ReportBoard(self._settings, markets)
        self.refused: Counter[Fault] = Counter()
        self.taken = 0
        self.last = 0

    def take(self, reports: Sequence[SignedReport]) -> ReportsAnswer:
        """Check reports and let them stand; raises the first refusal's code where all are refused."""
        faults = [self._put(signed) for signed in reports]
        known = sum(fault is not None and fault.fault is Fault.DUPLICATE for fault in faults)
        refused = tuple(
            RefusedReport(place=place, code=_CODES[fault.fault], what=fault.what)
            for place, fault in enumerate(faults)
            if fault is not None and fault.fault is not Fault.DUPLICATE
        )
        if len(refused) == len(reports):
            raise PlimsollError(
                refused[0].code,
                refused[0].what,
                where="reports[0]",
                remedy="GET /v1/reports shows who is asked and what stands.",
            )
        return ReportsAnswer(taken=len(reports) - known - len(refused), known=known, refused=refused)

    def prices(self, now: int) -> tuple[OraclePrice, ...]:
        """Give the price of each market that a quorum agrees on at this moment."""
        return self._board.prices(REPORTERS, now)

    def lines(self) -> tuple[AgreedLine, ...]:
        """Say what they agree on, and what each of them says."""
        now = self._clock()
        return tuple(self._line(market, now) for market in self._markets)

    def _put(self, signed: SignedReport) -> Refusal | None:
        now = self._clock()
        report = self._door.checked(signed, now)
        refusal = report if isinstance(report, Refusal) else self._board.put(report, now)
        if refusal is None:
            self.taken, self.last = self.taken + 1, now
        else:
            self.refused[refusal.fault] += 1
        return refusal

    def _line(self, market: str, now: int) -> AgreedLine:
        agreed = self._board.agreed(market, now)
        said: dict[str, list[Report]] = {name: [] for name in self._settings.weights}
        for report in self._board.standing(market):
            said[report.reporter].append(report)
        price = None if agreed is None or not agreed.has_quorum else agreed.price
        lines = tuple(self._reporter(name, said[name], price, now) for name in sorted(said))
        counted = sum(line.weight for line in lines if line.state in _COUNTED)
        return AgreedLine(
            market=market,
            price=None if agreed is None else agreed.price,
            confidence=None if agreed is None else agreed.confidence,
            time=0 if agreed is None else agreed.time,
            share=counted / sum(self._settings.weights.values()),
            quorum=self._settings.quorum,
            has_quorum=price is not None,
            reporters=lines,
        )

    def _reporter(self, name: str, said: Sequence[Report], price: float | None, now: int) -> ReporterLine:
        newest = said[-1] if said else None
        return ReporterLine(
            reporter=name,
            weight=self._settings.weights[name],
            state=self._state(said, price, now),
            price=None if newest is None else newest.price,
            confidence=None if newest is None else newest.confidence,
            time=0 if newest is None else newest.time,
        )

    def _state(self, said: Sequence[Report], price: float | None, now: int) -> str:
        if not said:
            return "silent"
        if report_fault(said[-1], said[-1].market, self._settings, now) is not None:
            return "stale"
        if len(said) > 1:
            return "equivocal"
        far = price is not None and abs(said[-1].price - price) > self._settings.deviation * price
        return "deviating" if far else "counted"

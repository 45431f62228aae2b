"""What does the service count, and how does Prometheus read it?"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Iterator

from plimsoll.domain.events import Ticked
from plimsoll.service.instructions import Instruction, ToldTick

__all__ = ["Histogram", "Metrics"]

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


_KEPT_TIMES = 100_000
"""Durations kept one by one, so that a benchmark can take exact quantiles: eight minutes at 200 a second."""


class Histogram:
    """Counts of durations up to each bound, as Prometheus has them."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(_BOUNDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        """Write it in the text format."""
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip((*_BOUNDS, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """Counters of one service; the engine's thread and the event loop each write their own."""

    def __init__(self) -> None:
        self.instructions = 0
        self.ticks = 0
        self.batches = 0
        self.failed_batches = 0
        self.refused_full = 0
        self.dropped_messages = 0
        self.tick_to_margin = Histogram()
        self.tick_times: deque[float] = deque(maxlen=_KEPT_TIMES)
        self.requests: Counter[tuple[str, int]] = Counter()
        self.request_time = Histogram()

    def after_batch(self, batch: Iterable[Instruction], now: float) -> None:
        """Count a batch whose margins are up to date now (`perf_counter`)."""
        self.batches += 1
        for order in batch:
            self.instructions += 1
            if isinstance(order.event, Ticked | ToldTick):
                self.ticks += 1
                self.tick_to_margin.add(now - order.received)
                self.tick_times.append(now - order.received)

    def text(self, gauges: dict[str, float]) -> str:
        """Write everything in Prometheus' text format; `gauges` are read elsewhere at this moment."""
        lines = []
        typed: set[str] = set()
        for name, value in gauges.items():
            family = name.partition("{")[0]
            lines += [] if family in typed else [f"# TYPE plimsoll_{family} gauge"]
            lines.append(f"plimsoll_{name} {value:.10g}")
            typed.add(family)
        for name in (
            "instructions",
            "ticks",
            "batches",
            "failed_batches",
            "refused_full",
            "dropped_messages",
        ):
            lines += [
                f"# TYPE plimsoll_{name}_total counter",
                f"plimsoll_{name}_total {getattr(self, name)}",
            ]
        lines += self.tick_to_margin.lines("plimsoll_tick_to_margin_seconds")
        lines += self.request_time.lines("plimsoll_request_seconds")
        lines.append("# TYPE plimsoll_requests_total counter")
        for (endpoint, status), count in sorted(self.requests.items()):
            lines.append(f'plimsoll_requests_total{{endpoint="{endpoint}",status="{status}"}} {count}')
        return "\n".join(lines) + "\n"

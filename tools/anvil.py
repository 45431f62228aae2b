"""How is a chain of one's own started, and stopped whatever happens?"""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ANVIL", "running"]

ANVIL = Path(__file__).resolve().parents[1] / "node_modules" / ".bin" / "anvil"
_STARTS_WITHIN = 20.0
"""Seconds that anvil may take to answer."""


@contextlib.contextmanager
def running(begin: int) -> Iterator[str]:
    """Run anvil on a free port, its first block at a second of one's choice; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([ANVIL, "--port", str(port), "--silent", "--timestamp", str(begin)]) as node:
        try:
            _await(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            node.terminate()


def _await(port: int) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("anvil did not start; run make setup")

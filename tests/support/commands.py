"""How does a test run a command in its own process and see how it ended?"""

import sys
from dataclasses import dataclass

import pytest

from plimsoll.cli import application

__all__ = ["Ended", "run_plimsoll"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


def run_plimsoll(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> Ended:
    """Run a command with these words."""
    monkeypatch.setattr(sys, "argv", ["plimsoll", *map(str, words)])
    status = application._status()
    captured = capsys.readouterr()
    return Ended(status, captured.out, captured.err)

"""How does a command speak: results on stdout, progress on stderr, and only as much as was asked for?"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TypeAlias

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from plimsoll.cli.interruption import end_if_asked

__all__ = ["Manner", "Progressing", "Voice"]

Progressing: TypeAlias = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and how much there is to do."""

_PIPE_WIDTH = 100
"""Columns assumed where the output is no terminal and so has no width."""


class Manner(Enum):
    """For whom a command speaks."""

    PERSON = "person"
    SCRIPT = "script"
    NOBODY = "nobody"


class Voice:
    """Speaks to a person (tables, progress), to a script (one JSON document), or to nobody (errors only)."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner

    @classmethod
    def chosen(cls, *, quiet: bool, as_json: bool) -> "Voice":
        """Take the manner from the options ``--quiet`` and ``--json``; the second keeps its document."""
        if as_json:
            return cls(Manner.SCRIPT)
        return cls(Manner.NOBODY if quiet else Manner.PERSON)

    def tell(self, show: Callable[[Console], None], document: Callable[[], object]) -> None:
        """Give a result: shown to a person, as a document to a script."""
        if self.manner is Manner.PERSON:
            show(_console())
        elif self.manner is Manner.SCRIPT:
            text = msgspec.json.format(msgspec.json.encode(document()), indent=2)
            sys.stdout.write(text.decode("utf-8") + "\n")

    def remark(self, line: str) -> None:
        """Add a line to what a person was shown."""
        if self.manner is Manner.PERSON:
            sys.stdout.write(f"{line}\n")

    @contextmanager
    def progress(self) -> Iterator[Progressing]:
        """Show how far long work has come, on stderr and to a person alone; a signal ends it at each step."""
        with self._shown() as show:

            def advance(stage: str, done: int, total: int) -> None:
                end_if_asked()
                show(stage, done, total)

            yield advance

    @contextmanager
    def _shown(self) -> Iterator[Progressing]:
        if self.manner is not Manner.PERSON:
            yield _silent
        elif not sys.stderr.isatty():
            yield _Lines().advance
        else:
            with Progress(*_COLUMNS, console=Console(stderr=True), transient=True) as bars:
                yield _Bars(bars).advance


_COLUMNS = (
    TextColumn("{task.description:<28}"),
    BarColumn(bar_width=36),
    TaskProgressColumn(),
    TimeElapsedColumn(),
)


class _Bars:
    """One bar per stage; they vanish when the work is done."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def advance(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)


class _Lines:
    """One line per stage, once something of it is done: for logs."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def advance(self, stage: str, done: int, total: int) -> None:
        if 0 < done <= total and stage not in self._seen:
            self._seen.add(stage)
            sys.stderr.write(f"{stage}\n")
            sys.stderr.flush()


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


def _console() -> Console:
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_PIPE_WIDTH)

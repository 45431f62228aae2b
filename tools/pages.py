"""Is what the pages show still what the program does, and what would it print now?

A fenced block whose opening line says so is executed, page by page, in a folder of its own:

- ``python runnable``: run as a script;
- ``console runnable``: lines that begin with ``$ plimsoll`` or ``$ python examples/`` are run; lines that
  follow a command must be what it prints, and a line ``...`` stands for any lines;
- a language and ``file=NAME``: written to a file that later blocks of the page use.

``python -m tools.pages`` puts what is printed now in place of what the pages show.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "Difference", "blocks", "check", "main", "pages"]

ROOT = Path(__file__).resolve().parents[1]
ANYTHING = "..."

FENCE = re.compile(r"^```(\w+) ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAM = "from plimsoll.cli import main; main()"


@dataclass(frozen=True)
class Block:
    """A fenced block that asks for something: its language, what it wants, its text and where that begins."""

    language: str
    wanted: str
    text: str
    start: int


@dataclass(frozen=True)
class Difference:
    """What a block shows beside what it should: `now` is the whole text that would be true, or an error."""

    block: Block
    now: str


def pages() -> list[Path]:
    """Return the pages that have something to execute."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if blocks(page)]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that ask for something, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(found[1], found[2], found[3], found.start(3)) for found in FENCE.finditer(text)]


def check(page: Path, folder: Path) -> list[Difference]:
    """Execute a page in an empty folder and return every block that does not show what happens."""
    found = [(block, _executed(block, folder)) for block in blocks(page)]
    return [Difference(block, now) for block, now in found if now != block.text]


def _executed(block: Block, folder: Path) -> str:
    if block.wanted.startswith("file="):
        (folder / block.wanted.removeprefix("file=")).write_text(block.text, encoding="utf-8")
        return block.text
    if (block.language, block.wanted) == ("python", "runnable"):
        _run([sys.executable, "-c", block.text], folder)
        return block.text
    if (block.language, block.wanted) == ("console", "runnable"):
        return "".join(_command(command, shown, folder) for command, shown in _commands(block.text))
    raise ValueError(f"a block asks for {block.wanted!r}; write runnable or file=NAME")


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Split a block into commands and what is shown after each."""
    first, *rest = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if first:
        raise ValueError("only commands are run: a console block begins with $ plimsoll")
    for part in rest:
        command, _, shown = part.partition("\n")
        yield command, shown


def _command(command: str, shown: str, folder: Path) -> str:
    printed = _run(_words(command), folder)
    if not shown or _alike(shown.splitlines(), printed.splitlines()):
        return f"$ {command}\n{shown}"
    return f"$ {command}\n{printed}"


def _words(command: str) -> list[str]:
    name, *words = shlex.split(command)
    if name == "plimsoll":
        return [sys.executable, "-c", PROGRAM, *words]
    if name == "python" and words[0].startswith("examples/"):
        return [sys.executable, str(ROOT / words[0]), *words[1:]]
    raise ValueError(f"only plimsoll and the examples are run, not {name}")


def _run(words: list[str], folder: Path) -> str:
    """Return what a command prints on stdout, without blanks at line ends and without empty lines around."""
    environment = os.environ | {"COLUMNS": "100", "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(words)[:200]} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    lines = "\n".join(line.rstrip() for line in ended.stdout.splitlines()).strip("\n")
    return f"{lines}\n" if lines else ""


def _alike(shown: list[str], printed: list[str]) -> bool:
    """Compare line by line; ``...`` stands for any number of lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == ANYTHING else re.escape(line) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def main() -> None:
    """Put what is printed now into every page; what was left out with ``...`` is to be cut out again."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            found = check(page, Path(folder))
        for difference in reversed(found):
            start = difference.block.start
            text = text[:start] + difference.now + text[start + len(difference.block.text) :]
        page.write_text(text, encoding="utf-8")
        print(f"{page.relative_to(ROOT)}: {len(found)} of {len(blocks(page))} blocks changed")


if __name__ == "__main__":
    main()

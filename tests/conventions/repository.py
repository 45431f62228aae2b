"""Which files does the repository hold, and what does each module define?"""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = [
    "ROOT",
    "Function",
    "docstring_lines",
    "files",
    "functions",
    "module_names",
    "modules",
    "parsed",
    "texts",
]

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[Path, ...]:
    """Return every file that git tracks or would, relative to the root; without git this raises."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted(Path(name) for name in set(listing.split("\0")) - {""} if (ROOT / name).is_file()))


def modules(*places: str) -> list[Path]:
    """Return the Python files that are not empty, within the named folders or modules where any are named."""
    within = tuple(ending for place in places for ending in (f"{place}/", f"{place}.py"))
    return [
        path
        for path in files()
        if path.suffix == ".py"
        and (not within or path.as_posix().startswith(within))
        and (ROOT / path).read_text(encoding="utf-8").strip()
    ]


def module_names(*folders: str) -> set[str]:
    """Return each word that a folder or module under the folders goes by."""
    return {part for path in modules(*folders) for part in path.with_suffix("").parts}


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every file that reads as text, with its text."""
    for path in files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a module, read once."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a module, methods and nested ones included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, Function):
            yield node


def docstring_lines(function: Function) -> int:
    """Return how many lines the docstring takes: an equation told in full does not make a function long."""
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1

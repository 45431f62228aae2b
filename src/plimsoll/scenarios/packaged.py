"""How are the figures and texts that the package ships read?"""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np

from plimsoll.types import Matrix, Times

__all__ = ["Figures", "read_figures", "read_index"]

_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """High, low and close of each market per hour or day, as a table of the package states them.

    Attributes
    ----------
    markets : tuple of str
    offsets : Times [T]               Hours or days since the first one.
    high, low, close : Matrix [T, M]  US dollars.
    """

    markets: tuple[str, ...]
    offsets: Times
    high: Matrix
    low: Matrix
    close: Matrix


@cache
def read_figures(name: str) -> Figures:
    """Read the table `name`; its columns are the offset and, per market, high, low and close."""
    with (_data() / f"{name}.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    table = np.array(rows, dtype=np.float64)
    table.flags.writeable = False
    markets = tuple(column.removesuffix(" high") for column in header[1::_COLUMNS])
    high, low, close = (table[:, start::_COLUMNS] for start in range(1, 1 + _COLUMNS))
    return Figures(markets, table[:, 0].astype(np.int64), high, low, close)


@cache
def read_index(name: str) -> dict[str, Any]:
    """Read the index `name`; the caller gives it types."""
    with (_data() / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def _data() -> Traversable:
    return resources.files("plimsoll.scenarios") / "data"

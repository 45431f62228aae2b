"""Does the margin of a book take the gas that the snapshot and the page say, on a real node?"""

import json
import math

import pytest

from tests.support.boards import START
from tools.anvil import ANVIL, running
from tools.margin_gas import PAGE, SIZES, SNAPSHOT, measured, table

SLACK = 0.001
"""Relative: timestamps and addresses hold a different number of zero bytes on every run."""
PACKED = 2_000
EXACT = 75_000
SOME = 10
REFRESH = 20_000
GREEKS = 6_000
"""What the issue asks for, of books of ten options and more."""


@pytest.fixture(scope="module")
def kept() -> dict[str, int]:
    snapshot: dict[str, int] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return snapshot


def test_a_real_node_takes_what_the_snapshot_says(kept):
    assert ANVIL.exists(), "anvil is not installed; run make setup"
    with running(START) as rpc:
        found = measured(rpc)
    assert set(found) == set(kept)
    for name, gas in found.items():
        assert math.isclose(gas, kept[name], rel_tol=SLACK), f"{name}: run python -m tools.margin_gas"


def test_the_page_shows_the_snapshot(kept):
    assert table(kept) in PAGE.read_text(encoding="utf-8"), "run python -m tools.margin_gas"


def test_what_is_promised_is_kept_where_the_page_says_so(kept):
    assert all(kept[f"packed {size}"] <= PACKED for size in SIZES if size >= SOME)
    assert all(kept[f"exact {size}"] <= EXACT for size in SIZES if size >= SOME)
    assert all(kept[f"greeks {size}"] <= GREEKS for size in SIZES if size >= SOME)
    assert kept["refresh"] <= REFRESH

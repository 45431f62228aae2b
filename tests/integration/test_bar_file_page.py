"""Is the reference page of bar files true: does its example load, and does it name every error?"""

import re
from pathlib import Path

import numpy as np

from plimsoll.domain.bars import HOUR
from plimsoll.domain.markets import market_name
from plimsoll.errors import Code
from plimsoll.feeds.bars import read_bars

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "bar-files.md").read_text(encoding="utf-8")


def test_the_example_is_read_as_the_page_says(tmp_path):
    example = re.search(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert example
    (tmp_path / "example.csv").write_text(example[1])
    bars = read_bars(tmp_path / "example.csv")
    assert bars.markets == ("BTC", "ETH")
    assert bars.length == HOUR
    assert np.diff(bars.times).tolist() == [HOUR, 2 * HOUR]
    assert not bars.contiguous()[2].any()


def test_every_error_of_the_reader_is_on_the_page_and_no_other():
    sources = [
        ROOT / "src" / "plimsoll" / "feeds" / name
        for name in ("bars.py", "columns.py", "tables.py", "checks.py")
    ]
    raised = {name for path in sources for name in re.findall(r"Code\.([A-Z_]+)", path.read_text())}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)) >= {Code[name].value for name in raised}
    assert {code for code in Code if f"| `{code}` |" in PAGE} == {Code[name] for name in raised}


def test_the_spellings_on_the_page_name_btc():
    listed = re.search(r"\*\*Markets\.\*\* (.*?) all name `BTC`", PAGE, re.DOTALL)
    assert listed
    symbols = re.findall(r"`([^`]+)`", listed[1])
    assert len(symbols) > 5
    assert {market_name(symbol) for symbol in symbols} == {"BTC"}

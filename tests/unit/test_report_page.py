"""Is the page complete in itself, safe to open, and small?"""

import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from rich.console import Console

from plimsoll.errors import PlimsollError
from plimsoll.report.charts import Charts, build_charts
from plimsoll.report.files import write_whole
from plimsoll.report.html import render_page
from plimsoll.report.packing import unpack
from plimsoll.report.terminal import show_replay
from tests.support.replays import POLICIES, build_replay

LARGEST_PAGE = 1_500_000
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\u2028"


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "img", "br", "circle", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.unbalanced.append(tag)


def page_of(replay, command="plimsoll replay"):
    return render_page(replay, program="plimsoll 0", command=command)


def test_the_page_asks_for_nothing_from_outside():
    page = page_of(build_replay(bars=120))
    tags = Reader(page).tags
    assert not [attributes for _, attributes in tags if {"src", "srcset", "data", "action"} & set(attributes)]
    assert all((attributes["href"] or "").startswith("#") for _, attributes in tags if "href" in attributes)
    assert not re.findall(r"@import|url\((?!#)|\bfetch\(|XMLHttpRequest", page)
    assert "default-src 'none'" in page


def test_the_page_lets_only_its_own_script_and_style_run():
    page = page_of(build_replay(bars=120))
    for name in ("script", "style"):
        content = re.search(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in page
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)


def test_strings_from_outside_stay_text():
    replay = replace(
        build_replay(bars=120, markets=1, policies=("static", NASTY)),
        title=NASTY,
        narrative=NASTY,
        source=NASTY,
        markets=(NASTY,),
        settings={NASTY: NASTY},
        inputs=(f"{NASTY} sha256:00",),
    )
    reader = Reader(page_of(replay, command=NASTY))
    assert [tag for tag, _ in reader.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in reader.tags]
    assert not reader.unbalanced
    assert not reader.open


def test_a_month_of_five_minute_bars_in_twenty_markets_fits():
    page = page_of(build_replay(bars=8_640, minutes=5, markets=20))
    assert len(page.encode()) < LARGEST_PAGE


def test_the_worst_page_fits_even_when_no_two_series_are_alike():
    replay = build_replay(bars=8_640, minutes=5, markets=20)
    noise = np.random.default_rng(3)
    outcomes = tuple(
        replace(
            outcome,
            maintenance=outcome.maintenance * noise.uniform(0.9, 1.1, outcome.maintenance.shape),
            initial=outcome.initial * noise.uniform(0.9, 1.1, outcome.initial.shape),
        )
        for outcome in replay.outcomes
    )
    assert len(page_of(replace(replay, outcomes=outcomes)).encode()) < LARGEST_PAGE


def test_the_page_holds_the_series_that_it_draws():
    replay = build_replay(bars=240, markets=3)
    page = page_of(replay)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    charts = msgspec.json.decode(data[1], type=Charts)
    assert charts.markets == replay.markets
    price = next(panel for panel in charts.panels if panel.key == "price")
    drawn = unpack(charts.pool[price.lines[0].data[1]], len(charts.times))
    assert np.allclose(drawn, replay.undisturbed[:, 1], rtol=1e-4)
    sold = next(panel for panel in charts.panels if panel.key == "sold-all")
    hours = unpack(charts.pool[sold.lines[0].data[0]], 4)
    assert np.isclose(hours.sum(), replay.outcomes[0].summary.liquidated_notional, rtol=1e-3)


def test_policies_keep_their_colours_whatever_stands_beside_them():
    alone = build_charts(build_replay(bars=30, policies=("plimsoll",)))
    together = build_charts(build_replay(bars=30, policies=(*POLICIES, "other", "another")))
    slots = {policy.name: policy.slot for policy in together.policies}
    assert alone.policies[0].slot == slots["plimsoll"]
    assert len(set(slots.values())) == len(slots)


def test_the_page_says_how_to_repeat_the_run():
    replay = build_replay(bars=60)
    page = page_of(replay, command="plimsoll replay --bars 'my bars.csv'")
    assert "plimsoll replay --bars &#x27;my bars.csv&#x27;" in page
    assert replay.inputs[0].split()[1] in page
    assert "calibration.guard.rise" in page
    assert replay.outcomes[0].summary.journal in page


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "report.html"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PlimsollError, match="cannot be written"):
        write_whole(blocked / "report.html", b"x")
    assert blocked.read_text() == ""


def test_the_terminal_table_fits_a_hundred_columns_and_is_plain_in_a_pipe():
    pipe = io.StringIO()
    show_replay(build_replay(bars=120), Console(width=100, file=pipe))
    text = pipe.getvalue()
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert "$9.42M" in text

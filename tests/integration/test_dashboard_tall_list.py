"""Is every account reached, in order and where it belongs, in a list that is taller than a browser scrolls?

Account number k is the k-th nearest to liquidation, so a row that is skipped, repeated or misplaced shows.
"""

import os
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from playwright.sync_api import expect

from plimsoll.domain.events import Deposited, Opened, Ticked, Traded
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.service.instructions import Instruction
from tests.support.browsers import complaints, launched
from tests.support.services import external_settings, running

ROW, TALLEST = 28, 8_000_000
"""Pixels, as in the page's script."""
ACCOUNTS = int(os.environ.get("PLIMSOLL_DESK_ACCOUNTS", "285717"))
"""Three more than fit into the tallest list; CONTRIBUTING.md says when to open a million."""
AS_A_MILLION = TALLEST * ACCOUNTS // 1_000_000
"""Tallest list with which a row of this venue is as low on the bar as one of a million accounts."""
LOTS = 100_000
FULL, LOOKS = 13, 700
"""Rows that are wholly in sight at least, and how often to look for them: for fifteen seconds or more."""
PATIENCE = 120.0
DECLARED = f"TALLEST = {TALLEST:_}"
SIGHT = """() => {
  const frame = document.getElementById("window").getBoundingClientRect();
  return [...document.querySelectorAll("#rows .rows")].map((row) => [row, row.getBoundingClientRect()])
    .filter(([, box]) => box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1)
    .map(([row]) => [Number(row.dataset.place), row.dataset.account]);
}"""
"""Place and account of each row that is wholly in sight."""
CHOSEN = """place => {
  const found = [...document.querySelectorAll('#rows [aria-selected="true"]')];
  return found.length === 1 && Number(found[0].dataset.place) === place;
}"""

SCROLL = """share => {
  const it = document.getElementById("window");
  it.scrollTop = share * (it.scrollHeight - it.clientHeight);
}"""
MOST = 60
"""Rows of a page of the list: the window, and some on either side."""
NEAR = 5
"""Rows that a pixel of the bar stands for at most, and one."""


def name_of(number):
    return f"A{number:07d}"


@dataclass(frozen=True)
class Venue:
    """A venue that stands still until told otherwise."""

    service: Any
    address: str

    def submit(self, event):
        self.service.desk.engine.submit(Instruction(event, "tests")).result(PATIENCE)

    @property
    def now(self):
        return self.service.desk.view.state.time + 1

    def trade(self, numbers, lots):
        state = self.service.desk.view.state
        place = [listing.name for listing in state.listings].index("BTC-PERP")
        row = tuple(lots if column == place else 0 for column in range(len(state.listings)))
        names = tuple(map(name_of, numbers))
        self.submit(Traded(self.now, tuple(state.market.marks.tolist()), names, (row,) * len(names)))


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    settings = external_settings(tmp_path_factory.mktemp("tall"))
    settings = msgspec.structs.replace(
        settings,
        store=msgspec.structs.replace(settings.store, snapshot_events=1_000_000),
        external=msgspec.structs.replace(settings.external, makers=1e12),
    )
    with running(settings) as (service, client):
        venue = Venue(service, str(client.base_url))
        state = venue.service.desk.view.state
        known, listings = (
            {each.market: each.price for each in state.parameters.method.markets},
            state.listings,
        )
        marks = tuple(known[listing.underlying] for listing in listings)
        worth = next(marks[i] * listings[i].lot for i in range(len(marks)) if listings[i].name == "BTC-PERP")
        rich = int(LOTS * worth * QUANTA_PER_UNIT)
        venue.submit(Ticked(venue.now, marks, (1e9,) * len(marks), (0.01,) * len(marks)))
        cash = tuple(rich + rich * number // ACCOUNTS for number in range(ACCOUNTS))
        venue.submit(Opened(venue.now, tuple(map(name_of, range(ACCOUNTS))), cash))
        venue.trade(range(ACCOUNTS), LOTS)
        yield venue


@pytest.fixture(scope="module")
def browser():
    with launched() as opened:
        yield opened


@pytest.fixture
def tallest():
    return AS_A_MILLION


both = pytest.mark.parametrize("tallest", [TALLEST, AS_A_MILLION], ids=["just-too-tall", "as-a-million"])


@pytest.fixture
def page(venue, browser, tallest):
    page = browser.new_page(viewport={"width": 1600, "height": 1100})
    said = complaints(page, venue.address)

    def told(route):
        answer = route.fetch()
        assert DECLARED in answer.text()
        route.fulfill(response=answer, body=answer.text().replace(DECLARED, f"TALLEST = {tallest}"))

    page.route("**/static/accounts.js", told)
    page.goto(f"{venue.address}/#token={venue.service.page_token()}")
    expect(page.locator("#accounts-count")).to_have_text(f"{ACCOUNTS:,} found")
    page.wait_for_selector("#stress-table tbody tr")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    page.keyboard.press("4")
    expect(page.locator("#window")).to_be_focused()
    assert page.evaluate("document.getElementById('window').scrollHeight") == min(tallest, ACCOUNTS * ROW)
    yield page
    assert said == []
    page.close()


def sight(page, holds):
    """Wait until rows fill the window and their places hold, then check each against its account."""
    rows, places = [], []
    for _ in range(LOOKS):
        rows = page.evaluate(SIGHT)
        places = [place for place, _ in rows]
        if len(rows) >= FULL and holds(places):
            break
        page.wait_for_timeout(20)
    else:
        pytest.fail(f"in sight are {places}")
    assert [account for _, account in rows] == [name_of(place) for place in places]
    assert all(later == earlier + 1 for earlier, later in pairwise(places))
    return places


def half_way(page):
    """Let go of the bar half way down, and give the places that are in sight once it has come to rest."""
    dragged(page, 0.5)
    page.mouse.up()
    before = None
    while (places := sight(page, lambda seen: 0.3 * ACCOUNTS < seen[0] < 0.7 * ACCOUNTS)) != before:
        page.wait_for_timeout(100)
        before = places
    return places


def chosen(page, place):
    """Wait until this place is in sight and chosen, and nothing else is."""
    sight(page, lambda places: place in places)
    page.wait_for_function(CHOSEN, arg=place)


def bar(page):
    """Give where the bar is: its middle, its top and its bottom."""
    box = page.locator("#window").bounding_box()
    wide = page.evaluate("(it => it.offsetWidth - it.clientWidth)(document.getElementById('window'))")
    assert wide > 0
    return box["x"] + box["width"] - wide / 2, box["y"], box["y"] + box["height"]


def dragged(page, to):
    """Hold the bar's thumb, which is at the top, this share of the way down."""
    middle, top, bottom = bar(page)
    page.mouse.move(middle, top + 22)
    page.mouse.down()
    page.mouse.move(middle, top + 22 + to * (bottom - top), steps=7)


@both
def test_keys_reach_every_row_from_end_to_end(page):
    last = ACCOUNTS - 1
    chosen(page, 0)
    for key, places in (
        ("ArrowDown", range(1, 17)),
        ("PageDown", [29, 42, 55]),
        ("PageUp", [42]),
        ("k", [41]),
        ("End", [last]),
        ("ArrowUp", range(last - 1, last - 17, -1)),
        ("PageUp", [last - 29, last - 42, last - 55]),
        (" ", [last - 42]),
        ("j", [last - 41]),
        ("End", [last]),
        ("ArrowDown", [last]),
    ):
        for place in places:
            page.keyboard.press(key)
            chosen(page, place)
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text(name_of(0))
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text(name_of(last))
    page.keyboard.press("Escape")


def test_the_bar_reaches_both_ends_and_shows_rows_while_it_is_held(page):
    dragged(page, 0.5)
    sight(page, lambda places: 0.3 * ACCOUNTS < places[0] < 0.7 * ACCOUNTS)
    across, top, bottom = bar(page)
    page.mouse.move(across, bottom + 40)
    sight(page, lambda places: places[-1] == ACCOUNTS - 1)
    page.mouse.move(across, top - 40)
    sight(page, lambda places: places[0] == 0)
    page.mouse.up()
    chosen(page, 0)


def test_a_wheel_passes_no_row_between_one_sight_and_the_next(page):
    before = half_way(page)
    page.mouse.move(bar(page)[0] - 200, bar(page)[1] + 100)
    for step in (120, 120, 120, -120, 300, -56, -300):
        page.mouse.wheel(0, step)
        after = sight(page, lambda places, due=before[0] + step / ROW: abs(places[0] - due) <= 1)
        assert set(after) & set(before)
        before = after
    for key, edge, place, away in (("End", -1, ACCOUNTS - 1, -120), ("Home", 0, 0, 120)):
        page.keyboard.press(key)
        sight(page, lambda places, edge=edge, place=place: places[edge] == place)
        page.mouse.wheel(0, away)
        sight(page, lambda places, place=place: place not in places)
        page.mouse.wheel(0, -away)
        sight(page, lambda places, edge=edge, place=place: places[edge] == place)


@both
def test_a_list_that_shrinks_and_grows_past_the_tallest_stays_where_it_is_looked_at(venue, page):
    before = half_way(page)
    page.mouse.click(bar(page)[0] - 200, bar(page)[1] + 5.5 * ROW)
    looked_at = page.locator("#drawer-title").inner_text()
    page.keyboard.press("Escape")
    leaving = range(ACCOUNTS - 7, ACCOUNTS)
    for lots, total in ((-LOTS, ACCOUNTS - 7), (LOTS, ACCOUNTS)):
        venue.trade(leaving, lots)
        expect(page.locator("#accounts-count")).to_have_text(f"{total:,} found")
        sight(page, lambda places: places == before)
        expect(page.locator("#rows [aria-selected=true]")).to_have_attribute("data-account", looked_at)


def test_what_is_chosen_stays_chosen_while_the_list_moves(venue, page):
    place = half_way(page)[4]
    name = name_of(place)
    page.click(f'#rows [data-account="{name}"]')
    expect(page.locator("#drawer-title")).to_have_text(name)
    cash = 3 * _step(venue) + _step(venue) // 2
    for amount, moved in ((cash, place + 3), (-cash, place)):
        venue.submit(Deposited(venue.now, (name,), (amount,)))
        expect(page.locator(f'#rows [data-account="{name}"]')).to_have_attribute("data-place", str(moved))
        expect(page.locator("#rows [aria-selected=true]")).to_have_attribute("data-account", name)
        expect(page.locator("#drawer-title")).to_have_text(name)
    page.keyboard.press("Escape")
    far = ACCOUNTS * _step(venue)
    venue.submit(Deposited(venue.now, (name,), (far,)))
    page.wait_for_selector(f'#rows [data-account="{name}"]', state="detached")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text(name)
    page.keyboard.press("Escape")
    venue.submit(Deposited(venue.now, (name,), (-far,)))
    expect(page.locator(f'#rows [data-account="{name}"]')).to_have_attribute("data-place", str(place))
    chosen(page, place)
    page.keyboard.press("ArrowDown")
    chosen(page, place + 1)


def _step(venue):
    """Quanta by which one account is richer than the one before it."""
    cash = venue.service.desk.view.state.book.cash
    return int(cash[-1] - cash[-2])


def test_no_more_is_asked_for_or_drawn_than_is_looked_at(page):
    asked = []
    page.on("request", lambda sent: asked.append(sent.url) if "/v1/accounts?" in sent.url else None)
    for share in (0.2, 0.9, 0.4):
        page.evaluate(SCROLL, share)
        sight(page, lambda places, due=share * (ACCOUNTS - FULL): abs(places[0] - due) <= NEAR)
    assert 0 < page.locator("#rows .rows").count() <= MOST
    assert asked
    assert all(int(parse_qs(urlsplit(url).query)["limit"][0]) <= MOST for url in asked)

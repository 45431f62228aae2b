"""Can somebody in a real browser see the crash, ask why, and find their way by keyboard?

Screenshots are kept in the folder that PLIMSOLL_SCREENSHOTS names, where it is set.
"""

import os
import re
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, expect

from plimsoll.service.settings import ReplaySettings, ServiceSettings, StoreSettings
from plimsoll.sim.settings import PopulationSettings
from tests.support.browsers import complaints, launched
from tests.support.services import Served, serving

FAR_DOWN = re.compile(r"top: 41\d{3}px")
"""Pixels of the rows before number 1,500, of 28 each."""
ROWS_IN_WINDOW = 100
"""More rows than a window shows; a table that draws every account has thousands."""


@pytest.fixture(scope="module")
def browser():
    with launched() as opened:
        yield opened


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    service = Served("--data", str(folder), "--pace", "1500")
    service.wait_until_ready()
    yield service
    service.kill()


@pytest.fixture(scope="module")
def option_desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("options")
    accounts = PopulationSettings(accounts=500)
    chosen = ReplaySettings(options=True, pace=600.0, population=accounts)
    settings = ServiceSettings(store=StoreSettings(folder=str(folder / "store")), replay=chosen)
    with serving(settings, folder) as running:
        yield running


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = Path(os.environ.get("PLIMSOLL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened(browser: Browser, served: Served, scheme: Literal["dark", "light"]):
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1600, "height": 1100})
    said = complaints(page, served.address)
    page.goto(served.url)
    page.wait_for_selector("body[data-ready]")
    return page, said


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_walk_through_the_desk_sees_the_crash_and_its_reasons(browser, served, scheme, pictures):
    page, said = opened(browser, served, scheme)
    assert "token" not in page.url
    assert page.locator("#markets-table tbody tr").count() == 4
    page.wait_for_selector("#stress-table tbody tr")
    page.wait_for_selector("#plot-price canvas")
    page.wait_for_selector("#happened-table tbody tr")
    page.screenshot(path=pictures / f"desk-{scheme}.png", full_page=True)
    name = page.locator("#rows .rows").first.evaluate("row => (row.click(), row.dataset.account)")
    expect(page.locator("#drawer-title")).to_have_text(name)
    expect(page.locator("#drawer-body .total").first).to_contain_text("Maintenance")
    page.screenshot(path=pictures / f"account-{scheme}.png")
    page.keyboard.press("Escape")
    page.locator("#markets-table tbody tr").first.locator("button").nth(1).click()
    expect(page.locator("#drawer-title")).to_have_text("Rates of BTC")
    expect(page.locator("#drawer-body")).to_contain_text("the worst known period would ask")
    page.screenshot(path=pictures / f"evidence-{scheme}.png")
    page.close()
    assert said == []


def test_the_keyboard_finds_searches_and_explains_an_account(browser, served):
    page, said = opened(browser, served, "dark")
    page.wait_for_selector("#rows .rows")
    page.keyboard.press("/")
    page.keyboard.type("A00012")
    expect(page.locator("#accounts-count")).to_contain_text("10 found")
    page.locator("#search").blur()
    page.keyboard.press("4")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_contain_text("A00012")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.close()
    assert said == []


def test_only_the_rows_that_are_looked_at_are_drawn(browser, served):
    page, said = opened(browser, served, "dark")
    page.wait_for_selector("#rows .rows")
    expect(page.locator("#accounts-count")).to_contain_text(re.compile(r"\d found"))
    page.evaluate("document.getElementById('window').scrollTop = 1500 * 28")
    expect(page.locator("#rows")).to_have_attribute("style", FAR_DOWN)
    assert 0 < page.locator("#rows .rows").count() < ROWS_IN_WINDOW
    page.close()
    assert said == []


def test_the_list_is_ordered_by_the_figure_that_is_clicked(browser, served):
    page, said = opened(browser, served, "dark")
    page.wait_for_selector("#rows .rows")
    for figure, orders in (("equity", ("-equity", "equity")), ("maintenance", ("-maintenance",))):
        for order in orders:
            page.click(f'#accounts [data-order="{figure}"]')
            page.wait_for_selector(f'#rows[data-order="{order}"]')
            column = {"equity": 4, "maintenance": 5}[figure]
            shown = page.locator(f"#rows .rows span:nth-child({column})").all_inner_texts()
            figures = [float(text.replace(",", "").replace("\N{MINUS SIGN}", "-")) for text in shown]
            assert figures == sorted(figures, reverse=order.startswith("-"))
    page.close()
    assert said == []


def test_the_keyboard_keeps_its_place_while_figures_change(browser, served):
    page, said = opened(browser, served, "dark")
    page.locator("#markets-table tbody tr").nth(1).locator("button").nth(1).focus()
    for _ in range(3):
        shown = page.locator("#sequence").inner_text()
        expect(page.locator("#sequence")).not_to_have_text(shown)
    where = "document.activeElement.closest('tr')?.rowIndex"
    assert page.evaluate(f"{where} + ' ' + document.activeElement.closest('td').cellIndex") == "2 3"
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text("Rates of ETH")
    shown = page.locator("#sequence").inner_text()
    expect(page.locator("#sequence")).not_to_have_text(shown)
    page.keyboard.press("Escape")
    assert page.evaluate(f"{where} + ' ' + document.activeElement.closest('td').cellIndex") == "2 3"
    page.close()
    assert said == []


def test_the_feed_says_who_tells_the_prices(browser, served):
    page, said = opened(browser, served, "light")
    page.click("#feed")
    expect(page.locator("#drawer-title")).to_have_text("Who tells the prices")
    expect(page.locator("#drawer-body")).to_contain_text("from the replay")
    page.keyboard.press("Escape")
    expect(page.locator("#feed")).to_be_focused()
    page.close()
    assert said == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_boards_open_their_chain_and_accounts_show_options_with_greeks(
    browser, option_desk, scheme, pictures
):
    page, said = opened(browser, option_desk, scheme)
    page.wait_for_selector("#boards-table tbody tr")
    assert page.locator("#boards-table tbody tr").count() == 8
    page.screenshot(path=pictures / f"options-{scheme}.png", full_page=True)
    page.keyboard.press("7")
    page.locator("#boards-table tbody tr button").first.click()
    expect(page.locator("#drawer-title")).to_contain_text(re.compile(r"(BTC|ETH)-\d+[A-Z]{3}\d\d"))
    expect(page.locator("#drawer-body")).to_contain_text("At the money")
    assert page.locator("#drawer-body tbody tr").count() >= 5
    page.screenshot(path=pictures / f"board-{scheme}.png")
    page.keyboard.press("Escape")
    page.fill("#search", holder_of_options(option_desk))
    expect(page.locator("#accounts-count")).to_have_text("1 found")
    page.locator("#rows .rows").first.evaluate("row => row.click()")
    expect(page.locator("#drawer-body")).to_contain_text("Options held")
    expect(page.locator("#drawer-body")).to_contain_text("Gamma")
    expect(page.locator("#drawer-body")).to_contain_text("Price of")
    page.screenshot(path=pictures / f"option-account-{scheme}.png")
    page.close()
    assert said == []


def holder_of_options(served):
    headers = {"authorization": f"Bearer {served.token}"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=60.0) as client:
        for entry in client.get("/v1/accounts?limit=500&order=-maintenance").json()["entries"]:
            margin = client.get(f"/v1/accounts/{entry['account']}/margin").json()
            if margin["portfolio"]["options"]:
                return entry["account"]
    raise AssertionError("nobody holds options")


@pytest.mark.parametrize("width", [1024, 430])
def test_a_narrow_window_scrolls_in_one_direction_only(browser, served, width, pictures):
    page, said = opened(browser, served, "light")
    page.wait_for_selector("#plot-price canvas")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=pictures / f"desk-{width}.png", full_page=True)
    expect(page.locator("#feed")).to_be_visible()
    page.close()
    assert said == []


def test_without_a_token_nothing_is_shown_but_the_way_in(browser, served):
    page = browser.new_page()
    refused = []
    page.on("response", lambda answer: refused.append(answer.status))
    page.goto(served.address)
    expect(page.locator("#sign-in")).to_be_visible()
    assert page.locator("#markets-table tbody tr").count() == 0
    page.close()

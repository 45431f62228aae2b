"""Does the service answer, refuse and remember as its reference page says?"""

import contextlib
import itertools
import re
import threading
from decimal import Decimal
from http.client import HTTPConnection

import msgspec
import numpy as np
import pytest
from starlette.routing import Route

from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.service import boards, markets
from plimsoll.service.application import application
from plimsoll.service.margins import margins_of, needed
from plimsoll.service.openapi import ErrorBody
from plimsoll.service.records import Records
from plimsoll.service.table import ENDPOINTS
from plimsoll.service.tokens import Scope, issue
from tests.support.services import external_settings, running, tokens_of

KEYS = (f"key-{number}" for number in itertools.count())
DEPOSIT = 50_000_000_000


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    with running(external_settings(tmp_path_factory.mktemp("venue"))) as (service, client):
        desk = Desk(service, client)
        desk.tick(1.0)
        desk.write("/v1/accounts", {"account": "hedger", "amount": DEPOSIT})
        desk.write("/v1/accounts", {"account": "maker.1", "amount": DEPOSIT})
        desk.fill("BTC-PERP", {"hedger": "0.5", "maker.1": "-0.5"})
        desk.fill("ETH-PERP", {"hedger": "-4"})
        yield desk


class Desk:
    """A client that holds a token of every scope."""

    def __init__(self, service, client):
        self.service, self.client = service, client
        self.tokens = tokens_of(service)
        self.marks = {row["name"]: row["mark"] for row in self.get("/v1/instruments").json()}
        self.time = self.get("/v1/journal").json()["time"]
        history = service.desk.view.state.parameters
        self.prices = {market.market: market.price for market in history.method.markets}

    def headers(self, scope, key=None):
        headers = {"authorization": f"Bearer {self.tokens[scope]}"}
        return headers if key is None else {**headers, "idempotency-key": key}

    def get(self, path, scope=Scope.READ):
        return self.client.get(path, headers=self.headers(scope))

    def post(self, path, body, scope, key=None):
        return self.client.post(path, content=msgspec.json.encode(body), headers=self.headers(scope, key))

    def write(self, path, body, scope=Scope.TRADE, key=None):
        answer = self.post(path, body, scope, key or next(KEYS))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tick(self, factor):
        self.time += 1_000
        names = {"BTC-PERP": "BTC", "ETH-PERP": "ETH", "BTC": "BTC", "ETH": "ETH"}
        marks = {name: self.prices[market] * factor for name, market in names.items()}
        quiet = dict.fromkeys(marks, 1e8)
        body = {"time": self.time, "marks": marks, "volume": quiet, "impact": dict.fromkeys(marks, 0.01)}
        return self.write("/v1/ticks", body, Scope.RISK)

    def fill(self, instrument, legs):
        mark = self.prices[instrument.partition("-")[0]]
        parts = [{"account": name, "quantity": quantity} for name, quantity in legs.items()]
        return self.write("/v1/fills", {"instrument": instrument, "price": mark, "legs": parts})


def filled(path):
    return path.replace("{account}", "hedger")


def asked(venue, endpoint, **headers):
    body = b"{}" if endpoint.body is not None else None
    return venue.client.request(endpoint.method, filled(endpoint.path), content=body, headers=headers)


GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.scope is not None]
NAMES = [f"{endpoint.method} {endpoint.path}" for endpoint in GUARDED]


def test_every_route_is_in_the_document_and_the_document_says_which_need_a_token(venue):
    described = venue.client.get("/v1/openapi.json").json()["paths"]
    operations = {
        (method.upper(), path): about
        for path, methods in described.items()
        for method, about in methods.items()
    }
    routes = {
        (method, route.path)
        for route in application(venue.service.desk).routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes - {("GET", "/v1/openapi.json")} == set(operations)
    guarded = {operation for operation, about in operations.items() if about.get("security")}
    assert guarded == {(endpoint.method, endpoint.path) for endpoint in GUARDED}
    assert {endpoint.scope for endpoint in GUARDED} == set(Scope)


def test_only_health_and_readiness_answer_without_a_token():
    assert {endpoint.path for endpoint in ENDPOINTS if endpoint.scope is None} == {"/v1/health", "/v1/ready"}


@pytest.mark.parametrize("endpoint", GUARDED, ids=NAMES)
def test_an_endpoint_refuses_whoever_may_not_ask(venue, endpoint):
    expired, kept = issue("expired", (endpoint.scope,), -1.0)
    venue.service.desk.tokens.lend(kept)
    good = venue.tokens[endpoint.scope]
    forged = good[:-4] + ("0000" if good[-4:] != "0000" else "1111")
    for authorization in (
        "",
        "Bearer",
        f"Bearer {expired}",
        f"Bearer {forged}",
        f"Basic {good}",
        "Bearer x_y_z",
    ):
        answer = asked(venue, endpoint, authorization=authorization)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), authorization
        assert answer.headers["www-authenticate"] == "Bearer"
    for other in set(Scope) - {endpoint.scope}:
        refused = asked(venue, endpoint, authorization=f"Bearer {venue.tokens[other]}")
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong-scope"), other
        assert good not in refused.text


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.method == "GET"], ids=lambda e: e.path)
def test_a_reading_endpoint_answers_in_its_own_form(venue, endpoint):
    query = "?market=BTC" if endpoint.path.endswith("liquidation-price") else ""
    answer = venue.get(filled(endpoint.path) + query, endpoint.scope or Scope.READ)
    assert answer.status_code == 200, answer.text
    if endpoint.answer is not str:
        msgspec.json.decode(answer.content, type=endpoint.answer)


def test_margin_is_that_of_the_engine_and_its_parts_add_up(venue):
    answer = venue.get("/v1/accounts/hedger/margin").json()["explanation"]
    view = venue.service.desk.view
    row = view.state.book.rows["hedger"]
    exact = needed(view.state, view.nearest[view.nearest == row], Level.INITIAL)
    assert answer["initial"] == pytest.approx(exact[0], abs=1)
    assert answer["equity"] == pytest.approx(view.margins.equity[row], abs=1)
    assert sum(part["amount"] for part in answer["parts"]) == answer["maintenance"] > 0


def test_margins_of_the_view_are_those_of_a_fresh_look(venue):
    venue.tick(0.99)
    venue.write("/v1/accounts/hedger/deposits", {"amount": 7})
    view = venue.service.desk.view
    fresh = margins_of(view.state)
    assert (fresh.equity == view.margins.equity).all()
    assert (fresh.maintenance == view.margins.maintenance).all()
    venue.tick(1.0)


def test_a_repeated_key_is_carried_out_once_and_answered_alike(venue):
    before = venue.get("/v1/accounts/maker.1").json()["account"]["collateral"][0]["amount"]
    answers = [
        venue.post("/v1/accounts/maker.1/deposits", {"amount": 1_000_000}, Scope.TRADE, "paid-once")
        for _ in range(3)
    ]
    assert len({answer.content for answer in answers}) == 1
    after = venue.get("/v1/accounts/maker.1").json()["account"]["collateral"][0]["amount"]
    assert Decimal(after) - Decimal(before) == 1


def test_a_key_that_comes_with_another_request_is_refused(venue):
    venue.write("/v1/accounts/maker.1/deposits", {"amount": 5}, key="mine")
    for path, body in (
        ("/v1/accounts/maker.1/deposits", {"amount": 6}),
        ("/v1/accounts/hedger/deposits", {"amount": 5}),
        ("/v1/accounts", {"account": "other", "amount": 5}),
    ):
        answer = venue.post(path, body, Scope.TRADE, "mine")
        assert (answer.status_code, answer.json()["code"]) == (409, "key-reused")


def test_a_write_without_a_sound_key_is_refused(venue):
    for key in (None, "with space", "x" * 121):
        answer = venue.post("/v1/accounts/hedger/deposits", {"amount": 5}, Scope.TRADE, key)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def test_what_the_machine_refuses_is_an_error_the_second_time_too(venue):
    for _ in range(2):
        taken = venue.post("/v1/accounts", {"account": "hedger"}, Scope.TRADE, "open-again")
        assert (taken.status_code, taken.json()["code"]) == (422, "bad-account")
        much = venue.post("/v1/accounts/hedger/withdrawals", {"amount": DEPOSIT}, Scope.TRADE, "too-much")
        assert (much.status_code, much.json()["code"]) == (422, "insufficient-margin")


def test_an_old_tick_is_refused_and_the_marks_stay(venue):
    price = venue.get("/v1/markets").json()[0]["price"]
    body = {"time": venue.time - 5_000, "marks": {"BTC-PERP": 1.0}}
    answer = venue.post("/v1/ticks", body, Scope.RISK, next(KEYS))
    assert (answer.status_code, answer.json()["code"]) == (409, "out-of-order")
    assert venue.get("/v1/markets").json()[0]["price"] == price


def test_a_first_tick_that_leaves_an_instrument_out_is_told_which(tmp_path):
    with running(external_settings(tmp_path)) as (service, client):
        fresh = Desk(service, client)
        body = {"time": fresh.time + 1, "marks": {"BTC-PERP": 6e4, "BTC": 6e4, "ETH": 2e3}}
        answer = fresh.post("/v1/ticks", body, Scope.RISK, next(KEYS))
        assert (answer.status_code, answer.json()["code"]) == (422, "missing-price")
        assert "of ETH-PERP" in answer.json()["message"]
        fresh.tick(1.0)


@pytest.mark.parametrize("quantity", ["0", "0.000000000001", "NaN", "Infinity", "1e40"])
def test_a_quantity_that_is_no_whole_number_of_lots_is_refused(venue, quantity):
    body = {
        "instrument": "BTC-PERP",
        "price": 1.0,
        "legs": [{"account": "hedger", "quantity": quantity}],
    }
    answer = venue.post("/v1/fills", body, Scope.TRADE, next(KEYS))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-quantity")


def test_a_fill_among_accounts_is_booked_for_all_of_them_or_for_none(venue):
    before = venue.get("/v1/accounts/maker.1/margin").json()["explanation"]
    body = {
        "instrument": "BTC-PERP",
        "price": venue.prices["BTC"] * 1e-4,
        "legs": [{"account": "maker.1", "quantity": "0.1"}, {"account": "poor", "quantity": "-0.1"}],
    }
    venue.write("/v1/accounts", {"account": "poor", "amount": 2_500_000_000})
    venue.fill("BTC-PERP", {"poor": "0.1"})
    answer = venue.post("/v1/fills", body, Scope.TRADE, next(KEYS))
    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient-margin")
    assert answer.json()["where"] == "poor"
    assert venue.get("/v1/accounts/maker.1/margin").json()["explanation"] == before
    venue.fill("BTC-PERP", {"poor": "-0.1"})


def test_what_if_agrees_with_what_then_happens(venue):
    trades = {"trades": [{"instrument": "ETH-PERP", "quantity": "2"}]}
    imagined = venue.post("/v1/accounts/hedger/what-if", trades, Scope.READ).json()
    venue.fill("ETH-PERP", {"hedger": "2"})
    booked = venue.get("/v1/accounts/hedger/margin").json()["explanation"]
    assert booked["maintenance"] == pytest.approx(imagined["after"]["maintenance"], abs=2)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(venue):
    answer = venue.post("/v1/accounts", {"account": "x" * 5000}, Scope.TRADE, next(KEYS))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_every_write_is_in_the_audit_whatever_became_of_it(venue):
    venue.write("/v1/accounts/hedger/deposits", {"amount": 9}, key="audited")
    venue.post("/v1/accounts/nobody/deposits", {"amount": 9}, Scope.TRADE, "audited-too")
    entries = venue.get("/v1/audit?limit=2", Scope.ADMIN).json()["entries"]
    assert [(each["key"], each["outcome"]) for each in entries] == [
        ("audited-too", "unknown-account"),
        ("audited", "written"),
    ]
    assert {each["token"] for each in entries} == {venue.tokens[Scope.TRADE].split("_")[1]}


@pytest.mark.parametrize(
    ("path", "where", "name", "scope"),
    [
        ("/v1/audit", Records, "audited", Scope.ADMIN),
        ("/v1/overview", markets, "open_notional", Scope.READ),
        ("/v1/markets", markets, "market_prices", Scope.READ),
        ("/v1/boards", boards, "boards_of", Scope.READ),
    ],
)
def test_what_grows_with_the_venue_is_not_done_in_the_event_loop(
    venue, monkeypatch, path, where, name, scope
):
    work, threads = getattr(where, name), []

    def noted(*given):
        threads.append(threading.current_thread().name)
        return work(*given)

    with monkeypatch.context() as patched:
        patched.setattr(where, name, noted)
        assert venue.get(path, scope).status_code == 200
    assert threads
    assert all(thread.startswith("answers") for thread in threads)


def test_open_lots_are_what_traders_hold_long_and_short(venue):
    view = venue.service.desk.view
    held = view.state.book.lots[FIRST_TRADER:]
    long, short = view.open_lots
    assert (long - short).tolist() == held.sum(axis=0).tolist()
    assert (long + short).tolist() == np.abs(held).sum(axis=0).tolist()
    assert (long + short).sum() > 0


def test_pages_of_a_list_have_every_entry_once(venue):
    whole = venue.get("/v1/audit?limit=1000", Scope.ADMIN).json()["entries"]
    found, before = [], 2**62
    while before > 0:
        part = venue.get(f"/v1/audit?limit=3&before={before}", Scope.ADMIN).json()
        found += part["entries"]
        before = part["before"]
    assert found == whole


def test_an_answer_tells_a_browser_to_load_nothing_from_elsewhere(venue):
    for path in ("/", "/v1/health", "/nothing"):
        headers = venue.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_has_no_script_or_style_or_address_of_its_own(venue):
    page = venue.client.get("/").text
    assert not re.search(r"<script>|<style|style=|onclick=|https?://", page)
    for name in re.findall(r'(?:src|href)="(static/[^"]+)"', page):
        if "vendor" not in name:
            assert venue.client.get(f"/{name}").status_code == 200, name


@pytest.mark.parametrize("up", ["..", "%2e%2e", "%2E.", "..%2f..", "....//.."])
def test_no_address_leads_out_of_the_page_s_folder(venue, up):
    """Sent as it stands: a client would put the address in order first."""
    where = venue.client.base_url
    with contextlib.closing(HTTPConnection(where.host, where.port, timeout=30)) as connection:
        statuses = []
        for path in ("/static/desk.js", f"/static/{up}/pages.py", f"/static/{up}/static/desk.js"):
            connection.request("GET", path)
            answer = connection.getresponse()
            statuses.append(answer.status)
            answer.read()
    assert statuses == [200, 404, 404]


def test_another_host_name_is_not_answered(venue):
    assert venue.client.get("/v1/health", headers={"host": "rebound.example"}).status_code == 400


def test_an_unknown_path_is_refused_in_the_form_of_other_errors(venue):
    answer = venue.client.get("/v1/nothing")
    assert answer.status_code == 404
    assert msgspec.json.decode(answer.content, type=ErrorBody).code == "not-found"


def test_metrics_count_ticks_and_requests(venue):
    text = venue.get("/v1/metrics").text
    (ticks,) = map(int, re.findall(r"plimsoll_ticks_total (\d+)", text))
    venue.tick(1.0)
    assert f"plimsoll_ticks_total {ticks + 1}" in venue.get("/v1/metrics").text

"""Can a venue that lists options be run through the API: quoted, traded, explained, extended, settled?"""

import asyncio
import itertools

import msgspec
import pytest
from msgspec.structs import replace

from plimsoll.domain.events import Expired
from plimsoll.domain.instruments import Future, Option
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Portfolio
from plimsoll.engine.state import digest
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.greeks import ExpiryGreeks, greeks_report
from plimsoll.service.client import Client
from plimsoll.service.margins import margins_of
from plimsoll.service.settings import BoardSettings
from plimsoll.service.tokens import Scope
from tests.support.listening import venue_of
from tests.support.option_venues import (
    BOARDS,
    FAR,
    NEAR,
    OPTIONS,
    PRICES,
    START,
    expiry_in,
    told,
    venue_settings,
)
from tests.support.services import external_settings, running

KEYS = (f"key-{number}" for number in itertools.count())
RICH = 500_000 * QUANTA_PER_UNIT
NEAR_NAME, FAR_NAME = Future("BTC", NEAR).name, Future("BTC", FAR).name
CALL = Option("BTC", NEAR, 60_000.0, "C").name
PUT = Option("BTC", FAR, 54_000.0, "P").name
MONEY = 1e-6
"""A quantum: amounts that were rounded once, each its own way."""


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    with venue_of(venue_settings(tmp_path_factory.mktemp("options"))) as opened:
        for name in ("writer", "hedger", "flat"):
            assert post(opened, "/v1/accounts", {"account": name, "amount": RICH}).status_code == 200
        early = fill(opened, CALL, {"writer": "-1"})
        assert (early.status_code, early.json()["code"]) == (422, "insufficient-margin")
        assert opened.get("/v1/boards")[0]["forward"] is None
        assert tick(opened).status_code == 200
        assert fill(opened, CALL, {"writer": "-2", "hedger": "1.5"}).status_code == 200
        assert fill(opened, PUT, {"hedger": "-1"}).status_code == 200
        assert fill(opened, "BTC-PERP", {"hedger": "-0.5"}).status_code == 200
        yield opened


def post(venue, path, body, scope=Scope.TRADE, key=None):
    headers = {"authorization": f"Bearer {venue.tokens[scope]}", "idempotency-key": key or next(KEYS)}
    return venue.client.post(path, content=msgspec.json.encode(body), headers=headers)


def tick(venue, *args, key=None, **more):
    body = told(max(START, venue.view.state.time) + 1_000, *args) | more
    return post(venue, "/v1/ticks", body, Scope.RISK, key)


def fill(venue, instrument, legs, key=None):
    state = venue.view.state
    marks = dict(zip((each.name for each in state.listings), state.market.marks.tolist(), strict=True))
    price = marks[instrument] if marks[instrument] > 0.0 else 1.0
    parts = [{"account": name, "quantity": quantity} for name, quantity in legs.items()]
    return post(venue, "/v1/fills", {"instrument": instrument, "price": price, "legs": parts}, key=key)


def portfolio(venue, name):
    return venue.get(f"/v1/accounts/{name}/margin")["portfolio"]


def test_boards_tell_forward_volatility_and_open_interest(venue):
    boards = {board["name"]: board for board in venue.get("/v1/boards")}
    assert set(boards) == set(BOARDS)
    near = boards[NEAR_NAME]
    assert near["forward"] == pytest.approx(PRICES["BTC"] * 1.01)
    assert near["at_the_money"] == pytest.approx(0.6)
    assert near["future"] == NEAR_NAME
    assert not near["settled"]
    assert near["open"] == pytest.approx(2.0)
    (line,) = [each for each in near["options"] if each["instrument"] == CALL]
    assert near["worth"] == pytest.approx(2.0 * line["mark"] * QUANTA_PER_UNIT, abs=1)


@pytest.mark.parametrize("name", ["writer", "hedger"])
def test_the_breakdown_adds_up_and_is_what_the_engine_asks_for(venue, name):
    found = portfolio(venue, name)
    answer, view = found["breakdown"], venue.view
    row = view.state.book.rows[name]
    notional = view.state.book.lots[[row]] * view.state.unit
    for level, asked in ((Level.MAINTENANCE, "maintenance"), (Level.INITIAL, "initial")):
        assert answer[asked] == pytest.approx(view.state.model.requirement(notional, level)[0], abs=1)
    assert answer["equity"] == view.margins.equity[row]
    assert sum(part["amount"] for part in answer["parts"]) == answer["maintenance"]
    assert sum(part["amount"] for part in answer["initial_parts"]) == answer["initial"]
    assert sum(each["loss"] for each in answer["contributions"]) + answer["relief"] == answer["loss"]
    assert answer["worst"] in {each["name"] for each in answer["scenarios"]} | {"basis"}


def test_greeks_are_those_of_the_whole_portfolio(venue):
    found = portfolio(venue, "hedger")
    model, state = venue.view.state.model, venue.view.state
    held = model.portfolio(state.book.lots[state.book.rows["hedger"]] * state.unit)
    expected = greeks_report(Portfolio(holdings=held.holdings), model.venue.market)
    assert msgspec.convert(found["greeks"], list[ExpiryGreeks]) == list(expected)
    for greek in ("delta", "gamma", "vega", "theta"):
        of_options = sum(each[greek] for each in found["options"])
        dated = sum(each[greek] for each in found["greeks"] if each["expiry"] > 0)
        assert of_options == pytest.approx(dated)
    assert {each["instrument"] for each in found["options"]} == {CALL, PUT}


def test_the_view_kept_from_fill_to_fill_is_that_of_all_accounts_anew(venue):
    assert fill(venue, PUT, {"writer": "0.25", "flat": "-0.25"}).status_code == 200
    assert fill(venue, PUT, {"writer": "-0.25", "flat": "0.25"}).status_code == 200
    kept, anew = venue.view.margins, margins_of(venue.view.state)
    assert kept.figures.tolist() == anew.figures.tolist()


def test_a_client_reads_boards_margin_what_if_liquidation_price_and_stress(venue):
    async def asked():
        async with Client(str(venue.client.base_url), venue.tokens[Scope.READ]) as client:
            more = await client.what_if("writer", {CALL: "2"})
            prices = await client.liquidation_price("writer", "BTC")
            margin = await client.margin("writer")
            return await client.boards(), margin, more, prices, await client.stress()

    boards, margin, closed, prices, _ = asyncio.run(asked())
    assert len(boards) == len(BOARDS)
    answer = margin.portfolio.breakdown
    assert closed.before.maintenance == pytest.approx(answer.maintenance, abs=2)
    assert closed.before.equity == pytest.approx(answer.equity, abs=2)
    assert closed.after.maintenance == 0
    assert prices.below is None
    assert prices.above > PRICES["BTC"]


def test_a_stress_of_ones_own_revalues_options_and_moves_volatility(venue):
    def stressed(**body):
        headers = {"authorization": f"Bearer {venue.tokens[Scope.RISK]}"}
        answer = venue.client.post("/v1/stress", content=msgspec.json.encode(body), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    calm, wild = (stressed(moves={"BTC": 0.0, "ETH": 0.0}, volatility={"BTC": v}) for v in (0.0, 0.5))
    assert calm["loss"] == 0
    assert wild["loss"] > 0
    rise = stressed(moves={"BTC": 0.3, "ETH": 0.0})
    state = venue.view.state
    short = 2.0 * (PRICES["BTC"] * 1.01 * 1.3 - 60_000.0) * QUANTA_PER_UNIT
    mark = 2.0 * state.market.marks[[each.name for each in state.listings].index(CALL)] * QUANTA_PER_UNIT
    assert rise["loss"] >= (short - mark) * (1.0 - MONEY)


@pytest.mark.parametrize(
    ("more", "status", "code", "where"),
    [
        ({"forwards": {"BTC-1JAN50": 1.0}}, 422, "unknown-instrument", "forwards"),
        ({"forwards": {CALL: 1.0}}, 422, "unknown-instrument", "forwards"),
        ({"volatility": {"BTC-1JAN50-9-C": 0.5}}, 422, "unknown-instrument", "volatility"),
        ({"volatility": {"BTC-PERP": 0.5}}, 422, "unknown-instrument", "volatility"),
        ({"volatility": {NEAR_NAME: 0.5}}, 422, "unknown-instrument", "volatility"),
        ({"marks": {CALL: 5.0}}, 422, "bad-price", f"marks.{CALL}"),
        ({"marks": {NEAR_NAME: 5.0}}, 422, "bad-price", f"marks.{NEAR_NAME}"),
        ({"volatility": {CALL: 0.0}}, 400, "bad-request", None),
        ({"volatility": {CALL: -0.5}}, 400, "bad-request", None),
        ({"volatility": {CALL: None}}, 400, "bad-request", None),
        ({"forwards": {NEAR_NAME: 0.0}}, 400, "bad-request", None),
        ({"marks": {}, "forwards": {}, "volatility": {}}, 400, "bad-request", None),
        ({"time": 1}, 409, "out-of-order", None),
        ({"time": NEAR, "forwards": {}}, 422, "missing-price", f"forwards.{NEAR_NAME}"),
    ],
)
def test_a_tick_that_cannot_be_is_refused_with_its_reason(venue, more, status, code, where):
    before = digest(venue.view.state)
    answer = tick(venue, **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert where is None or answer.json()["where"] == where
    assert digest(venue.view.state) == before


def test_not_a_number_is_no_volatility(venue):
    headers = {"authorization": f"Bearer {venue.tokens[Scope.RISK]}", "idempotency-key": next(KEYS)}
    for figure in ("NaN", "Infinity", "1e999"):
        body = f'{{"time": {venue.view.state.time + 1}, "volatility": {{"{CALL}": {figure}}}}}'
        answer = venue.client.post("/v1/ticks", content=body.encode(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request"), answer.text


def test_a_tick_may_tell_one_volatility_alone_and_a_repetition_is_the_same_tick(venue):
    state = venue.view.state
    body = {"time": state.time + 1_000, "volatility": {CALL: 0.61}}
    first = post(venue, "/v1/ticks", body, Scope.RISK, "once")
    assert first.status_code == 200, first.text
    moved = venue.view.state.market.volatility != state.market.volatility
    assert [each.name for each, m in zip(state.listings, moved, strict=True) if m] == [CALL]
    assert post(venue, "/v1/ticks", body, Scope.RISK, "once").json() == first.json()
    other = post(venue, "/v1/ticks", {**body, "volatility": {CALL: 0.7}}, Scope.RISK, "once")
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")
    assert tick(venue).status_code == 200


FRESH = Option("ETH", expiry_in(75), 2_500.0, "P").name


def test_a_board_is_listed_while_the_venue_runs_and_is_tradable_at_once(venue):
    booked = fill(venue, CALL, {"writer": "-0.1"}, key="before-the-board")
    quotes = {"forward": 3_050.0, "volatility": {FRESH: 0.7}, "volume": 1e9, "impact": 0.01}
    listed = post(venue, "/v1/boards", quotes, Scope.RISK, "board")
    assert listed.status_code == 200, listed.text
    assert post(venue, "/v1/boards", quotes, Scope.RISK, "board").json() == listed.json()
    assert fill(venue, FRESH, {"hedger": "2"}).status_code == 200
    assert venue.view.margins.figures.tolist() == margins_of(venue.view.state).figures.tolist()
    state = venue.view.state
    price = float(state.market.marks[[each.name for each in state.listings].index(CALL)])
    body = {"instrument": CALL, "price": price, "legs": [{"account": "writer", "quantity": "-0.1"}]}
    assert post(venue, "/v1/fills", body, key="before-the-board").json() == booked.json()
    assert tick(venue).status_code == 200
    headers = {"authorization": f"Bearer {venue.tokens[Scope.ADMIN]}"}
    audited = venue.client.get("/v1/audit", headers=headers).json()["entries"]
    assert "POST /v1/boards" in [entry["request"] for entry in audited]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"volatility": {f"{NEAR_NAME}-61000-C": 0.5}}, "bad-price"),
        ({"volatility": {CALL: 0.5}, "forward": PRICES["BTC"] * 1.01}, "out-of-order"),
        ({"volatility": {"SOL-1JAN50-9-C": 0.5}}, "unknown-market"),
        ({"volatility": {"BTC-1JAN20-9-C": 0.5}}, "expired-instrument"),
        ({"volatility": {"BTC-PERP": 0.5}}, "unknown-instrument"),
        ({"volatility": {"BTC-1JAN50-9-C": 0.5, "BTC-2JAN50-9-C": 0.5}}, "unknown-instrument"),
        ({"volatility": {"BTC-1JAN50-09-C": 0.5}}, "unknown-instrument"),
        ({"volatility": {}}, "bad-request"),
    ],
)
def test_a_board_that_cannot_be_listed_is_refused_with_its_reason(venue, more, code):
    answer = post(venue, "/v1/boards", {"forward": 1.0, **more}, Scope.RISK)
    assert answer.json()["code"] == code, answer.text


def test_an_expiry_settles_what_is_held_and_the_board_is_over(tmp_path):
    with venue_of(venue_settings(tmp_path)) as venue:
        for name in ("writer", "buyer"):
            assert post(venue, "/v1/accounts", {"account": name, "amount": RICH}).status_code == 200
        assert tick(venue).status_code == 200
        assert fill(venue, CALL, {"writer": "-2", "buyer": "2"}).status_code == 200
        paid = venue.view.margins.equity.copy()
        cash = venue.view.state.book.cash.copy()
        last = post(venue, "/v1/ticks", told(NEAR, 1.1), Scope.RISK)
        assert last.status_code == 200, last.text
        (settled,) = [
            each["effect"]
            for each in venue.get("/v1/happened")["entries"]
            if each["effect"]["type"] == "expired"
        ]
        payoff = PRICES["BTC"] * 1.1 * 1.01 - 60_000.0
        assert msgspec.convert(settled, Expired).payoff == pytest.approx(payoff)
        rows = [venue.view.state.book.rows[name] for name in ("writer", "buyer")]
        gained = (venue.view.state.book.cash - cash)[rows]
        assert gained.tolist() == pytest.approx([-2 * payoff * 1e6, 2 * payoff * 1e6], abs=1)
        assert paid.shape == venue.view.margins.equity.shape
        board = next(each for each in venue.get("/v1/boards") if each["name"] == NEAR_NAME)
        assert board["settled"]
        assert board["open"] == 0.0
        assert venue.get("/v1/accounts/writer/margin")["portfolio"]["options"] == []
        for body in ({"forwards": {NEAR_NAME: 1.0}}, {"volatility": {CALL: 0.5}}):
            refused = post(venue, "/v1/ticks", {"time": NEAR + 1, **body}, Scope.RISK)
            assert (refused.status_code, refused.json()["code"]) == (422, "expired-instrument")
        over = fill(venue, CALL, {"writer": "-1"})
        assert (over.status_code, over.json()["code"]) == (422, "expired-instrument")
        later = {"time": NEAR + 60_000, "marks": {"BTC-PERP": PRICES["BTC"]}}
        assert post(venue, "/v1/ticks", later, Scope.RISK).status_code == 200
        state = digest(venue.view.state)
    with running(venue_settings(tmp_path)) as (service, _):
        assert digest(service.desk.view.state) == state


def test_a_venue_does_not_open_with_what_has_expired(tmp_path):
    settings = venue_settings(tmp_path)
    over = {"BTC-1JAN20": BoardSettings(strikes=(9_000.0,))}
    settings = replace(settings, external=replace(settings.external, boards=over))
    with pytest.raises(PlimsollError) as raised, running(settings):
        pass
    assert raised.value.code is Code.EXPIRED_INSTRUMENT


def test_the_first_option_is_not_listed_beside_open_positions(tmp_path):
    with venue_of(external_settings(tmp_path)) as venue:
        marks = {"BTC-PERP": 60_000.0, "ETH-PERP": 3_000.0, "BTC": 60_000.0, "ETH": 3_000.0}
        body = {"time": venue.view.state.time + 1_000, "marks": marks}
        assert post(venue, "/v1/ticks", body, Scope.RISK).status_code == 200
        assert post(venue, "/v1/ticks", {**body, "volatility": {CALL: 0.5}}, Scope.RISK).status_code == 422
        assert post(venue, "/v1/accounts", {"account": "early", "amount": RICH}).status_code == 200
        assert fill(venue, "BTC-PERP", {"early": "0.5"}).status_code == 200
        quotes = {"forward": 3_050.0, "volatility": {FRESH: 0.7}}
        refused = post(venue, "/v1/boards", quotes, Scope.RISK)
        assert refused.json()["code"] == "unsupported-instrument"
        assert fill(venue, "BTC-PERP", {"early": "-0.5"}).status_code == 200
        assert post(venue, "/v1/boards", quotes, Scope.RISK).status_code == 200
        assert fill(venue, FRESH, {"early": "1"}).status_code == 200
        assert portfolio(venue, "early")["breakdown"]["maintenance"] > 0


def test_every_option_of_the_settings_is_listed(venue):
    listed = {line["name"] for line in venue.get("/v1/instruments")}
    assert listed >= {*OPTIONS, NEAR_NAME}
    assert FAR_NAME not in listed

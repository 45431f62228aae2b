"""Can a bidder see what is on the block, take a share of it through the API, and hear what it took?"""

import asyncio
import itertools

import msgspec
import pytest
from msgspec.structs import replace

from plimsoll.clearing.auction import discount
from plimsoll.domain.settings import AuctionSettings, ClearingRules
from plimsoll.engine.book import BACKSTOP, FUND
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.client import Client
from plimsoll.service.tokens import Scope
from tests.support.listening import venue_of
from tests.support.services import external_settings

KEYS = (f"key-{number}" for number in itertools.count())
RULES = AuctionSettings(after_hours=0.001)
RICH = 10**13


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    """A venue in which a levered account stands on the block, because nobody trades what it must sell."""
    settings = external_settings(tmp_path_factory.mktemp("venue"))
    settings = replace(settings, clearing=ClearingRules(auction=RULES))
    with venue_of(settings) as running:
        assert tick(running, 1.0, volume=1e9).status_code == 200
        mark = running.prices["BTC"]
        assert (
            running.post("/v1/accounts", {"account": "seller", "amount": round(0.4e6 * mark)}).status_code
            == 200
        )
        assert running.post("/v1/accounts", {"account": "bidder", "amount": RICH}).status_code == 200
        fill = {"instrument": "BTC-PERP", "price": mark, "legs": [{"account": "seller", "quantity": "1"}]}
        assert running.post("/v1/fills", fill).status_code == 200
        factor = 1.0
        while not running.get("/v1/auctions"):
            factor -= 0.02
            assert factor > 0.5
            assert tick(running, factor, volume=1.0).status_code == 200
        yield running


def tick(venue, factor, volume):
    marks = {
        f"{name}{kind}": price * factor for name, price in venue.prices.items() for kind in ("", "-PERP")
    }
    body = {"time": venue.view.state.time + 60_000, "marks": marks, "volume": dict.fromkeys(marks, volume)}
    return venue.post("/v1/ticks", body | {"impact": dict.fromkeys(marks, 0.01)}, Scope.RISK)


def test_a_bid_takes_its_share_at_the_price_that_the_list_shows(venue):
    (line,) = venue.get("/v1/auctions")
    assert line["account"] == "seller"
    assert line["price"] == discount((venue.view.state.time - line["began"]) / 1000.0, RULES)
    assert 0.0 < line["most"] <= 1.0
    assert line["equity"] < line["maintenance"] < line["notional"]
    book = venue.view.state.book
    before = book.lots[[book.rows["seller"], book.rows["bidder"]]].copy()
    share = line["most"] / 4

    async def bidden():
        async with Client(str(venue.client.base_url), venue.tokens[Scope.TRADE]) as client:
            key = next(KEYS)
            first = await client.bid("seller", bidder="bidder", share=share, key=key)
            assert await client.bid("seller", bidder="bidder", share=share, key=key) == first
            return first

    answer = asyncio.run(bidden())
    assert answer.share == pytest.approx(share)
    assert answer.price == pytest.approx(line["price"])
    assert answer.notional >= share * line["notional"] - 1
    assert answer.given_up > 0
    book = venue.view.state.book
    after = book.lots[[book.rows["seller"], book.rows["bidder"]]]
    assert (after.sum(axis=0) == before.sum(axis=0)).all()
    assert 0 < abs(after[0]).sum() < abs(before[0]).sum()
    (left,) = venue.get("/v1/auctions")
    assert left["kept"] == pytest.approx(1.0 - share)
    assert any(each["effect"]["type"] == "auctioned" for each in venue.get("/v1/happened")["entries"])


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("bidder", {"bidder": "seller", "share": 0.5}, 422, Code.NOT_AUCTIONED),
        ("nobody", {"bidder": "bidder", "share": 0.5}, 404, Code.UNKNOWN_ACCOUNT),
        ("seller", {"bidder": "nobody", "share": 0.5}, 404, Code.UNKNOWN_ACCOUNT),
        ("seller", {"bidder": "seller", "share": 0.5}, 422, Code.BAD_ACCOUNT),
        ("seller", {"bidder": "bidder", "share": 0.0}, 400, Code.BAD_REQUEST),
        ("seller", {"bidder": "bidder", "share": 1.1}, 400, Code.BAD_REQUEST),
    ],
)
def test_a_bid_that_cannot_be_carried_out_is_refused_by_its_code(venue, path, body, status, code):
    answer = venue.post(f"/v1/accounts/{path}/bids", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_bidder_who_would_not_meet_initial_margin_is_refused_and_nothing_moves(venue):
    assert venue.post("/v1/accounts", {"account": "poor", "amount": 1}).status_code == 200
    before = venue.view.state.book.lots.copy()
    answer = venue.post("/v1/accounts/seller/bids", {"bidder": "poor", "share": 0.5})
    assert (answer.status_code, answer.json()["code"]) == (422, Code.INSUFFICIENT_MARGIN)
    assert (venue.view.state.book.lots == before).all()


def test_the_backstop_is_paid_into_apart_from_the_fund(venue):
    before = venue.view.state.book.cash.copy()
    assert venue.post("/v1/fund", {"amount": 7, "into": "backstop"}, Scope.RISK).status_code == 200
    after = venue.view.state.book.cash
    assert (after[BACKSTOP] - before[BACKSTOP], after[FUND]) == (7, before[FUND])


def test_a_bid_needs_the_scope_of_trading(venue):
    async def refused():
        async with Client(str(venue.client.base_url), venue.tokens[Scope.READ]) as client:
            with pytest.raises(PlimsollError) as error:
                await client.bid("seller", bidder="bidder", share=0.1, key=next(KEYS))
            return error.value.code, [msgspec.to_builtins(each) for each in await client.auctions()]

    code, listed = asyncio.run(refused())
    assert code is Code.WRONG_SCOPE
    assert listed == venue.get("/v1/auctions")

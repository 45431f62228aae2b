"""Does a tick through the API count once and in order, however often and in whatever order ticks come?"""

import itertools
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from msgspec.structs import replace

from plimsoll.service.live_feed import wall_clock
from plimsoll.service.tokens import Scope
from tests.support.services import external_settings, running, tokens_of

KEYS = (f"key-{number}" for number in itertools.count())
PRICES = {"BTC-PERP": 60_000.0, "ETH-PERP": 3_000.0, "BTC": 60_000.0, "ETH": 3_000.0}
MINUTE = 60_000
ROUNDS = 10


class Ticker:
    """A client that tells ticks, from the minute after the last told."""

    def __init__(self, service, client):
        self.service, self.client = service, client
        self.token = tokens_of(service)[Scope.RISK]

    @property
    def state(self):
        return self.service.desk.view.state

    def next_minute(self):
        return self.state.time // MINUTE * MINUTE + MINUTE

    def tell(self, time, marks, key=None, **more):
        headers = {"authorization": f"Bearer {self.token}", "idempotency-key": key or next(KEYS)}
        body = msgspec.json.encode({"time": time, "marks": marks, **more})
        return self.client.post("/v1/ticks", content=body, headers=headers)

    def told(self, time, marks, key=None, **more):
        answer = self.tell(time, marks, key, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    with running(external_settings(tmp_path_factory.mktemp("ticks"))) as (service, client):
        ticker = Ticker(service, client)
        quiet = dict.fromkeys(PRICES, 1e9)
        ticker.told(ticker.next_minute(), PRICES, volume=quiet, impact=dict.fromkeys(PRICES, 0.01))
        yield ticker


def test_a_tick_in_the_wrong_unit_is_refused_and_the_next_is_taken(venue):
    now = venue.next_minute()
    before = venue.state.sequence
    refused = venue.tell(now * 1000, PRICES)
    assert (refused.status_code, refused.json()["code"], refused.json()["where"]) == (422, "bad-time", "time")
    assert venue.state.sequence == before
    venue.told(now, PRICES)


def test_a_tick_may_lead_the_clock_by_as_much_as_is_set(venue):
    desk = venue.service.desk
    desk.settings, before = with_lead(desk.settings, 5.0), desk.settings
    try:
        assert venue.tell(wall_clock() + 20_000, PRICES).json()["code"] == "bad-time"
        assert venue.tell(wall_clock() + 1_000, PRICES).json().get("code") != "bad-time"
    finally:
        desk.settings = before


def with_lead(settings, seconds):
    return replace(settings, external=replace(settings.external, longest_lead=seconds))


def test_neither_a_repeated_nor_a_refused_tick_is_in_a_bar(venue):
    begun = venue.next_minute()
    venue.told(begun, {"BTC-PERP": 100.0}, "high")
    venue.told(begun + MINUTE, {"BTC-PERP": 50.0}, "low")
    assert venue.told(begun, {"BTC-PERP": 100.0}, "high")["time"] == begun
    assert venue.tell(begun + 1, {"BTC-PERP": 70.0}).json()["code"] == "out-of-order"
    venue.told(begun + MINUTE + 1, {"BTC-PERP": 60.0})
    venue.told(begun + 2 * MINUTE, {"BTC-PERP": 80.0})
    bars = {bar.time: bar for bar in venue.service.desk.records.bars()}
    first, second = bars[begun], bars[begun + MINUTE]
    assert (first.open[0], first.high[0], first.low[0], first.close[0]) == (100.0,) * 4
    assert (second.open[0], second.high[0], second.low[0], second.close[0]) == (50.0, 60.0, 50.0, 60.0)


def test_of_ticks_at_once_none_undoes_what_another_told(venue):
    names = [listing.name for listing in venue.state.listings]
    begun = venue.next_minute()
    for number in range(ROUNDS):
        told = {name: 101.0 + number + place for place, name in enumerate(names)}
        with ThreadPoolExecutor(len(told)) as pool:
            answers = [
                pool.submit(
                    venue.told,
                    begun + number,
                    {name: figure},
                    volume={name: 2 * figure},
                    impact={name: figure / 2000.0},
                    depth={name: figure / 1000.0},
                )
                for name, figure in told.items()
            ]
            for answer in answers:
                answer.result()
        market, figures = venue.state.market, list(told.values())
        assert market.marks.tolist() == figures
        assert market.volume.tolist() == [2 * figure for figure in figures]
        assert market.impact.tolist() == [figure / 2000.0 for figure in figures]
        assert market.depth.tolist() == [figure / 1000.0 for figure in figures]


def test_a_tick_sent_again_is_answered_alike_whatever_was_told_meanwhile(venue):
    begun = venue.next_minute()
    first = venue.told(begun, {"BTC-PERP": 100.0}, "again")
    venue.told(begun + 1, {"BTC-PERP": 90.0, "ETH-PERP": 7.0})
    assert venue.told(begun, {"BTC-PERP": 100.0}, "again") == first
    assert venue.tell(begun + 2, {"BTC-PERP": 100.0}, "again").json()["code"] == "key-reused"
    assert venue.state.market.marks[0] == 90.0

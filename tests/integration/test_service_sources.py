"""Do live sources margin a venue, and does it go on, and ask for more, while they say nothing or nonsense?"""

import pytest
from msgspec.structs import replace

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.oracle import Step
from plimsoll.errors import Code
from plimsoll.service.live_feed import wall_clock
from plimsoll.service.settings import PriceSettings, SourceSettings
from plimsoll.service.tokens import Scope
from tests.support.listening import PATIENCE, until, venue_of
from tests.support.services import external_settings
from tests.support.speakers import LineSpeaker

STEPS = (Step(1.0, 1.25), Step(3.0, 2.0))
ROUNDING = 1e-3
"""Lots and quanta are whole."""
CURVE = CostCurve(
    half_spread=1e-5,
    slope=1e-3,
    reference=1e4,
    exponent=1.0,
    volatility=1e-4,
    volume=5e7,
    stressed_depth=0.05,
)
"""A thousand moves the mean price paid by a basis point."""
NEAR = 0.05
"""A book in steps against the straight line of the curve."""
QUICK = PriceSettings(tick_seconds=0.1, age_steps=STEPS)


def listening(folder, *speakers, **markets):
    """Settings of a venue that listens to these speakers; a source is silent after a second."""
    known = markets or {"BTC": "XBT", "ETH": "ETH"}
    sources = {
        speaker.name: SourceSettings(
            kind="lines",
            address=f"127.0.0.1:{speaker.port}",
            markets=known,
            longest_age=0.5,
            silent_seconds=PATIENCE,
        )
        for speaker in speakers
    }
    plain = external_settings(folder)
    external = replace(plain.external, curves={"ETH": CURVE})
    return replace(plain, external=external, sources=sources, prices=QUICK)


FIRST_STEP = 1.999
"""Times the calm rate, but for rounding; a slow machine may see a later step of the ladder first."""


def said(venue, factor, *markets):
    """Prices of every market as a line speaker tells them."""
    called = {"BTC": "XBT", "ETH": "ETH"}
    return {called[market]: venue.prices[market] * factor for market in markets or called}


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """A venue that one program tells the prices of both markets."""
    folder = tmp_path_factory.mktemp("venue")
    with LineSpeaker("desk") as speaker, venue_of(listening(folder, speaker)) as venue:
        yield venue, speaker


def hear_all(venue, speaker, factor=1.0):
    """Tell fresh prices and wait until all is well."""
    speaker.say(said(venue, factor))
    fresh = pytest.approx(venue.prices["BTC"] * factor)
    until(lambda: venue.feed() == "running" and venue.mark() == fresh)


def test_accounts_are_margined_at_the_prices_that_a_source_tells(heard):
    venue, speaker = heard
    hear_all(venue, speaker)
    assert venue.post("/v1/accounts", {"account": "bull", "amount": 30_000_000_000}).status_code == 200
    fill = {"instrument": "BTC-PERP", "price": venue.mark()}
    fill |= {"legs": [{"account": "bull", "quantity": "0.5"}]}
    assert venue.post("/v1/fills", fill).status_code == 200
    before = venue.equity("bull")
    hear_all(venue, speaker, 0.9)
    lost = 0.5 * 0.1 * venue.prices["BTC"] * QUANTA_PER_UNIT
    assert before - venue.equity("bull") == pytest.approx(lost, rel=ROUNDING)
    (line,) = venue.get("/v1/sources")
    assert (line["name"], line["kind"], line["state"]) == ("desk", "lines", "heard")


def test_while_nothing_is_told_the_mark_stays_and_new_risk_asks_for_more_step_by_step(heard):
    venue, speaker = heard
    hear_all(venue, speaker)
    calm = venue.market()
    speaker.say({})
    until(lambda: venue.feed().startswith("degraded: no fresh price of BTC"))
    ticked = venue.view.state.ticked
    highest = pytest.approx([STEPS[-1].multiplier * rate for rate in calm["initial"]])
    until(lambda: venue.market()["initial"] == highest)
    asked = [each.method.markets[0].long.initial for each in venue.view.history]
    assert asked == sorted(asked)
    assert STEPS[0].multiplier * asked[0] == pytest.approx(asked[1])
    aged = venue.market()
    assert aged["maintenance"] == calm["maintenance"]
    assert aged["price"] == calm["price"]
    assert venue.view.state.ticked == ticked
    assert venue.get("/v1/sources")[0]["state"] == "silent"
    assert any("price in doubt" in note for note in venue.get("/v1/parameters")["provenance"]["inputs"])
    hear_all(venue, speaker)
    assert venue.market()["initial"] == calm["initial"]


def test_nonsense_is_counted_and_is_no_price(heard):
    venue, speaker = heard
    hear_all(venue, speaker)
    mark = venue.mark()
    speaker.say_bytes(b'{"type": "oracle-price", "market": XBT\n')
    until(lambda: venue.feed().startswith("degraded"))
    until(lambda: venue.get("/v1/sources")[0]["refused"].get("unreadable", 0) > 0)
    assert venue.mark() == mark
    assert 'plimsoll_source_refused{source="desk",fault="unreadable"}' in venue.get("/v1/metrics")


def flat_book(mid, share):
    """Give bids and asks of a book that follows the curve at a share of its depth, in levels of fifty."""
    away = [CURVE.half_spread / share + 2e-3 * 50.0 / 1e4 / share * (level + 0.5) for level in range(300)]
    return tuple(
        tuple((mid * (1.0 + side * one), 50.0 / (mid * (1.0 + side * one))) for one in away)
        for side in (-1.0, 1.0)
    )


def test_what_the_books_show_of_the_published_depth_is_told_with_its_reason_and_falls_when_they_are_silent(
    heard,
):
    venue, speaker = heard
    hear_all(venue, speaker)
    (published,) = venue.get("/v1/parameters")["liquidity"]
    assert published["market"] == "ETH"
    assert published["curves"][0]["reference"] == CURVE.reference
    speaker.show({"ETH": flat_book(venue.prices["ETH"], 0.3)})

    def left():
        return {row["market"]: row["left"] for row in venue.get("/v1/branching")}

    until(lambda: left().get("ETH") == pytest.approx(0.3, rel=NEAR))
    assert left()["BTC"] == 1.0
    reading = venue.get("/v1/sources")[0]["depth"]["ETH"]
    assert reading["share"] == pytest.approx(0.3, rel=NEAR)
    assert reading["cost"][0] > reading["normal"][0] > 0.0
    speaker.show({})
    until(lambda: left()["ETH"] == CURVE.stressed_depth)


def test_ticks_through_the_api_are_refused_where_sources_tell_prices(heard):
    venue, speaker = heard
    hear_all(venue, speaker)
    body = {"time": wall_clock(), "marks": {"BTC-PERP": 1.0}}
    answer = venue.post("/v1/ticks", body, Scope.RISK)
    assert answer.json()["code"] == Code.BAD_REQUEST


def test_a_market_without_a_price_keeps_its_mark_asks_for_more_and_holds_up_no_other(tmp_path):
    with LineSpeaker("desk") as speaker:
        settings = listening(tmp_path, speaker)
        settings = replace(settings, external=replace(settings.external, bar_seconds=1))
        with venue_of(settings) as venue:
            hear_all(venue, speaker)
            calm = {name: venue.market(name)["initial"] for name in ("BTC", "ETH")}
            speaker.say(said(venue, 0.97, "BTC"))
            until(lambda: venue.mark() == pytest.approx(venue.prices["BTC"] * 0.97))

            def asks_for_more() -> bool:
                speaker.say(said(venue, 0.97, "BTC"))  # or it would be old too, on a slow machine
                rates = zip(venue.market("ETH")["initial"], calm["ETH"], strict=True)
                return all(now >= FIRST_STEP * before for now, before in rates)

            until(asks_for_more)
            assert venue.market("BTC")["initial"] == calm["BTC"]
            assert venue.mark("ETH-PERP") == pytest.approx(venue.prices["ETH"])
            assert venue.feed().startswith("degraded: no fresh price of ETH")
            bars = list(venue.service.desk.records.bars())
            assert bars[-1].close[1] is None
            assert bars[-1].close[0] == pytest.approx(venue.prices["BTC"] * 0.97)
        with venue_of(settings) as again:
            hear_all(again, speaker)
            assert {name: again.market(name)["initial"] for name in calm} == calm

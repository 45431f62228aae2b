"""Do signed reports margin a venue, and can no liar, stranger or silence move what they agree on?"""

import asyncio
import json

import msgspec
import pytest
from msgspec.structs import replace

from plimsoll.domain.oracle import Step
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.reports import sign_report
from plimsoll.service.client import Client
from plimsoll.service.configuration import read_settings
from plimsoll.service.live_feed import wall_clock
from plimsoll.service.settings import PriceSettings, ReportSettings, SourceSettings
from plimsoll.service.tokens import Scope
from tests.support.listening import PATIENCE, until, venue_of
from tests.support.services import external_settings
from tests.support.speakers import LineSpeaker

KEYS = tuple(f"0x{digit * 64}" for digit in "1234")
STRANGER = "0x" + "9" * 64
CHAIN, VENUE = 8453, "tests"
UNIT = 10**18
AGE = (Step(1.0, 1.5), Step(2.0, 3.0))
SPREAD = (Step(0.05, 1.25), Step(0.2, 2.0))
QUICK = PriceSettings(tick_seconds=0.1, age_steps=AGE, spread_steps=SPREAD, spread_seconds=1.0)


def signed(key, price, market="BTC", time=None, chain=CHAIN, venue=VENUE):
    return sign_report(key, market, round(price * UNIT), UNIT, time or wall_clock(), chain=chain, venue=venue)


REPORTERS = tuple(signed(key, 1.0).reporter for key in KEYS)


def settings_in(folder, **changed):
    reports = ReportSettings(
        weights=dict.fromkeys(REPORTERS, 1), longest_age=1.0, chain=CHAIN, venue=VENUE, weight_in_mark=2
    )
    return replace(external_settings(folder), reports=reports, prices=QUICK, **changed)


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    with venue_of(settings_in(tmp_path_factory.mktemp("venue"))) as running:
        yield running


def posted(venue, *reports):
    body = msgspec.to_builtins({"reports": reports})
    return venue.post("/v1/reports", body, Scope.REPORT)


def say(venue, factors, market="BTC", keys=KEYS):
    """Let each reporter report its multiple of the price known at the start."""
    price = venue.prices[market]
    reports = [signed(key, price * f, market) for key, f in zip(keys, factors, strict=False)]
    answer = posted(venue, *reports)
    assert answer.status_code == 200, answer.text
    return answer.json()


def say_all(venue, *factors):
    """Report both markets, so that all is well in every market but what the factors make of BTC."""
    say(venue, (1.0,) * len(KEYS), "ETH")
    say(venue, factors)


def line(venue, market="BTC"):
    return {each["market"]: each for each in venue.get("/v1/reports")}[market]


def heard(venue, factor):
    """Whether the mark has come to this multiple of the price known at the start."""
    return venue.mark() == pytest.approx(venue.prices["BTC"] * factor, rel=1e-9)


def test_what_a_quorum_signs_is_the_mark_and_a_liar_does_not_move_it(venue):
    say_all(venue, 0.97, 0.98, 0.98, 50.0)
    until(lambda: heard(venue, 0.98))
    said = line(venue)
    states = {each["reporter"]: each["state"] for each in said["reporters"]}
    assert sorted(states.values()) == ["counted", "counted", "counted", "deviating"]
    assert states[REPORTERS[3]] == "deviating"
    assert (said["share"], said["has_quorum"]) == (1.0, True)
    assert venue.market()["price_age"] < 1.0
    text = venue.get("/v1/metrics")
    assert 'plimsoll_reports_quorum{market="BTC"} 1' in text
    assert 'plimsoll_reports_share{market="BTC"} 1' in text


def test_below_a_quorum_the_mark_stays_and_new_risk_asks_for_more(venue):
    say_all(venue, 1.0, 1.0, 1.0, 1.0)
    until(lambda: heard(venue, 1.0) and venue.feed() == "running" and venue.market()["raised"] == 1.0)
    calm = venue.market()
    say(venue, (1.0,) * len(KEYS), "ETH")
    told, tripled = [], pytest.approx([AGE[1].multiplier * rate for rate in calm["initial"]])

    def silence_is_seen():
        """One of four goes on, at a price of its own: no quorum."""
        say(venue, (1.0,) * len(KEYS), "ETH")
        say(venue, (0.5,))
        told.append(venue.mark())
        return venue.market()["initial"] == tripled

    until(silence_is_seen)
    assert told == pytest.approx([venue.prices["BTC"]] * len(told))
    aged = venue.market()
    assert aged["raised"] == AGE[1].multiplier
    assert aged["maintenance"] == calm["maintenance"]
    assert venue.market("ETH")["raised"] == 1.0
    assert venue.feed().startswith("degraded: no fresh price of BTC")
    text = venue.get("/v1/metrics")
    assert 'plimsoll_reports_quorum{market="BTC"} 0' in text
    assert 'plimsoll_price_multiplier{market="BTC"} 3' in text
    said = line(venue)
    assert (said["share"], said["has_quorum"]) == (0.25, False)
    say_all(venue, 1.0, 1.0, 1.0, 1.0)
    until(lambda: venue.market()["initial"] == calm["initial"])


def test_reporters_who_disagree_raise_initial_margin_for_as_long_as_the_setting_says(venue):
    say_all(venue, 0.9, 0.9, 1.1, 1.1)
    until(lambda: heard(venue, 1.0) and venue.market()["raised"] == SPREAD[0].multiplier)
    assert venue.market()["spread"] == pytest.approx(0.1)

    def agreed_again():
        say_all(venue, 1.0, 1.0, 1.0, 1.0)
        return venue.market()["raised"] == 1.0

    until(agreed_again)


def test_the_same_report_again_changes_nothing_and_another_of_its_moment_convicts_the_signer(venue):
    now, price = wall_clock(), venue.prices["BTC"]
    first = [signed(key, price, time=now) for key in KEYS]
    assert posted(venue, *first).json() == {"taken": 4, "known": 0, "refused": []}
    assert posted(venue, *first).json() == {"taken": 0, "known": 4, "refused": []}
    other = posted(venue, signed(KEYS[0], price * 2, time=now))
    assert (other.status_code, other.json()["code"]) == (422, Code.EQUIVOCAL)
    states = {each["reporter"]: each["state"] for each in line(venue)["reporters"]}
    assert states[REPORTERS[0]] == "equivocal"
    assert line(venue)["share"] == 0.75


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"key": STRANGER}, 422, Code.UNKNOWN_REPORTER),
        ({"market": "SOL"}, 422, Code.UNKNOWN_MARKET),
        ({"market": "SOL", "key": STRANGER}, 422, Code.UNKNOWN_MARKET),
        ({"price": 0.0}, 422, Code.BAD_PRICE),
        ({"time": 1_700_000_000_000}, 422, Code.BAD_TIME),
        ({"time": 4_000_000_000_000}, 422, Code.BAD_TIME),
        ({"chain": 1}, 422, Code.BAD_SIGNATURE),
        ({"venue": "elsewhere"}, 422, Code.BAD_SIGNATURE),
    ],
)
def test_a_report_that_cannot_count_is_refused_by_its_code(venue, changed, status, code):
    given = {"key": KEYS[0], "price": 100.0} | changed
    answer = posted(venue, signed(**given))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_forged_report_is_refused_in_its_place_and_the_others_stand(venue):
    good = signed(KEYS[1], venue.prices["BTC"])
    forged = msgspec.structs.replace(good, price=str(3 * UNIT))
    answer = posted(venue, forged, good).json()
    assert (answer["taken"], len(answer["refused"])) == (1, 1)
    assert (answer["refused"][0]["place"], answer["refused"][0]["code"]) == (0, "bad-signature")


@pytest.mark.parametrize("body", [{}, {"reports": []}, {"reports": [{}]}, {"reports": "x"}])
def test_what_is_no_report_is_refused(venue, body):
    answer = venue.post("/v1/reports", body, Scope.REPORT)
    assert (answer.status_code, answer.json()["code"]) == (400, Code.BAD_REQUEST)


def test_a_program_reports_through_the_client_and_hears_the_code(venue):
    async def asked():
        address = str(venue.client.base_url)
        async with Client(address, venue.tokens[Scope.REPORT]) as reporter:
            answer = await reporter.report([signed(KEYS[2], venue.prices["ETH"], "ETH")])
            with pytest.raises(PlimsollError) as refused:
                await reporter.report([signed(STRANGER, 1.0)])
        async with Client(address, venue.tokens[Scope.READ]) as reader:
            return answer, refused.value.code, await reader.reports()

    answer, code, lines = asyncio.run(asked())
    assert (answer.taken, code) == (1, Code.UNKNOWN_REPORTER)
    assert {each.market for each in lines} == {"BTC", "ETH"}


def test_ticks_through_the_api_are_refused_where_reporters_tell_prices(venue):
    body = {"time": wall_clock(), "marks": {"BTC-PERP": 1.0}}
    assert venue.post("/v1/ticks", body, Scope.RISK).json()["code"] == Code.BAD_REQUEST


def test_reporters_are_one_voice_among_the_sources(tmp_path):
    with LineSpeaker("desk") as speaker:
        source = SourceSettings(
            kind="lines",
            address=f"127.0.0.1:{speaker.port}",
            markets={"BTC": "XBT", "ETH": "ETH"},
            longest_age=0.5,
            silent_seconds=PATIENCE,
        )
        with venue_of(settings_in(tmp_path, sources={"desk": source})) as venue:
            speaker.say({"XBT": venue.prices["BTC"], "ETH": venue.prices["ETH"]})
            until(lambda: heard(venue, 1.0))

            def outvoted():
                say(venue, (1.2,) * len(KEYS))
                return heard(venue, 1.2)

            until(outvoted)
            states = {each["name"]: each["state"] for each in venue.get("/v1/sources")}
            assert states["desk"] == "heard"
            until(lambda: heard(venue, 1.0))
            assert venue.feed() == "running"


GOOD = """
feed = "external"
[external]
markets = ["BTC"]
[reports]
weights = { "0xABababababababababababababababababababab" = 1 }
"""


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('feed = "external"', 'feed = "replay"', "reports"),
        ("0xAB", "0xZZ", "reports.weights"),
        (" = 1 }", ' = 1, "0xabababababababababababababababababababab" = 2 }', "reports.weights"),
        ('{ "0xABababababababababababababababababababab" = 1 }', "{}", "weights"),
        (
            "[reports]",
            '[sources.reporters]\nkind = "lines"\naddress = "h:1"\nmarkets = { BTC = "B" }\n[reports]',
            "sources.reporters",
        ),
    ],
)
def test_settings_that_name_no_reporter_are_refused(tmp_path, old, new, where):
    path = tmp_path / "plimsoll.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert json.loads(msgspec.json.encode(read_settings(path, {}).reports))["chain"] == 1
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(PlimsollError) as refused:
        read_settings(path, {})
    assert (refused.value.code, refused.value.where) == (Code.BAD_SETTING, where)

"""Does the door let in what the named reporter signed, and nothing else?"""

import json
import sys

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.domain.observations import Fault, Refusal
from plimsoll.domain.oracle import Report
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.reports import ReportDoor, sign_report

KEYS = ("0x" + "11" * 32, "0x" + "2f" * 32)
ADDRESS = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
"""Of the first key: a fact of the curve and of Keccak-256, as any wallet shows it."""
NOW = 1_760_000_000_000


@pytest.fixture(scope="module")
def door():
    return ReportDoor(chain=1, venue="tests")


def signed(key=KEYS[0], chain=1, venue="tests"):
    report = sign_report(key, "BTC", 612_345 * 10**17, 5 * 10**17, NOW, chain=chain, venue=venue)
    return msgspec.to_builtins(report)


def admitted(door, document):
    return door.admit(json.dumps(document).encode(), NOW)


def test_a_report_signed_by_its_reporter_is_let_in(door):
    assert admitted(door, signed()) == Report(ADDRESS, "BTC", 61_234.5, 0.5, NOW)


@pytest.mark.parametrize(
    "forged",
    [
        {"price": "61234500000000000000001"},
        {"confidence": "0"},
        {"market": "ETH"},
        {"time": NOW + 1},
        {"reporter": "0x" + "ab" * 20},
    ],
)
def test_a_report_altered_in_any_field_is_refused(door, forged):
    refusal = admitted(door, signed() | forged)
    assert isinstance(refusal, Refusal)
    assert refusal.fault is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("elsewhere", [{"chain": 8453}, {"venue": "other"}, {"key": KEYS[1]}])
def test_a_report_for_another_chain_or_venue_or_by_another_key_is_refused(door, elsewhere):
    foreign = signed(**elsewhere) | {"reporter": ADDRESS}
    assert admitted(door, foreign).fault is Fault.BAD_SIGNATURE


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signature=st.binary(min_size=65, max_size=65))
def test_no_signature_out_of_the_air_is_let_in(door, signature):
    refusal = admitted(door, signed() | {"signature": "0x" + signature.hex()})
    assert refusal.fault is Fault.BAD_SIGNATURE


@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_whatever_comes_is_answered_by_a_value(door, blob):
    assert door.admit(blob, NOW).fault is Fault.UNREADABLE


@pytest.mark.parametrize("field", ["reporter", "market", "price", "confidence", "time", "signature"])
@pytest.mark.parametrize("value", [None, -1, 1e300, "", "0 x", "9" * 61, "\ud800", [], {"a": 1}])
def test_a_field_of_another_kind_is_unreadable(door, field, value):
    assert admitted(door, signed() | {field: value}).fault is Fault.UNREADABLE


def test_without_the_library_the_remedy_is_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "eth_account", None)
    with pytest.raises(PlimsollError) as refusal:
        ReportDoor(chain=1, venue="tests")
    assert refusal.value.code is Code.MISSING_EXTRA
    assert "plimsoll-margin[chain]" in str(refusal.value)

"""Is what a store cannot take or reach said with its code, and never with a password?"""

import sys

import pytest

from plimsoll.domain.events import Deposited, Funded, Opened
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.location import open_store
from plimsoll.store.records import Entry

SECRET = "correct-horse"  # noqa: S105 of nobody


def refused(code, call):
    with pytest.raises(PlimsollError) as refusal:
        call()
    assert refusal.value.code is code
    assert SECRET not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("key", ["", " ", "two words", "line\nbreak", "\u00e9", "\x00", "x" * 201, "\ud800"])
@pytest.mark.parametrize("field", ["key", "writer"])
def test_a_key_or_writer_that_no_database_and_no_log_could_bear_is_refused(field, key):
    refused(Code.BAD_ENTRY, lambda: Entry(Funded(1, 1, 1), **{field: key}))


@pytest.mark.parametrize("event", [Deposited(1, ("a",), (2**70,)), Opened(1, ("\ud800",), (1,))])
def test_an_event_that_cannot_be_written_down_is_refused_and_nothing_of_its_group_is_kept(tmp_path, event):
    store = open_store(tmp_path / "venue.sqlite", writing=True)
    refused(Code.BAD_ENTRY, lambda: store.append([Entry(Funded(1, 1, 1)), Entry(event)]))
    assert store.last().sequence == 0
    store.append([Entry(Funded(1, 1, 1))])
    assert store.last().sequence == 1
    store.close()


@pytest.mark.parametrize(
    "tail",
    [
        "?schema=Drop Table",
        "?schema=a;b",
        "?sslmode=allow",
        "?target_session_attrs=any",
        "?schema=" + "x" * 64,
    ],
)
def test_a_url_with_what_is_not_understood_is_refused(tail):
    url = f"postgresql://venue:{SECRET}@db.internal/venue{tail}"
    assert "db.internal/venue" in refused(Code.BAD_SETTING, lambda: open_store(url, writing=True))


def test_a_port_that_is_no_number_is_refused():
    url = f"postgresql://venue:{SECRET}@db.internal:port/venue"
    refused(Code.BAD_SETTING, lambda: open_store(url, writing=True))


@pytest.mark.parametrize("server", ["127.0.0.1:1/venue", "/venue?host=nowhere"])
def test_a_server_that_cannot_be_reached_is_a_failure_of_the_store(server):
    pytest.importorskip("pg8000", reason="install the extra plimsoll-margin[service] to run this test")
    url = f"postgresql://venue:{SECRET}@{server}"
    refused(Code.STORE_FAILED, lambda: open_store(url, writing=True))


def test_without_pg8000_the_remedy_is_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pg8000.native", None)
    told = refused(Code.MISSING_EXTRA, lambda: open_store("postgresql://venue@db/venue", writing=True))
    assert "plimsoll-margin[service]" in told


def test_a_folder_that_is_not_there_is_a_failure_of_the_store(tmp_path):
    refused(Code.STORE_FAILED, lambda: open_store(tmp_path / "absent" / "venue.sqlite", writing=True))


def test_a_file_that_is_no_store_is_not_taken_for_one(tmp_path):
    (tmp_path / "venue.sqlite").write_bytes(b"symbol,ts\n" * 500)
    refused(Code.BROKEN_JOURNAL, lambda: open_store(tmp_path / "venue.sqlite", writing=True))
    assert (tmp_path / "venue.sqlite").read_bytes() == b"symbol,ts\n" * 500

"""Do the service's records keep all of a batch or none, and say what was wrong first?"""

import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.records import KeptBar, Records


def bar(time):
    return KeptBar(time=time, length=60, open=(1.0,), high=(1.0,), low=(1.0,), close=(1.0,), volume=(None,))


@pytest.fixture
def records(tmp_path):
    records = Records(tmp_path / "desk.sqlite")
    yield records
    records.close()


def test_of_a_batch_that_fails_halfway_nothing_is_kept(records):
    records._database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON bars WHEN NEW.time = 3 "
        "BEGIN SELECT RAISE(ABORT, 'no room'); END"
    )
    with pytest.raises(PlimsollError, match="no room") as told:
        records.keep_bars([bar(1), bar(2), bar(3)])
    assert told.value.code is Code.STORE_FAILED
    assert [*records.bars()] == []
    records.keep_bars([bar(4)])
    assert [*records.bars()] == [bar(4)]


def test_what_the_database_rolled_back_itself_is_told_by_its_first_error(records):
    records._database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON bars WHEN NEW.time = 3 "
        "BEGIN SELECT RAISE(ROLLBACK, 'no room'); END"
    )
    with pytest.raises(PlimsollError, match="no room"):
        records.keep_bars([bar(1), bar(3)])
    assert [*records.bars()] == []


def test_rows_that_cannot_be_made_leave_nothing_behind(records):
    def rows():
        yield bar(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        records.keep_bars(rows())
    assert [*records.bars()] == []
    records.keep_bars([bar(4)])


def test_a_bar_that_is_known_stays(records):
    records.keep_bars([bar(1)])
    records.keep_bars(
        [KeptBar(time=1, length=60, open=(9.0,), high=(9.0,), low=(9.0,), close=(9.0,), volume=(0.0,))]
    )
    assert [*records.bars()] == [bar(1)]

"""How is the file of an implied-volatility index read, and which are refused?"""

import numpy as np
import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.implied import read_implied

HOUR = 3_600_000
START = 1_616_544_000_000


def written(folder, lines, name="index.csv", header="ts,close"):
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_a_close_is_known_when_its_bar_ends_and_percent_become_shares(tmp_path):
    path = written(tmp_path, [f"{START},84.88", f"{START + HOUR},86.6", f"{START + 3 * HOUR},80"])
    found = read_implied({"BTC": path})
    assert found.markets == ("BTC",)
    assert found.times.tolist() == [START + HOUR, START + 2 * HOUR, START + 4 * HOUR]
    assert found.index[:, 0].tolist() == [0.8488, 0.866, 0.8]


def test_files_of_several_markets_are_laid_on_one_course_of_time(tmp_path):
    one = written(tmp_path, [f"{START},80", f"{START + HOUR},81"])
    header = "ts,dvol_open,dvol_close"
    other = written(tmp_path, [f"{START + HOUR},1,90", f"{START + 2 * HOUR},1,91"], "eth.csv", header)
    found = read_implied({"BTC": one, "ETH": other})
    assert found.times.tolist() == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]
    np.testing.assert_array_equal(found.index, [[0.8, np.nan], [0.81, 0.9], [np.nan, 0.91]])


@pytest.mark.parametrize(
    ("lines", "header", "code"),
    [
        ([f"{START},80"], "ts,close", Code.EMPTY_RANGE),
        ([f"{START},80", f"{START},81"], "ts,close", Code.BAD_TIME),
        ([f"{START},80", f"{START + HOUR},-3"], "ts,close", Code.BAD_PRICE),
        ([f"{START},80", f"{START + HOUR},"], "ts,close", Code.BAD_PRICE),
        ([f"{START},80", f"{START + HOUR},81"], "ts,index", Code.MISSING_COLUMN),
        ([f"{START},80", f"{START + HOUR},81"], "time,close", Code.MISSING_COLUMN),
    ],
)
def test_a_file_that_is_no_course_of_an_index_is_refused_by_name(tmp_path, lines, header, code):
    with pytest.raises(PlimsollError, match=r".") as raised:
        read_implied({"BTC": written(tmp_path, lines, header=header)})
    assert raised.value.code is code
    assert "index.csv" in raised.value.where

"""Does an error say what, where and what to do, wherever it goes?"""

import pickle

from plimsoll.errors import Code, PlimsollError


def test_an_error_crosses_processes_unchanged():
    error = PlimsollError(Code.BAD_PRICE, "close is -1", where="bars.csv, row 7", remedy="Correct the row.")
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert str(arrived) == str(error) == "bars.csv, row 7: close is -1 [bad-price]. Correct the row."
    assert (arrived.code, arrived.where, arrived.remedy) == (error.code, error.where, error.remedy)

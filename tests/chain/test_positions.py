"""Does a book packed six to a word hold what a plain table holds, whatever is traded in whatever order?"""

import numpy as np
import pytest

from tests.support.evm import ROLE, Chain, RevertError

LANES, LANE, LOTS = 6, 42, 26
MOST_LOTS = 2**25 - 1
MOST_POSITIONS = 102
STEPS = 600


def unpacked(words: list[int]) -> list[tuple[int, int]]:
    """Give ids and lots in order of lanes, up to the first empty lane."""
    lanes = [(word >> (LANE * k)) & (2**LANE - 1) for word in words for k in range(LANES)]
    filled = [lane for lane in lanes if lane]
    assert lanes[: len(filled)] == filled, "an empty lane stands before a full one"
    return [(lane >> LOTS, (lane % 2**LOTS ^ 2 ** (LOTS - 1)) - 2 ** (LOTS - 1)) for lane in filled]


@pytest.fixture
def library():
    return Chain().deploy("positions_mock")


@pytest.mark.parametrize("instruments", [6, 20, 130])
def test_random_trades_leave_what_a_table_holds(library, instruments):
    generator = np.random.default_rng(instruments)
    ids = [*generator.choice(2**16, instruments, replace=False).tolist(), 0]
    table: dict[int, int] = {}
    for _ in range(STEPS):
        instrument = int(generator.choice(ids))
        closing = generator.random() < 0.45 and instrument in table
        change = -table[instrument] if closing else int(generator.integers(-(10**6), 10**6))
        after = {**table, instrument: table.get(instrument, 0) + change}
        wanted = {key: lots for key, lots in sorted(after.items()) if lots}
        if len(wanted) > MOST_POSITIONS:
            with pytest.raises(RevertError, match=r"^positions: book is full$"):
                library.call("change", ROLE["trader"], instrument, change)
            continue
        assert library.call("change", ROLE["trader"], instrument, change) == after[instrument]
        table = wanted
        assert unpacked(library.call("read", ROLE["trader"])) == list(table.items())
        probe = int(generator.choice(ids))
        assert library.call("lots", ROLE["trader"], probe) == table.get(probe, 0)


@pytest.mark.parametrize("side", [1, -1])
def test_lots_reach_their_bound_and_not_beyond(library, side):
    assert library.call("change", ROLE["trader"], 7, side * MOST_LOTS) == side * MOST_LOTS
    with pytest.raises(RevertError, match=r"^positions: too many lots$"):
        library.call("change", ROLE["trader"], 7, side)
    assert library.call("lots", ROLE["trader"], 7) == side * MOST_LOTS


def test_an_id_of_more_than_sixteen_bits_is_refused(library):
    with pytest.raises(RevertError, match=r"^positions: no such id$"):
        library.call("change", ROLE["trader"], 2**16, 1)


def test_books_of_two_accounts_are_apart(library):
    library.call("change", ROLE["trader"], 1, 5)
    library.call("change", ROLE["maker"], 1, -5)
    assert library.call("lots", ROLE["trader"], 1) == 5
    assert unpacked(library.call("read", ROLE["maker"])) == [(1, -5)]

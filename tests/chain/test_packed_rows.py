"""Is the program that boards begin with what its listing says, and does it only add what it is given?"""

import pytest

from plimsoll.chain.twin.boards import Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.positions import instrument_id, pack
from plimsoll.chain.twin.publication import Quote, publication
from tests.support.boards import DAY, START, WAD, ladder, list_board, open_market, open_world
from tools.assembly import assembled, program, written

LANES = constants("positions")["MAX_POSITIONS"]


def test_the_contract_holds_what_the_listing_assembles_to():
    assert written() == program(), "run python -m tools.assembly"
    assert constants("packed_rows")["HEADER"] == len(program())


def test_an_operand_that_nobody_defined_is_refused():
    assert (
        assembled("start:\nPUSH1 start ; comment\nPUSH2 WIDE\nJUMP", {"WIDE": 258}).hex() == "5b600061010256"
    )
    with pytest.raises(KeyError):
        assembled("PUSH1 nowhere", {})


@pytest.mark.parametrize(
    ("basis", "volatility", "exponent"), [(-1, 0, 63), (2**31 - 1, 2**26 - 1, 0), (-(2**31), 7, 1)]
)
def test_a_row_reads_back_as_it_was_written(basis, volatility, exponent):
    row = Row(basis, volatility, exponent, tuple((509 * place + 16_383) % 16_384 for place in range(32)))
    assert len(row.encoded()) == constants("packed_rows")["ROW"]
    assert Row.decoded(row.encoded()) == row


def test_a_full_book_over_every_board_of_two_markets_is_what_its_twin_says():
    world = open_world()
    listings = tuple(
        Listing(kind, START + days * DAY, strike * WAD)
        for days in (7, 60)
        for strike in (80_000, 100_000, 125_000)
        for kind in (1, 2)
    )
    for number in (2, 6):
        market = Market(lot=WAD // 100, spread=150_000, power=300_000, scenarios=ladder(31))
        world.spots[number] = 100_000 * WAD
        open_market(world, number, market)
        for board in range(8):
            list_board(world, number << 3 | board, listings)
            quotes = [Quote(5_000_000 * board, 500_000 + 40_000 * row) for row in range(len(listings))]
            sent = publication(market, listings, quotes, spot=world.spots[number], as_of=START)
            world.publish(number << 3 | board, sent)
    ids = [
        instrument_id(number, board, row)
        for number in (2, 6)
        for board in range(8)
        for row in range(len(listings))
    ]
    chosen = [ids[place * len(ids) // LANES] for place in range(LANES)]
    words = pack([(each, (-1) ** place * (17 + place)) for place, each in enumerate(chosen)])
    assert all(words)
    twin = world.twin.packed(words, world.spots, START)
    assert world.risks("packed", words, world.spots) == [
        (risk.market, risk.value, risk.worst, risk.scenario, risk.as_of) for risk in twin
    ]

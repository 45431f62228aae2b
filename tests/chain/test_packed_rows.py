"""Are the programs written by hand what their listings say, and do rows only add what they are given?"""

import pytest

from plimsoll.chain.twin.boards import Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.greeks_engine import GreeksEngine
from plimsoll.chain.twin.positions import instrument_id, pack
from plimsoll.chain.twin.publication import Quote, publication
from tests.support.boards import DAY, START, WAD, ladder, list_board, open_market, open_world
from tests.support.evm import RevertError
from tools.assembly import PROGRAMS, assembled, program, written

LANES = constants("positions")["MAX_POSITIONS"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_contract_holds_what_the_listing_assembles_to(name):
    assert written(name) == program(name), "run python -m tools.assembly"
    assert constants(name)["LENGTH"] == len(program(name))


def test_an_operand_that_nobody_defined_is_refused():
    assert (
        assembled(
            "HERE = 7\nstart:\nPUSH1 start ; comment\nPUSH2 WIDE\nPUSH1 HERE\nJUMP", {"WIDE": 258}
        ).hex()
        == "5b6000610102600756"
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
    for path, twin in (("packed", world.twin.packed), ("greeks", GreeksEngine(world.twin).greeks)):
        assert world.risks(path, words, world.spots) == [
            (risk.market, risk.value, risk.worst, risk.scenario, risk.as_of)
            for risk in twin(words, world.spots, START)
        ]


def test_a_row_that_is_listed_and_not_yet_published_is_refused_by_the_screen_too():
    world = open_world()
    world.spots[0] = 100_000 * WAD
    market = Market(lot=WAD // 100, spread=150_000, power=300_000, scenarios=ladder(31))
    open_market(world, 0, market)
    listings = tuple(Listing(1, START + 30 * DAY, strike * WAD) for strike in (90_000, 110_000))
    list_board(world, 0, listings[:1])
    sent = publication(market, listings[:1], [Quote(0, 600_000)], spot=world.spots[0], as_of=START)
    world.publish(0, sent)
    world.contract.call("list_board", 0, 0, [listing.word for listing in listings])
    for path, contract in (("exact", world.contract), ("greeks", world.screen)):
        assert contract.call(path, pack([(0, 7)]), world.spots)
        with pytest.raises(RevertError):
            contract.call(path, pack([(0, 7), (1, -3)]), world.spots)

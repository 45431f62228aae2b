"""Who may change what in the margin engine, what is refused, and what does a challenge do?"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from plimsoll.chain.twin.boards import Listing, Market, Row
from plimsoll.chain.twin.positions import pack
from plimsoll.chain.twin.publication import Publication, Quote, publication
from tests.support.boards import DAY, START, WAD, World, ladder, list_board, open_market, open_world
from tests.support.evm import RevertError

MARKET = Market(lot=WAD // 100, spread=150_000, power=300_000, scenarios=ladder(31))
LISTINGS = (
    Listing(kind=0),
    Listing(kind=1, expiry=START + 30 * DAY, strike=105_000 * WAD),
    Listing(kind=2, expiry=START + DAY, strike=98_000 * WAD),
)
SPOT = 100_000 * WAD
BOOK = pack([(0, 3), (1, -10), (2, 7)])


def published(world: World) -> Publication:
    return publication(
        MARKET, LISTINGS, [Quote(5_000_000, 650_000)] * 3, spot=SPOT, as_of=world.chain.timestamp
    )


@pytest.fixture
def world() -> World:
    opened = open_world()
    opened.spots[0] = SPOT
    open_market(opened, 0, MARKET)
    list_board(opened, 0, LISTINGS)
    opened.publish(0, published(opened))
    return opened


def send(world: World, sent: Publication, *, sender: str = "publisher") -> None:
    bounds = (sent.as_of, sent.spot, sent.notional, sent.decay)
    world.contract.call("publish", 0, 0, *bounds, sent.encoded, sender=sender)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("open_market", 1, WAD, 100_000, 0, []), "engine: not the governor"),
        (("set_range", 0, 200_000), "engine: not the governor"),
        (("list_board", 0, 1, []), "engine: not the governor"),
        (("resume",), "engine: not the governor"),
        (("halt",), "engine: not the guardian"),
        (("publish", 0, 0, START, SPOT, 1, 1, b""), "engine: not the publisher"),
    ],
)
def test_a_stranger_changes_nothing(world, call, reason):
    with pytest.raises(RevertError, match=f"^{reason}$"):
        world.contract.call(*call, sender="stranger")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("open_market", 8, WAD, 1, 0, []), "engine: no such market"),
        (("open_market", 1, 0, 1, 0, []), "engine: no such lot"),
        (("open_market", 0, WAD, 1, 0, []), "engine: lot is set"),
        (("open_market", 1, WAD, 1, 1_000_001, []), "engine: power too large"),
        (("open_market", 1, WAD, 100_000, 0, [(2**31, 0)]), "engine: move too large"),
        (("open_market", 1, WAD, 960_000, 0, [(-1_000_000, 0)]), "engine: move too large"),
        (("set_range", 0, 960_000), "engine: move too large"),
        (("set_range", 1, 1), "engine: no such market"),
        (("list_board", 1, 0, []), "engine: no such market"),
        (("list_board", 0, 8, []), "engine: no such board"),
        (("list_board", 0, 1, [3 << 168]), "engine: no such kind"),
        (("list_board", 0, 1, [1 << 168 | WAD]), "engine: no expiry"),
        (("list_board", 0, 1, [1 << 168 | START << 128]), "engine: bad strike"),
        (("list_board", 0, 1, [WAD]), "engine: bad strike"),
        (("list_board", 0, 0, [0]), "engine: row is in use"),
    ],
)
def test_a_governor_cannot_set_what_makes_no_sense(world, call, reason):
    with pytest.raises(RevertError, match=f"^{reason}$"):
        world.contract.call(*call)


def test_a_row_is_reused_only_a_week_after_its_expiry(world):
    later = (LISTINGS[0], LISTINGS[1], Listing(kind=1, expiry=START + 60 * DAY, strike=110_000 * WAD))
    words = [listing.word for listing in later]
    world.chain.at(LISTINGS[2].expiry + 7 * DAY - 1)
    with pytest.raises(RevertError, match="row is in use"):
        world.contract.call("list_board", 0, 0, words)
    world.chain.at(LISTINGS[2].expiry + 7 * DAY)
    world.contract.call("list_board", 0, 0, words)
    assert world.contract.call("terms", 2) == (1, START + 60 * DAY, 110_000 * WAD, MARKET.lot)
    with pytest.raises(RevertError, match="packed: superseded"):
        world.contract.call("packed", BOOK, world.spots)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"as_of": START}, "engine: bad time"),
        ({"as_of": START + 61}, "engine: bad time"),
        ({"spot": 0}, "engine: bad price"),
        ({"spot": 2**112}, "engine: bad price"),
        ({"notional": 2**48}, "engine: bound too large"),
        ({"decay": 2**48}, "engine: bound too large"),
        ({"rows": ()}, "engine: rows do not match"),
    ],
)
def test_a_publication_that_makes_no_sense_is_refused(world, change, reason):
    world.chain.pass_seconds(60)
    with pytest.raises(RevertError, match=f"^{reason}$"):
        send(world, replace(published(world), **change))
    send(world, published(world))


def test_a_range_that_moves_leaves_only_the_exact_path_until_rows_are_published_anew(world):
    world.contract.call("set_range", 0, 200_000)
    with pytest.raises(RevertError, match=r"^packed: superseded$"):
        world.contract.call("packed", BOOK, world.spots)
    (wider,) = world.risks("exact", BOOK, world.spots)
    world.twin.markets[0] = replace(MARKET, spread=200_000)
    (twin,) = world.twin.exact(BOOK, world.spots, START)
    assert wider[1:3] == (twin.value, twin.worst)


def test_halting_silences_packed_rows_and_nothing_else(world):
    world.contract.call("halt", sender="keeper")
    with pytest.raises(RevertError, match=r"^packed: superseded$"):
        world.contract.call("packed", BOOK, world.spots)
    world.chain.pass_seconds(60)
    send(world, published(world))
    with pytest.raises(RevertError, match=r"^packed: superseded$"):
        world.contract.call("packed", BOOK, world.spots)
    assert world.contract.call("exact", BOOK, world.spots)
    world.contract.call("resume")
    world.chain.pass_seconds(60)
    send(world, published(world))
    assert world.contract.call("packed", BOOK, world.spots)


def test_no_honest_row_is_ever_refuted(world):
    for row in range(3):
        assert world.twin.holds(row)
        assert world.contract.call("challenge", 0, 0, row, sender="stranger") is False
    assert world.contract.call("packed", BOOK, world.spots)


def shifted(row: Row, scenario: int, by: int) -> Row:
    lanes = list(row.lanes)
    lanes[scenario] += by
    return replace(row, lanes=tuple(lanes))


def telling(sent: Publication, told: Row) -> Publication:
    return replace(sent, rows=(sent.rows[0], told, sent.rows[2]))


LIES: dict[str, Callable[[Publication], Publication]] = {
    "a lane too high": lambda sent: telling(sent, shifted(sent.rows[1], 17, 1)),
    "a lane too low": lambda sent: telling(sent, shifted(sent.rows[1], 0, -1)),
    "the last lane": lambda sent: telling(sent, shifted(sent.rows[1], 31, 1)),
    "an exponent": lambda sent: telling(sent, replace(sent.rows[1], exponent=sent.rows[1].exponent + 1)),
    "a forward below nothing": lambda sent: telling(sent, replace(sent.rows[1], basis=-1_000_000_000)),
    "too small a notional": lambda sent: replace(sent, notional=sent.notional // 2),
}


@pytest.mark.parametrize("lie", LIES)
def test_every_lie_about_a_row_is_refuted_and_silences_its_board(world, lie):
    world.chain.pass_seconds(60)
    sent = LIES[lie](published(world))
    world.publish(0, sent)
    assert not world.twin.holds(1)
    assert world.contract.call("challenge", 0, 0, 1, sender="stranger") is True
    (event,) = world.contract.events()
    assert (event.name, event.fields["row"]) == ("Refuted", 1)
    with pytest.raises(RevertError, match=r"^packed: refuted$"):
        world.contract.call("packed", BOOK, world.spots)
    with pytest.raises(RevertError, match=r"^engine: rows do not count$"):
        world.contract.call("challenge", 0, 0, 1)


def test_a_decay_that_is_too_small_is_refuted_by_the_row_it_wrongs(world):
    world.chain.pass_seconds(60)
    world.publish(0, replace(published(world), decay=published(world).decay - 1))
    answers = [world.contract.call("challenge", 0, 0, row) for row in (0, 1, 2)]
    assert answers == [False, False, True], "the option that expires tomorrow decays fastest"


def test_a_mark_is_the_payoff_from_expiry_on_at_the_settlement_price(world):
    world.chain.at(LISTINGS[2].expiry)
    assert world.contract.call("mark", 2, 97_000 * WAD) == 1_000 * 10_000 - 1
    assert world.contract.call("mark", 2, 99_000 * WAD) == 0
    now = world.chain.timestamp
    assert world.twin.mark(2, 97_000 * WAD, now) == 1_000 * 10_000 - 1
    (book,), (twin,) = (
        world.risks("exact", BOOK, world.spots),
        world.twin.exact(BOOK, world.spots, now),
    )
    assert book[1:3] == (twin.value, twin.worst)


def test_what_was_published_can_be_told_by_its_digest(world):
    before = world.contract.call("committed", 0, 0)
    assert before != bytes(32)
    world.chain.pass_seconds(60)
    send(world, published(world))
    assert world.contract.call("committed", 0, 0) not in (before, bytes(32))
    assert world.contract.call("committed", 0, 5) == bytes(32)


def test_boards_out_of_order_and_rows_that_are_not_listed_are_refused(world):
    list_board(world, 1, LISTINGS)
    world.publish(1, published(world))
    words = [pack([(1 << 10, 1)])[0], pack([(0, 1)])[0], *[0] * 15]
    for contract, path in ((world.contract, "packed"), (world.contract, "exact"), (world.screen, "greeks")):
        assert contract.call(path, [words[1], words[0], *words[2:]], world.spots)
        with pytest.raises(RevertError, match=r"^engine: order$"):
            contract.call(path, words, world.spots)
        with pytest.raises(RevertError, match=r"^$"):
            contract.call(path, pack([(3, 1)]), world.spots)

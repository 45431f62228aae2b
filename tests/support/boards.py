"""How do tests set a margin engine up: random markets, boards and books, on chain and in the twin alike?"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from plimsoll.chain.twin.boards import Board, Listing, Market
from plimsoll.chain.twin.margin_engine import MarginEngine
from plimsoll.chain.twin.positions import instrument_id, pack
from plimsoll.chain.twin.publication import Publication, Quote, publication
from tests.support.evm import ROLE, Chain, Contract

__all__ = [
    "START",
    "World",
    "draw_book",
    "draw_market",
    "draw_world",
    "ladder",
    "list_board",
    "open_market",
    "open_world",
    "publish_board",
]

WAD = 10**18
DAY = 86_400
START = 1_767_225_600


@dataclass
class World:
    """A deployed engine, its twin in the same state, and spots by market."""

    chain: Chain
    contract: Contract
    twin: MarginEngine
    spots: list[int]

    @cached_property
    def screen(self) -> Contract:
        """Deploy the screen over the engine when it is first asked."""
        return self.chain.deploy("GreeksEngine", self.contract.address)

    def risks(self, path: str, *arguments: object) -> list[tuple[int, ...]]:
        """Ask the contract, or the screen, for the risks of the markets held, each behind its number."""
        found = (self.screen if path == "greeks" else self.contract).call(path, *arguments)
        return [(market, *risk) for market, risk in enumerate(found) if any(risk)]

    def publish(self, key: int, published: Publication) -> None:
        """Publish a board on chain and in the twin."""
        self.contract.call(
            "publish",
            key >> 3,
            key & 7,
            published.as_of,
            published.spot,
            published.notional,
            published.decay,
            published.encoded,
            sender="publisher",
        )
        self.twin.boards[key] = replace(
            self.twin.boards[key],
            as_of=published.as_of,
            spot=published.spot,
            notional=published.notional,
            decay=published.decay,
            rows=published.rows,
            superseded=False,
            refuted=False,
        )


def open_world(on: Chain | None = None, desk: str | None = None) -> World:
    """Deploy an engine that knows no market yet, on a chain of its own and without a desk unless given."""
    chain = on or Chain(timestamp=START)
    governor, publisher = (desk, desk) if desk else (ROLE["deployer"], ROLE["publisher"])
    contract = chain.deploy("MarginEngine", governor, publisher, ROLE["keeper"])
    return World(chain, contract, MarginEngine(), [0] * 8)


def open_market(world: World, number: int, market: Market) -> None:
    """Open a market on chain and in the twin."""
    world.contract.call(
        "open_market", number, market.lot, market.spread, market.power, list(market.scenarios)
    )
    world.twin.markets[number] = market


def list_board(world: World, key: int, listings: tuple[Listing, ...]) -> None:
    """List a board on chain and in the twin."""
    world.contract.call("list_board", key >> 3, key & 7, [listing.word for listing in listings])
    world.twin.boards[key] = Board(listings=listings)


def ladder(cells: int = 31) -> tuple[tuple[int, int], ...]:
    """Give moves of spot over the range by rises and falls of volatility, `cells` of them."""
    spots = [round(10**6 * step / 5) for step in range(-5, 6)]
    pairs = [(spot, move) for move in (0, 450_000, -250_000) for spot in spots]
    return tuple(sorted(pairs, key=lambda pair: (pair[0], pair[1]))[:cells])


def draw_market(generator: np.random.Generator) -> Market:
    """Draw a market: from none to 31 scenarios, ranges of 2 to 60 per cent."""
    cells = int(generator.choice([0, 1, 7, 31, 31, 31]))
    spots = np.sort(generator.integers(-1_500_000, 1_500_001, cells))
    moves = generator.integers(-1_200_000, 2_000_000, cells)
    return Market(
        lot=10 ** int(generator.integers(14, 19)),
        spread=int(generator.integers(20_000, 600_000)),
        power=int(generator.choice([0, 300_000, 500_000])),
        scenarios=tuple((int(spot), int(move)) for spot, move in zip(spots, moves, strict=True)),
    )


def draw_listing(generator: np.random.Generator, spot: int) -> Listing:
    """Draw an instrument: linear one in eight, strikes from a fifth to five times spot, minutes to years."""
    if generator.random() < 0.125:
        return Listing(kind=0, expiry=0)
    expiry = START + int(np.exp(generator.uniform(np.log(60), np.log(3 * 365 * DAY))))
    strike = int(spot * float(np.exp(generator.normal(0.0, 0.4))))
    return Listing(kind=int(generator.integers(1, 3)), expiry=expiry, strike=max(strike, WAD // 10**6))


def draw_world(generator: np.random.Generator, world: World) -> None:
    """Give an engine one to three markets with one or two boards each, published now."""
    for number in sorted(generator.choice(8, int(generator.integers(1, 4)), replace=False).tolist()):
        market = draw_market(generator)
        world.spots[number] = int(float(np.exp(generator.uniform(np.log(0.01), np.log(200_000)))) * WAD)
        world.spots[number] = min(world.spots[number], 10**35 // market.lot)
        open_market(world, number, market)
        for board in sorted(generator.choice(8, int(generator.integers(1, 3)), replace=False).tolist()):
            listings = tuple(
                draw_listing(generator, world.spots[number]) for _ in range(int(generator.integers(1, 9)))
            )
            list_board(world, number << 3 | board, listings)
            publish_board(world, number << 3 | board, generator)


def publish_board(world: World, key: int, generator: np.random.Generator) -> None:
    """Publish a board at today's spot with drawn forwards and volatilities."""
    quotes = [
        Quote(int(generator.integers(-20_000_000, 20_000_000)), int(np.exp(generator.uniform(7, 15.2))))
        for _ in world.twin.boards[key].listings
    ]
    quotes = [replace(quote, volatility=0) if generator.random() < 0.03 else quote for quote in quotes]
    world.publish(
        key,
        publication(
            world.twin.markets[key >> 3],
            world.twin.boards[key].listings,
            quotes,
            spot=world.spots[key >> 3],
            as_of=world.chain.timestamp,
        ),
    )


def draw_book(generator: np.random.Generator, world: World, most: int) -> list[int]:
    """Draw positions of what is listed, both signs, sizes over six orders of magnitude."""
    ids = [
        instrument_id(key >> 3, key & 7, row)
        for key, board in world.twin.boards.items()
        for row in range(len(board.listings))
    ]
    chosen = generator.choice(ids, min(int(generator.integers(1, most + 1)), len(ids)), replace=False)
    sizes = np.exp(generator.uniform(0, 14, len(chosen))) * generator.choice([-1, 1], len(chosen))
    return pack([(int(i), int(lots) or 1) for i, lots in zip(chosen, sizes, strict=True)])

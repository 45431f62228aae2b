"""Do the paths keep their order: none in the account's favour, each as close as it is proven to be?"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from plimsoll.chain.twin.boards import Listing, Market
from plimsoll.chain.twin.greeks_engine import GreeksEngine
from plimsoll.chain.twin.margin_engine import MarketRisk
from plimsoll.chain.twin.positions import instrument_id, pack, unpack
from plimsoll.chain.twin.publication import Quote, publication
from plimsoll.domain import instruments, scenario_sets
from plimsoll.domain.market import ExpiryQuote, OptionQuote, UnderlyingQuote
from plimsoll.domain.market import Market as Quotes
from plimsoll.pricing import build_chain, build_moves, price_table
from tests.support.boards import (
    DAY,
    START,
    WAD,
    World,
    draw_book,
    draw_world,
    ladder,
    list_board,
    open_market,
    open_world,
)

BOOKS = 300
FLOAT = 1e-12
"""Of gross notional: what the off-chain engine's double precision leaves; 2e-14 is measured."""
ROUNDING = 1.5
"""Units of a lane that a lot is off by at the most: half of one by rounding, one charged for it."""


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    generator = np.random.default_rng(21)
    drawn = []
    for _ in range(6):
        world = open_world()
        draw_world(generator, world)
        drawn.append(world)
    return drawn


def books(worlds: list[World], seed: int, most: int = 20) -> Iterator[tuple[World, list[int]]]:
    generator = np.random.default_rng(seed)
    for case in range(BOOKS):
        world = worlds[case % len(worlds)]
        yield world, draw_book(generator, world, most)


def quanta(world: World, words: list[int], market: int) -> int:
    """Add up what one lane of every position counts."""
    return sum(
        abs(lots) << world.twin.boards[i >> 10].rows[i & 1023].exponent
        for i, lots in unpack(words)
        if i >> 13 == market
    )


def test_packed_rows_never_ask_for_less_and_not_for_more_than_their_quanta(worlds):
    for world, words in books(worlds, 1):
        now = world.chain.timestamp
        exact = world.twin.exact(words, world.spots, now)
        for packed, true in zip(world.twin.packed(words, world.spots, now), exact, strict=True):
            lots = sum(abs(n) for i, n in unpack(words) if i >> 13 == packed.market)
            most = ROUNDING * quanta(world, words, packed.market) + lots + 1
            assert 0 <= true.value - packed.value <= most
            assert 0 <= true.worst - packed.worst <= most


def test_rows_that_spot_and_time_left_behind_still_ask_for_no_less(worlds):
    generator = np.random.default_rng(2)
    for world, words in books(worlds, 2):
        now = world.chain.timestamp + int(generator.integers(0, 3_600))
        spots = [round(spot * (1 + float(generator.uniform(-0.019, 0.019)))) for spot in world.spots]
        exact = world.twin.exact(words, spots, now)
        for packed, true in zip(world.twin.packed(words, spots, now), exact, strict=True):
            assert packed.value <= true.value
            assert packed.worst <= true.worst


def test_the_screen_by_greeks_never_asks_for_less_than_full_repricing(worlds):
    for world, words in books(worlds, 3):
        screen, now = GreeksEngine(world.twin), world.chain.timestamp
        exact = world.twin.exact(words, world.spots, now)
        for bound, true in zip(screen.greeks(words, world.spots, now), exact, strict=True):
            assert bound.value <= true.value
            assert bound.worst <= true.worst


def test_one_scenario_alone_never_proves_more_than_all_do(worlds):
    for world, words in list(books(worlds, 4))[:60]:
        now = world.chain.timestamp
        for true in world.twin.exact(words, world.spots, now):
            for scenario in (true.scenario, 3):
                (alone,) = (
                    r for r in world.twin.single(words, world.spots, now, scenario) if r.market == true.market
                )
                assert alone.worst >= true.worst
                if scenario == true.scenario:
                    assert alone.scenario == true.scenario


def test_a_wider_range_never_asks_for_less_of_a_linear_book(worlds):
    for world, words in list(books(worlds, 5))[:40]:
        linear = [
            (i, lots) for i, lots in unpack(words) if world.twin.boards[i >> 10].listings[i & 1023].kind == 0
        ]
        risks = world.twin.exact(pack(linear), world.spots, world.chain.timestamp)
        for risk in risks:
            market = world.twin.markets[risk.market]
            narrow = replace(world.twin, markets={risk.market: replace(market, spread=market.spread // 2)})
            only = pack([(i, lots) for i, lots in linear if i >> 13 == risk.market])
            (less,) = narrow.exact(only, world.spots, world.chain.timestamp)
            assert less.value - less.worst <= risk.value - risk.worst


EXPIRIES = tuple(START + days * DAY for days in (2, 30, 200))
STRIKES = (60_000, 95_000, 101_000, 140_000)
RIGHTS: dict[Literal["C", "P"], int] = {"C": 1, "P": 2}


def off_chain(market: Market, basis: int, volatility: int) -> Callable[[list[int]], np.ndarray]:
    """Give the off-chain engine's own values of a book, today and in every scenario of the ladder."""
    reach = market.spread / 10**6
    moves = {0: "none", 450_000: "up", -250_000: "down"}
    grid = scenario_sets.ScenarioGrid(
        scenarios=tuple(
            scenario_sets.GridScenario(
                name=str(s), spot=spot / 10**6, volatility=scenario_sets.VolatilityMove(moves[move])
            )
            for s, (spot, move) in enumerate(market.scenarios)
        ),
        volatility=scenario_sets.VolatilityRange(
            rise=0.45, fall=0.25, short_power=market.power / 10**6, long_power=market.power / 10**6
        ),
    )
    listed = tuple(
        instruments.Option("BTC", expiry * 1000, float(strike), right)
        for expiry in EXPIRIES
        for strike in STRIKES
        for right in RIGHTS
    )
    forward = 100_000.0 * (1 + basis / 10**9)
    quotes = Quotes(
        time=START * 1000,
        underlyings=(
            UnderlyingQuote(
                underlying="BTC",
                spot=100_000.0,
                expiries=tuple(ExpiryQuote(expiry=e * 1000, forward=forward) for e in EXPIRIES),
            ),
        ),
        options=tuple(OptionQuote(option, volatility / 10**6) for option in listed),
    )
    chain = build_chain(listed, quotes)
    table = price_table(chain, build_moves(grid, chain, {"BTC": reach}))
    values = np.column_stack([table.value, table.shocked])
    return lambda lots: np.array(lots) @ values


def test_the_off_chain_engine_lies_within_the_stated_bound_and_never_asks_for_more():
    market = Market(lot=WAD, spread=180_000, power=300_000, scenarios=ladder(31))
    basis, volatility = 12_345_678, 612_345
    world = open_world()
    world.spots[0] = 100_000 * WAD
    open_market(world, 0, market)
    list_board(
        world,
        0,
        tuple(
            Listing(RIGHTS[right], expiry, strike * WAD)
            for expiry in EXPIRIES
            for strike in STRIKES
            for right in RIGHTS
        ),
    )
    listings = world.twin.boards[0].listings
    quotes = [Quote(basis, volatility)] * len(listings)
    world.publish(0, publication(market, listings, quotes, spot=world.spots[0], as_of=START))
    values = off_chain(market, basis, volatility)
    generator = np.random.default_rng(22)
    for _ in range(BOOKS):
        lots = [int(n) for n in generator.integers(-40, 41, len(listings))]
        words = pack([(instrument_id(0, 0, row), n) for row, n in enumerate(lots)])
        table = values(lots) * 1e6
        tolerance = FLOAT * 1e6 * 100_000 * sum(map(abs, lots))
        (packed,), (exact,) = (
            getattr(world.twin, path)(words, world.spots, START) for path in ("packed", "exact")
        )
        most = ROUNDING * quanta(world, words, 0) + sum(map(abs, lots)) + 1
        for risk, bound in ((exact, 1), (packed, most)):
            within(risk, table, bound, tolerance)


def within(risk: MarketRisk, table: np.ndarray, bound: float, tolerance: float) -> None:
    for true, held in ((table[0], risk.value), (table.min(), risk.worst)):
        assert -tolerance <= true - held <= bound + tolerance

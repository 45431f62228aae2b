"""Does a requirement on chain equal the twin's for any book, rates and prices, and keep its laws?

`PLIMSOLL_CHAIN_EXAMPLES` sets how many states of rates and prices are drawn, with twenty-five accounts each.
"""

import os
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.positions import pack
from plimsoll.chain.twin.reverts import Message
from tests.support.evm import RevertError
from tests.support.houses import BTC_PERP, E6, ETH_PERP, PRICES, TRADERS, House
from tests.support.reporters import RATES, publish

EXAMPLES = int(os.environ.get("PLIMSOLL_CHAIN_EXAMPLES", "24"))
BOOKS = 25


def drawn_state(generator):
    """Draw a house whose prices, doubts, rates and attestations stand anywhere."""
    house = House()
    house.chain.pass_seconds(int(generator.choice([60, 3_600, 9_000, 50_000])))
    for market, price in PRICES.items():
        centre = price * float(np.exp(generator.normal(0.0, 1.0)))
        for feed in house.feed[market]:
            house.feeds.answer(feed, round(centre * (1.0 + generator.normal(0.0, 0.01)) * 1e8))
        rates = RATES[market]
        rise = int(generator.integers(0, 500_000))
        moved = rates.long._replace(maintenance=rates.long.maintenance + rise)
        with suppress(Revert):
            publish(house.parameters, rates._replace(long=moved))
    house.attest(TRADERS[0], int(generator.integers(750_000_000, 2_000_000_001)))
    if generator.random() < 0.2:
        house.parameters.both("pause", sender="keeper")
    house.chain.pass_seconds(int(generator.choice([0, 3_600, 30_000])))
    return house


def drawn_account(generator):
    """Draw an address, cash, lots of perpetuals (also of one that nobody listed), and collateral."""
    book = {}
    for instrument, chance in ((BTC_PERP, 0.7), (ETH_PERP, 0.7), (2 << 13, 0.02)):
        if generator.random() < chance:
            lots = int(np.exp(generator.uniform(0, 17))) * int(generator.choice([-1, 1]))
            book[instrument] = lots or 1
    cash = int(generator.normal(0.0, 1.0) * 10 ** generator.uniform(0, 14))
    held = int(10 ** generator.uniform(0, 24)) if generator.random() < 0.5 else 0
    return str(generator.choice(TRADERS)), cash, book, (held, *[0] * 7)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_contract_and_twin_assess_any_account_alike(seed):
    generator = np.random.default_rng(seed)
    house = drawn_state(generator)
    block = Message("", house.chain.timestamp)
    for _ in range(BOOKS):
        account, cash, book, held = drawn_account(generator)
        try:
            expected = house.margin.twin.assess(block, account, cash, book, held)
        except Revert as refusal:
            expected = refusal.reason
        try:
            found = house.margin.contract.call("assess", account, cash, pack(book.items()), held)
        except RevertError as refusal:
            found = refusal.reason
        assert found == expected if isinstance(expected, str) else tuple(found) == tuple(expected)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_requirements_keep_their_order_and_grow_with_the_position(seed):
    generator = np.random.default_rng(seed)
    house = drawn_state(generator)
    block, assess = Message("", house.chain.timestamp), house.margin.twin.assess
    for _ in range(BOOKS):
        account, cash, book, held = drawn_account(generator)
        book.pop(2 << 13, None)
        if not book:
            continue
        found = assess(block, account, cash, book, held)
        larger = assess(block, account, cash, {each: 2 * lots for each, lots in book.items()}, held)
        assert 10 * E6 <= found.maintenance <= found.called <= found.initial
        assert larger.maintenance >= found.maintenance
        assert larger.initial >= found.initial

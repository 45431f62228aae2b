"""Does a stressed book lose what its accounts lose one by one, and is nothing hidden in the sums?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.domain.account_books import AccountBook
from plimsoll.domain.instruments import Instrument, Option, Perpetual, Spot
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.scenario_sets import NamedStress
from plimsoll.margin.profiles import profile
from plimsoll.margin.standing import Standing, priced_market, standing_by_parameters, standing_by_profile
from plimsoll.margin.stress import account_profits, stress_book
from plimsoll.margin.venue import requirement
from plimsoll.scenarios.library import hourly, scenarios
from plimsoll.scenarios.stresses import VOLATILITY_PER_FALL, stresses
from tests.support.books import FAR, INSTRUMENTS, MARKET
from tests.support.venues import cross_margin, parameter_set

ROUNDING = 1e-9
"""Sums of some dozens of floats, taken in another order."""
CRASH = stresses("black-thursday-2020")
LINEAR: tuple[Instrument, ...] = (Perpetual("BTC"), Perpetual("ETH"), Spot("BTC"))


@st.composite
def books(draw, instruments: tuple[Instrument, ...] = INSTRUMENTS) -> AccountBook:
    count = draw(st.integers(1, 5))
    held = draw(
        st.lists(
            st.tuples(
                st.integers(0, count - 1),
                st.integers(0, len(instruments) - 1),
                st.floats(0.01, 50.0),
                st.booleans(),
            ),
            max_size=12,
            unique_by=lambda entry: entry[:2],
        )
    )
    held.sort()
    short = [sign and not isinstance(instruments[column], Spot) for _, column, _, sign in held]
    return AccountBook(
        names=tuple(f"keeper-{a}" for a in range(count)),
        instruments=instruments,
        cash=np.array(draw(st.lists(st.floats(-1e5, 1e7), min_size=count, max_size=count))),
        owners=np.array([entry[0] for entry in held], dtype=np.intp),
        columns=np.array([entry[1] for entry in held], dtype=np.intp),
        sizes=np.array([-e[2] if s else e[2] for e, s in zip(held, short, strict=True)]),
        prices=np.full(len(held), np.nan),
    )


def by_profile(book: AccountBook) -> Standing:
    return standing_by_profile(book, MARKET, profile("span-16"))


@given(book=books())
@settings(max_examples=25)
def test_an_account_loses_what_its_positions_lose_one_by_one(book):
    profit = account_profits(book, MARKET, CRASH)
    expected = np.zeros_like(profit)
    for owner, column, size in zip(book.owners, book.columns, book.sizes, strict=True):
        alone = AccountBook(
            names=("alone",),
            instruments=(book.instruments[column],),
            cash=np.zeros(1),
            owners=np.zeros(1, dtype=np.intp),
            columns=np.zeros(1, dtype=np.intp),
            sizes=np.array([size]),
            prices=np.full(1, np.nan),
        )
        expected[owner] += account_profits(alone, MARKET, CRASH)[0]
    assert profit == pytest.approx(expected, rel=ROUNDING, abs=ROUNDING * 1e6)


@given(book=books())
@settings(max_examples=15)
def test_a_book_stands_where_its_accounts_stand_alone(book):
    chosen = profile("span-16")
    standing = standing_by_profile(book, MARKET, chosen)
    for a in range(len(book.names)):
        rows = book.holdings(a)
        holdings = tuple(Holding(book.instruments[book.columns[r]], float(book.sizes[r])) for r in rows)
        alone = requirement(
            Portfolio(cash=float(book.cash[a]), holdings=holdings), MARKET, chosen, Level.MAINTENANCE
        )
        assert standing.maintenance[a] == pytest.approx(alone.required, rel=ROUNDING)
        assert standing.equity[a] == pytest.approx(alone.equity, rel=ROUNDING, abs=ROUNDING)


@given(book=books(), top=st.integers(0, 6))
@settings(max_examples=15)
def test_the_venue_is_the_sum_of_its_accounts(book, top):
    standing = by_profile(book)
    stress = stress_book(standing, CRASH, top=top)
    profit = account_profits(book, MARKET, CRASH)
    for s, outcome in enumerate(stress.outcomes):
        after = standing.equity + profit[:, s]
        owed = sorted(max(0.0, -end) for end in after)
        assert outcome.shortfall == pytest.approx(sum(owed))
        assert outcome.cover_two == pytest.approx(sum(owed[-2:]))
        assert outcome.insolvent == sum(end < 0.0 for end in after)
        assert outcome.below_maintenance == np.count_nonzero(after < standing.maintenance)
        assert outcome.shortfall <= outcome.lost + np.maximum(-standing.equity, 0.0).sum() + ROUNDING
    ends = [line.after for line in stress.worst_accounts]
    lowest = (standing.equity[:, None] + profit).min(axis=1)
    assert ends == sorted(lowest)[:top]


@given(book=books(LINEAR))
@settings(max_examples=15)
def test_a_linear_book_stands_by_its_parameters_at_one_price_per_market(book):
    parameters = parameter_set(cross_margin())
    market = priced_market(book, {"BTC": 60_000.0, "ETH": 3_000.0}, parameters.effective)
    standing = standing_by_parameters(book, parameters, market)
    price = np.array([60_000.0, 3_000.0, 60_000.0])
    outright = np.array([False, False, True])
    worth = np.where(outright, price, 0.0)[book.columns] * book.sizes
    expected = book.cash + np.bincount(book.owners, weights=worth, minlength=len(book.names))
    assert standing.equity == pytest.approx(expected)
    assert np.all(standing.maintenance[np.bincount(book.owners, minlength=len(book.names)) > 0] > 0.0)


def test_an_account_that_cannot_be_valued_is_left_out_with_its_reason_and_the_others_stay():
    unquoted = Option("BTC", FAR, 12_345.0, "P")
    book = AccountBook(
        names=("first", "second", "third"),
        instruments=(unquoted, Perpetual("BTC")),
        cash=np.array([1e6, 2e6, 3e6]),
        owners=np.array([0, 1, 1, 2]),
        columns=np.array([1, 0, 1, 1]),
        sizes=np.array([1.0, 2.0, 3.0, -4.0]),
        prices=np.array([np.nan, np.nan, 91_000.0, 91_000.0]),
    )
    standing = by_profile(book)
    assert standing.book.names == ("first", "third")
    assert [(one.account, one.code) for one in standing.refused] == [("second", "missing-volatility")]
    assert standing.equity == pytest.approx([1e6, 3e6 - 4.0 * (90_090.0 - 91_000.0)])
    assert stress_book(standing, CRASH, top=5).accounts == 2


@pytest.mark.parametrize("entry", scenarios(), ids=lambda entry: entry.name)
def test_every_scenario_is_a_stress_of_its_markets_and_of_all_others(entry):
    fall, *rise = stresses(entry.name)
    moves = {move.underlying: move for move in fall.moves}
    assert set(entry.markets) <= set(moves)
    assert moves["BTC"].spot < 0.0
    assert moves["BTC"].volatility == pytest.approx(-VOLATILITY_PER_FALL * moves["BTC"].spot)
    assert fall.others == min(moves[market].spot for market in entry.markets)
    assert moves["USDC"].spot == 0.0
    for up in rise:
        assert isinstance(up, NamedStress)
        assert max(move.spot for move in up.moves) == up.others > 0.0
        assert all(move.volatility == 0.0 for move in up.moves if move.spot >= 0.0)


def test_a_fall_ends_at_the_lowest_that_hours_reach_from_a_close_within_the_time():
    bars = hourly("may-2021")
    (fall, *_) = stresses("may-2021", within_hours=3)
    best = min(
        (np.log(bars.low[b] / bars.close[a]).mean(), a, b)
        for b in range(1, len(bars))
        for a in range(len(bars))
        if 0 < bars.times[b] - bars.times[a] <= 3 * bars.length
    )
    moved = bars.low[best[2]] / bars.close[best[1]] - 1.0
    assert [move.spot for move in fall.moves[: len(bars.markets)]] == pytest.approx(list(moved))


def test_more_time_never_makes_a_fall_smaller():
    depth = [
        np.mean([move.spot for move in stresses("luna-2022", within_hours=h)[0].moves]) for h in (1, 6, 24)
    ]
    assert depth == sorted(depth, reverse=True)

"""Does a fund cover what it says: the quantile, the two largest debtors, more for more risk?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.errors import PlimsollError
from plimsoll.sim.book_at_marks import book_at_marks
from plimsoll.sim.brought_book import anchored_at, cast_from_book
from plimsoll.sim.drawn_book import draw_book, markets_and_prices
from plimsoll.sim.fund_size import cover_two, fund_size
from plimsoll.sim.loss_tail import quantile_band, tail_quantile
from plimsoll.sim.settings import PopulationSettings
from plimsoll.sim.shock import anchor
from tests.support.cascades import QUICK
from tests.support.venues import cross_margin, parameter_set

PARAMETERS = parameter_set(cross_margin())
SETTINGS = structs.replace(QUICK, seeds=3)
CENT = 0.01
FIT_ERROR = 0.15
"""Standard error, relative, of the fitted 99.99 % quantile of 800 exponential losses, by repetition."""


def book(accounts=200, seed=5):
    drawn = draw_book(PARAMETERS, PopulationSettings(accounts=accounts, median_leverage=12.0), seed)
    markets, prices = markets_and_prices(PARAMETERS)
    return book_at_marks(drawn, dict(zip(markets, prices.tolist(), strict=True)))


def test_cover_two_is_what_the_two_worst_would_owe():
    marked = book()
    known = anchored_at(marked, anchor("october-2025"))
    found = cover_two(marked, {"october-2025": known})
    debts: dict[str, list[tuple[float, str]]] = {}
    for row, name in enumerate(marked.names):
        notional = marked.lots[row] * marked.unit
        equity = marked.cash[row] + notional.sum()
        for side, sign in (("fall", 1.0), ("rise", -1.0)):
            after = equity + notional @ (np.exp(sign * known.fall[marked.columns]) - 1.0)
            debts.setdefault(side, []).append((max(-after, 0.0) / 1e6, name))
    two = {side: sorted(each, reverse=True)[:2] for side, each in debts.items()}
    worst = max(two, key=lambda side: sum(debt for debt, _ in two[side]))
    assert found.side == worst
    assert found.accounts == tuple(name for _, name in two[worst])
    assert found.loss == pytest.approx(sum(debt for debt, _ in two[worst]), abs=CENT)
    assert found.loss > 0.0


def test_a_market_that_the_crash_did_not_know_falls_like_the_worst():
    marked = book()
    known = anchor("october-2025")
    assert marked.markets == ("BTC", "ETH", "SOL")
    stranger = replace(known, markets=tuple(m if m != "SOL" else "OTHER" for m in known.markets))
    taken = anchored_at(marked, stranger)
    assert taken.fall[2] == stranger.fall.min()
    np.testing.assert_allclose(taken.prices, markets_and_prices(PARAMETERS)[1], rtol=1e-12)


def test_a_brought_book_enters_whole_whatever_margin_would_admit():
    marked = book()
    cast = cast_from_book(marked, anchored_at(marked, anchor("october-2025")), SETTINGS, 1)
    assert cast.brought
    assert np.array_equal(cast.population.collateral + cast.population.wanted, marked.lots)
    worth = (marked.cash + (marked.lots * marked.unit).sum(axis=1)) / 1e6
    np.testing.assert_allclose(cast.population.deposits / 1e6, worth, atol=CENT)


def test_the_fund_covers_both_and_repeats_itself():
    marked = book()
    found = fund_size(marked, PARAMETERS, SETTINGS, level=0.9, scenarios=("october-2025", "may-2021"))
    assert found.fund == max(found.quantile, found.cover_two.loss)
    assert 0.0 < found.mean <= found.largest
    assert found.basis == "largest"
    assert (found.low, found.high) == (found.quantile, None), "two runs bound nothing"
    again = fund_size(marked, PARAMETERS, SETTINGS, level=0.9, scenarios=("october-2025", "may-2021"))
    assert again == found


TRIALS = 60
LEAST_HELD = 0.78
"""Nine tenths are aimed at and were found in 150 trials; three deviations of 60 below."""


@given(st.lists(st.floats(0.0, 1e9), min_size=2, max_size=60), st.floats(0.5, 0.9999))
def test_a_quantile_beyond_the_runs_is_never_below_the_largest(losses, level):
    values = np.array(losses)
    quantile, basis = tail_quantile(values, level)
    if basis == "observed":
        assert values.min() <= quantile <= values.max()
    else:
        assert quantile >= values.max()
    low, high = quantile_band(values, level, 1)
    assert (high is None) == (basis == "largest")
    assert high is None or low <= high


def test_the_fitted_tail_finds_an_exponential_one():
    losses = np.random.default_rng(3).exponential(1.0, 800)
    quantile, basis = tail_quantile(losses, 0.9999)
    assert basis == "fitted"
    assert abs(quantile / -np.log(0.0001) - 1.0) < 2.0 * FIT_ERROR


def test_the_band_of_a_quantile_far_out_holds_it_most_of_the_time():
    """A band of losses drawn from those seen would hold it in 43 of 100."""
    truth, held = float(np.exp(1.5 * 2.8782)), 0
    for seed in range(TRIALS):
        generator = np.random.default_rng(seed)
        losses = np.exp(1.5 * generator.standard_normal(100)) * (generator.random(100) < 0.5)
        low, high = quantile_band(losses, 0.999, seed)
        held += low <= truth <= (high or np.inf)
    assert held >= LEAST_HELD * TRIALS


def test_a_book_of_debtors_is_refused():
    marked = book(20)
    poor = replace(marked, cash=marked.cash - 10**15)
    with pytest.raises(PlimsollError):
        cast_from_book(poor, anchored_at(marked, anchor("october-2025")), SETTINGS, 1)

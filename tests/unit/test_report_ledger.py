"""Do the lines of a table that are shown add up to the total that is shown, and does none say nothing?"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from plimsoll.margin.explain import Part, explain
from plimsoll.report.ledger import exact, parts_table, shown_amounts
from tests.unit.test_explain import LOTS, PRICES, SETS, account_of

CENT = 10_000
AMOUNTS = st.lists(st.integers(-(10**12), 10**12) | st.integers(-2 * CENT, 2 * CENT), min_size=1, max_size=12)


def printed(parts, total, currency="USD"):
    """Print a table of parts, and read its lines back: name and figure."""
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        console.print(parts_table(parts, "maintenance", total, currency))
    lines = [re.split(r"\s{2,}", line.strip()) for line in captured.get().splitlines() if line.strip()]
    return [(name, float(figure.replace("$", "").replace(",", "").split()[0])) for name, figure in lines]


@given(AMOUNTS)
def test_what_is_shown_adds_up_and_lies_within_a_cent_of_what_is_there(amounts):
    shown = shown_amounts(amounts, sum(amounts))
    assert all(amount % CENT == 0 for amount in shown)
    assert exact(sum(shown)) == exact(sum(amounts))
    assert exact(shown_amounts([sum(amounts)], sum(amounts))[0]) == exact(sum(amounts))


@given(st.lists(st.integers(10 * CENT, 10**12) | st.integers(-(10**12), -10 * CENT), min_size=1, max_size=12))
def test_no_line_moves_by_more_than_a_cent(amounts):
    for amount, shown in zip(amounts, shown_amounts(amounts, sum(amounts)), strict=True):
        assert abs(shown - amount) <= 1.5 * CENT


@pytest.mark.parametrize("name", list(SETS))
@given(lots=LOTS)
def test_the_lines_of_an_explanation_add_up_and_none_is_nothing(name, lots):
    told = explain(account_of(lots, 10**8), SETS[name], PRICES)
    *lines, (last, total) = printed(told.parts, told.maintenance)
    assert last == "maintenance"
    assert sum(round(100 * amount) for _, amount in lines) == round(100 * total)
    assert all(amount != 0.0 for _, amount in lines)
    assert f"${total:,.2f}" == exact(told.maintenance)
    assert sum(part.amount for part in told.parts) == told.maintenance


def test_a_part_of_a_quantum_is_no_line_and_a_cent_of_them_goes_to_another():
    parts = (Part("alone", 123_456), Part("netted", 4_999), Part("rounding", 1))
    assert printed(parts, 128_456) == [("alone", 0.13), ("maintenance", 0.13)]
    coins = printed((Part("alone", 123_456), Part("rounding", 1)), 123_457, "BTC")
    assert coins == [("alone", 0.123456), ("rounding", 1e-6), ("maintenance", 0.123457)]

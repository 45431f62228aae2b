"""Do bidders bid what laying off costs, as far as they can carry it, where settings have any?"""

from dataclasses import replace

import pytest
from msgspec import structs

from plimsoll.clearing.auction import discount
from plimsoll.clearing.statuses import Status
from plimsoll.domain.bars import MINUTE
from plimsoll.domain.events import Auctioned
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import AuctionSettings, ClearingRules
from plimsoll.engine.machine import step
from plimsoll.engine.runner import DigestJournal
from plimsoll.engine.state import Auction
from plimsoll.report.measures import MEASURES, shown_measures
from plimsoll.scenarios.library import daily_history, path, scenario
from plimsoll.sim.bidders import bid_for, bidders_open, wanted_accounts
from plimsoll.sim.replay import Origin, replay
from plimsoll.sim.settings import BidderSettings, MarketSettings, PopulationSettings, ReplaySettings
from tests.laws.test_one_curve import holder
from tests.support.venues import LIQUIDITY, cross_margin, parameter_set

TWO = BidderSettings(count=2, cash_share=0.01, hours=1.0, edge=1.0)
AUCTION = ClearingRules(auction=AuctionSettings(after_hours=0.5))


def on_the_block(*, cash=0.2, settings=TWO):
    """Put an account that is long a million on the block, with bidders beside."""
    state = holder(1e6, parameter_set(cross_margin(), liquidity=LIQUIDITY), AUCTION)
    for event in bidders_open(state.time, settings, 1e8):
        state, _ = step(state, event)
    notional = state.book.lots[5:6] * state.unit
    needed = float(state.model_in_force.requirement(notional, Level.MAINTENANCE)[0])
    book = state.book
    money, status = book.cash.copy(), book.status.copy()
    money[5] = round(cash * needed - notional.sum())
    money[0] -= money.sum()
    status[5] = Status.AUCTION
    auctions = (Auction(5, state.time),)
    return replace(state, book=replace(book, cash=money, status=status), auctions=auctions, safety=None)


def test_nobody_bids_before_the_discount_pays_for_laying_off_and_then_the_cheapest_does():
    state = on_the_block()
    early, late = state.time + 1_000, state.time + 3_600_000
    assert len(wanted_accounts(state, state.time, TWO)) == 0
    assert list(wanted_accounts(state, late, TWO)) == [5]
    offer = bid_for(state, 5, late, TWO)
    assert offer is not None
    assert offer.bidder == "bidder-0"
    assert offer.account == "holder"
    dear = structs.replace(TWO, hours=1e-3)
    first = [
        next(t for t in range(0, 14_400_000, 1000) if len(wanted_accounts(state, state.time + t, each)))
        for each in (TWO, dear)
    ]
    assert 0 < first[0] <= first[1]
    assert discount(first[0] / 1000.0, AUCTION.auction) < 1.0
    assert bid_for(state, 5, early - 1_000, TWO) is None


def test_a_bidder_takes_what_his_margin_carries_and_the_engine_lets_it_through():
    state = on_the_block()
    late = state.time + 3_600_000
    offer = bid_for(state, 5, late, TWO)
    assert offer is not None
    after, effects = step(state, offer)
    (taken,) = effects
    assert isinstance(taken, Auctioned)
    assert taken.given_up > 0
    rows = after.book.find(("bidder-0",), "test")
    assert after.book.lots[rows].any()
    poor = on_the_block(settings=structs.replace(TWO, cash_share=1e-6))
    assert bid_for(poor, 5, late, TWO) is None


def test_without_bidders_nobody_is_asked():
    state = on_the_block()
    none = BidderSettings()
    assert bidders_open(0, none, 1e9) == ()
    assert len(wanted_accounts(state, state.time + 3_600_000, none)) == 0


@pytest.fixture(scope="module")
def outcomes():
    """March 2020 in bars of a quarter of an hour, as it is, and with a backstop and bidders."""
    entry = scenario("black-thursday-2020")
    drawn = path("black-thursday-2020", length=15 * MINUTE, seed=1)
    found = []
    for market, rules in (
        (MarketSettings(), ClearingRules()),
        (
            MarketSettings(backstop_share=0.003, bidders=BidderSettings(count=5)),
            ClearingRules(auction=AuctionSettings(after_hours=0.25)),
        ),
    ):
        wanted = ReplaySettings(
            policies=("static",),
            population=PopulationSettings(accounts=300),
            market=market,
            clearing=rules,
        )
        done = replay(
            Origin("", "", "", ()), drawn, daily_history(entry.first), wanted,
            journal=lambda _: DigestJournal(), progress=lambda *_: None,
        )  # fmt: skip
        found.append(done.outcomes[0].summary)
    return found


def test_a_replay_reports_what_bidders_and_backstop_took_only_where_the_settings_have_them(outcomes):
    plain, layered = outcomes
    assert plain.auctioned == plain.taken_over == 0.0
    assert layered.auctioned > 0.0
    assert layered.taken_over > 0.0
    optional = {measure.label for measure in MEASURES if measure.optional}
    assert optional == {"taken by bidders", "taken by the backstop"}
    assert optional & {measure.label for measure in shown_measures([plain])} == set()
    assert optional <= {measure.label for measure in shown_measures([plain, layered])}
    paid = layered.fund_paid + layered.allocated + layered.uncovered
    assert paid == pytest.approx(layered.bad_debt)

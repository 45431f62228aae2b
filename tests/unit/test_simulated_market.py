"""Does forced selling push prices the right way and far enough, and do the figures of a run add up?"""

import numpy as np
import pytest

from plimsoll.domain.bars import MINUTE
from plimsoll.domain.events import Liquidated
from plimsoll.domain.instruments import Listing, Perpetual
from plimsoll.scenarios.library import daily_history, path, scenario
from plimsoll.sim.market import displacement_of, forced_trade
from plimsoll.sim.replay import Origin, replay
from plimsoll.sim.settings import PopulationSettings, ReplaySettings

STRESS = "gap-30"


class Forgetful:
    """A journal that keeps nothing."""

    def append(self, event):
        """Drop it."""

    def digest(self):
        """Name nothing."""
        return ""


@pytest.fixture(scope="module")
def longs_only():
    """Replay a fall on a book that is long alone, so that everything forced is a sale."""
    crowd = PopulationSettings(accounts=150, long_share=1.0, hedged_share=0.0, median_leverage=12.0)
    settings = ReplaySettings(policies=("plimsoll", "static-matched", "static"), population=crowd, seed=3)
    prices = path(STRESS, length=5 * MINUTE, seed=3)
    return replay(
        Origin("fall", "", "", ()),
        prices,
        daily_history(scenario(STRESS).first),
        settings,
        journal=lambda _: Forgetful(),
        progress=lambda *_: None,
    )


def test_pending_sales_push_down_and_purchases_up_by_the_square_root():
    moved = displacement_of(np.array([-0.25, 0.25, 0.0, -1.0]), np.array([0.04, 0.04, 0.04, 0.04]))
    assert moved == pytest.approx([-np.log1p(0.02), np.log1p(0.02), 0.0, -np.log1p(0.04)], rel=1e-12)


def test_a_forced_slice_is_named_by_its_instrument_and_signed_by_its_direction():
    listings = (Listing(Perpetual("ETH"), 0.01), Listing(Perpetual("BTC"), 0.001))
    sold = Liquidated(0, "BTC-PERP", ("a", "b"), (-20, -5), 40_000.0, -0.01)
    place, notional = forced_trade(sold, listings)
    assert place == 1
    assert notional == pytest.approx(-1_000.0, rel=1e-12)


def test_forced_sales_alone_never_hold_a_price_up(longs_only):
    for outcome in longs_only.outcomes:
        assert (outcome.price <= longs_only.undisturbed).all()
        assert outcome.liquidated.sum() > 0.0
        assert outcome.summary.deepest_impact == pytest.approx(
            (1.0 - outcome.price / longs_only.undisturbed).max(), rel=1e-12
        )
        assert outcome.summary.deepest_impact > 0.0


def test_the_mean_margin_is_the_mean_over_bars_of_what_is_held(longs_only):
    for outcome in longs_only.outcomes:
        shares = [
            held / whole
            for held, whole in zip(outcome.margin_held, outcome.open_notional, strict=True)
            if whole > 0.0
        ]
        assert outcome.summary.mean_margin == pytest.approx(sum(shares) / len(shares), rel=1e-9)
        assert outcome.summary.admitted == outcome.open_notional[0]


def test_the_matched_constant_asks_for_the_mean_of_what_it_is_matched_to(longs_only):
    means = {outcome.policy: outcome.summary.mean_margin for outcome in longs_only.outcomes}
    assert means["static-matched"] == pytest.approx(means["plimsoll"], rel=1e-9)
    assert means["static"] != pytest.approx(means["plimsoll"], rel=0.1)

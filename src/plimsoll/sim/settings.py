"""What does a replay depend on besides prices?"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from plimsoll.domain.settings import CalibrationSettings, ClearingRules

__all__ = ["DEPTH_SHARE", "BidderSettings", "MarketSettings", "PopulationSettings", "ReplaySettings"]

DEPTH_SHARE = 0.014
"""Notional that moves a price by 1 %, over open interest: docs/theory/liquidation-cascade.md says why."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]


class PopulationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the book of accounts is drawn; `docs/theory/population.md` gives the reasons.

    Attributes
    ----------
    accounts : count
    median_equity : quote        Median of a log-normal distribution of what accounts pay in.
    equity_spread : deviations   Its standard deviation in logs: 1.6 gives the top 1 % about a quarter of all.
    median_leverage : factor     Median of a log-normal distribution of the leverage that accounts want.
    leverage_spread : deviations
    most_leverage : factor       No account wants more.
    long_share : share           Of accounts whose direction is long.
    next_market_share : share    Chance that an account with k markets holds one more.
    hedged_share : share         Of accounts in several markets that hold the second against the first.
    coin_collateral_share : share   Of accounts that keep half of their equity in an asset instead of cash.
    """

    accounts: Annotated[int, Meta(ge=1, le=2_000_000)] = 10_000
    median_equity: Positive = 2_000.0
    equity_spread: Annotated[float, Meta(ge=0.0, le=4.0)] = 1.6
    median_leverage: Positive = 6.0
    leverage_spread: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.8
    most_leverage: Positive = 50.0
    long_share: Share = 0.6
    next_market_share: Share = 0.35
    hedged_share: Share = 0.3
    coin_collateral_share: Share = 0.15


class BidderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who bids for what is auctioned; auctions are held where `clearing.auction.after_hours` is set.

    Attributes
    ----------
    count : count        Bidders; none by default.
    cash_share : share   Their cash together, over the open interest that accounts want.
    hours : hours        In which a bidder reckons to lay off what he takes.
    edge : share         What the dearest bidder asks beyond the cost of that, relative to it.
    least_share : share  Of an account, that is worth a bid.
    """

    count: Annotated[int, Meta(ge=0, le=1_000)] = 0
    cash_share: Share = 0.005
    hours: Annotated[float, Meta(gt=0.0, le=720.0)] = 4.0
    edge: Annotated[float, Meta(ge=0.0, le=100.0)] = 1.0
    least_share: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.01


class MarketSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the market takes forced selling.

    Attributes
    ----------
    turnover_per_hour : share   Quote volume of a normal hour over the open interest that accounts want.
    depth : share               Quote notional that moves a price by 1 % at once, over the open interest that
                                accounts want.
    resilience_half_life : seconds   In which half of what was taken from a book is there again.
    impact : factor             Y of the square-root law: impact = Y * hourly volatility * sqrt(Q / V).
    recovery_half_life : hours  Time in which the market has absorbed half of what was sold by force.
    fund_share : share          Insurance fund at the start over the open interest that accounts want.
    backstop_share : share      Cash of the backstop over the same; without any it takes nothing.
    """

    turnover_per_hour: Positive = 0.25
    depth: Positive = DEPTH_SHARE
    resilience_half_life: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 4.0
    impact: Positive = 0.7
    recovery_half_life: Positive = 0.5
    fund_share: Share = 0.001
    backstop_share: Share = 0.0
    bidders: BidderSettings = msgspec.field(default_factory=BidderSettings)


class ReplaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a replay depends on besides prices.

    Attributes
    ----------
    policies : tuple of str   Names of `sim.policies`, in the order they are shown.
    seed : int                Of the population and of the path within bars.
    step_minutes : int        Length of drawn bars, within a scenario's hours and within coarse bars.
    coarse_minutes : int      Bars longer than this are coarse: the path within them is drawn.
    """

    policies: tuple[str, ...] = ("static", "static-matched", "dynamic", "plimsoll")
    seed: Annotated[int, Meta(ge=0)] = 1
    step_minutes: Annotated[int, Meta(ge=1, le=60)] = 1
    coarse_minutes: Annotated[int, Meta(ge=1, le=1440)] = 15
    population: PopulationSettings = msgspec.field(default_factory=PopulationSettings)
    market: MarketSettings = msgspec.field(default_factory=MarketSettings)
    clearing: ClearingRules = msgspec.field(default_factory=ClearingRules)
    calibration: CalibrationSettings = msgspec.field(default_factory=CalibrationSettings)

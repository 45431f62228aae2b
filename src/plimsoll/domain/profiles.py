"""Which parts does a venue's portfolio requirement consist of, as data?"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from plimsoll.domain.closing_time import ClosingTime
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.market_liquidity import OptionLiquidity
from plimsoll.domain.scenario_sets import ScenarioSet

__all__ = [
    "BasisContingency",
    "CollateralTerms",
    "ConfidenceCharge",
    "Contingencies",
    "ExpiryDiscount",
    "LiquidityTerms",
    "OpenInterestTier",
    "PegCharge",
    "PortfolioProfile",
    "RollShock",
    "SideDiscount",
    "UnderlyingRange",
]

Rate = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class SideDiscount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""Discount :math:`static \cdot e^{-\tau (multiple\, r + spread)}`; its inverse for liabilities."""

    static: float = 1.0
    multiple: float = 0.0
    spread: float = 0.0


class ExpiryDiscount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What share of an expiry's shocked value counts: less of an asset, more of a liability."""

    asset: SideDiscount
    liability: SideDiscount


class BasisContingency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Forwards moved apart: the worse of up and down, per expiry, times (add + per_year tau)."""

    up: float
    down: float
    add: Rate
    per_year: Rate


class Contingencies(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Charges on size, as shares of the spot value; the initial ones come on top of maintenance.

    A perpetual or future is charged on its absolute size, options on what is short after calls and puts
    of one strike and expiry are netted.
    """

    linear: Rate = 0.0
    linear_initial: Rate = 0.0
    short_option: Rate = 0.0
    short_option_initial: Rate = 0.0


class RollShock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Charge on the absolute size of a contract: the larger of `least` and `per_year` times tau."""

    least: Rate
    per_year: Rate


class PegCharge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Quote currency below `threshold` dollars adds `factor` times the gap to the initial loss factor."""

    threshold: float
    factor: Rate


class ConfidenceCharge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reports less sure than `threshold` charge (1 - confidence) `charge` times the notional, initially."""

    threshold: float
    charge: Rate


class CollateralTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an asset counts.

    Attributes
    ----------
    asset : str
    haircut : share           Of its value, at maintenance.
    haircut_initial : share   On top, at initial.
    moves_with : str or None  Underlying whose spot moves it inside the scenarios (collateral that cancels
        risk, or adds to it).
    curves : tuple of CostCurve   What selling it costs, on top of the haircut: in force, then announced.
        Initial margin answers to the dearest of them; none where liquidity is not charged.
    crowd : quote             Value of the asset that others would be selling at the same time.
    """

    asset: str
    haircut: Share
    haircut_initial: Share = 0.0
    moves_with: str | None = None
    curves: tuple[CostCurve, ...] = ()
    crowd: Rate = 0.0


class LiquidityTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What closing an underlying's contracts costs, by size.

    Attributes
    ----------
    curves : tuple of CostCurve   In force, then announced: initial margin answers to the dearest of them.
    options : OptionLiquidity or None   Where it is set, options are charged what crossing their quotes costs,
                                  and their deltas count with the perpetuals and futures.
    closing : ClosingTime or None   How the range grows with the time that closing the net delta takes.
    """

    underlying: str
    curves: Annotated[tuple[CostCurve, ...], Meta(min_length=1)]
    options: OptionLiquidity | None = None
    closing: ClosingTime | None = None


class OpenInterestTier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fixed initial fraction that grows to 1 between two levels of open notional.

    Attributes
    ----------
    initial_ppm, maintenance_ppm : int   Initial fraction, and share of it that is maintenance, in millionths.
    lower, upper : int                   Open notional in quote quanta; equal bounds mean no growth.
    """

    initial_ppm: Annotated[int, Meta(ge=0, le=1_000_000)]
    maintenance_ppm: Annotated[int, Meta(ge=0, le=1_000_000)]
    lower: Annotated[int, Meta(ge=0)]
    upper: Annotated[int, Meta(ge=0)]


class UnderlyingRange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one unit of `GridScenario.spot` means for an underlying, at maintenance and at initial.

    Attributes
    ----------
    least, least_initial : rate   Smallest that it may be taken for in joint moves, where gains are counted.
    """

    underlying: str
    maintenance: Rate
    initial: Rate
    least: Rate = 0.0
    least_initial: Rate = 0.0


class PortfolioProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A venue's portfolio margin as parameters of the one engine; a part that is `None` is not charged.

    Attributes
    ----------
    name, title, source : str
    unit : str               ``quote``, or ``coin`` where contracts are inverse: amounts are then in the coin.
    scenarios : tuple of ScenarioSet   The largest loss over all sets counts.
    ranges : tuple of UnderlyingRange  An underlying that is not named has range 1 at both levels.
    maintenance_factor, initial_factor : float   Times the largest loss (and the roll shock).
    gross_floor : share      Least share of the sum of lone losses that counts; correlation can break.
    liquidity : tuple of LiquidityTerms   An underlying that is not named pays nothing for its size.
    calibrated_volatility : bool   Grids move volatility as far as the joint rows of a calibrated set do;
                             without such a set nothing can be margined.
    """

    name: str
    title: str
    source: str
    scenarios: tuple[ScenarioSet, ...]
    unit: Literal["quote", "coin"] = "quote"
    ranges: tuple[UnderlyingRange, ...] = ()
    maintenance_factor: Rate = 1.0
    initial_factor: Rate = 1.0
    discount: ExpiryDiscount | None = None
    basis: BasisContingency | None = None
    contingencies: Contingencies = Contingencies()
    roll: RollShock | None = None
    peg: PegCharge | None = None
    confidence: ConfidenceCharge | None = None
    collateral: tuple[CollateralTerms, ...] = ()
    open_interest: OpenInterestTier | None = None
    gross_floor: Share = 0.0
    liquidity: tuple[LiquidityTerms, ...] = ()
    calibrated_volatility: bool = False

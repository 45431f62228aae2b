"""What can a risk desk set about calibration, and what is each default and bound?"""

import math
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from plimsoll.domain.liquidity import RecordingSettings

__all__ = [
    "AuctionSettings",
    "BackstopSettings",
    "CalibrationFile",
    "CalibrationSettings",
    "ClearingRules",
    "GuardSettings",
    "JointSettings",
    "YoungMarketSettings",
]

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Meta(gt=0.0, lt=1.0)]
Hours = Annotated[float, Meta(gt=0.0, le=24.0 * 365)]
AtLeastOne = Annotated[float, Meta(ge=1.0, le=10.0)]


class GuardSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the published rates may differ from, and lag behind, what the model says today.

    Attributes
    ----------
    stress_weight : share    Weight of long-remembered volatility in the scale that excursions are judged on.
    stress_days : days       Memory of the slow average that is the long-remembered volatility.
    floor_share : share      The target never falls below this share of the long-run quantile.
    rise_per_hour : rate     Relative rise of maintenance that every hour allows (0.02 is 2 %); None sets no
                             limit.
    rise_at_once : share     Relative rise that can be saved up for a moment when it is needed; 0 saves
                             nothing.
    rise_base : rate         Below this rate rises are allowed as if it were this rate.
    jump_deviations : count  An hour whose range exceeds so many deviations is a jump, which initial margin
                             covers at once; None for never.
    fall_half_life : hours   Time in which half of an excess over the target decays; 0 follows at once.
    notice_hours : hours     Initial margin covers every rise within this time; 0 gives no notice.
    publication_hours : hours   Longest time since the last publication that a rise may make use of.
    call_buffer : factor     An account is called below this multiple of maintenance at the latest.
    initial_buffer : factor  Initial margin is at least this multiple of maintenance.
    credit_fall_per_hour : rate   Largest relative fall of the hedge credit in an hour.
    """

    stress_weight: Share = 0.5
    stress_days: Annotated[int, Meta(ge=7, le=3650)] = 730
    floor_share: Share = 0.5
    rise_per_hour: Annotated[float, Meta(gt=0.0, le=1.0)] | None = 0.01
    rise_at_once: Share = 0.0
    rise_base: Annotated[float, Meta(gt=0.0, le=0.1)] = 0.005
    fall_half_life: Annotated[float, Meta(ge=0.0, le=24.0 * 365)] = 12.0
    jump_deviations: Annotated[float, Meta(ge=2.0, le=100.0)] | None = 6.0
    notice_hours: Annotated[float, Meta(ge=0.0, le=168.0)] = 24.0
    publication_hours: Annotated[float, Meta(gt=0.0, le=168.0)] = 1.0
    call_buffer: AtLeastOne = 1.1
    initial_buffer: AtLeastOne = 1.25
    credit_fall_per_hour: Annotated[float, Meta(gt=0.0, le=0.1)] = 0.001

    @property
    def rise_speed(self) -> float:
        """Rise per hour, as a log; infinite where no limit is set."""
        return math.inf if self.rise_per_hour is None else math.log1p(self.rise_per_hour)

    @property
    def rise_saved(self) -> float:
        """Largest rise in one publication, as a log: what can be saved, and the hours since the last."""
        return math.log1p(self.rise_at_once) + self.rise_speed * self.publication_hours

    def rise_within(self, hours: float) -> float:
        """Largest rise within so many hours, as a log, however it is spread over publications."""
        return self.rise_saved + self.rise_speed * hours if hours > 0.0 else self.rise_saved

    def keep_over(self, hours: float) -> float:
        """Share of an excess over the target that is left after so many hours."""
        return 0.5 ** (hours / self.fall_half_life) if self.fall_half_life > 0.0 else 0.0


class JointSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How hedges are netted.

    Attributes
    ----------
    rows : count             Joint moments drawn from history.
    tail : share             The requirement is the mean loss over this share of worst rows.
    gross_floor : share      The requirement never falls below this share of the sum of its parts.
    refresh_hours : hours    How often the rows are drawn anew.
    """

    rows: Annotated[int, Meta(ge=100, le=5000)] = 400
    tail: OpenShare = 0.025
    gross_floor: Share = 0.2
    refresh_hours: Hours = 168.0


class YoungMarketSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a market is margined before it has a history of its own.

    Attributes
    ----------
    windows : count        Excursion windows from which on a market stands on its own.
    multiplier : factor    Until then it borrows the riskiest calibrated market's figures times this.
    """

    windows: Annotated[int, Meta(ge=100)] = 300
    multiplier: AtLeastOne = 1.5


class CalibrationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the maintenance rate is to cover, from which data, under which guard.

    Attributes
    ----------
    horizon_hours : hours   Liquidation horizon H of the adverse excursion.
    level : share           Share of excursions that maintenance covers.
    forecaster : ``har-plus`` or ``ewma``   What forecasts volatility; ``ewma`` stands in wherever the other
                            has not learnt enough, or bars are longer than an hour.
    decay_per_hour : share  Weight of the past in the average (``ewma``), per hour.
    decay_per_bar : share   The same, as the least weight per bar, for bars longer than two hours.
    residual_windows : count   Standardised excursions kept; the quantile is taken over these.
    size_charge : yes or no   Whether positions and assets hold, beside their rate, what closing them at once
                            would cost under stress; in markets whose cost curve is published.
    closing_participation : share   Of the volume, at which a large position is closed: its rate then grows
                            with the root of the time that this takes beyond the horizon. Needs
                            `size_charge`; left out, a size is asked for its cost alone.
    """

    horizon_hours: Hours = 4.0
    level: Annotated[float, Meta(ge=0.9, lt=1.0)] = 0.995
    forecaster: Literal["har-plus", "ewma"] = "har-plus"
    decay_per_hour: OpenShare = 0.97
    decay_per_bar: OpenShare = 0.94
    residual_windows: Annotated[int, Meta(ge=100, le=100_000)] = 17_520
    size_charge: bool = False
    closing_participation: OpenShare | UnsetType = UNSET
    guard: GuardSettings = msgspec.field(default_factory=GuardSettings)
    joint: JointSettings = msgspec.field(default_factory=JointSettings)
    young: YoungMarketSettings = msgspec.field(default_factory=YoungMarketSettings)

    def __post_init__(self) -> None:
        """Refuse a setting that nothing would come of."""
        if not isinstance(self.closing_participation, UnsetType) and not self.size_charge:
            raise ValueError("closing_participation needs size_charge = true")


class CalibrationFile(CalibrationSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the settings of one calibration may say, beside how rates are made.

    Attributes
    ----------
    books : RecordingSettings   How recorded books become cost curves.
    """

    books: RecordingSettings = msgspec.field(default_factory=RecordingSettings)

    @property
    def rates(self) -> CalibrationSettings:
        """Give the settings of the rates alone, which is what their provenance names."""
        names = CalibrationSettings.__struct_fields__
        return CalibrationSettings(**{name: getattr(self, name) for name in names})


class AuctionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When what the book cannot take is auctioned, and how the price falls; the legs are those of Derive.

    Attributes
    ----------
    after_hours : hours    An account is auctioned when the book would take longer than this to sell what must
                           be sold; None holds no auctions.
    start : share          First price, as a share of the account's marked value.
    fast_end : share       Share at the end of the fast leg; the slow leg falls from it to nothing.
    fast_seconds, slow_seconds : seconds   Length of the legs.
    fee : share            Of the value to be sold, paid to the insurance fund when an auction begins.
    buffer : share         Of maintenance, that an auction restores beyond it.
    """

    after_hours: Hours | None = None
    start: OpenShare = 0.98
    fast_end: OpenShare = 0.8
    fast_seconds: Annotated[float, Meta(gt=0.0)] = 100.0
    slow_seconds: Annotated[float, Meta(gt=0.0)] = 14_400.0
    fee: Share = 0.02
    buffer: Share = 0.2


class BackstopSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the backstop takes positions over, and how many; without cash of its own it takes none.

    Attributes
    ----------
    level : share    Of maintenance; below it the backstop takes over what the book has not sold.
    share : share    Of each position, taken over at once.
    cap : factor     Gross notional that the backstop holds at most, as a multiple of its equity.
    """

    level: Share = 0.25
    share: Share = 1.0
    cap: Annotated[float, Meta(gt=0.0, le=100.0)] = 5.0


class ClearingRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an account is taken in hand, how its positions are sold, and who pays what is missing.

    Attributes
    ----------
    health_target : factor   A partial liquidation sells until equity is this multiple of maintenance.
    full_share : share       Below this share of maintenance everything is sold.
    participation : share    Forced selling is at most this share of the volume that the market trades.
    fee : share              Of the notional sold, paid to the insurance fund by accounts that still can.
    slice_cost : share       A slice is cut where selling more of it would cost more than this on average, so
                             that a thin book is sold to more slowly; None leaves participation alone to pace.
    reduction : str          ``proportional`` sells the same share of every position; ``relief`` sells first
                             what relieves most margin per cost, all of it margined anew step by step.
    allocation : str         ``pro-rata`` asks all who are in profit for cash once a debtor is flat; ``queue``
                             first closes the positions of bankrupt accounts against the most profitable and
                             most leveraged ones, at the bankruptcy price, when the fund does not reach.
    """

    health_target: AtLeastOne = 1.25
    full_share: Share = 0.5
    participation: OpenShare = 0.2
    fee: Share = 0.005
    slice_cost: Annotated[float, Meta(gt=0.0, le=0.3)] | None = None
    reduction: Literal["proportional", "relief"] = "proportional"
    allocation: Literal["pro-rata", "queue"] = "pro-rata"
    auction: AuctionSettings = msgspec.field(default_factory=AuctionSettings)
    backstop: BackstopSettings = msgspec.field(default_factory=BackstopSettings)

"""What does a parameter set say of closing positions, in options as in what they are written on?"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from plimsoll.domain.closing_time import ClosingTime
from plimsoll.domain.cost_curve import CostCurve

__all__ = ["CurveEvidence", "MarketLiquidity", "OptionLiquidity", "WalkedSize"]

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class OptionLiquidity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""What crossing the spread of options costs, beside their delta, which the underlying's curve prices.

    .. math:: V\, cost(V) + b\, d^{-\beta} \sum_k |q_k| F_k, \qquad V = \sum_k |q_k \nu_k|

    with k the strikes of an expiry: a call against a put there is a forward and crosses nothing. Sizes of the
    curve are vega, quote per 1.0 of volatility, and its costs volatility: 0.0035 is a third of a point.

    Attributes
    ----------
    band : share      b: of the forward, half of a quote's width where vega is nothing.
    curve : CostCurve   h the half-width in volatility, Q_0 the vega that the best quotes show.
    """

    band: Share
    curve: CostCurve

    def cost(self, vega: float, forwards: float) -> float:
        """Give the cost under stress, quote units.

        Parameters
        ----------
        vega : float       V, quote per 1.0 of volatility.
        forwards : float   Sum of sizes times forwards, quote units.
        """
        thin: float = self.curve.stressed_depth**-self.curve.exponent
        return self.curve.add_on(vega) + thin * self.band * forwards

    def unit(self, vega: float, forward: float) -> float:
        """Give what one contract costs in normal times and by itself: half of its quoted width."""
        return self.curve.half_spread * vega + self.band * forward


class WalkedSize(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one size cost in the recorded books, and what the fitted curve says of it.

    Attributes
    ----------
    size : quote
    covered : share          Of the books that could fill it.
    walked : share or None   Mean cost of walking the dearer side of those; None where there was none.
    fitted : share           By the curve, at normal depth.
    used : yes or no         Whether the fit used it: nearly all books could fill it.
    """

    size: float
    covered: Share
    walked: float | None
    fitted: float
    used: bool


class CurveEvidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a cost curve was fitted to, and how well.

    Attributes
    ----------
    books : int              Recorded, all of them sound.
    first, last : int        Of them, milliseconds UTC.
    sizes : tuple of WalkedSize
    largest : quote          Largest size that was used; beyond it the curve extrapolates.
    error : share            Largest relative error of the curve over the sizes used.
    reach : share            Mean distance from the mid of the farthest level seen.
    flow : str               Whether volume and volatility come from recorded ``trades`` or from ``bars``.
    trades : int             Recorded.
    measured_impact : factor or None   Y as these trades showed it, beside the one that is set.
    """

    books: int
    first: int
    last: int
    sizes: tuple[WalkedSize, ...]
    largest: float
    error: float
    reach: float
    flow: Literal["trades", "bars"]
    trades: int
    measured_impact: float | None


class MarketLiquidity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a parameter set says of closing positions in a market, and in the asset it is named after.

    Attributes
    ----------
    curves : tuple of CostCurve   In force, then announced: calls and initial margin answer to the dearest.
    charged : yes or no           Whether positions and assets must hold what closing them would cost.
    options : OptionLiquidity or None   Of the market's options.
    closing : ClosingTime      How rates grow with closing time, where size is charged; left out where they do
                               not.
    evidence : CurveEvidence   Of the curve in force; left out where it was not fitted to recorded books.
    """

    market: str
    curves: Annotated[tuple[CostCurve, ...], Meta(min_length=1)]
    charged: bool = False
    options: OptionLiquidity | None = None
    closing: ClosingTime | UnsetType = UNSET
    evidence: CurveEvidence | UnsetType = UNSET

"""At which price does closing a position leave an account nothing, and what is left for the insurance fund?

Amounts are quote quanta, integers. Deltas follow the account: selling a position brings quote, buying one
back costs.
"""

from fractions import Fraction
from math import ceil, floor

from msgspec import Struct

__all__ = ["Standing", "bankruptcy_quote_up", "fillable_price", "insurance_delta"]


class Standing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an account stands when it is liquidated.

    Attributes
    ----------
    net_collateral : int   Quote balance plus positions at the oracle price, quanta.
    maintenance : int      Maintenance requirement of the whole account, quanta, above 0.
    """

    net_collateral: int
    maintenance: int


def bankruptcy_quote_up(standing: Standing, notional_change: int, maintenance_change: int) -> int:
    r"""Give the quote that closing must bring, so that the account bears its share of what is left.

    .. math:: B = \Big\lceil -\Delta N - TNC \frac{|\Delta MMR|}{TMMR} \Big\rceil

    Parameters
    ----------
    notional_change : int      Change of the position's signed notional, quanta.
    maintenance_change : int   Change of the account's maintenance requirement, quanta.

    Returns
    -------
    int   Quanta; negative where closing costs quote.

    Source: dYdX Chain, x/subaccounts and x/clob liquidations.
    """
    share = Fraction(standing.net_collateral * abs(maintenance_change), standing.maintenance)
    return ceil(-notional_change - share)


def fillable_price(
    standing: Standing,
    oracle: Fraction,
    maintenance_fraction: Fraction,
    spread: Fraction,
    adjustment: Fraction,
    side: int,
) -> Fraction:
    r"""Give the worst price a liquidation may be filled at.

    .. math:: p = oracle\,(1 \mp adj \cdot spread \cdot mmf), \qquad adj = \mathrm{clamp}(BA (1 - TNC /
    TMMR), 0, 1)

    below the oracle for a long (side 1), above for a short (side -1).
    """
    depth = adjustment * (1 - Fraction(standing.net_collateral, standing.maintenance))
    adjusted = min(max(depth, Fraction(0)), Fraction(1))
    return oracle * (1 - side * adjusted * spread * maintenance_fraction)


def insurance_delta(quote_change: int, bankruptcy_quote: int, fee_ppm: int) -> int:
    r"""Give what a fill pays into the insurance fund, or takes from it.

    The gain over the bankruptcy price, up to the fee: :math:`\min(\Delta Q - B, \lfloor |\Delta Q| f
    \rfloor)`.
    """
    gain = quote_change - bankruptcy_quote
    return min(gain, floor(Fraction(abs(quote_change) * fee_ppm, 1_000_000)))

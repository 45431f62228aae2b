"""At which price is an account auctioned off, and which share of it restores the rest?

A falling-price (Dutch) auction of a share of everything an account holds. Amounts are in one unit, quote
units or quanta; `value` is the marked value of the whole account, `buffer_margin` its value less
maintenance and buffer: below zero it lacks so much.

Source: Derive's partial-liquidation auction, whose cases the tests reproduce.
"""

from dataclasses import dataclass

from plimsoll.domain.settings import AuctionSettings

__all__ = ["Lot", "Sale", "buffer_margin", "discount", "fee", "largest_share", "sell"]


@dataclass(frozen=True, slots=True)
class Lot:
    """What is on the block.

    Attributes
    ----------
    value : float       Marked value of the account: positions and cash, that of earlier bids included.
    margin : float      Value less maintenance; below zero the account is short.
    reserved : float    Cash of earlier bids in this auction, which is not sold again.
    """

    value: float
    margin: float
    reserved: float = 0.0


@dataclass(frozen=True, slots=True)
class Sale:
    """One bid, settled.

    Attributes
    ----------
    share : float   Of what was left, that changed hands.
    price : float   What the bidder paid.
    left : Lot      What remains on the block.
    """

    share: float
    price: float
    left: Lot


def discount(seconds: float, settings: AuctionSettings) -> float:
    r"""Give the price after so many seconds as a share of the marked value.

    .. math:: d(t) = s - (s - e) \frac{t}{T_f} \;(t \le T_f), \qquad
        e \Big(1 - \frac{t - T_f}{T_s}\Big) \;(t \le T_f + T_s), \qquad 0 \text{ after}
    """
    fast, slow = settings.fast_seconds, settings.slow_seconds
    if seconds <= fast:
        return settings.start - (settings.start - settings.fast_end) * max(seconds, 0.0) / fast
    return settings.fast_end * max(0.0, 1.0 - (seconds - fast) / slow)


def buffer_margin(lot: Lot, buffer: float) -> float:
    r"""Give the margin over maintenance and the buffer on top, below zero where it lacks.

    .. math:: B = m - (v - m) b

    with v - m the requirement.
    """
    return lot.margin - (lot.value - lot.margin) * buffer


def largest_share(lot: Lot, discount: float, buffer: float) -> float:
    r"""Give the share whose sale brings the rest back to maintenance and buffer, no more.

    .. math:: f_{max} = \frac{B}{B - v d - R (1 - d)}

    with B the buffer margin. All of it where even that does not suffice; nothing where nothing is lacking.

    Returns
    -------
    float   In [0, 1].
    """
    lacking = buffer_margin(lot, buffer)
    if lacking >= 0.0:
        return 0.0
    freed = lacking - lot.value * discount - lot.reserved * (1.0 - discount)
    return min(1.0, lacking / freed) if freed < 0.0 else 1.0


def fee(lot: Lot, settings: AuctionSettings) -> float:
    """Give what the fund is paid when the auction begins: a share of what undiscounted bids would take."""
    return settings.fee * largest_share(lot, 1.0, settings.buffer) * max(lot.value, 0.0)


def sell(lot: Lot, wanted: float, discount: float, buffer: float) -> Sale:
    r"""Settle a bid for a share of what is left.

    .. math:: bid = (v - R)\, d f, \quad v' = (v - R)(1 - f) + R + bid, \quad m' = (m - R)(1 - f) + R + bid

    with :math:`f = \min(wanted, f_{max})`: the bidder gets f of all positions and of the cash that is not
    reserved; what it pays is reserved for the account.
    """
    share = min(wanted, largest_share(lot, discount, buffer))
    price = (lot.value - lot.reserved) * discount * share
    kept = 1.0 - share
    reserved = lot.reserved + price
    value = (lot.value - lot.reserved) * kept + reserved
    margin = (lot.margin - lot.reserved) * kept + reserved
    return Sale(share, price, Lot(value, margin, reserved))

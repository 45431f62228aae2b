"""Which share of sinking accounts does the backstop take over, and what comes with it?"""

import numpy as np

from plimsoll.types import Lots, Quanta, Vector

__all__ = ["accompanying_equity", "overtaken_lots", "room"]


def room(equity: float, gross: float, cap: float) -> float:
    """Say how much more notional the backstop may hold, in quote quanta: a multiple of its equity in all."""
    return max(cap * max(equity, 0.0) - gross, 0.0)


def overtaken_lots(lots: Lots, gross: Vector, room: float, share: float) -> Lots:
    r"""Choose what is taken over: the same share of every position of every account.

    .. math:: f = \min\Big(s, \frac{room}{\sum_b G_b}\Big), \qquad taken = \lfloor f |q| \rfloor

    One share for all, so no account's result depends on the order of accounts; whole lots round towards
    taking less, so the cap holds.

    Parameters
    ----------
    lots : Lots [B, I]   Positions.
    gross : Vector [B]   Notional of all positions of each account, quote quanta.
    room : float         Quote quanta.
    share : float        s, between 0 and 1.

    Returns
    -------
    Lots [B, I]   Signed positions that change hands.
    """
    total = float(gross.sum())
    fraction = min(share, room / total) if total > 0.0 else 0.0
    if fraction >= 1.0:
        return lots.copy()
    taken: Lots = np.sign(lots) * np.floor(np.abs(lots) * fraction).astype(np.int64)
    return taken


def accompanying_equity(equity: Quanta, taken: Vector, gross: Vector) -> Quanta:
    r"""Say what equity passes to the backstop with the positions, which it takes at the mark.

    .. math:: \Big\lfloor \max(E, 0) \frac{taken}{G} \Big\rfloor

    An account with equity is thus taken over at its bankruptcy price, one without at the mark: the backstop
    is paid for the risk with what is left, and never pays what is already lost.

    Parameters
    ----------
    equity : Quanta [B]
    taken, gross : Vector [B]   Notional taken over and held, quote quanta.
    """
    share = np.divide(taken, gross, out=np.zeros_like(gross), where=gross > 0.0)
    passed = np.floor(np.maximum(equity, 0) * np.minimum(share, 1.0)).astype(np.int64)
    capped: Quanta = np.minimum(passed, np.maximum(equity, 0))
    return capped

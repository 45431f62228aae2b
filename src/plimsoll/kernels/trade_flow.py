"""How do windows of trades add up, and what do their net volumes have to do with their price moves?"""

import numpy as np
from numba import njit

from plimsoll.types import Vector

__all__ = ["SLOTS", "trade_flow", "trade_flow_definition"]

SLOTS = 15
"""The state: 0 window, 1 time, 2 last price of the window before, 3 net and 4 gross volume and 5 last price
in the window; then sums over complete windows that decay with time: 6 weight, 7 volume, 8 net volume, 9
squared moves, 10 count (which does not decay), 11 move times signed root of net volume, 12 size of net
volume, 13 move times net volume, 14 net volume squared."""


def trade_flow_definition(
    times: Vector, price: Vector, signed: Vector, window: float, memory: float, slots: Vector
) -> Vector:
    r"""Go through trades one by one.

    A window ends when a trade of a later one comes; windows without a trade move no price and trade nothing,
    and age the sums. With the net volume Q and the log move r of a window from last trade to last trade,

    .. math:: \sum w\, r\, s \sqrt{|Q|}, \quad \sum w |Q|, \quad \sum w\, r Q, \quad \sum w\, Q^2

    are what the two regressions through the origin need.

    Parameters
    ----------
    times : Vector [T]    Seconds, ascending.
    price : Vector [T]
    signed : Vector [T]   Quote volume, positive where the buyer came to the book.
    window, memory : float   Seconds.
    slots : Vector [SLOTS]   State before the first trade.

    Returns
    -------
    Vector [SLOTS]   State after the last.
    """
    after = slots.copy()
    kept = np.exp(-window / memory)
    for t in range(len(times)):
        place = np.floor(times[t] / window)
        if after[0] >= 0.0 and place > after[0]:
            if after[2] > 0.0:
                move, net = np.log(after[5] / after[2]), after[3]
                fresh = (1.0, after[4], net, move * move, 1.0)
                fitted = (move * np.sign(net) * np.sqrt(abs(net)), abs(net), move * net, net * net)
                for k in range(5):
                    after[6 + k] = after[6 + k] * (1.0 if k == 4 else kept) + fresh[k]
                for k in range(4):
                    after[11 + k] = after[11 + k] * kept + fitted[k]
                empty = place - after[0] - 1.0
                silent = kept**empty
                for k in range(6, 15):
                    if k != 10:
                        after[k] *= silent
                after[6] += (1.0 - silent) / (1.0 - kept)
            after[2], after[3], after[4] = after[5], 0.0, 0.0
        after[0], after[1], after[5] = place, times[t], price[t]
        after[3] += signed[t]
        after[4] += abs(signed[t])
    return after


trade_flow = njit(cache=True)(trade_flow_definition)
"""`trade_flow_definition`, compiled."""

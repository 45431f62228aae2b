"""How does `black76.vy` price an option, in Python integers?"""

from plimsoll.chain.twin import fixed_point
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import quotient

__all__ = ["DEVIATION_MOST", "price"]

_C = constants("black76")
DEVIATION_MOST = _C["DEVIATION_MOST"]
_FAR, _TAIL_END = _C["FAR"], _C["TAIL_END"]


def price(forward: int, strike: int, moneyness: int, deviation: int, *, is_call: bool) -> int:
    """Worth of one option, never below its payoff, in the unit of forward and strike."""
    payoff = forward - strike
    call = max(payoff, 0)
    if deviation > 0:
        d = quotient(moneyness << 96, deviation) + (deviation >> 1)
        call = max(call, _call(forward, strike, d, d - deviation))
    return call if is_call else call - payoff


def _call(forward: int, strike: int, upper: int, lower: int) -> int:
    shared = 0
    if abs(upper) < _FAR:
        shared = forward * fixed_point.exp(-(upper * upper >> 97)) >> 96
    return _weighted(forward, upper, shared) - _weighted(strike, lower, shared)


def _weighted(amount: int, d: int, shared: int) -> int:
    size = abs(d)
    tail = fixed_point.tail(size, shared) if size < _TAIL_END else 0
    return tail if d < 0 else amount - tail

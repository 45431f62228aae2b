"""How does `black76.vy` price an option, in Python integers?"""

from plimsoll.chain.twin import fixed_point
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import quotient

__all__ = ["DEVIATION_MOST", "call_and_delta", "price"]

_C = constants("black76")
DEVIATION_MOST = _C["DEVIATION_MOST"]
_FAR, _TAIL_END = _C["FAR"], _C["TAIL_END"]


def price(forward: int, strike: int, moneyness: int, deviation: int, *, is_call: bool) -> int:
    """Worth of one option, never below its payoff, in the unit of forward and strike."""
    call, _ = call_and_delta(forward, strike, moneyness, deviation)
    return call if is_call else call - (forward - strike)


def call_and_delta(forward: int, strike: int, moneyness: int, deviation: int) -> tuple[int, int]:
    """Worth of a call, never below its payoff, and forward times its delta."""
    call = max(forward - strike, 0)
    gained = forward if call > 0 else 0
    if deviation > 0:
        upper = quotient(moneyness << 96, deviation) + (deviation >> 1)
        lower = upper - deviation
        shared = 0
        if abs(upper) < _FAR:
            shared = forward * fixed_point.exp(-(upper * upper >> 97)) >> 96
        gained = _weighted(forward, upper, shared)
        call = max(call, gained - _weighted(strike, lower, shared))
    return call, gained


def _weighted(amount: int, d: int, shared: int) -> int:
    size = abs(d)
    tail = fixed_point.tail(size, shared) if size < _TAIL_END else 0
    return amount - tail if d > 0 else tail

"""How does `greeks_bound.vy` bound what a book can lose within a box of moves, in Python integers?"""

from dataclasses import dataclass
from functools import cache

from plimsoll.chain.twin import black76, fixed_point
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ONE, quotient

__all__ = ["Box", "Leg", "Sums", "add", "box_of", "least", "loss", "lower", "most"]

_C = constants("market_code")
_DENSITY, _KINK, _TAIL_BITS, _UNITS = _C["DENSITY"], _C["KINK"], _C["TAIL_BITS"], _C["UNITS"]
_NODES, _STEP_BITS, _HALF_STEP = _C["NODES"], _C["STEP_BITS"], _C["HALF_STEP"]
_BELOW, _ABOVE = _C["BELOW"], _C["ABOVE"]


@dataclass(frozen=True, slots=True)
class Box:
    """Moves of spot as multiples, with logarithms and inverses; of volatility in millionths."""

    low: int
    high: int
    low_logarithm: int
    high_logarithm: int
    low_inverse: int
    high_inverse: int
    fall: int
    rise: int


def box_of(low: int, high: int, fall: int, rise: int) -> Box:
    """Work out a box from its corners: multiples of spot, moves of volatility in millionths."""
    return Box(
        low=low,
        high=high,
        low_logarithm=fixed_point.ln(low),
        high_logarithm=fixed_point.ln(high),
        low_inverse=2**192 // low,
        high_inverse=2**192 // high,
        fall=fall,
        rise=rise,
    )


@dataclass(frozen=True, slots=True)
class Leg:
    """An option: money in 2**-64 quanta a lot, total deviation today and after the largest moves."""

    forward: int
    strike: int
    is_call: bool
    deviation: int
    risen: int
    fallen: int


@dataclass(slots=True)
class Sums:
    """What a book adds up to, 2**-64 quanta."""

    value: int = 0
    slope: int = 0
    down: int = 0
    up: int = 0
    falls: int = 0
    rises: int = 0
    low_kinks: int = 0
    high_kinks: int = 0
    allowance: int = 0


@cache
def _nodes() -> tuple[tuple[int, int], ...]:
    """Give normal tail and density at every node, as the contract works them out when deployed."""
    found = []
    for i in range(_NODES):
        x = i << _STEP_BITS
        shared = fixed_point.exp(-(x * x >> 97))
        density = max((_DENSITY * shared >> 96) - _BELOW, 0)
        found.append((fixed_point.tail(x, shared), density))
    return tuple(found)


def _node(at: int) -> tuple[int, int]:
    return _nodes()[at] if at < _NODES else (0, 0)


def most(size: int) -> int:
    """Give no less than the normal density at a size: that of the node before."""
    return _node(size >> _STEP_BITS)[1] + _ABOVE


def least(size: int) -> int:
    """Give no more than the normal density at a size: that of the node behind."""
    return _node((size >> _STEP_BITS) + 1)[1]


def lower(x: int) -> int:
    """Normal distribution by three terms of its series about the nearest node."""
    size = abs(x)
    at = size + _HALF_STEP >> _STEP_BITS
    tail, density = _node(at)
    node = at << _STEP_BITS
    distance = size - node
    tail -= (density * distance >> 96) * (ONE - (node * distance >> 97)) >> 96
    return ONE - tail if x > 0 else tail


def add(total: Sums, box: Box, lots: int, leg: Leg) -> None:
    """Add a position in an option to the sums."""
    total.allowance += abs(lots) * ((leg.forward + leg.strike >> _TAIL_BITS) + _UNITS)
    if leg.deviation < _KINK:
        _add_kinked(total, box, lots, leg)
        return
    moneyness = fixed_point.ln(leg.forward) - fixed_point.ln(leg.strike)
    upper = quotient(moneyness << 96, leg.deviation) + (leg.deviation >> 1)
    delta = leg.forward * lower(upper) >> 96
    price = delta - (leg.strike * lower(upper - leg.deviation) >> 96)
    if not leg.is_call:
        price, delta = price - (leg.forward - leg.strike), delta - leg.forward
    total.value += lots * price
    total.slope += lots * delta
    down, up = (_largest if lots < 0 else _smallest)(leg, box, upper)
    total.down += lots * down
    total.up += lots * up
    if lots < 0 and leg.risen > leg.deviation:
        total.rises -= lots * _vega(leg, box, _nearest(leg, box, moneyness), leg.deviation, leg.risen)
    elif lots > 0 and leg.fallen < leg.deviation:
        low, high = (end - leg.deviation for end in _reached(leg, box, upper))
        total.falls += lots * _vega(leg, box, max(low, -high, 0), leg.fallen, leg.deviation)


def _reached(leg: Leg, box: Box, upper: int) -> tuple[int, int]:
    """Give the upper deviation at either end of the box."""
    return (
        upper + quotient(box.low_logarithm << 96, leg.deviation),
        upper + quotient(box.high_logarithm << 96, leg.deviation),
    )


def _smallest(leg: Leg, box: Box, upper: int) -> tuple[int, int]:
    """Give no more than the dollar gamma of a lot below and above today."""
    low, high = _reached(leg, box, upper)
    above = least(max(-upper, high)) * box.high_inverse >> 96
    return (
        quotient(leg.forward * least(max(-low, upper)), leg.deviation),
        quotient(leg.forward * above, leg.deviation),
    )


def _largest(leg: Leg, box: Box, upper: int) -> tuple[int, int]:
    """Give no less than the dollar gamma of a lot below and above today."""
    low, high = _reached(leg, box, upper)
    below = (most(max(low, -upper, 0)) * box.low_inverse >> 96) + 1
    return (
        quotient(leg.forward * below, leg.deviation) + 1,
        quotient(leg.forward * most(max(upper, -high, 0)), leg.deviation) + 1,
    )


def _nearest(leg: Leg, box: Box, moneyness: int) -> int:
    """Give the least size of the lower deviation within the box, after the largest rise."""
    low, high = (
        quotient((moneyness + logarithm) << 96, leg.risen) - (leg.risen >> 1)
        for logarithm in (box.low_logarithm, box.high_logarithm)
    )
    return max(low, -high, 0)


def _vega(leg: Leg, box: Box, nearest: int, before: int, after: int) -> int:
    """Give the most that a change of total deviation is worth within the box."""
    change = after - before
    growth = change * (after + before) >> 99
    if growth < ONE:
        worth = leg.strike * most(nearest) >> 96
        worth = worth * (ONE + growth + (growth * growth >> 96)) >> 96
    else:
        worth = _flat(leg, box)
    return ((worth + 2) * change >> 96) + 1


def _flat(leg: Leg, box: Box) -> int:
    return min(leg.forward * box.high >> 96, leg.strike) * (_DENSITY + _ABOVE) >> 96


def _add_kinked(total: Sums, box: Box, lots: int, leg: Leg) -> None:
    """Add a position in an option without deviation to speak of."""
    moneyness = fixed_point.ln((leg.forward << 96) // leg.strike)
    price, delta = black76.call_and_delta(leg.forward, leg.strike, moneyness, leg.deviation)
    if not leg.is_call:
        price, delta = price - (leg.forward - leg.strike), delta - leg.forward
    total.value += lots * price
    total.slope += lots * delta
    flat = _flat(leg, box) + 2
    if lots < 0:
        total.low_kinks -= lots * _kink(leg, box.low, price, delta)
        total.high_kinks -= lots * _kink(leg, box.high, price, delta)
        total.rises -= lots * ((flat * max(leg.risen - leg.deviation, 0) >> 96) + 1)
    else:
        total.falls += lots * ((flat * max(leg.deviation - leg.fallen, 0) >> 96) + 1)


def _kink(leg: Leg, multiple: int, price: int, delta: int) -> int:
    moved = leg.forward * multiple >> 96
    payoff = max(moved - leg.strike if leg.is_call else leg.strike - moved, 0)
    worth = payoff + (moved * leg.deviation >> 97) + 1
    return max(worth - price - (delta * (multiple - ONE) >> 96), 0)


def loss(sums: Sums, box: Box) -> int:
    """Give the most that the box can take: the worse side of spot and direction of volatility."""
    down = _side(sums.slope, sums.down, box.low - ONE) + sums.low_kinks
    up = _side(sums.slope, sums.up, box.high - ONE) + sums.high_kinks
    return max(down, up) + max(sums.falls, sums.rises)


def _side(slope: int, curvature: int, end: int) -> int:
    x = end >> 32
    most = max(1 - (slope * x >> 64) - ((curvature * x >> 64) * x >> 65), 0)
    if curvature > 0 and (slope < 0) != (x < 0):
        turn = (abs(slope) << 64) // curvature + 1
        if turn <= abs(x):
            most = max(most, (abs(slope) * turn >> 65) + 1)
    return most

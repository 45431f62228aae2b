"""How does `greeks_bound.vy` bound what a book can lose within a box of moves, in Python integers?"""

from dataclasses import dataclass
from functools import cache

from plimsoll.chain.twin import fixed_point
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ONE, quotient

__all__ = ["Box", "Leg", "Sums", "add", "box_of", "loss", "lower"]

_C = constants("greeks_bound")
_DENSITY, _KINK, _SLACK, _TAIL_BITS = _C["DENSITY"], _C["KINK"], _C["SLACK"], _C["TAIL_BITS"]
_NODES, _STEP_BITS, _HALF_STEP = _C["NODES"], _C["STEP_BITS"], _C["HALF_STEP"]


@dataclass(frozen=True, slots=True)
class Box:
    """Moves of spot as multiples, with logarithms, inverses and a chord; of volatility in millionths."""

    low: int
    high: int
    low_logarithm: int
    high_logarithm: int
    low_inverse: int
    high_inverse: int
    chord: int
    fall: int
    rise: int


def box_of(low: int, high: int, fall: int, rise: int) -> Box:
    """Work out a box from its corners: multiples of spot, moves of volatility in millionths."""
    low_logarithm = fixed_point.ln(low)
    low_inverse = 2**192 // low
    return Box(
        low=low,
        high=high,
        low_logarithm=low_logarithm,
        high_logarithm=fixed_point.ln(high),
        low_inverse=low_inverse,
        high_inverse=2**192 // high,
        chord=((low_inverse - ONE) << 96) // -low_logarithm if low_logarithm < 0 else 0,
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
        found.append((fixed_point.tail(x, shared), _DENSITY * shared >> 96))
    return tuple(found)


def _density(x: int) -> int:
    """Normal density by three terms of its series about the nearest node."""
    return lower(x)[1]


def lower(x: int) -> tuple[int, int]:
    """Normal distribution by four terms of its series about the nearest node, and density by three."""
    node = abs(x) + _HALF_STEP >> _STEP_BITS
    if node >= _NODES:
        return ONE if x > 0 else 0, 0
    tail, density = _nodes()[node]
    distance = abs(x) - (node << _STEP_BITS)
    product = (node << _STEP_BITS) * distance >> 96
    square = product * product - distance * distance
    part = ONE - (product >> 1) + quotient(square >> 96, 6)
    tail -= (density * distance >> 96) * part >> 96
    return ONE - tail if x > 0 else tail, density * (ONE - product + (square >> 97)) >> 96


def add(total: Sums, box: Box, lots: int, leg: Leg) -> None:
    """Add a position in an option to the sums."""
    short, size = lots < 0, abs(lots)
    moneyness = fixed_point.ln((leg.forward << 96) // leg.strike)
    upper, density, price, delta = _priced(leg, moneyness)
    total.value += lots * price
    total.slope += lots * delta
    total.allowance += size * ((leg.forward + leg.strike >> _TAIL_BITS) + 1)
    if leg.deviation >= _KINK:
        down, up = (_largest if short else _least)(leg, box, upper, density)
        total.down += lots * down
        total.up += lots * up
    elif short:
        total.low_kinks += size * _kink(leg, box.low, price, delta)
        total.high_kinks += size * _kink(leg, box.high, price, delta)
    if short:
        total.rises += size * _vega(leg, box, moneyness, leg.deviation, leg.risen)
    else:
        total.falls += size * _vega(leg, box, moneyness, leg.fallen, leg.deviation)


def _priced(leg: Leg, moneyness: int) -> tuple[int, int, int, int]:
    """Give the upper deviation and its density, what the option is worth, and its dollar delta."""
    intrinsic = leg.forward - leg.strike
    upper, density, price, delta = 0, 0, max(intrinsic, 0), leg.forward if intrinsic > 0 else 0
    if leg.deviation > 0:
        upper = quotient(moneyness << 96, leg.deviation) + (leg.deviation >> 1)
        gained, density = lower(upper)
        delta = leg.forward * gained >> 96
        price = max(price, delta - (leg.strike * lower(upper - leg.deviation)[0] >> 96))
    if leg.is_call:
        return upper, density, price, delta
    return upper, density, price - intrinsic, delta - leg.forward


def _reached(leg: Leg, box: Box, upper: int) -> tuple[int, int]:
    """Give the upper deviation at either end of the box."""
    return (
        upper + quotient(box.low_logarithm << 96, leg.deviation),
        upper + quotient(box.high_logarithm << 96, leg.deviation),
    )


def _least(leg: Leg, box: Box, upper: int, density: int) -> tuple[int, int]:
    """Give the least dollar gamma of a lot below and above today."""
    low, high = _reached(leg, box, upper)
    here = max(density - _SLACK, 0)
    below = above = here
    if low + leg.deviation < 0:
        below = min(here, max(_density(low) - _SLACK, 0) * box.low_inverse >> 96)
    if high + leg.deviation > 0:
        above = min(here, max(_density(high) - _SLACK, 0) * box.high_inverse >> 96)
    return quotient(leg.forward * below, leg.deviation), quotient(leg.forward * above, leg.deviation)


def _largest(leg: Leg, box: Box, upper: int, density: int) -> tuple[int, int]:
    """Give the largest dollar gamma of a lot below and above today."""
    low, high = _reached(leg, box, upper)
    here, beyond = density + _SLACK, upper + leg.deviation
    below = above = here
    if high + leg.deviation > 0:
        below = max(here, (_density(low) + _SLACK) * box.low_inverse >> 96)
    if low + leg.deviation < 0:
        above = max(here, (_density(high) + _SLACK) * box.high_inverse >> 96)
    if low + leg.deviation < 0 < high + leg.deviation:
        top = _density(leg.deviation) + _SLACK
        if beyond <= 0:
            above = max(above, top)
        else:
            below = max(below, top * (ONE + ((leg.deviation * beyond >> 96) * box.chord >> 96)) >> 96)
    return quotient(leg.forward * below, leg.deviation) + 1, quotient(leg.forward * above, leg.deviation) + 1


def _vega(leg: Leg, box: Box, moneyness: int, least: int, most: int) -> int:
    if most <= least:
        return 0
    change = most - least
    growth = change * (most + least) >> 99
    if growth < ONE:
        low = quotient((moneyness + box.low_logarithm) << 96, most) - (most >> 1)
        high = quotient((moneyness + box.high_logarithm) << 96, most) - (most >> 1)
        worth = leg.strike * (_density(max(low, min(high, 0))) + _SLACK) >> 96
        worth = worth * (ONE + growth + (growth * growth >> 96)) >> 96
    else:
        worth = min(leg.forward * box.high >> 96, leg.strike) * (_DENSITY + _SLACK) >> 96
    return ((worth + 2) * change >> 96) + 1


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

"""How does `greeks_bound.vy` bound what a book can lose within a box of moves, in Python integers?"""

from dataclasses import dataclass

from plimsoll.chain.twin import black76, fixed_point
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ONE, quotient

__all__ = ["Box", "Leg", "Sums", "add", "leg_of", "loss"]

_C = constants("greeks_bound")
_DENSITY, _KINK, _FAR, _WIDER = _C["DENSITY"], _C["KINK"], _C["FAR"], _C["WIDER"]


@dataclass(frozen=True, slots=True)
class Box:
    """Moves of spot as multiples with their logarithms, of volatility in millionths."""

    low: int
    high: int
    low_logarithm: int
    high_logarithm: int
    fall: int
    rise: int


@dataclass(frozen=True, slots=True)
class Leg:
    """An option: money in 2**-64 quanta a lot, total deviation today and after the largest moves."""

    forward: int
    strike: int
    is_call: bool
    deviation: int
    risen: int
    fallen: int
    moneyness: int
    price: int
    delta: int


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


def leg_of(forward: int, strike: int, deviations: tuple[int, int, int], *, is_call: bool) -> Leg:
    """Work out an option's moneyness, price and delta; deviations are today's, risen and fallen."""
    moneyness = fixed_point.ln((forward << 96) // strike)
    price, delta = black76.call_and_delta(forward, strike, moneyness, deviations[0])
    if not is_call:
        price, delta = price - (forward - strike), delta - forward
    return Leg(forward, strike, is_call, *deviations, moneyness, price, delta)


def add(total: Sums, box: Box, lots: int, leg: Leg) -> None:
    """Add a position in an option to the sums."""
    short, size = lots < 0, abs(lots)
    total.value += lots * leg.price
    total.slope += lots * leg.delta
    low, high = leg.moneyness + box.low_logarithm, leg.moneyness + box.high_logarithm
    if leg.deviation >= _KINK:
        total.down += lots * _gamma(leg, low, leg.moneyness, largest=short)
        total.up += lots * _gamma(leg, leg.moneyness, high, largest=short)
    elif short:
        total.low_kinks += size * _kink(leg, box.low)
        total.high_kinks += size * _kink(leg, box.high)
    if short:
        total.rises += size * _vega(leg.strike, low, high, leg.deviation, leg.risen)
    else:
        total.falls += size * _vega(leg.strike, low, high, leg.fallen, leg.deviation)


def _gamma(leg: Leg, low: int, high: int, *, largest: bool) -> int:
    square = leg.deviation * leg.deviation >> 96
    top = -(3 * square >> 1)
    at = max(low, min(high, top)) if largest else low if low + high < top << 1 else high
    ratio = quotient(at << 96, leg.deviation)
    power = 2 * leg.moneyness - (3 * at >> 1)
    power = power - (ratio * ratio >> 97) - (square >> 3)
    gamma = leg.strike * fixed_point.exp(power) // leg.deviation * _DENSITY >> 96
    return gamma + (gamma >> _WIDER) + 1 if largest else gamma - (gamma >> _WIDER)


def _vega(strike: int, low: int, high: int, least: int, most: int) -> int:
    if most <= least:
        return 0
    at = max(low, min(high, most * most >> 97))
    ratio = quotient(at << 96, most)
    if abs(ratio) > _FAR:
        return 1
    power = (at >> 1) - (ratio * ratio >> 97) - (least * least >> 99)
    vega = (strike * fixed_point.exp(power) >> 96) * _DENSITY >> 96
    change = vega * (most - least) >> 96
    return change + (change >> _WIDER) + 1


def _kink(leg: Leg, multiple: int) -> int:
    moved = leg.forward * multiple >> 96
    payoff = max(moved - leg.strike if leg.is_call else leg.strike - moved, 0)
    worth = payoff + (moved * leg.deviation >> 97) + 1
    return max(worth - leg.price - (leg.delta * (multiple - ONE) >> 96), 0)


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

"""What is an instrument worth today and in every scenario, in the contract's integers?

Functions carry the names of `MarginEngine.vy`. Money is in 2**-64 quanta per lot, numbers in 2**-96.
"""

from dataclasses import dataclass

from plimsoll.chain.twin import black76, fixed_point
from plimsoll.chain.twin.boards import Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ONE, Revert, quotient

__all__ = [
    "Grid",
    "Option",
    "Tenor",
    "decay",
    "deviation",
    "error",
    "grid_of",
    "money",
    "option_of",
    "packed_row",
    "sound",
    "tenor_of",
    "values_of",
]

_C = constants("MarginEngine")
_LINEAR, _CALL, _SCENARIOS = _C["LINEAR"], _C["CALL"], _C["SCENARIOS"]
_MILLION, _BILLION, _DAY, _YEAR = _C["MILLION"], _C["BILLION"], _C["DAY"], _C["YEAR"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A market's scenarios, worked out; number 0 moves nothing."""

    power: int
    multiple: tuple[int, ...]
    logarithm: tuple[int, ...]
    volatility: tuple[int, ...]
    largest: int


@dataclass(frozen=True, slots=True)
class Tenor:
    """Root of the years left, and how far the tenor carries moves of volatility."""

    root: int = 0
    multiple: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """An instrument at one moment."""

    kind: int
    forward: int
    strike: int
    volatility: int


def grid_of(market: Market) -> Grid:
    """Work out a market's scenarios."""
    moves = (0, *(spot for spot, _ in market.scenarios))
    multiple = tuple(_multiple(move, market.spread) for move in moves)
    return Grid(
        power=market.power,
        multiple=multiple,
        logarithm=tuple(map(fixed_point.ln, multiple)),
        volatility=(0, *(move for _, move in market.scenarios)),
        largest=max(multiple),
    )


def _multiple(move: int, spread: int) -> int:
    multiple = ONE + quotient(move * spread * ONE, _MILLION * _MILLION)
    if not _C["LEAST_MULTIPLE"] <= multiple <= _C["LARGEST_MULTIPLE"]:
        raise Revert("engine: move too large")
    return multiple


def tenor_of(expiry: int, as_of: int, now: int, power: int) -> Tenor:
    """Give the root of the years left at `now`, and (30 days / tenor)**power at publication."""
    left = max(expiry - now, 0)
    days = max(expiry - as_of, _DAY)
    logarithm = fixed_point.ln((30 * _DAY << 96) // days)
    return Tenor(
        root=fixed_point.sqrt((left << 96) // _YEAR),
        multiple=fixed_point.exp(quotient(logarithm * power, _MILLION)),
    )


def money(price: int, lot: int) -> int:
    """Give a price for a lot, both 1e-18, in 2**-64 quanta."""
    return (price * lot << 64) // _C["TO_QUANTA"]


def option_of(listing: Listing, row: Row, market: Market, spot: int, now: int) -> Option:
    """Set an instrument at a moment; from expiry on its forward is spot."""
    basis = row.basis if listing.expiry == 0 or now < listing.expiry else 0
    return Option(
        kind=listing.kind,
        forward=quotient(money(spot, market.lot) * (_BILLION + basis), _BILLION),
        strike=money(listing.strike, market.lot),
        volatility=row.volatility,
    )


def sound(option: Option) -> bool:
    """Say whether an instrument can be priced."""
    if not 0 < option.forward <= _C["MOST_MONEY"]:
        return False
    return option.kind == _LINEAR or option.forward << 96 >= option.strike


def values_of(grid: Grid, tenor: Tenor, option: Option, only: int = _SCENARIOS) -> list[int]:
    """Value a lot today and in every scenario, or in one; 0 in those that are not looked at."""
    size = len(grid.multiple)
    moneyness = 0
    if option.kind != _LINEAR:
        moneyness = fixed_point.ln((option.forward << 96) // option.strike)
    values = [0] * size
    for s in range(size):
        if only < _SCENARIOS and s not in (0, only):
            continue
        forward = option.forward * grid.multiple[s] >> 96
        if option.kind == _LINEAR:
            values[s] = forward
            continue
        values[s] = black76.price(
            forward,
            option.strike,
            moneyness + grid.logarithm[s],
            deviation(tenor, option.volatility, grid.volatility[s]),
            is_call=option.kind == _CALL,
        )
    return values


def deviation(tenor: Tenor, volatility: int, move: int) -> int:
    """Give the total deviation after a move of volatility."""
    scale = max(ONE + quotient(move * tenor.multiple, _MILLION), 0)
    still = quotient(volatility * tenor.root, _MILLION)
    return min(still * scale >> 96, black76.DEVIATION_MOST)


def error(largest: int, option: Option) -> int:
    """Give more than any value of a lot is off by."""
    return (((option.forward * largest >> 96) + option.strike) >> _C["ERROR_BITS"]) + 1


def decay(grid: Grid, tenor: Tenor, option: Option, left: int) -> int:
    """Give the most that a lot can lose in a second, quanta, rounded up."""
    most = max(
        (option.forward * multiple >> 96) * deviation(tenor, option.volatility, move) >> 96
        for multiple, move in zip(grid.multiple, grid.volatility, strict=True)
    )
    return (most * _C["DENSITY"] >> 160) // left + 1


def packed_row(grid: Grid, tenor: Tenor, option: Option, basis: int) -> Row:
    """Pack an instrument's values, with the least exponent that holds the largest of them."""
    lost = error(grid.largest, option)
    whole = [max(value - lost, 0) >> 64 for value in values_of(grid, tenor, option)]
    exponent = max(max(whole).bit_length() - 16, 0)
    lanes = [value >> exponent for value in whole]
    lanes += [lanes[0]] * (_SCENARIOS - len(lanes))
    return Row(basis=basis, volatility=option.volatility, exponent=exponent, lanes=tuple(lanes))

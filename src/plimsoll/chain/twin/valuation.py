"""What is an instrument worth today and in every scenario, in the contract's integers?

Functions carry the names of `valuation.vy`. Money is in 2**-64 quanta per lot, numbers in 2**-96.
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
    "lanes_of",
    "money",
    "multiple_of",
    "option_of",
    "packed_row",
    "sound",
    "still",
    "tenor_of",
    "values_of",
]

_C = constants("valuation")
_LINEAR, _CALL, _SCENARIOS = _C["LINEAR"], _C["CALL"], _C["SCENARIOS"]
_MILLION, _BILLION, _DAY, _YEAR = _C["MILLION"], _C["BILLION"], _C["DAY"], _C["YEAR"]
_LANE_BITS = 14
"""Of a value in a packed row."""


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


def grid_of(market: Market, only: int = _SCENARIOS) -> Grid:
    """Work out a market's scenarios; `only` below 32 leaves but one besides today."""
    cells = [cell for s, cell in enumerate(market.scenarios, start=1) if only in (_SCENARIOS, s)]
    multiple = tuple(multiple_of(move, market.spread) for move, _ in ((0, 0), *cells))
    return Grid(
        power=market.power,
        multiple=multiple,
        logarithm=tuple(map(fixed_point.ln, multiple)),
        volatility=(0, *(move for _, move in cells)),
        largest=max(multiple),
    )


def multiple_of(move: int, spread: int) -> int:
    """Give what a move makes of spot, at least a twentieth and at most five times."""
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


def option_of(listing: Listing, row: Row, market: Market, spot: int, settling: int = 0) -> Option:
    """Set an instrument at a moment; what expired by `settling` has spot for its forward."""
    basis = row.basis if listing.expiry == 0 or settling < listing.expiry else 0
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


def values_of(grid: Grid, tenor: Tenor, option: Option) -> list[int]:
    """Value a lot today and in every scenario of a grid. Sound options only."""
    if option.kind == _LINEAR:
        return [option.forward * multiple >> 96 for multiple in grid.multiple]
    moneyness = fixed_point.ln((option.forward << 96) // option.strike)
    steady = still(tenor, option)
    return [
        black76.price(
            option.forward * multiple >> 96,
            option.strike,
            moneyness + logarithm,
            deviation(steady, tenor.multiple, move),
            is_call=option.kind == _CALL,
        )
        for multiple, logarithm, move in zip(grid.multiple, grid.logarithm, grid.volatility, strict=True)
    ]


def still(tenor: Tenor, option: Option) -> int:
    """Give the total deviation while volatility stands still."""
    return quotient(option.volatility * tenor.root, _MILLION)


def deviation(steady: int, multiple: int, move: int) -> int:
    """Give the total deviation after a move of volatility."""
    scale = max(ONE + quotient(move * multiple, _MILLION), 0)
    return min(steady * scale >> 96, black76.DEVIATION_MOST)


def error(largest: int, option: Option) -> int:
    """Give more than any value of a lot is off by."""
    return (((option.forward * largest >> 96) + option.strike) >> _C["ERROR_BITS"]) + 1


def decay(grid: Grid, tenor: Tenor, option: Option, left: int) -> int:
    """Give the most that a lot can lose in a second, quanta, rounded up."""
    steady = still(tenor, option)
    most = max(
        (option.forward * multiple >> 96) * deviation(steady, tenor.multiple, move) >> 96
        for multiple, move in zip(grid.multiple, grid.volatility, strict=True)
    )
    return (most * _C["DENSITY"] >> 160) // left + 1


def packed_row(grid: Grid, tenor: Tenor, option: Option, basis: int) -> Row:
    """Pack an instrument's values, with the least exponent that holds the largest of them."""
    values = values_of(grid, tenor, option)
    exponent = max((max(values) >> 64).bit_length() - _LANE_BITS, 0)
    exponent += max(lanes_of(values, exponent)) >> _LANE_BITS
    lanes = lanes_of(values, exponent)
    return Row(basis=basis, volatility=option.volatility, exponent=exponent, lanes=lanes)


def lanes_of(values: list[int], exponent: int) -> tuple[int, ...]:
    """Round values to the nearest 2**exponent quanta; lanes without a scenario repeat today."""
    lanes = [((value >> (63 + exponent)) + 1) >> 1 for value in values]
    return (*lanes, *[lanes[0]] * (_SCENARIOS - len(lanes)))

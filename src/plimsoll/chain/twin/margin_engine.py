"""How does `MarginEngine.vy` answer, in Python integers: the same risks, and the same refusals?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from plimsoll.chain.twin.boards import Board, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ONE, Revert
from plimsoll.chain.twin.positions import unpack
from plimsoll.chain.twin.valuation import (
    Grid,
    Option,
    Tenor,
    decay,
    error,
    grid_of,
    lanes_of,
    option_of,
    sound,
    tenor_of,
    values_of,
)

__all__ = ["MarginEngine", "MarketRisk", "spot_of"]

_C = constants("MarginEngine")
_LINEAR, _SCENARIOS = _C["LINEAR"], _C["SCENARIOS"]
_GROSS = _C["GROSS"] >> 5
_P = constants("packed_rows")
_LANE, _SPACES, _MASK, _NOTHING = _P["LANE"], _P["SPACES"], _P["MASK"], _P["NOTHING"]
_WORD = _NEVER = (1 << 256) - 1


@dataclass(frozen=True, slots=True)
class MarketRisk:
    """What the positions of one market are worth, quote quanta: today, and in the worst scenario."""

    market: int
    value: int
    worst: int
    scenario: int
    as_of: int


@dataclass
class _Packed:
    """What one market's packed positions add up to along the way."""

    lanes: list[int] = field(default_factory=lambda: [0] * 8)
    charge: int = 0
    gross: int = 0
    as_of: int = _NEVER


@dataclass
class _Exact:
    """What one market's repriced positions add up to along the way."""

    sums: list[int]
    allowance: int = 0
    as_of: int = _NEVER


@dataclass
class MarginEngine:
    """The contract's state: markets by number, boards by market << 3 | number."""

    markets: dict[int, Market] = field(default_factory=dict)
    boards: dict[int, Board] = field(default_factory=dict)

    def packed(self, positions: Sequence[int], spots: Sequence[int], now: int) -> list[MarketRisk]:
        """Sum packed rows."""
        risks: list[MarketRisk] = []
        key, sums = -1, _Packed()
        for at, run in groupby(unpack(positions), lambda position: position[0] >> 10):
            if at < key:
                raise Revert("engine: order")
            if key >= 0 and at >> 3 != key >> 3:
                risks.append(_summed(key >> 3, sums))
                sums = _Packed()
            key = at
            self._add_rows(at, list(run), sums, (spots, now))
            if sums.gross >= _GROSS:
                raise Revert("packed: book too large")
        return [*risks, _summed(key >> 3, sums)] if key >= 0 else risks

    def _add_rows(
        self, key: int, run: Sequence[tuple[int, int]], sums: _Packed, moment: tuple[Sequence[int], int]
    ) -> None:
        """Add a board's positions to the sums, as its code does."""
        self.published(key)
        board, (spots, now) = self.boards[key], moment
        if board.superseded:
            raise Revert("packed: superseded")
        if board.refuted:
            raise Revert("packed: refuted")
        spot = spot_of(key >> 3, spots)
        if any(instrument & 1023 >= len(board.rows) for instrument, _ in run):
            raise Revert("")
        for instrument, lots in run:
            _add_row(sums, board.rows[instrument & 1023], lots)
        age, moved = now - board.as_of, abs(spot - board.spot)
        if age > _P["MAX_AGE"] or moved * _P["DRIFT"] > board.spot:
            raise Revert("packed: stale")
        stale = board.notional * moved // board.spot + 1 + board.decay * age
        sums.charge += stale * sum(abs(lots) for _, lots in run)
        sums.as_of = min(sums.as_of, board.as_of)

    def exact(self, positions: Sequence[int], spots: Sequence[int], now: int) -> list[MarketRisk]:
        """Reprice every position in every scenario."""
        return self._exact(positions, spots, now, _SCENARIOS)

    def single(
        self, positions: Sequence[int], spots: Sequence[int], now: int, scenario: int
    ) -> list[MarketRisk]:
        """Reprice every position today and in one scenario."""
        if scenario >= _SCENARIOS:
            raise Revert("engine: no such scenario")
        return self._exact(positions, spots, now, scenario)

    def _exact(self, positions: Sequence[int], spots: Sequence[int], now: int, only: int) -> list[MarketRisk]:
        risks: list[MarketRisk] = []
        key, held, grid = -1, _Exact([]), Grid(0, (), (), (), 0)
        for instrument, lots in unpack(positions):
            at = instrument >> 10
            if at != key:
                if at < key:
                    raise Revert("engine: order")
                as_of = self.published(at)
                if key < 0 or at >> 3 != key >> 3:
                    risks += [_least(key >> 3, held, only)] if key >= 0 else []
                    grid = self.grid(at >> 3, only)
                    held = _Exact([0] * len(grid.multiple))
                key = at
                held.as_of = min(held.as_of, as_of)
            self._reprice(held, grid, instrument, lots, spots, now)
        return [*risks, _least(key >> 3, held, only)] if key >= 0 else risks

    def _reprice(
        self, held: _Exact, grid: Grid, instrument: int, lots: int, spots: Sequence[int], now: int
    ) -> None:
        option, tenor = self.option(instrument, spot_of(instrument >> 13, spots), now)
        for s, value in enumerate(values_of(grid, tenor, option)):
            held.sums[s] += lots * value
        held.allowance += abs(lots) * error(grid.largest, option)

    def option(self, instrument: int, spot: int, now: int, settling: int = 0) -> tuple[Option, Tenor]:
        """Set an instrument at a moment, with its tenor; refuse what cannot be priced."""
        board = self.boards[instrument >> 10]
        row = instrument & 1023
        if row >= len(board.listings) or row >= len(board.rows):
            raise Revert("")
        listing = board.listings[row]
        option = option_of(listing, board.rows[row], self.markets[instrument >> 13], spot, settling)
        if not sound(option):
            raise Revert("engine: no price")
        if option.kind == _LINEAR:
            return option, Tenor()
        return option, tenor_of(listing.expiry, board.as_of, now, self.markets[instrument >> 13].power)

    def mark(self, instrument: int, spot: int, now: int) -> int:
        """Worth of one lot today, rounded down to a quantum."""
        if spot >= 2**112:
            raise Revert("engine: price too large")
        self.published(instrument >> 10)
        option, tenor = self.option(instrument, spot, now, settling=now)
        (value,) = values_of(Grid(0, (ONE,), (0,), (0,), ONE), tenor, option)
        return max(value - error(ONE, option), 0) >> 64

    def terms(self, instrument: int) -> tuple[int, int, int, int]:
        """Give kind, expiry, strike and lot of a listed instrument."""
        board = self.boards.get(instrument >> 10)
        if board is None or instrument & 1023 >= len(board.listings):
            raise Revert("engine: not listed")
        listing = board.listings[instrument & 1023]
        return listing.kind, listing.expiry, listing.strike, self.markets[instrument >> 13].lot

    def spread(self, market: int) -> int:
        """Give the size of one unit of a spot move, 1e-6."""
        return self.markets[market].spread if market in self.markets else 0

    def holds(self, instrument: int) -> bool:
        """Say whether a published row is what the exact path gives at its own moment, and is bounded."""
        board = self.boards[instrument >> 10]
        row, listing = board.rows[instrument & 1023], board.listings[instrument & 1023]
        option = option_of(listing, row, self.markets[instrument >> 13], board.spot)
        if not sound(option):
            return False
        grid = self.grid(instrument >> 13)
        tenor = Tenor()
        if option.kind != _LINEAR:
            tenor = tenor_of(listing.expiry, board.as_of, board.as_of, grid.power)
            left = listing.expiry - board.as_of
            if left > 0 and decay(grid, tenor, option, left) > board.decay:
                return False
        if option.forward * grid.largest >> 160 >= board.notional:
            return False
        return lanes_of(values_of(grid, tenor, option), row.exponent) == row.lanes

    def grid(self, market: int, only: int = _SCENARIOS) -> Grid:
        """Work out a market's scenarios, or one of them."""
        return grid_of(self.markets[market], only)

    def published(self, key: int) -> int:
        """Give when a board was last published."""
        board = self.boards.get(key)
        if board is None or board.as_of == 0:
            raise Revert("engine: not published")
        return board.as_of


def spot_of(market: int, spots: Sequence[int]) -> int:
    """Give the spot of a market that is held, 1e18."""
    if spots[market] == 0:
        raise Revert("engine: no price")
    if spots[market] >= 2**112:
        raise Revert("engine: price too large")
    return spots[market]


def _add_row(sums: _Packed, row: Row, lots: int) -> None:
    """Add lots of a row: four signed lanes a word, modulo 2**256."""
    sums.gross += abs(lots) << row.exponent
    for a, word in enumerate(row.words):
        for t in range(4):
            part = ((word >> (14 * t)) & _MASK) * (lots << row.exponent)
            sums.lanes[4 * a + t] = (sums.lanes[4 * a + t] + part) & _WORD


def _summed(market: int, sums: _Packed) -> MarketRisk:
    """Decode 32 sums and find the least; of equal ones the first scenario."""
    found = [
        ((((lanes + _NOTHING * _SPACES) & _WORD) >> (64 * i)) & _LANE, ((a >> 2) << 4) + (i << 2) + (a & 3))
        for a, lanes in enumerate(sums.lanes)
        for i in range(4)
    ]
    least, scenario = min(found)
    held = _NOTHING + sums.charge + sums.gross
    return MarketRisk(market, found[0][0] - held, least - held, scenario, sums.as_of)


def _least(market: int, held: _Exact, only: int) -> MarketRisk:
    worst = min(range(len(held.sums)), key=lambda s: (held.sums[s], s))
    return MarketRisk(
        market,
        (held.sums[0] - held.allowance) >> 64,
        (held.sums[worst] - held.allowance) >> 64,
        worst if worst == 0 or only == _SCENARIOS else only,
        held.as_of,
    )

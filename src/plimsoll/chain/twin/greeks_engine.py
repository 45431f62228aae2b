"""How does `GreeksEngine.vy` answer, in Python integers: never less than the exact path asks for?"""

from collections.abc import Sequence
from dataclasses import dataclass

from plimsoll.chain.twin import black76
from plimsoll.chain.twin.boards import Market
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ONE, Revert
from plimsoll.chain.twin.greeks_bound import Box, Leg, Sums, add, box_of, loss
from plimsoll.chain.twin.margin_engine import MarginEngine, MarketRisk, spot_of
from plimsoll.chain.twin.positions import unpack
from plimsoll.chain.twin.valuation import Option, Tenor, deviation, multiple_of, still

__all__ = ["GreeksEngine"]

_C = constants("valuation")
_CALL, _LINEAR, _SCENARIOS = _C["CALL"], _C["LINEAR"], _C["SCENARIOS"]
_ERROR_BITS = _C["ERROR_BITS"]
_NEVER = (1 << 256) - 1


@dataclass(frozen=True)
class GreeksEngine:
    """The screen over a margin engine's published rows."""

    engine: MarginEngine

    def greeks(self, positions: Sequence[int], spots: Sequence[int], now: int) -> list[MarketRisk]:
        """Bound every market's book by its Greeks."""
        risks: list[MarketRisk] = []
        key, box, sums, as_of = -1, box_of(ONE, ONE, 0, 0), Sums(), _NEVER
        for instrument, lots in unpack(positions):
            at = instrument >> 10
            if at != key:
                if at < key:
                    raise Revert("engine: order")
                published = self.engine.published(at)
                if key < 0 or at >> 3 != key >> 3:
                    risks += [_bounded(key >> 3, box, sums, as_of)] if key >= 0 else []
                    box, sums, as_of = _box(self.engine.markets[at >> 3]), Sums(), _NEVER
                key, as_of = at, min(as_of, published)
            option, tenor = self.engine.option(instrument, spot_of(instrument >> 13, spots), now)
            _add(sums, box, lots, option, tenor)
        return [*risks, _bounded(key >> 3, box, sums, as_of)] if key >= 0 else risks


def _add(sums: Sums, box: Box, lots: int, option: Option, tenor: Tenor) -> None:
    if option.kind == _LINEAR:
        sums.value += lots * option.forward
        sums.slope += lots * option.forward
        sums.allowance += abs(lots) * ((option.forward * box.high >> 96 + _ERROR_BITS - 3) + 8)
        return
    steady = still(tenor, option)
    deviations = (
        min(steady, black76.DEVIATION_MOST),
        deviation(steady, tenor.multiple, box.rise),
        deviation(steady, tenor.multiple, box.fall),
    )
    add(sums, box, lots, Leg(option.forward, option.strike, option.kind == _CALL, *deviations))


def _box(market: Market) -> Box:
    spots, moves = (tuple(cell[i] for cell in ((0, 0), *market.scenarios)) for i in (0, 1))
    low, high = multiple_of(min(spots), market.spread), multiple_of(max(spots), market.spread)
    return box_of(low, high, min(moves), max(moves))


def _bounded(market: int, box: Box, sums: Sums, as_of: int) -> MarketRisk:
    held = sums.value - sums.allowance
    return MarketRisk(market, held >> 64, (held - loss(sums, box)) >> 64, _SCENARIOS, as_of)

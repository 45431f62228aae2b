"""Which layer of the waterfall took how much, and when did each first have to?"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from plimsoll.domain.events import (
    Allocated,
    Auctioned,
    Bankrupt,
    Closed,
    Covered,
    Deleveraged,
    Effect,
    Liquidated,
    TakenOver,
)
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT

__all__ = ["Layer", "Layers", "absorbed"]


class Layer(StrEnum):
    """Who takes positions, and who pays losses, in the order in which they are asked."""

    BOOK = "book"
    AUCTION = "auction"
    BACKSTOP = "backstop"
    FUND = "fund"
    QUEUE = "queue"
    WINNERS = "winners"
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class Layers:
    """What happened so far. Amounts are quote quanta; a layer that had nothing to do is absent.

    Attributes
    ----------
    notional : mapping   Gross notional of the positions that each layer took: book, auction, backstop, queue.
    paid : mapping       Losses that each layer paid: fund, queue, winners; the venue where nobody did. They
                         sum to `shortfall` exactly.
    first : mapping      Time at which each layer first took or paid anything, milliseconds UTC.
    shortfall : int      What bankrupt accounts owed beyond what they had.
    """

    notional: MappingProxyType[Layer, int] = field(default_factory=lambda: MappingProxyType({}))
    paid: MappingProxyType[Layer, int] = field(default_factory=lambda: MappingProxyType({}))
    first: MappingProxyType[Layer, int] = field(default_factory=lambda: MappingProxyType({}))
    shortfall: int = 0


def absorbed(layers: Layers, effects: tuple[Effect, ...], listings: tuple[Listing, ...]) -> Layers:
    """Add the effects of one event; what each second took is the difference of two of these."""
    for effect in effects:
        time = effect.time
        for layer, amount in _taken(effect, listings):
            layers = replace(layers, notional=_plus(layers.notional, layer, amount))
            layers = _seen(layers, layer, time)
        for layer, amount in _paid(effect):
            layers = replace(layers, paid=_plus(layers.paid, layer, amount))
            layers = _seen(layers, layer, time)
        if isinstance(effect, Closed | Bankrupt):
            layers = replace(layers, shortfall=layers.shortfall + sum(effect.shortfalls))
    return layers


def _taken(effect: Effect, listings: tuple[Listing, ...]) -> tuple[tuple[Layer, int], ...]:
    """Say which positions an effect moved, at the price they moved at."""
    if isinstance(effect, Liquidated):
        lot = next(listing.lot for listing in listings if listing.name == effect.instrument)
        traded = sum(map(abs, effect.lots))
        return ((Layer.BOOK, round(traded * lot * effect.price * QUANTA_PER_UNIT)),)
    if isinstance(effect, Auctioned):
        return ((Layer.AUCTION, effect.notional),)
    if isinstance(effect, TakenOver):
        return ((Layer.BACKSTOP, effect.notional),)
    return ((Layer.QUEUE, effect.notional),) if isinstance(effect, Deleveraged) else ()


def _paid(effect: Effect) -> tuple[tuple[Layer, int], ...]:
    """Say who paid how much of a loss."""
    if isinstance(effect, Covered):
        return ((Layer.FUND, effect.amount),)
    if isinstance(effect, Deleveraged):
        return ((Layer.QUEUE, sum(effect.amounts)),)
    if isinstance(effect, Allocated):
        parts = (Layer.WINNERS, sum(effect.amounts)), (Layer.VENUE, effect.uncovered)
        return tuple(part for part in parts if part[1] > 0)
    return ()


def _plus(amounts: MappingProxyType[Layer, int], layer: Layer, amount: int) -> MappingProxyType[Layer, int]:
    return MappingProxyType({**amounts, layer: amounts.get(layer, 0) + amount})


def _seen(layers: Layers, layer: Layer, time: int) -> Layers:
    if layer in layers.first:
        return layers
    return replace(layers, first=MappingProxyType({**layers.first, layer: time}))

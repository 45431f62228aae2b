"""What does the engine that runs off chain ask of an account that stands on chain, in double precision?

Perpetuals go through the margin model at the rates in force; options are repriced by the pricing kernel in
the scenarios that the contract holds, at the forwards and volatilities that were published.
"""

from dataclasses import dataclass

import numpy as np

from plimsoll.chain.mirror import Holding, Mirror
from plimsoll.chain.twin.boards import Market
from plimsoll.chain.twin.rates import ONE, MarketRates, stale_factor
from plimsoll.chain.twin.requirements import MILLION, TO_QUANTA
from plimsoll.domain.instruments import Listing, Perpetual
from plimsoll.domain.money import quanta_down, quanta_up
from plimsoll.domain.parameters import Level, MarketParameters, PerPosition, SideParameters
from plimsoll.kernels.black76 import price
from plimsoll.margin import margin_model
from plimsoll.types import Vector

__all__ = ["OffChain", "off_chain"]

_PERPETUAL, _MARKET_BITS = 8_191, 13
_CALL = 1
_WEI, _QUANTUM, _MILLIONTH, _BILLIONTH = 1e18, 1e-6, 1e-6, 1e-9
_DAY, _YEAR, _REFERENCE_DAYS = 86_400, 31_536_000, 30.0
_FLOAT = 1e-12
"""Of gross notional: what double precision leaves of a price; 2e-14 is measured."""
_FLOORS = 2
"""Quanta by which the contract's loss of a market may exceed the true one: two values are rounded down."""
_CEILINGS = 3
"""Quanta by which a market's share is rounded up: the loss for its age, the share for its rate, the doubt."""


@dataclass(frozen=True, slots=True)
class OffChain:
    """What the off-chain engine says, quanta, and how far the contract may lie from it, against the account.

    Attributes
    ----------
    equity, maintenance, call, initial : int
    slack : int              Quanta that the contract's equity may be lower.
    bounds : tuple of int    Quanta that its requirements may be higher, at the three levels.
    """

    equity: int
    maintenance: int
    call: int
    initial: int
    slack: int
    bounds: tuple[int, int, int]


@dataclass
class _Sum:
    """What markets add up to along the way, quanta as floats."""

    value: float
    asked: Vector
    bound: Vector
    slack: float


def off_chain(mirror: Mirror, names: tuple[str, ...], holding: Holding) -> OffChain:
    """Ask the off-chain engine for an account; what only the chain asks (doubt, least margin) is added.

    Parameters
    ----------
    names : tuple   Markets by number, as the parameter set calls them.
    """
    found = _Sum(float(holding.cash), np.zeros(3), np.zeros(3), 0.0)
    _add_perpetuals(found, mirror, names, holding)
    margined = {each >> _MARKET_BITS for each in holding.book if each & _PERPETUAL}
    for number in sorted(margined):
        _add_options(found, mirror, number, holding)
    for instrument, lots in holding.book.items():
        number = instrument >> _MARKET_BITS
        reading, lot = mirror.margin.price(mirror.message, number), mirror.margin.markets[number].lot
        found.asked += abs(lots) * ((reading.doubt * lot + TO_QUANTA - 1) // TO_QUANTA)
    return _levels(found, mirror, holding)


def _levels(found: _Sum, mirror: Mirror, holding: Holding) -> OffChain:
    """Put the levels in order, and add collateral."""
    equity = int(quanta_down(np.array([found.value]))[0]) + _collateral(mirror, holding)
    if not holding.book:
        return OffChain(equity, 0, 0, 0, len(holding.collateral), (0, 0, 0))
    asked = [int(each) for each in quanta_up(found.asked)]
    bounds = [int(each) + 1 for each in quanta_up(found.bound)]
    factor = mirror.margin.attestations.factor(mirror.message, holding.account)
    maintenance = max(asked[0], mirror.margin.least_margin)
    call = max(asked[1], maintenance)
    return OffChain(
        equity=equity,
        maintenance=maintenance,
        call=call,
        initial=max(-(-asked[2] * factor // ONE), call),
        slack=int(found.slack) + 1 + len(holding.collateral),
        bounds=(bounds[0], bounds[1], -(-bounds[2] * max(factor, ONE) // ONE) + 1),
    )


def _add_perpetuals(found: _Sum, mirror: Mirror, names: tuple[str, ...], holding: Holding) -> None:
    """Margin the markets of which an account holds the perpetual alone."""
    listings = tuple(Listing(Perpetual(name), 1.0) for name in names)
    rates = tuple(_parameters(mirror, number, name) for number, name in enumerate(names))
    notional = np.zeros((1, len(listings)))
    margined = {each >> _MARKET_BITS for each in holding.book if each & _PERPETUAL}
    for instrument, lots in holding.book.items():
        number = instrument >> _MARKET_BITS
        if number not in margined:
            reading, lot = mirror.margin.price(mirror.message, number), mirror.margin.markets[number].lot
            notional[0, number] = lots * (reading.price * lot // TO_QUANTA)
            found.bound += 1.0
    model = margin_model(PerPosition(markets=rates), listings)
    found.value += float(notional.sum())
    found.asked += np.array([model.requirement(notional, level)[0] for level in Level])


def _parameters(mirror: Mirror, number: int, name: str) -> MarketParameters:
    rates = _rates(mirror, number)
    spot = mirror.margin.price(mirror.message, number).price / _WEI
    long, short = (
        SideParameters(
            maintenance=side.maintenance / ONE,
            call=side.call / ONE,
            initial=side.initial / ONE,
            credit=0.0,
            initial_credit=0.0,
        )
        for side in (rates.long, rates.short)
    )
    return MarketParameters(name, spot, long, short)


def _rates(mirror: Mirror, number: int) -> MarketRates:
    return mirror.margin.parameters.rates(mirror.message, mirror.margin.markets[number].name)


def _add_options(found: _Sum, mirror: Mirror, number: int, holding: Holding) -> None:
    """Reprice a market's options and perpetual in the contract's scenarios, and scale the worst loss."""
    market = mirror.engine.markets[number]
    values, gross = np.zeros(len(market.scenarios) + 1), 0.0
    as_of = mirror.message.timestamp
    for instrument, lots in holding.book.items():
        if instrument >> _MARKET_BITS == number:
            values += lots * _values(mirror, market, instrument)
            gross += abs(lots) * _forward(mirror, market, instrument) / _QUANTUM
            as_of = min(as_of, mirror.engine.boards[instrument >> 10].as_of)
    rates = _rates(mirror, number)
    bounds = mirror.margin.parameters.bounds(mirror.margin.markets[number].name)
    stale = stale_factor(mirror.message.timestamp, as_of, bounds) / ONE
    worse = np.array([max(pair) for pair in zip(rates.long[1:], rates.short[1:], strict=True)])
    scale = np.maximum(-(-worse * MILLION // market.spread) / ONE, 1.0) * stale
    loss = float(values[0] - values.min())
    found.value += float(values[0])
    found.asked += loss * scale
    found.bound += (_FLOORS + _FLOAT * gross) * scale + _CEILINGS
    found.slack += 1.0 + _FLOAT * gross


def _forward(mirror: Mirror, market: Market, instrument: int) -> float:
    """Give the forward of a lot, quote currency."""
    spot = mirror.margin.price(mirror.message, instrument >> _MARKET_BITS).price / _WEI
    row = mirror.engine.boards[instrument >> 10].rows[instrument & 1023]
    return spot * (1.0 + row.basis * _BILLIONTH) * market.lot / _WEI


def _values(mirror: Mirror, market: Market, instrument: int) -> Vector:
    """Value a lot today and in every scenario, quanta."""
    board = mirror.engine.boards[instrument >> 10]
    listing, row = board.listings[instrument & 1023], board.rows[instrument & 1023]
    moves = np.array([(0, 0), *market.scenarios], dtype=np.float64) * _MILLIONTH
    forward = _forward(mirror, market, instrument) * (1.0 + moves[:, 0] * market.spread * _MILLIONTH)
    if listing.kind == 0:
        return np.asarray(forward / _QUANTUM)
    days = max(listing.expiry - board.as_of, _DAY) / _DAY
    tenor = (_REFERENCE_DAYS / days) ** (market.power * _MILLIONTH)
    volatility = row.volatility * _MILLIONTH * np.maximum(1.0 + moves[:, 1] * tenor, 0.0)
    left = max(listing.expiry - mirror.message.timestamp, 0) / _YEAR
    strike = listing.strike / _WEI * market.lot / _WEI
    return np.asarray(price(forward, strike, left, volatility, listing.kind == _CALL) / _QUANTUM)


def _collateral(mirror: Mirror, holding: Holding) -> int:
    """Value collateral less doubt and haircut, each asset rounded down."""
    total = 0
    for number, amount in enumerate(holding.collateral):
        if amount:
            reading = mirror.margin.collateral_price(mirror.message, number)
            asset, doubt = reading[1], mirror.margin.oracle.reading(mirror.message, reading[1].market).doubt
            worth = amount / asset.unit * max(reading[0] - doubt, 0) / _WEI * (1.0 - asset.haircut / ONE)
            total += int(quanta_up(np.array([worth / _QUANTUM]))[0])
    return total

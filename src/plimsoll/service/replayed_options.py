"""Which options does a replayed venue list, what are they quoted at, and who holds them?

Nothing is remembered beside the state: what is listed stands there, and quotes follow from prices, the time
and the forecast of the parameter set in force, so that a replay goes on where it was killed.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
from msgspec import structs

from plimsoll.domain.bars import HOUR
from plimsoll.domain.events import Introduced, Ticked
from plimsoll.domain.instruments import Listing, Option, Perpetual
from plimsoll.engine.state import State
from plimsoll.sim.population import Population

__all__ = ["introduction", "with_appetite", "with_options"]

_DAY = 24 * HOUR
_YEAR = 365 * _DAY
_MARKETS = ("BTC", "ETH")
"""Whose options venues list."""
_EXPIRY_HOUR = 8 * HOUR
_LEAST_AHEAD = 2 * HOUR
_TENORS = (0, 1, 7, 28)
"""Days after the next expiry of a day; the last two move on to a Friday."""
_STEPS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
"""Strikes, in standard deviations of the underlying until expiry."""
_LONG_RUN = 0.7
"""Implied volatility that far tenors are drawn to, per root of a year."""
_REVERSION_DAYS = 7.0
_SMILE, _SKEW = 0.02, -0.03
"""Relative rise of volatility per squared standard deviation from the forward, and per one upwards."""
_CARRY = 0.05
"""Of forwards above spot, per year."""
_WIDEST = 3.0
_LOWEST, _HIGHEST = 0.15, 3.0
_VOLUME_SHARE, _IMPACT_MULTIPLE = 0.02, 5.0
"""Of the perpetual's: what options trade, in quote per hour, and how far a trade moves their mark."""
_HOLDERS = 0.2
"""Share of accounts that hold options."""


def introduction(state: State, time: int) -> Introduced | None:
    """List what a venue would list by now, at its quotes of the last tick; None where all of it is listed."""
    prices, forecasts = _prices(state, state.market.forwards.tolist()), _forecasts(state)
    listed = {(each.underlying, _expiry(each)) for each in state.listings}
    lots = {each.underlying: each.lot for each in state.listings}
    new: list[Option] = []
    for market in (each for each in _MARKETS if each in prices):
        for expiry in _expiries(time):
            if (market, expiry) not in listed:
                new += _board(market, expiry, prices[market], forecasts[market], time)
    if not new:
        return None
    quotes = [_quote(each, prices, forecasts, state.ticked) for each in new]
    flows = [_flow(state, each.underlying) for each in new]
    return Introduced(
        state.time,
        tuple(Listing(each, lots[each.underlying]) for each in new),
        marks=tuple(forward for forward, _ in quotes),
        volume=tuple(volume for volume, _ in flows),
        impact=tuple(impact for _, impact in flows),
        volatility=tuple(volatility for _, volatility in quotes),
    )


def with_options(tick: Ticked, state: State) -> Ticked:
    """Add forwards, volatilities and flow of the options listed to the tick of the other instruments."""
    known = len(tick.marks)
    options = [each.instrument for each in state.listings[known:]]
    names = [each.name for each in state.listings]
    prices, forecasts = _prices(state, list(tick.marks)), _forecasts(state)
    quotes, flows = [], []
    for place, option in enumerate(options):
        assert isinstance(option, Option)  # noqa: S101 a replay lists nothing else behind its perpetuals
        live = option.expiry > state.ticked
        last = state.market.forwards[known + place], state.market.volatility[known + place]
        quotes.append(_quote(option, prices, forecasts, tick.time) if live else last)
        column = names.index(Perpetual(option.underlying).name)
        flows.append((tick.volume[column] * _VOLUME_SHARE, tick.impact[column] * _IMPACT_MULTIPLE))
    left = tick.depth[:1] * len(options)
    return structs.replace(
        tick,
        marks=(*tick.marks, *(float(forward) for forward, _ in quotes)),
        volume=(*tick.volume, *(volume for volume, _ in flows)),
        impact=(*tick.impact, *(impact for _, impact in flows)),
        depth=(*tick.depth, *left),
        volatility=(*(0.0,) * known, *(float(volatility) for _, volatility in quotes)),
    )


def with_appetite(population: Population, state: State, generator: np.random.Generator) -> Population:
    """Let some accounts want options of what they want to hold: hedged, covered, or written on both sides.

    Parameters
    ----------
    state : State   Whose first listings are those that the population knows.
    """
    count, known = population.wanted.shape
    more = len(state.listings) - known
    wanted = np.hstack([population.wanted, np.zeros((count, more), dtype=np.int64)])
    collateral = np.hstack([population.collateral, np.zeros((count, more), dtype=np.int64)])
    boards: dict[str, list[int]] = {}
    for i, listing in enumerate(state.listings[known:], start=known):
        boards.setdefault(listing.underlying, []).append(i)
    perpetuals = {
        each.underlying: i
        for i, each in enumerate(state.listings[:known])
        if isinstance(each.instrument, Perpetual)
    }
    for account in np.flatnonzero(generator.random(count) < _HOLDERS):
        for market, columns in boards.items():
            size = int(wanted[account, perpetuals[market]])
            if size != 0:
                _take(wanted[account], size, perpetuals[market], columns, state, generator)
    return replace(population, wanted=wanted, collateral=collateral)


def _take(
    wanted: np.ndarray,
    size: int,
    perpetual: int,
    columns: list[int],
    state: State,
    generator: np.random.Generator,
) -> None:
    """Add what one account wants of one market's options to its row."""
    expiry = _expiry(state.listings[columns[int(generator.integers(len(columns)))]])
    sides: dict[str, list[int]] = {"C": [], "P": []}
    for i in columns:
        option = state.listings[i].instrument
        if isinstance(option, Option) and option.expiry == expiry:
            away = log(option.strike / float(state.market.forwards[i]))
            if (away > 0.0) == (option.right == "C"):
                sides[option.right].append(i)
    call, put = (int(generator.choice(sides[right])) for right in ("C", "P"))
    lots = abs(size)
    match int(generator.integers(4)):
        case 0:  # covered: a right to take the position away is sold
            wanted[call if size > 0 else put] -= lots
        case 1:  # hedged: a right to be rid of it is bought
            wanted[put if size > 0 else call] += lots
        case 2:  # a strangle, written
            wanted[perpetual] = 0
            wanted[[call, put]] -= lots // 2
        case _:  # a strangle, bought
            wanted[perpetual] = 0
            wanted[[call, put]] += lots


def _expiries(time: int) -> Iterable[int]:
    """Give the expiries that are listed at a time: the next two days', a week's and a month's."""
    first = (time + _LEAST_AHEAD - _EXPIRY_HOUR) // _DAY * _DAY + _DAY + _EXPIRY_HOUR
    for days in _TENORS:
        expiry = first + days * _DAY
        weekday = (expiry // _DAY + 3) % 7  # 1970-01-01 was a Thursday, the fourth day from Monday on
        yield expiry + ((4 - weekday) % 7) * _DAY if days > 1 else expiry


def _board(market: str, expiry: int, price: float, forecast: float, time: int) -> list[Option]:
    """List a call and a put at strikes around the forward, of three digits."""
    years = (expiry - time) / _YEAR
    deviation = _level(forecast, years) * sqrt(years)
    forward = price * exp(_CARRY * years)
    strikes = sorted({float(f"{forward * exp(step * deviation):.3g}") for step in _STEPS})
    return [Option(market, expiry, strike, right) for strike in strikes for right in ("C", "P")]


def _quote(
    option: Option, prices: dict[str, float], forecasts: dict[str, float], time: int
) -> tuple[float, float]:
    """Give forward and implied volatility."""
    years = max(option.expiry - time, 0) / _YEAR
    forward = prices[option.underlying] * exp(_CARRY * years)
    level = _level(forecasts[option.underlying], years)
    away = log(option.strike / forward) / max(level * sqrt(years), 0.01)
    away = min(max(away, -_WIDEST), _WIDEST)
    return forward, min(max(level * (1.0 + _SMILE * away * away + _SKEW * away), _LOWEST), _HIGHEST)


def _level(forecast: float, years: float) -> float:
    """Draw the forecast towards the long run, the more the later the expiry."""
    near = 1.0 / (1.0 + years * 365.0 / _REVERSION_DAYS)
    drawn = exp(near * log(forecast) + (1.0 - near) * log(_LONG_RUN))
    return min(max(drawn, _LOWEST), _HIGHEST)


def _prices(state: State, marks: list[float]) -> dict[str, float]:
    """Give the perpetual's mark of each market that has one."""
    told = zip(state.listings, marks, strict=False)
    return {each.underlying: mark for each, mark in told if isinstance(each.instrument, Perpetual)}


def _forecasts(state: State) -> dict[str, float]:
    """Give what calibration forecast of each market, per root of a year; the long run where it did not."""
    evidence = () if state.parameters is None else state.parameters.evidence
    known = {each.market: max(each.volatility * sqrt(_YEAR / HOUR), _LOWEST) for each in evidence}
    return {market: known.get(market, _LONG_RUN) for market in _MARKETS}


def _flow(state: State, market: str) -> tuple[float, float]:
    names = [listing.name for listing in state.listings]
    place = names.index(Perpetual(market).name)
    volume, impact = float(state.market.volume[place]), float(state.market.impact[place])
    return volume * _VOLUME_SHARE, impact * _IMPACT_MULTIPLE


def _expiry(listing: Listing) -> int:
    return listing.instrument.expiry if isinstance(listing.instrument, Option) else 0

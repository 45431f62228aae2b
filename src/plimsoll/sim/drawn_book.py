"""Which book of accounts could a venue have, for somebody who has none at hand?"""

import numpy as np

from plimsoll.domain.account_books import AccountBook
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import ParameterSet, StaticTiers
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import margin_model
from plimsoll.sim.population import admitted_lots, draw_population, list_instruments
from plimsoll.sim.settings import PopulationSettings
from plimsoll.types import Vector

__all__ = ["draw_book", "markets_and_prices"]


def draw_book(parameters: ParameterSet, settings: PopulationSettings, seed: int) -> AccountBook:
    """Draw accounts as docs/theory/population.md describes, admitted by the set's initial margin.

    Positions are opened at the prices in the set. The same arguments draw the same book.

    Raises
    ------
    PlimsollError   `MISSING_PRICE` for constants, which name no markets.
    """
    markets, prices = markets_and_prices(parameters)
    listings = list_instruments(markets, prices)
    marks = np.array([prices[markets.index(entry.underlying)] for entry in listings])
    unit = np.array([entry.lot for entry in listings]) * marks * QUANTA_PER_UNIT
    population = draw_population(settings, listings, unit, np.random.default_rng(seed))
    lots = admitted_lots(population, margin_model(parameters.method, listings, parameters.liquidity), unit)
    names = [entry.name for entry in listings]
    order = np.argsort(np.array(names))
    owners, columns = np.nonzero(lots[:, order])
    assets = np.array([isinstance(entry.instrument, Spot) for entry in listings])
    paid = (lots * unit)[:, assets].sum(axis=1)
    used = np.unique(columns)
    place = np.searchsorted(used, columns)
    base = np.array([entry.lot for entry in listings])[order]
    return AccountBook(
        names=population.names,
        instruments=tuple(listings[order[column]].instrument for column in used),
        cash=np.floor(population.deposits - paid) / QUANTA_PER_UNIT,
        owners=owners.astype(np.intp),
        columns=place.astype(np.intp),
        sizes=lots[:, order][owners, columns] * base[columns],
        prices=marks[order][columns],
    )


def markets_and_prices(parameters: ParameterSet) -> tuple[tuple[str, ...], Vector]:
    """Give the markets that a set knows, and the last price that calibration saw of each."""
    method = parameters.method
    if isinstance(method, StaticTiers):
        raise PlimsollError(
            Code.MISSING_PRICE,
            "constants by size name no market and no price",
            where="parameters",
            remedy="Give a set that `plimsoll calibrate --out` wrote.",
        )
    return tuple(entry.market for entry in method.markets), np.array([m.price for m in method.markets])

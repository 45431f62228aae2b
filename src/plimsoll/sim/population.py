"""Who trades at the venue: how large, how levered, in which direction, on what collateral?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.instruments import Instrument, Listing, Perpetual, Spot, lot_for
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.margin import MarginModel
from plimsoll.sim.settings import PopulationSettings
from plimsoll.types import Lots, Matrix, Quanta, Vector

__all__ = ["STABLECOINS", "Population", "admitted_lots", "draw_population", "list_instruments"]

STABLECOINS = ("USDT", "USDC", "DAI", "USDE")
"""Markets that are collateral only: nobody trades a perpetual on them here."""

_COLLATERAL = ("BTC", "ETH", *STABLECOINS)
_HALVINGS = 40
"""Bisection steps of the admitted share: 2**-40 of any position is below a lot."""


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts before any policy has looked at them.

    Attributes
    ----------
    names : tuple [A]
    deposits : Quanta [A]     Cash paid in, quote quanta.
    collateral : Lots [A, I]  Assets bought with part of it.
    wanted : Lots [A, I]      Positions that the account would open if margin let it.
    """

    names: tuple[str, ...]
    deposits: Quanta
    collateral: Lots
    wanted: Lots

    def interest(self, unit: Vector) -> Vector:
        """Gross value [I] of the wanted positions, quote units. `unit` is quote quanta per lot."""
        gross: Vector = np.abs(self.wanted).sum(axis=0) * unit / QUANTA_PER_UNIT
        return gross


def list_instruments(markets: tuple[str, ...], prices: Vector) -> tuple[Listing, ...]:
    """List a perpetual per market, and as assets those that venues take as collateral."""
    price = dict(zip(markets, prices.tolist(), strict=True))
    traded: list[Instrument] = [Perpetual(market) for market in markets if market not in STABLECOINS]
    held: list[Instrument] = [Spot(market) for market in markets if market in _COLLATERAL]
    return tuple(
        Listing(instrument, lot_for(price[instrument.underlying])) for instrument in (*traded, *held)
    )


def draw_population(
    settings: PopulationSettings,
    listings: tuple[Listing, ...],
    unit: Vector,
    generator: np.random.Generator,
) -> Population:
    """Draw the accounts; the same for every policy.

    Parameters
    ----------
    unit : Vector [I]   Quote quanta per lot at the first marks.

    An account's gross position is its equity times the leverage it wants, split evenly over its markets;
    earlier listed markets are more popular (weight 1, 1/2, 1/3, ...).
    """
    count = settings.accounts
    perpetuals = np.array([i for i, entry in enumerate(listings) if isinstance(entry.instrument, Perpetual)])
    assets = np.array(
        [i for i, entry in enumerate(listings) if isinstance(entry.instrument, Spot)], dtype=np.intp
    )
    equity = settings.median_equity * np.exp(settings.equity_spread * generator.standard_normal(count))
    leverage = settings.median_leverage * np.exp(settings.leverage_spread * generator.standard_normal(count))
    leverage = np.clip(leverage, 1.0, settings.most_leverage)
    signs = _signs(settings, len(perpetuals), generator)
    held = np.abs(signs).sum(axis=1, keepdims=True)
    notional = signs * (equity * leverage)[:, None] / held
    wanted = np.zeros((count, len(listings)), dtype=np.int64)
    wanted[:, perpetuals] = np.rint(notional * QUANTA_PER_UNIT / unit[perpetuals])
    return Population(
        names=tuple(f"A{number:06d}" for number in range(count)),
        deposits=np.floor(equity * QUANTA_PER_UNIT).astype(np.int64),
        collateral=_collateral(settings, equity, assets, unit, generator),
        wanted=wanted,
    )


def admitted_lots(population: Population, model: MarginModel, unit: Vector) -> Lots:
    """Scale every account down to the largest share of what it wants that meets initial margin.

    Returns
    -------
    Lots [A, I]   Collateral and positions together, as one trade.
    """
    cash = population.deposits.astype(np.float64)
    low, high = np.zeros(len(cash)), np.ones(len(cash))

    def fits(share: Vector) -> np.ndarray:
        lots = population.collateral + _shrunk(population.wanted, share)
        needed = model.requirement(lots * unit, Level.INITIAL)
        return cash - _SPARE * len(unit) >= needed

    whole = fits(high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        enough = fits(middle)
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return population.collateral + _shrunk(population.wanted, np.where(whole, 1.0, low))


_SPARE = 2.0
"""Quanta left per instrument for the rounding of what a trade costs and of the requirement."""


def _shrunk(lots: Lots, share: Vector) -> Lots:
    """Scale towards zero, in whole lots."""
    return np.trunc(lots * share[:, None]).astype(np.int64)


def _signs(settings: PopulationSettings, markets: int, generator: np.random.Generator) -> Matrix:
    """Draw which markets each account holds, and on which side: Matrix [A, M] of -1, 0 and 1."""
    count = settings.accounts
    weights = 1.0 / np.arange(1, markets + 1)
    keys = np.log(generator.random((count, markets))) / weights
    popularity = np.argsort(np.argsort(-keys, axis=1), axis=1)
    held = 1 + (generator.random((count, markets - 1)) < settings.next_market_share).cumprod(axis=1).sum(
        axis=1
    )
    direction = np.where(generator.random(count) < settings.long_share, 1.0, -1.0)
    hedges = generator.random(count) < settings.hedged_share
    signs = np.where(popularity < held[:, None], direction[:, None], 0.0)
    return np.where((popularity == 1) & hedges[:, None], -signs, signs)


def _collateral(
    settings: PopulationSettings,
    equity: Vector,
    assets: np.ndarray,
    unit: Vector,
    generator: np.random.Generator,
) -> Lots:
    """Let some accounts keep half of their equity in one of the assets that the venue takes."""
    lots = np.zeros((len(equity), len(unit)), dtype=np.int64)
    keeps = generator.random(len(equity)) < settings.coin_collateral_share
    choice = generator.integers(max(len(assets), 1), size=len(equity))
    if len(assets) > 0:
        rows = np.flatnonzero(keeps)
        columns = assets[choice[rows]]
        lots[rows, columns] = np.floor(0.5 * equity[rows] * QUANTA_PER_UNIT / unit[columns])
    return lots

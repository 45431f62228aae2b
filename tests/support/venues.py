"""Where does a test get a venue: listings, parameters of all three generations, rows of joint moves?"""

import numpy as np
from msgspec import structs

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.instruments import Future, Listing, Perpetual, Spot, lot_for
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.parameters import (
    CrossMargin,
    JointScenarios,
    MarginMethod,
    MarketParameters,
    ParameterSet,
    PerPosition,
    Provenance,
    SideParameters,
    StaticTiers,
    Tier,
)

__all__ = [
    "LIQUIDITY",
    "LISTINGS",
    "MARKETS",
    "MARKS",
    "TIERS",
    "cross_margin",
    "joint_rows",
    "market",
    "parameter_set",
    "per_position",
    "side",
    "with_implied",
]

MARKETS = ("BTC", "ETH", "SOL")
_PRICES = {"BTC": 61_234.5, "ETH": 2_987.6, "SOL": 143.21}
_QUARTER = 1_774_598_400_000
"""27 March 2026, 08:00 UTC."""

LISTINGS = tuple(
    Listing(instrument, lot_for(_PRICES[instrument.underlying]))
    for instrument in (
        Perpetual("BTC"),
        Perpetual("ETH"),
        Perpetual("SOL"),
        Future("BTC", _QUARTER),
        Spot("BTC"),
    )
)
"""A perpetual each, and for BTC a future and the coin as collateral: four columns net, one account each."""

MARKS = np.array([_PRICES[entry.underlying] for entry in LISTINGS])
PROVENANCE = Provenance(program="tests", settings="none", inputs=())

TIERS = StaticTiers(
    tiers=(
        Tier(up_to=20_000.0, maintenance=0.012, initial=0.03),
        Tier(up_to=300_000.0, maintenance=0.031, initial=0.055),
        Tier(up_to=1e12, maintenance=0.12, initial=0.27),
    )
)


def side(
    maintenance: float, *, credit: float = 0.5, steps: tuple[float, float] = (1.13, 1.7)
) -> SideParameters:
    """Give one side a maintenance rate; call and initial are multiples, credit a share of it."""
    return SideParameters(
        maintenance=maintenance,
        call=maintenance * steps[0],
        initial=maintenance * steps[1],
        credit=maintenance * credit,
        initial_credit=maintenance * credit * 0.97,
    )


def market(name: str, long: SideParameters, short: SideParameters) -> MarketParameters:
    """Put both sides of a market together."""
    return MarketParameters(name, _PRICES.get(name, 17.0), long, short)


_SIDES = tuple(
    market(name, side(0.031 + 0.011 * place), side(0.037 + 0.017 * place))
    for place, name in enumerate(MARKETS)
)


def joint_rows(
    seed: int, markets: tuple[str, ...] = MARKETS, *, rows: int = 120, tail: int = 4
) -> JointScenarios:
    """Draw correlated, fat-tailed, skewed rows; no two markets alike."""
    generator = np.random.default_rng(seed)
    common = generator.standard_t(3, (rows, 1))
    moves = 0.8 * common + 0.7 * generator.standard_t(4, (rows, len(markets))) - 0.15
    return JointScenarios(
        markets=markets,
        moments=tuple(range(1_600_000_000_000, 1_600_000_000_000 + rows * 3_600_000, 3_600_000)),
        rows=tuple(map(tuple, moves.tolist())),
        tail=tail,
    )


def with_implied(table: JointScenarios, seed: int) -> JointScenarios:
    """Let implied volatility rise with falls of spot, and of itself."""
    generator = np.random.default_rng(seed)
    moves = np.array(table.rows)
    changes = 0.03 * generator.standard_t(4, moves.shape) - 0.02 * np.minimum(moves, 0.0)
    return structs.replace(
        table,
        volatility=tuple(map(tuple, changes.tolist())),
        implied=table.markets,
        observed=(len(moves),) * len(table.markets),
    )


def per_position(markets: tuple[MarketParameters, ...] = _SIDES) -> PerPosition:
    """Give the second generation's parameters."""
    return PerPosition(markets=markets)


def cross_margin(
    markets: tuple[MarketParameters, ...] = _SIDES,
    *,
    dependence: tuple[JointScenarios, ...] | None = None,
    gross_floor: float = 0.2,
) -> CrossMargin:
    """Give the third generation's parameters, by default with one table in force and another announced."""
    tables = (joint_rows(5), joint_rows(6)) if dependence is None else dependence
    return CrossMargin(markets=markets, dependence=tables, gross_floor=gross_floor)


LIQUIDITY = tuple(
    MarketLiquidity(
        market=name,
        curves=(
            CostCurve(
                half_spread=spread, slope=2e-3, reference=deep, exponent=power, volatility=0.008,
                volume=20.0 * deep, stressed_depth=0.06, half_life=7.0,
            ),
            CostCurve(
                half_spread=2.0 * spread, slope=1e-3, reference=deep, exponent=1.1, volatility=0.011,
                volume=17.0 * deep, stressed_depth=0.05,
            ),
        ),
        charged=True,
    )
    for name, spread, deep, power in (("BTC", 1e-5, 3e7, 0.6), ("SOL", 4e-5, 2e6, 1.3))
)  # fmt: skip
"""Curves of two of the three markets, each with another announced."""


def parameter_set(
    method: MarginMethod,
    version: int = 1,
    effective: int = 0,
    liquidity: tuple[MarketLiquidity, ...] = (),
) -> ParameterSet:
    """Seal a method as a set that may be published."""
    return ParameterSet(
        version=version,
        effective=effective,
        method=method,
        evidence=(),
        provenance=PROVENANCE,
        liquidity=liquidity,
    ).sealed()

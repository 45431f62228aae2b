"""Why does this account need this much?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeGuard

import numpy as np
from msgspec import Struct

from plimsoll.domain.accounts import Account
from plimsoll.domain.instruments import Instrument, Listing, Spot, lot_for, parse_instrument
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_down, quanta_up
from plimsoll.domain.parameters import Level, ParameterSet, SideEvidence, StaticTiers
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.shortfall import worst_rows
from plimsoll.margin import MarginModel, margin_model
from plimsoll.margin.account_lines import read_account_lines
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.margin.size_charge import SizeCharge
from plimsoll.types import Vector

__all__ = [
    "Explanation",
    "Part",
    "PositionLine",
    "WorstScenario",
    "calibrated_prices",
    "explain",
    "mark_of",
]


class Part(Struct, frozen=True):
    """One part of a requirement, in quote quanta; negative where it relieves."""

    name: str
    amount: int


class PositionLine(Struct, frozen=True, kw_only=True):
    """One holding.

    Attributes
    ----------
    instrument : str
    quantity : Decimal   Base units.
    mark : float         Quote currency per base unit.
    notional : int       Signed value at the mark, quote quanta.
    profit : int         Unrealised, quote quanta; zero for collateral.
    rate : float         Maintenance rate of a small lone position on this side.
    alone : int          What it would need by itself at maintenance, quote quanta.
    """

    instrument: str
    quantity: Decimal
    mark: float
    notional: int
    profit: int
    rate: float
    alone: int


class WorstScenario(Struct, frozen=True, kw_only=True):
    """The scenario that costs the account most.

    Attributes
    ----------
    name : str          ``moves of 2020-03-12 10:00 UTC`` or ``BTC falls``.
    moves : dict        Relative loss per unit of notional held, by market, on the side held: positive hurts.
    loss : int          Quote quanta.
    """

    name: str
    moves: dict[str, float]
    loss: int


class Explanation(Struct, frozen=True, kw_only=True):
    """A requirement with its reasons. Money is in quote quanta.

    Attributes
    ----------
    account : str
    parameters : int, digest : str   Version and digest of the parameter set.
    method : str                     ``static``, ``per-position`` or ``cross-margin``.
    equity : int                     Rounded down.
    maintenance, call, initial : int   Rounded up.
    parts : tuple of Part            Of maintenance; they sum to it exactly.
    positions : tuple of PositionLine
    worst : WorstScenario or None    None without positions.
    verdict : str                    ``initial met``, ``no new risk``, ``called`` or ``liquidated``.
    evidence : tuple of SideEvidence   Of the sides held.
    """

    account: str
    parameters: int
    digest: str
    method: str
    equity: int
    maintenance: int
    call: int
    initial: int
    parts: tuple[Part, ...]
    positions: tuple[PositionLine, ...]
    worst: WorstScenario | None
    verdict: str
    evidence: tuple[SideEvidence, ...]


@dataclass(frozen=True, slots=True)
class _Holdings:
    """An account's holdings in columns.

    Attributes
    ----------
    listings : tuple [I]
    quantities : tuple of Decimal [I]
    marks : Vector [I]
    notional, profit : Vector [I]   Quote quanta; the profit of an asset held outright is zero.
    equity : int                    Quote quanta, rounded down.
    """

    listings: tuple[Listing, ...]
    quantities: tuple[Decimal, ...]
    marks: Vector
    notional: Vector
    profit: Vector
    equity: int


def explain(
    account: Account,
    parameters: ParameterSet,
    marks: Mapping[str, float],
    model: MarginModel | None = None,
) -> Explanation:
    """Margin one account and say why.

    Parameters
    ----------
    marks : mapping   Price by instrument name or by market; the former wins. Where neither is given, the
                      price that the parameter set was calibrated at stands in.
    model : MarginModel or None   Of this set, over any listings, which saves most of the work; where there is
                      none it is built.

    Raises
    ------
    PlimsollError   What `read_account_lines` raises, `UNSUPPORTED_INSTRUMENT`, `MISSING_PRICE` or
                    `MISSING_PARAMETERS`, with the field.
    """
    held = _hold(account, parameters, marks)
    if model is None:
        model = margin_model(parameters.method, held.listings, parameters.liquidity)
    else:
        model = model.over(held.listings)
    rated = model.rated if isinstance(model, SizeCharge) else model
    needed = tuple(int(quanta_up(model.requirement(held.notional[None], level))[0]) for level in Level)
    lines = _lines(held, rated)
    return Explanation(
        account=account.name,
        parameters=parameters.version,
        digest=parameters.digest,
        method=str(type(parameters.method).__struct_config__.tag),
        equity=held.equity,
        maintenance=needed[Level.MAINTENANCE],
        call=needed[Level.CALL],
        initial=needed[Level.INITIAL],
        parts=_parts(lines, model, rated, held, needed[Level.MAINTENANCE]),
        positions=lines,
        worst=_worst(rated, held, lines),
        verdict=_verdict(held.equity, needed),
        evidence=_evidence(parameters, held),
    )


def _hold(account: Account, parameters: ParameterSet, marks: Mapping[str, float]) -> _Holdings:
    """Value collateral and positions; cash counts at par, the same instrument twice adds up."""
    read = read_account_lines(account)
    quantities: dict[Instrument, Decimal] = {}
    costs: dict[Instrument, Decimal] = {}
    for line in read.lines:
        quantities[line.instrument] = quantities.get(line.instrument, Decimal(0)) + line.quantity
        costs[line.instrument] = costs.get(line.instrument, Decimal(0)) + line.quantity * (line.entry or 0)
    prices = np.array([mark_of(instrument, parameters, marks, account.name) for instrument in quantities])
    priced = zip(quantities.items(), prices, strict=True)
    worth = {instrument: quantity * Decimal(str(price)) for (instrument, quantity), price in priced}
    cost = {name: value if isinstance(name, Spot) else costs[name] for name, value in worth.items()}
    profit = [worth[name] - cost[name] for name in worth]
    assets = [value for name, value in worth.items() if isinstance(name, Spot)]
    return _Holdings(
        listings=tuple(Listing(name, lot_for(price)) for name, price in zip(quantities, prices, strict=True)),
        quantities=tuple(quantities.values()),
        marks=prices,
        notional=np.array([float(value * QUANTA_PER_UNIT) for value in worth.values()]),
        profit=np.array([float(value * QUANTA_PER_UNIT) for value in profit]),
        equity=_within_ledger(read.cash + math.floor(sum([*assets, *profit], Decimal(0)) * QUANTA_PER_UNIT)),
    )


def _within_ledger(equity: int) -> int:
    quanta_down(np.array([float(Decimal(equity))]))  # infinite, where a float of it would overflow
    return equity


def calibrated_prices(parameters: ParameterSet) -> dict[str, float]:
    """Give the price by market that the set was calibrated at; constants come with none."""
    if isinstance(parameters.method, StaticTiers):
        return {}
    return {market.market: market.price for market in parameters.method.markets}


def mark_of(
    instrument: Instrument, parameters: ParameterSet, marks: Mapping[str, float], account: str
) -> float:
    """Find an instrument's price as `explain` does: by its name, its market, or where the set was calibrated.

    Raises
    ------
    PlimsollError   `MISSING_PRICE` where none of them has one.
    """
    for name in (instrument.name, instrument.underlying):
        if _is_price(price := marks.get(name)):
            return price
    if _is_price(price := calibrated_prices(parameters).get(instrument.underlying)):
        return price
    raise PlimsollError(
        Code.MISSING_PRICE,
        f"no positive price of {instrument.name}",
        where=account,
        remedy=f"Give a mark of it (as --mark {instrument.underlying}=60000), or leave it out.",
    )


def _is_price(price: float | None) -> TypeGuard[float]:
    return price is not None and price > 0.0 and math.isfinite(price)


def _lines(held: _Holdings, model: MarginModel) -> tuple[PositionLine, ...]:
    by_itself = np.diag(held.notional)
    alone = model.requirement(by_itself, Level.MAINTENANCE)
    return tuple(
        PositionLine(
            instrument=listing.name,
            quantity=held.quantities[i],
            mark=float(held.marks[i]),
            notional=round(held.notional[i]),
            profit=round(held.profit[i]),
            rate=float(alone[i] / abs(held.notional[i])) if held.notional[i] != 0.0 else 0.0,
            alone=round(alone[i]),
        )
        for i, listing in enumerate(held.listings)
    )


def _parts(
    lines: tuple[PositionLine, ...], model: MarginModel, rated: MarginModel, held: _Holdings, total: int
) -> tuple[Part, ...]:
    """Start from every holding by itself, and say what netting, the correlation floor and size change."""
    parts = [Part(f"{line.instrument} by itself", line.alone) for line in lines]
    if isinstance(rated, PortfolioMargin):
        exposure = rated.exposure(held.notional[None])
        gross = round(rated.alone(exposure, Level.MAINTENANCE).sum())
        netted = round(rated.netted(held.notional[None], Level.MAINTENANCE)[0])
        parts.append(Part("same underlying netted", gross - sum(line.alone for line in lines)))
        parts.append(Part("hedges between underlyings", netted - gross))
        parts.append(Part("correlation-break floor", max(0, round(rated.gross_floor * gross) - netted)))
    if isinstance(model, SizeCharge):
        charges = model.parts(held.notional, Level.MAINTENANCE)
        parts.extend(Part(name, round(amount)) for name, amount in charges.items())
    parts.append(Part("rounding", total - sum(part.amount for part in parts)))
    return tuple(part for part in parts if part.amount != 0)


def _worst(model: MarginModel, held: _Holdings, lines: tuple[PositionLine, ...]) -> WorstScenario | None:
    """Name the joint moment that costs most; for books that nothing nets, the largest lone move."""
    if isinstance(model, PortfolioMargin) and model.tables:
        table = model.tables[0]
        sizes = model.exposure(held.notional[None])[0, table.columns]
        if np.count_nonzero(sizes) > 1:
            moves = table.moves[Level.MAINTENANCE]
            rows, losses = worst_rows(sizes, moves, table.scenarios.tail)
            moment = datetime.fromtimestamp(table.scenarios.moments[rows[0]] / 1000, tz=UTC)
            return WorstScenario(
                name=f"the joint moves from {moment:%Y-%m-%d %H:%M} UTC",
                moves={
                    market: float(moves[int(sizes[j] < 0.0), j, rows[0]])
                    for j, market in enumerate(table.scenarios.markets)
                    if sizes[j] != 0.0
                },
                loss=round(losses[rows[0]]),
            )
    costly = max(lines, key=lambda line: line.alone, default=None)
    if costly is None or costly.alone == 0:
        return None
    market = parse_instrument(costly.instrument).underlying
    direction = "falls" if costly.notional > 0 else "rises"
    return WorstScenario(name=f"{market} {direction}", moves={market: costly.rate}, loss=costly.alone)


def _verdict(equity: int, needed: tuple[int, ...]) -> str:
    if equity < needed[Level.MAINTENANCE]:
        return "liquidated"
    if equity < needed[Level.CALL]:
        return "called"
    return "initial met" if equity >= needed[Level.INITIAL] else "no new risk"


def _evidence(parameters: ParameterSet, held: _Holdings) -> tuple[SideEvidence, ...]:
    sides = {
        (listing.underlying, "long" if notional > 0.0 else "short")
        for listing, notional in zip(held.listings, held.notional, strict=True)
        if notional != 0.0
    }
    return tuple(entry for entry in parameters.evidence if (entry.market, entry.side) in sides)

"""What must an account hold and why, what would trades change, and where is it liquidated?"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.clearing.statuses import Status
from plimsoll.domain.instruments import Option
from plimsoll.domain.portfolios import Portfolio
from plimsoll.engine.options import lists_options
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import OptionMargin
from plimsoll.margin.breakdown import Breakdown, broken_down
from plimsoll.margin.explain import Explanation, explain
from plimsoll.margin.greeks import ExpiryGreeks, greeks_of
from plimsoll.margin.liquidation_price import LiquidationPrices, liquidation_prices
from plimsoll.margin.terms import MarginTerms, ParameterTerms, ProfileTerms
from plimsoll.margin.what_if import Trade, WhatIf, what_if
from plimsoll.pricing.greeks import unit_greeks
from plimsoll.service.accounts import domain_account, trader_row
from plimsoll.service.endpoints import Asked
from plimsoll.service.threads import apart
from plimsoll.service.view import View, in_force
from plimsoll.types import Vector

__all__ = [
    "HeldOption",
    "MarginAnswer",
    "MarketQuery",
    "PortfolioAnswer",
    "Trades",
    "account_liquidation_price",
    "account_margin",
    "account_what_if",
    "terms_of",
]


class HeldOption(Struct, frozen=True, kw_only=True):
    """An option that an account holds, with the Greeks of all that it holds of it.

    Attributes
    ----------
    quantity : float    Signed, base units.
    mark : float        Quote currency per base unit.
    volatility : float  That it is marked at, per root of a year.
    delta : float       Base units: profit per unit of the forward.
    gamma : float       Base units per unit of the forward.
    vega : float        Quote currency per 1.0 of volatility (100 points).
    theta : float       Quote currency per year that passes.
    """

    instrument: str
    quantity: float
    mark: float
    volatility: float
    delta: float
    gamma: float
    vega: float
    theta: float


class PortfolioAnswer(Struct, frozen=True, kw_only=True):
    """An account's requirement on a venue that lists options, where a call asks for initial margin.

    Attributes
    ----------
    parameters : int, digest : str   Version and digest of the parameter set.
    options : tuple of HeldOption
    greeks : tuple of ExpiryGreeks   Of everything held, by market and expiry; expiry 0 for what has none.
    """

    parameters: int
    digest: str
    breakdown: Breakdown
    options: tuple[HeldOption, ...]
    greeks: tuple[ExpiryGreeks, ...]


class MarginAnswer(Struct, frozen=True, kw_only=True):
    """What an account must hold and why. Money is in quote quanta; the parts sum to maintenance exactly.

    Attributes
    ----------
    explanation : Explanation or None     Where the venue lists no options.
    portfolio : PortfolioAnswer or None   Where it does.
    """

    sequence: int
    time: int
    status: str
    explanation: Explanation | None
    portfolio: PortfolioAnswer | None


class MarketQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which market."""

    market: Annotated[str, Meta(min_length=1, max_length=40)]


class Trades(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Trades at the mark that are only imagined."""

    trades: Annotated[tuple[Trade, ...], Meta(min_length=1, max_length=100)]


async def account_margin(asked: Asked) -> MarginAnswer:
    """Margin an account and say why."""
    view: View = asked.desk.view
    row = trader_row(view, asked.path["account"])
    explanation = portfolio = None
    if lists_options(view.state.listings):
        portfolio = await apart(_portfolio, view, row)
    else:
        marks = _held_marks(view, row)
        explanation = explain(domain_account(view, row), in_force(view), marks, view.state.model)
    return MarginAnswer(
        sequence=view.sequence,
        time=view.state.time,
        status=Status(int(view.state.book.status[row])).name,
        explanation=explanation,
        portfolio=portfolio,
    )


async def account_what_if(asked: Asked) -> WhatIf:
    """Say what trades would change."""
    view: View = asked.desk.view
    account = domain_account(view, trader_row(view, asked.path["account"]))
    return await apart(what_if, account, asked.body.trades, terms_of(view))


async def account_liquidation_price(asked: Asked) -> LiquidationPrices:
    """Find the prices at which an account is liquidated."""
    view: View = asked.desk.view
    account = domain_account(view, trader_row(view, asked.path["account"]))
    return await apart(liquidation_prices, account, asked.query.market, terms_of(view))


def terms_of(view: View) -> MarginTerms:
    """Give what margins accounts now; raises `MISSING_PARAMETERS`, and `MISSING_PRICE` before a tick."""
    if lists_options(view.state.listings):
        venue = _model(view).venue
        return ProfileTerms(venue.profile, venue.market)
    marks = zip(view.state.listings, view.state.market.marks.tolist(), strict=True)
    return ParameterTerms(in_force(view), {each.name: mark for each, mark in marks}, view.state.model)


def _model(view: View) -> OptionMargin:
    in_force(view)
    model = view.state.model
    if not isinstance(model, OptionMargin):
        raise PlimsollError(
            Code.MISSING_PRICE,
            "options are priced from the first tick on",
            where="venue",
            remedy="Send one with a mark or a forward of everything that is listed.",
        )
    return model


def _portfolio(view: View, row: int) -> PortfolioAnswer:
    """Break an account's requirement down, as the engine's own model has it."""
    model, state = _model(view), view.state
    held = model.portfolio(state.book.lots[row] * state.unit)
    parameters, exposed = in_force(view), model.venue.exposed(held)
    return PortfolioAnswer(
        parameters=parameters.version,
        digest=parameters.digest,
        breakdown=broken_down(state.book.names[row], held, model.venue, int(view.margins.equity[row])),
        options=_held_options(model, held),
        greeks=greeks_of(model.venue.chain, exposed, np.flatnonzero(exposed)),
    )


def _held_options(model: OptionMargin, held: Portfolio) -> tuple[HeldOption, ...]:
    chain, quantity = model.venue.chain, model.venue.exposed(held)
    unit = unit_greeks(chain)
    return tuple(
        _held_option(int(i), quantity, model, (unit.delta, unit.gamma, unit.vega, unit.theta))
        for i in np.flatnonzero(quantity)
        if isinstance(chain.instruments[i], Option)
    )


def _held_option(i: int, quantity: Vector, model: OptionMargin, greeks: tuple[Vector, ...]) -> HeldOption:
    delta, gamma, vega, theta = (float(quantity[i] * greek[i]) for greek in greeks)
    return HeldOption(
        instrument=model.venue.chain.instruments[i].name,
        quantity=float(quantity[i]),
        mark=float(model.venue.value[i]),
        volatility=float(model.venue.chain.volatility[i]),
        delta=delta,
        gamma=gamma,
        vega=vega,
        theta=theta,
    )


def _held_marks(view: View, row: int) -> dict[str, float]:
    """Give the mark of every instrument that an account holds."""
    listings, marks = view.state.listings, view.state.market.marks
    return {listings[i].name: float(marks[i]) for i in np.flatnonzero(view.state.book.lots[row])}

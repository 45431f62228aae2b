"""Do contract, twin and off-chain engine ask the same of every account?"""

import numpy as np
from msgspec import Struct

from plimsoll.chain.connection import Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.mirror import Holding, Mirror, mirrored
from plimsoll.chain.projection import market_name
from plimsoll.chain.twin.rates import ONE
from plimsoll.chain.twin.requirements import TO_QUANTA
from plimsoll.domain.instruments import Listing, Perpetual
from plimsoll.domain.money import quanta_up
from plimsoll.domain.parameters import Level, MarketParameters, PerPosition, SideParameters
from plimsoll.margin import margin_model

__all__ = ["AccountCheck", "Verification", "verify"]

_PERPETUAL = 8_191
_MARKET_BITS = 13
_WEI = 10**18


class AccountCheck(Struct, frozen=True, kw_only=True):
    """One account, asked three times; money in quanta.

    Attributes
    ----------
    account : str
    equity, maintenance, call, initial : int   What the contract says.
    twin_agrees : bool          Whether the twin says exactly the same.
    engine : tuple of int or None   What the off-chain engine asks at maintenance, call and initial, and what
                                only the chain asks; none where the account holds more than perpetuals.
    engine_agrees : bool        Whether the contract asks as much, or more by at most a quantum per market,
                                where it rounds each market up and the engine their sum.
    """

    account: str
    equity: int
    maintenance: int
    call: int
    initial: int
    twin_agrees: bool
    engine: tuple[int, int, int] | None
    engine_agrees: bool


class Verification(Struct, frozen=True, kw_only=True):
    """Everything that was compared at one block.

    Attributes
    ----------
    block : int
    accounts : tuple of AccountCheck
    cash, fund, shortfall : int   Of the whole ledger.
    balance : int                 What the house holds of the quote token: cash + fund - shortfall.
    agrees : bool                 Whether all of it does.
    """

    block: int
    accounts: tuple[AccountCheck, ...]
    cash: int
    fund: int
    shortfall: int
    balance: int
    agrees: bool


def verify(connection: Connection, deployment: Deployment) -> Verification:
    """Compare contract, twin and engine for every account at the latest block."""
    mirror = mirrored(connection, deployment)
    checks = tuple(
        _checked(mirror, deployment, holding, place) for place, holding in enumerate(mirror.holdings)
    )
    house = deployment.bound(connection, "house")
    quote = connection.node.to_checksum_address(house.read("QUOTE"))
    asked = {"to": quote, "data": "0x70a08231" + house.address.removeprefix("0x").rjust(64, "0")}
    balance = int.from_bytes(
        connection.patiently(lambda: connection.node.eth.call(asked, mirror.block)), "big"
    )
    cash = sum(holding.cash for holding in mirror.holdings)
    whole = cash + mirror.fund - mirror.shortfall == balance
    return Verification(
        block=mirror.block,
        accounts=checks,
        cash=cash,
        fund=mirror.fund,
        shortfall=mirror.shortfall,
        balance=balance,
        agrees=whole and all(check.twin_agrees and check.engine_agrees for check in checks),
    )


def _checked(mirror: Mirror, deployment: Deployment, holding: Holding, place: int) -> AccountCheck:
    said = mirror.assessments[place]
    twin = mirror.margin.assess(
        mirror.message, holding.account, holding.cash, holding.book, holding.collateral
    )
    engine = _engine(mirror, deployment, holding)
    asked = (said.maintenance, said.called, said.initial)
    spare = len(holding.book)
    agrees = engine is None or all(0 <= a - b <= spare for a, b in zip(asked, engine, strict=True))
    return AccountCheck(
        account=holding.account,
        equity=said.equity,
        maintenance=said.maintenance,
        call=said.called,
        initial=said.initial,
        twin_agrees=twin == said,
        engine=engine,
        engine_agrees=agrees,
    )


def _engine(mirror: Mirror, deployment: Deployment, holding: Holding) -> tuple[int, int, int] | None:
    """Ask the engine that runs off chain, at the rates in force; then add what is asked on chain alone."""
    if any(instrument & _PERPETUAL for instrument in holding.book):
        return None
    if not holding.book:
        return (0, 0, 0)
    listings = tuple(Listing(Perpetual(name), 1.0) for name in deployment.markets)
    rates = tuple(_rates(mirror, name) for name in deployment.markets)
    model = margin_model(PerPosition(markets=rates), listings)
    notional, doubt = np.zeros((1, len(listings))), 0
    for instrument, lots in holding.book.items():
        number = instrument >> _MARKET_BITS
        reading, lot = mirror.margin.price(mirror.message, number), mirror.margin.markets[number].lot
        notional[0, number] = lots * (reading.price * lot // TO_QUANTA)
        doubt += abs(lots) * ((reading.doubt * lot + TO_QUANTA - 1) // TO_QUANTA)
    needed = [int(quanta_up(model.requirement(notional, level))[0]) + doubt for level in Level]
    maintenance = max(needed[Level.MAINTENANCE], mirror.margin.least_margin)
    called = max(needed[Level.CALL], maintenance)
    factor = mirror.margin.attestations.factor(mirror.message, holding.account)
    return maintenance, called, max(-(-needed[Level.INITIAL] * factor // ONE), called)


def _rates(mirror: Mirror, name: str) -> MarketParameters:
    market = market_name(name)
    rates = mirror.margin.parameters.rates(mirror.message, market)
    price = mirror.margin.oracle.reading(mirror.message, market).price / _WEI
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
    return MarketParameters(name, price, long, short)

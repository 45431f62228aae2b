"""What does a venue's profile ask of a portfolio of spot, perpetuals, futures and options?"""

import math

import numpy as np

from plimsoll.domain.instruments import Instrument, Option, Spot
from plimsoll.domain.market import Market
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.domain.scenario_sets import GridScenario, JointMoves, ScenarioGrid, ScenarioSet
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.charges import Charges
from plimsoll.margin.losses import lone_losses, scenario_profit, set_loss, together
from plimsoll.margin.parts import Part, Requirement, ScenarioProfit
from plimsoll.margin.profiles import profile as packaged
from plimsoll.pricing import PriceTable, build_chain, build_moves, price_table
from plimsoll.types import Vector

__all__ = ["VenueMargin", "requirement", "requirements", "venue_margin"]

_NOTHING = "none"
_BASIS = "basis"
_STILL = ScenarioGrid(scenarios=(GridScenario(name="still", spot=0.0),))


def requirement(
    portfolio: Portfolio,
    market: Market,
    profile: PortfolioProfile | str,
    level: Level | int | str = Level.INITIAL,
) -> Requirement:
    """Margin one portfolio; see `requirements` for many at once.

    Parameters
    ----------
    profile : PortfolioProfile or str   A profile, or the name of a packaged one.
    level : Level, its number or its name

    Raises
    ------
    PlimsollError   Where a holding, a quote or a term is missing or cannot be, or a name is not known.
    """
    chosen = packaged(profile) if isinstance(profile, str) else profile
    return venue_margin(portfolio, market, chosen).requirement(portfolio, Level.of(level))


def venue_margin(portfolio: Portfolio, market: Market, profile: PortfolioProfile) -> "VenueMargin":
    """Build the engine for one portfolio, checked; for whoever asks more than one question about it."""
    _check(portfolio, profile)
    return VenueMargin(_instruments((portfolio,)), market, profile)


def requirements(
    portfolios: tuple[Portfolio, ...], market: Market, profile: PortfolioProfile, level: Level
) -> tuple[Requirement | PlimsollError, ...]:
    """Margin many portfolios over one price table; a fault is the answer for its own account alone."""
    faults = tuple(_fault(portfolio, market, profile) for portfolio in portfolios)
    sound = tuple(p for p, fault in zip(portfolios, faults, strict=True) if fault is None)
    venue = VenueMargin(_instruments(sound), market, profile)
    return tuple(
        venue.requirement(portfolio, level) if fault is None else fault
        for portfolio, fault in zip(portfolios, faults, strict=True)
    )


class VenueMargin:
    r"""One engine for all profiles: price tables built once, then any number of portfolios.

    .. math::
        R = f_{level} \max\Big(\max_{sets} L,\; basis,\; g \sum_i L_i\Big) + roll + contingencies

    with L the largest loss over a set: per underlying and summed for a grid, all underlyings in the same
    scenario where a grid credits gains or under a named stress, the mean of the worst rows for joint
    moves.
    """

    def __init__(
        self, instruments: tuple[Instrument, ...], market: Market, profile: PortfolioProfile
    ) -> None:
        _refuse_uncalibrated(profile)
        moving = {terms.moves_with for terms in profile.collateral if terms.moves_with is not None}
        quoted = [quote.underlying for quote in market.underlyings if quote.underlying in moving]
        listed = tuple(dict.fromkeys((*instruments, *map(Spot, quoted))))
        self.profile = profile
        self.market = market
        self.quote_per_unit = _quote_per_unit(market, profile)
        self.chain = build_chain(listed, market)
        self.sets = {initial: _counted(profile, initial=initial) for initial in (False, True)}
        self._tables: dict[bool, tuple[PriceTable, ...]] = {}
        self.charges = Charges(self.chain, market, profile)
        self.value = self._price((_STILL,), initial=False)[0].value
        self._rows = {instrument: row for row, instrument in enumerate(listed)}

    def requirement(self, portfolio: Portfolio, level: Level) -> Requirement:
        """Margin a portfolio of the engine's instruments. A call asks for what initial margin asks for."""
        initial = level != Level.MAINTENANCE
        quantity = self._quantity(portfolio.holdings)
        loss, worst, scenarios = self._largest(self.exposed(portfolio), initial=initial)
        parts = (
            *self._risk(loss, initial=initial),
            *self.charges.parts(quantity, portfolio, initial=initial),
        )
        return Requirement(
            profile=self.profile.name,
            level=level,
            equity=self.charges.equity(quantity, portfolio, self.value),
            parts=parts,
            worst=worst,
            scenarios=scenarios,
        )

    def tables(self, *, initial: bool) -> tuple[PriceTable, ...]:
        """Give a level's tables, one for each of its sets; they are priced when they are first asked for."""
        if initial not in self._tables:
            self._tables[initial] = self._price(self.sets[initial], initial=initial)
        return self._tables[initial]

    def exposed(self, portfolio: Portfolio) -> Vector:
        """Give what scenarios act on: holdings, and collateral that moves as spot of its underlying.

        Returns
        -------
        Vector [I]   Signed, in units of the chain's instruments.
        """
        return self._quantity(portfolio.holdings) + self.charges.moving_collateral(portfolio, self._rows)

    def _price(self, sets: tuple[ScenarioSet, ...], *, initial: bool) -> tuple[PriceTable, ...]:
        ranges = {r.underlying: r.initial if initial else r.maintenance for r in self.profile.ranges}
        least = {r.underlying: r.least_initial if initial else r.least for r in self.profile.ranges}
        coin = self.profile.unit == "coin"
        return tuple(
            price_table(self.chain, build_moves(s, self.chain, ranges, least), coin=coin) for s in sets
        )

    def _quantity(self, holdings: tuple[Holding, ...]) -> Vector:
        quantity = np.zeros(len(self.chain.instruments))
        for holding in holdings:
            quantity[self._rows[holding.instrument]] += holding.quantity
        return quantity

    def _risk(self, loss: float, *, initial: bool) -> tuple[Part, ...]:
        factor = self.profile.initial_factor if initial else self.profile.maintenance_factor
        parts = [Part("scenarios", factor * loss)]
        if initial and self.profile.peg is not None:
            gap = max(0.0, self.profile.peg.threshold - self.market.stable)
            parts.append(Part("peg", gap * self.profile.peg.factor * loss))
        return tuple(parts)

    def _largest(self, quantity: Vector, *, initial: bool) -> tuple[float, str, tuple[ScenarioProfit, ...]]:
        """Find the largest loss over all sets, its name, and the profit in every scenario."""
        loss, worst, seen = 0.0, _NOTHING, []
        for scenarios, table in zip(self.sets[initial], self.tables(initial=initial), strict=True):
            profit = scenario_profit(quantity, table, self.profile.discount)
            total = together(profit, scenarios, self.quote_per_unit, table.moves.tries)
            names = table.moves.names[: len(total)]
            seen += [ScenarioProfit(name, float(p)) for name, p in zip(names, total, strict=True)]
            found = set_loss(profit, total, scenarios)
            if found > loss:
                loss, worst = found, names[int(np.argmin(total))]
        basis = self.charges.basis(quantity)
        if basis > loss:
            loss, worst = basis, _BASIS
        return max(loss, self._gross(quantity, initial=initial)), worst, tuple(seen)

    def _gross(self, quantity: Vector, *, initial: bool) -> float:
        if self.profile.gross_floor == 0.0:
            return 0.0
        pairs = zip(self.sets[initial], self.tables(initial=initial), strict=True)
        return self.profile.gross_floor * max(
            (lone_losses(quantity, table, scenarios) for scenarios, table in pairs), default=0.0
        )


def _counted(profile: PortfolioProfile, *, initial: bool) -> tuple[ScenarioSet, ...]:
    """Leave what is announced out of maintenance."""
    return tuple(
        s
        for s in profile.scenarios
        if initial or not (isinstance(s, JointMoves | ScenarioGrid) and s.announced)
    )


def _refuse_uncalibrated(profile: PortfolioProfile) -> None:
    if profile.calibrated_volatility:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"how far volatility moves under profile {profile.name} comes from a calibrated set",
            where="profile",
            remedy="Give --parameters with a set that `plimsoll calibrate --implied` wrote.",
        )


def _quote_per_unit(market: Market, profile: PortfolioProfile) -> float:
    """Give the quote currency in one unit that amounts are in: a coin's price where contracts are inverse."""
    if profile.unit == "quote":
        return 1.0
    if len(market.underlyings) != 1:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"amounts in coins need one underlying, and the market quotes {len(market.underlyings)}",
            where="market.underlyings",
            remedy="Margin each coin's account by itself.",
        )
    return market.underlyings[0].spot


def _instruments(portfolios: tuple[Portfolio, ...]) -> tuple[Instrument, ...]:
    return tuple(dict.fromkeys(holding.instrument for p in portfolios for holding in p.holdings))


def _fault(portfolio: Portfolio, market: Market, profile: PortfolioProfile) -> PlimsollError | None:
    """Say what is wrong with one portfolio, or nothing."""
    try:
        _check(portfolio, profile)
        chain = build_chain(_instruments((portfolio,)), market)
        Charges(chain, market, profile).collateral_value(portfolio)
    except PlimsollError as fault:
        return fault
    return None


def _check(portfolio: Portfolio, profile: PortfolioProfile) -> None:
    """Refuse amounts that no account can have, and assets that the profile has no terms for."""
    known = {terms.asset for terms in profile.collateral}
    amounts = [("cash", portfolio.cash), ("unrealised", portfolio.unrealised)]
    amounts += [(f"holdings[{i}].quantity", holding.quantity) for i, holding in enumerate(portfolio.holdings)]
    amounts += [(f"collateral[{i}].amount", held.amount) for i, held in enumerate(portfolio.collateral)]
    for where, amount in amounts:
        if not math.isfinite(amount):
            raise PlimsollError(
                Code.BAD_QUANTITY, f"the amount is {amount}", where=where, remedy="Give a finite number."
            )
    for i, held in enumerate(portfolio.collateral):
        if held.asset not in known:
            raise PlimsollError(
                Code.MISSING_PARAMETERS,
                f"profile {profile.name} has no terms for {held.asset}",
                where=f"collateral[{i}].asset",
                remedy=f"Add them; it takes {', '.join(sorted(known)) or 'cash alone'}.",
            )
    for i, holding in enumerate(portfolio.holdings):
        _check_instrument(holding.instrument, profile, f"holdings[{i}].instrument")


def _check_instrument(instrument: Instrument, profile: PortfolioProfile, where: str) -> None:
    """Refuse what a profile of ranges or open-interest tiers does not list."""
    if isinstance(instrument, Option) and profile.open_interest is not None:
        raise PlimsollError(
            Code.UNSUPPORTED_INSTRUMENT,
            f"profile {profile.name} lists no options",
            where=where,
            remedy="Margin it under a profile that prices options.",
        )
    ranged = {entry.underlying for entry in profile.ranges}
    if (ranged or profile.open_interest is not None) and instrument.underlying not in ranged:
        raise PlimsollError(
            Code.MISSING_PARAMETERS,
            f"profile {profile.name} has no range for {instrument.underlying}",
            where=where,
            remedy="Add it to the profile's ranges, or for tiers to open_notional of the quotes.",
        )

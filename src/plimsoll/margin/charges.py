"""What does a profile charge beside scenario losses, and what does it count as equity?"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from plimsoll.domain.instruments import Instrument, Option, Spot
from plimsoll.domain.market import AssetQuote, Market
from plimsoll.domain.portfolios import Collateral, Portfolio
from plimsoll.domain.profiles import LiquidityTerms, PortfolioProfile, UnderlyingRange
from plimsoll.domain.scenario_sets import GridScenario, ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.liquidity import collateral_haircut, dearest_cost
from plimsoll.margin.option_legs import OptionLegs, option_legs
from plimsoll.margin.parts import Part
from plimsoll.pricing import Chain, Slot, build_moves, price_table
from plimsoll.pricing.greeks import UnitGreeks, unit_greeks
from plimsoll.types import Matrix, Vector

__all__ = ["Charges"]


_WHOLE = UnderlyingRange(underlying="", maintenance=1.0, initial=1.0)
"""Of an underlying that a profile does not name."""


class Charges:
    """The parts that do not come from scenarios, for one chain, market and profile."""

    def __init__(self, chain: Chain, market: Market, profile: PortfolioProfile) -> None:
        self._chain = chain
        self._market = market
        self._profile = profile
        self._ranges = {each.underlying: each for each in profile.ranges}
        self._terms = {terms.asset: terms for terms in profile.collateral}
        self._quotes = {quote.asset: quote for quote in market.assets}
        self._spot = np.array([quote.spot for quote in market.underlyings])[chain.underlying]
        self._basis = None
        if profile.basis is not None:
            ends = (profile.basis.up, profile.basis.down)
            grid = ScenarioGrid(
                scenarios=tuple(GridScenario(name=f"basis {end:+g}", spot=end) for end in ends)
            )
            self._basis = price_table(chain, build_moves(grid, chain, {}))

    def basis(self, quantity: Vector) -> float:
        r"""Charge :math:`\sum_e \max(-\Delta_{up}, -\Delta_{down}, 0)(add + per\_year\,\tau_e)`."""
        return float(self.basis_shares(quantity).sum())

    def basis_shares(self, quantity: Vector) -> Vector:
        """Divide `basis` among the positions: each one's loss in the end that costs its expiry more."""
        shares = np.zeros(len(quantity))
        terms, table = self._profile.basis, self._basis
        if terms is None or table is None:
            return shares
        for e, slot in enumerate(self._chain.slots):
            if slot.expiry == 0:
                continue
            rows = np.flatnonzero(self._chain.slot == e)
            losses = -quantity[rows, None] * (table.shocked[rows] - table.value[rows, None])
            ends = losses.sum(axis=0)
            if ends.max() > 0.0:
                shares[rows] = losses[:, ends.argmax()] * (terms.add + terms.per_year * self._chain.tau[e])
        return shares

    def basis_ends(self) -> tuple[Matrix, Vector]:
        """Give what `basis` is made of: each instrument's loss per unit in both ends, and each slot's factor.

        Returns
        -------
        Matrix [I, 2], Vector [E]
        """
        terms, table, tau = self._profile.basis, self._basis, self._chain.tau
        if terms is None or table is None:
            return np.zeros((len(self._chain.instruments), 2)), np.zeros(len(tau))
        loss: Matrix = table.value[:, None] - table.shocked
        return loss, terms.add + terms.per_year * tau

    def parts(self, quantity: Vector, portfolio: Portfolio, *, initial: bool) -> tuple[Part, ...]:
        """List every charge on size, collateral and doubt; those of 0 too, so that the list has one shape."""
        return (
            Part("roll", self._roll(quantity, initial=initial)),
            Part("linear", self._linear(quantity, initial=initial)),
            Part("short options", self._short_options(quantity, initial=initial)),
            *self.size_parts(quantity, initial=initial),
            Part("collateral", self._haircuts(portfolio, initial=initial)),
            Part("confidence", self._confidence(quantity, portfolio) if initial else 0.0),
        )

    def equity(self, quantity: Vector, portfolio: Portfolio, value: Vector) -> float:
        """Add up cash, what is unrealised, options and spot at the mark, and collateral."""
        owned = np.array([isinstance(i, Option | Spot) for i in self._chain.instruments], dtype=np.bool_)
        marked = float(quantity[owned] @ value[owned])
        return portfolio.cash + portfolio.unrealised + marked + self.collateral_value(portfolio)

    def collateral_value(self, portfolio: Portfolio) -> float:
        """Value collateral in quote currency, before haircuts."""
        return sum(self._worth(held) for held in portfolio.collateral)

    def moving_collateral(self, portfolio: Portfolio, rows: Mapping[Instrument, int]) -> Vector:
        """Express collateral that cancels risk as spot of its underlying: Vector [I]."""
        moving = np.zeros(len(self._chain.instruments))
        for held in portfolio.collateral:
            underlying = self._terms[held.asset].moves_with
            if underlying is not None:
                row = rows[Spot(underlying)]
                moving[row] += self._worth(held) / self._spot[row]
        return moving

    def _worth(self, held: Collateral) -> float:
        return held.amount * self._quote(held).price / self._market.stable

    def _quote(self, held: Collateral) -> AssetQuote:
        quote = self._quotes.get(held.asset)
        if quote is None:
            raise PlimsollError(
                Code.MISSING_PRICE,
                f"the market quotes no asset {held.asset}",
                where=f"collateral.{held.asset}",
                remedy="Quote it, or leave it out of the collateral.",
            )
        return quote

    def linear_size(self, quantity: Vector) -> Vector:
        """Give the size of perpetuals and futures at spot: Vector [I], 0 for the rest."""
        linear = np.array([not isinstance(i, Option | Spot) for i in self._chain.instruments], dtype=np.bool_)
        size: Vector = np.where(linear, np.abs(quantity), 0.0)
        return size if self._profile.unit == "coin" else size * self._spot

    def _roll(self, quantity: Vector, *, initial: bool) -> float:
        terms = self._profile.roll
        if terms is None:
            return 0.0
        factor = self._profile.initial_factor if initial else self._profile.maintenance_factor
        rate = np.maximum(terms.least, terms.per_year * self._chain.tau)
        return factor * float(self.linear_size(quantity) @ rate[self._chain.slot])

    def _linear(self, quantity: Vector, *, initial: bool) -> float:
        terms = self._profile.contingencies
        rate = terms.linear + (terms.linear_initial if initial else 0.0)
        return rate * float(self.linear_size(quantity).sum())

    def _short_options(self, quantity: Vector, *, initial: bool) -> float:
        terms = self._profile.contingencies
        rate = terms.short_option + (terms.short_option_initial if initial else 0.0)
        net: dict[tuple[int, float], float] = defaultdict(float)
        for i in np.flatnonzero(quantity):
            if isinstance(self._chain.instruments[i], Option):
                net[int(self._chain.slot[i]), float(self._chain.strike[i])] += float(quantity[i])
        spots = [quote.spot for quote in self._market.underlyings]
        slots = self._chain.slots
        return rate * sum(max(-size, 0.0) * spots[slots[e].underlying] for (e, _), size in net.items())

    def size_parts(self, quantity: Vector, *, initial: bool) -> tuple[Part, ...]:
        """List what size is charged: the cost of closing, and the time it takes where a profile counts it."""
        liquidity = Part("liquidity", self._liquidity(quantity, initial=initial))
        return (liquidity, *self._closing_time(quantity, initial=initial))

    def _liquidity(self, quantity: Vector, *, initial: bool) -> float:
        """Charge what closing each underlying's contracts would cost: linear ones netted, deltas included."""
        charged = 0.0
        for terms in self._profile.liquidity:
            size, legs = self._to_close(terms, quantity)
            if terms.options is not None:
                charged += terms.options.cost(legs.vega, legs.forwards)
            charged += size * dearest_cost(terms.curves, size, initial=initial)
        return charged

    def _closing_time(self, quantity: Vector, *, initial: bool) -> tuple[Part, ...]:
        """Charge underlyings whose range grows with the time that closing their delta takes, if any does."""
        lasting = [(each, each.closing) for each in self._profile.liquidity if each.closing is not None]
        charged = 0.0
        for terms, closing in lasting:
            size, _ = self._to_close(terms, quantity)
            curves = terms.curves if initial else terms.curves[:1]
            known = self._ranges.get(terms.underlying, _WHOLE)
            charged += size * closing.share(curves, size, known.initial if initial else known.maintenance)
        return (Part("closing time", charged),) if lasting else ()

    @cached_property
    def _greeks(self) -> UnitGreeks:
        return unit_greeks(self._chain)

    def _to_close(self, terms: LiquidityTerms, quantity: Vector) -> tuple[float, OptionLegs]:
        """Give the net size of an underlying's contracts, deltas included where options count; and those."""
        instruments = self._chain.instruments
        chosen = np.array([each.underlying == terms.underlying for each in instruments], dtype=np.bool_)
        size = float((self.linear_size(quantity) * np.sign(quantity))[chosen].sum())
        if terms.options is None:
            return abs(size), OptionLegs(0.0, 0.0, 0.0)
        legs = option_legs(self._chain, self._greeks, self._spot, np.where(chosen, quantity, 0.0))
        return abs(size + legs.delta), legs

    def _haircuts(self, portfolio: Portfolio, *, initial: bool) -> float:
        worth: dict[str, float] = defaultdict(float)
        for held in portfolio.collateral:
            worth[held.asset] += self._worth(held)
        return sum(
            value * collateral_haircut(self._terms[asset], value, initial=initial)
            for asset, value in worth.items()
        )

    def _confidence(self, quantity: Vector, portfolio: Portfolio) -> float:
        """Charge notional whose reports are unsure; doubt in a perpetual extends to what it may hedge."""
        if self._profile.confidence is None:
            return 0.0
        held = np.flatnonzero(quantity)
        slots = [self._chain.slots[self._chain.slot[i]] for i in held]
        perpetuals = {slot.underlying for slot in slots if slot.kind == "perpetual"}
        charged = 0.0
        for i, slot in zip(held, slots, strict=True):
            doubt = self._doubt(self._trust(slot, hedged=slot.underlying in perpetuals))
            charged += doubt * abs(quantity[i]) * self._spot[i]
        sure = min((quote.spot_confidence for quote in self._market.underlyings), default=1.0)
        for asset in portfolio.collateral:
            charged += self._doubt(min(self._quote(asset).confidence, sure)) * self._worth(asset)
        return float(charged)

    def _trust(self, slot: Slot, *, hedged: bool) -> float:
        """Give the least confidence of the reports that a slot is priced from."""
        quote = self._market.underlyings[slot.underlying]
        trust = [quote.spot_confidence, *([quote.perpetual_confidence] if hedged else [])]
        return min(trust + [expiry.confidence for expiry in quote.expiries if expiry.expiry == slot.expiry])

    def _doubt(self, trust: float) -> float:
        terms = self._profile.confidence
        return (1.0 - trust) * terms.charge if terms is not None and trust < terms.threshold else 0.0

"""What would a change of parameters do to a book with options before it is published?"""

from collections import defaultdict
from dataclasses import dataclass, replace
from math import copysign

import numpy as np

from plimsoll.clearing.liquidation import reduction
from plimsoll.domain.account_books import AccountBook, RefusedAccount
from plimsoll.domain.cost_curve import PER_CENT, CostCurve
from plimsoll.domain.instruments import Spot
from plimsoll.domain.market import Market, moved_market
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.portfolios import Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.domain.settings import ClearingRules
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.profiles import profile
from plimsoll.margin.standing import portfolios_of, standing_by_profile
from plimsoll.margin.venue import VenueMargin
from plimsoll.pricing import build_chain
from plimsoll.pricing.greeks import unit_greeks
from plimsoll.sim.impact import Impact, MarketImpact
from plimsoll.types import Flags, Matrix, Rows, Vector

__all__ = ["MOVES", "OptionBook", "option_book", "option_impact"]

MOVES = (0.02, 0.05, 0.1, 0.2)
"""Moves that a cascade is looked for in, fewer than of linear books: every account is priced anew at each."""

_OWN = "plimsoll"


@dataclass(frozen=True, slots=True)
class OptionBook:
    """A book at one market, which may hold options.

    Attributes
    ----------
    book : AccountBook   Of the accounts that can be margined.
    market : Market
    refused : tuple of RefusedAccount
    """

    book: AccountBook
    market: Market
    refused: tuple[RefusedAccount, ...]

    def interest(self) -> Vector:
        """Gross delta notional of positions per market of the book: Vector [M], quote units."""
        venue = VenueMargin(self.book.instruments, self.market, profile(_OWN))
        delta = _unit_deltas(venue, self.book)
        held = np.array([not isinstance(each, Spot) for each in self.book.instruments], dtype=np.bool_)
        total = np.zeros(len(self.book.markets))
        rows = held[self.book.columns]
        gross = np.abs(self.book.sizes * delta[self.book.columns])
        np.add.at(total, _markets(self.book)[self.book.columns[rows]], gross[rows])
        return total


@dataclass(frozen=True, slots=True)
class _Stand:
    """How some accounts stand under one profile at one market; quote units.

    Attributes
    ----------
    equity, maintenance, initial : Vector [A]
    sold, bought, vega : Matrix [A, M]   Delta notional, and vega of options, that being sold off would trade.
    """

    equity: Vector
    maintenance: Vector
    initial: Vector
    sold: Matrix
    bought: Matrix
    vega: Matrix

    @property
    def breached(self) -> Flags:
        below: Flags = self.equity < self.maintenance
        return below

    @property
    def called(self) -> Flags:
        """Below the call level, which under the own profile is initial margin."""
        below: Flags = self.equity < self.initial
        return below


def option_book(book: AccountBook, market: Market, parameters: ParameterSet) -> OptionBook:
    """Keep the accounts that can be margined under the own profile over a set's ranges, at a market.

    A position without an entry price counts as opened at the mark of this market, wherever it then moves.
    """
    found = standing_by_profile(book, market, with_calibration(profile(_OWN), parameters))
    chain = build_chain(found.book.instruments, market)
    marks = chain.forward[chain.slot][found.book.columns]
    prices = np.where(np.isnan(found.book.prices), marks, found.book.prices)
    return OptionBook(replace(found.book, prices=prices), market, found.refused)


def option_impact(
    held: OptionBook,
    old: ParameterSet,
    new: ParameterSet,
    curves: tuple[CostCurve, ...],
    rules: ClearingRules,
) -> Impact:
    r"""Compare a book under the own profile over two sets, at one market.

    As `impact_of`, with these readings: an account that is sold down sells the same share of every position;
    what that trades of a market is the delta of what it sells, position by position, at spot, beside which
    the vega of its options is told. Behind the branching ratio every account is priced anew after spot,
    perpetual and forwards of the market moved together, volatilities by strike held.

    Parameters
    ----------
    curves : tuple [M]   Of the book's markets.
    """
    book, market = held.book, held.market
    chosen = tuple(with_calibration(profile(_OWN), each) for each in (old, new))
    everybody = np.arange(len(book.names))
    before, after = (_stand(book, everybody, market, each, rules, in_full=True) for each in chosen)
    ratios = np.array([_branching(book, market, each, curves, rules) for each in chosen])
    caused = [
        np.maximum(getattr(after, name).sum(axis=0) - getattr(before, name).sum(axis=0), 0.0)
        for name in ("sold", "bought", "vega")
    ]
    is_called, now_called = before.called, after.called
    return Impact(
        accounts=len(book.names),
        required_before=float(before.maintenance.sum()),
        required_after=float(after.maintenance.sum()),
        called=_named(book, now_called & ~after.breached & ~is_called & ~before.breached),
        breached=_named(book, after.breached & ~before.breached),
        restored=int((is_called & ~now_called).sum()),
        already=int((before.breached & after.breached).sum()),
        markets=tuple(
            _market(name, curves[m], [float(each[m]) for each in caused], ratios[:, m].tolist())
            for m, name in enumerate(book.markets)
        ),
    )


def _stand(
    book: AccountBook,
    accounts: Rows,
    market: Market,
    chosen: PortfolioProfile,
    rules: ClearingRules,
    *,
    in_full: bool,
) -> _Stand:
    """Margin some accounts, at initial margin too where asked, and say what selling them down would trade."""
    venue = VenueMargin(book.instruments, market, chosen)
    portfolios = portfolios_of(book, market, chosen)
    some: list[Portfolio] = [portfolios[account] for account in accounts]
    told = [venue.requirement(each, Level.MAINTENANCE) for each in some]
    equity, maintenance = (
        np.array([getattr(each, name) for each in told]) for name in ("equity", "required")
    )
    initial = maintenance
    if in_full:
        initial = np.array([venue.requirement(each, Level.INITIAL).required for each in some])
    delta, vega, gross = _held(venue, book)
    short = (equity < maintenance) & (gross[accounts] > 0.0)
    share = np.zeros(len(accounts))
    share[short] = reduction(
        equity[short],
        maintenance[short],
        gross[accounts][short],
        np.full(int(short.sum()), rules.fee),
        equity[short] < rules.full_share * maintenance[short],
        rules.health_target,
    )
    sold, bought = (share[:, None] * side[accounts] for side in delta)
    return _Stand(equity, maintenance, initial, sold, bought, share[:, None] * vega[accounts])


def _held(venue: VenueMargin, book: AccountBook) -> tuple[tuple[Matrix, Matrix], Matrix, Vector]:
    """Give delta notional long and short and vega by account and market, and gross value by account."""
    accounts, markets = len(book.names), _markets(book)[book.columns]
    delta = book.sizes * _unit_deltas(venue, book)[book.columns]
    vega = np.abs(book.sizes * unit_greeks(venue.chain).vega[: len(book.instruments)][book.columns])
    value = np.abs(book.sizes * venue.value[: len(book.instruments)][book.columns])

    def summed(amounts: Vector) -> Matrix:
        total = np.zeros((accounts, len(book.markets)))
        np.add.at(total, (book.owners, markets), amounts)
        return total

    sides = summed(np.maximum(delta, 0.0)), summed(np.maximum(-delta, 0.0))
    gross = np.zeros(accounts)
    np.add.at(gross, book.owners, value)
    return sides, summed(vega), gross


def _unit_deltas(venue: VenueMargin, book: AccountBook) -> Vector:
    """Give the delta of one unit of each instrument at spot: Vector [I], quote units."""
    spot = np.array([quote.spot for quote in venue.market.underlyings])[venue.chain.underlying]
    deltas: Vector = (unit_greeks(venue.chain).delta * spot)[: len(book.instruments)]
    return deltas


def _markets(book: AccountBook) -> Rows:
    return np.array([book.markets.index(each.underlying) for each in book.instruments], dtype=np.intp)


def _branching(
    book: AccountBook,
    market: Market,
    chosen: PortfolioProfile,
    curves: tuple[CostCurve, ...],
    rules: ClearingRules,
) -> list[float]:
    """Take the worst ratio over moves and sides for each market: see `clearing.feedback`."""
    ratios = []
    holders = defaultdict(set)
    for owner, place in zip(book.owners.tolist(), _markets(book)[book.columns].tolist(), strict=True):
        holders[place].add(owner)
    for m, name in enumerate(book.markets):
        rows = np.array(sorted(holders[m]), dtype=np.intp)
        still = _stand(book, rows, market, chosen, rules, in_full=False)
        slopes = [0.0]
        for sign in (-1.0, 1.0):
            base = _along(sign, still, m)
            for move in MOVES:
                moved = moved_market(market, name, 1.0 + sign * move)
                more = _along(sign, _stand(book, rows, moved, chosen, rules, in_full=False), m) - base
                slopes.append(max(more, 0.0) * PER_CENT / move)
        ratios.append(max(slopes) / curves[m].depth())
    return ratios


def _along(sign: float, stand: _Stand, market: int) -> float:
    """Net what is traded in one market, in the direction of a move: never below zero."""
    return max(sign * float((stand.bought - stand.sold)[:, market].sum()), 0.0)


def _named(book: AccountBook, flags: Flags) -> tuple[str, ...]:
    return tuple(book.names[row] for row in np.flatnonzero(flags))


def _market(name: str, curve: CostCurve, caused: list[float], ratios: list[float]) -> MarketImpact:
    sold, bought, vega = caused
    net = bought - sold
    return MarketImpact(
        market=name,
        depth=curve.depth(),
        sold=sold,
        bought=bought,
        vega=vega,
        move=copysign(curve.move(abs(net), 1.0), net) if net != 0.0 else 0.0,
        branching_before=ratios[0],
        branching_after=ratios[1],
    )

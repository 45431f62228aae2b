"""Why does a venue's profile ask this much of this account, part by part and position by position?"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct

from plimsoll.domain.accounts import Account
from plimsoll.domain.instruments import Option
from plimsoll.domain.market import Market
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_down, quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.margin.contributions import BindingLoss, binding_loss
from plimsoll.margin.explain import Part
from plimsoll.margin.holdings import currency_of, portfolio_of
from plimsoll.margin.parts import Requirement
from plimsoll.margin.venue import VenueMargin, venue_margin
from plimsoll.types import Vector

__all__ = ["Breakdown", "Contribution", "LevelLoss", "break_down", "broken_down", "stands"]


class Contribution(Struct, frozen=True, kw_only=True):
    """What one instrument adds to the loss that decides.

    Attributes
    ----------
    instrument : str    Spot includes collateral that moves with it.
    quantity : float    Signed, base units.
    mark : float        Quote currency per base unit; of an option under a profile in coins, coins.
    loss : int          Negative where it relieves.
    scenario : str      Where it is measured.
    """

    instrument: str
    quantity: float
    mark: float
    loss: int
    scenario: str


class LevelLoss(Struct, frozen=True, kw_only=True):
    """The loss that decides one level, and how it is divided; fields as in `Breakdown`."""

    worst: str
    measure: str
    loss: int
    contributions: tuple[Contribution, ...]
    relief: int


class Breakdown(Struct, frozen=True, kw_only=True):
    """A portfolio's requirement with its reasons. Money is in millionths of `currency`.

    Attributes
    ----------
    account, profile : str
    currency : str                The quote currency, or the coin where contracts are inverse.
    equity : int                  Rounded down.
    maintenance, initial : int    Rounded up.
    parts : tuple of Part         Of maintenance; they sum to it exactly.
    initial_parts : tuple of Part
    worst : str                   The worst scenario at maintenance, as `Requirement` names it.
    measure : str                 Which loss decides, as `BindingLoss` calls it.
    loss : int                    That loss before any factor, rounded up.
    contributions : tuple of Contribution   They and `relief` sum to the loss exactly.
    relief : int                  What an allowance leaves uncharged, not positive.
    at_initial : LevelLoss        The same of the loss that decides initial margin.
    scenarios : tuple of Part     Profit in each scenario, rounded down.
    verdict : str                 ``initial met``, ``no new risk`` or ``liquidated``.
    """

    account: str
    profile: str
    currency: str
    equity: int
    maintenance: int
    initial: int
    parts: tuple[Part, ...]
    initial_parts: tuple[Part, ...]
    worst: str
    measure: str
    loss: int
    contributions: tuple[Contribution, ...]
    relief: int
    at_initial: LevelLoss
    scenarios: tuple[Part, ...]
    verdict: str


def break_down(account: Account, market: Market, profile: PortfolioProfile) -> Breakdown:
    """Margin one account under a profile and say why.

    Raises
    ------
    PlimsollError   What `portfolio_of` and `requirement` raise.
    """
    portfolio = portfolio_of(account, market, profile)
    return broken_down(account.name, portfolio, venue_margin(portfolio, market, profile))


def broken_down(name: str, portfolio: Portfolio, venue: VenueMargin, equity: int | None = None) -> Breakdown:
    """Margin one portfolio of an engine's instruments and say why.

    Parameters
    ----------
    equity : int or None   Where it is known already, from a ledger; else the portfolio's own.
    """
    maintenance = venue.requirement(portfolio, Level.MAINTENANCE)
    initial = venue.requirement(portfolio, Level.INITIAL)
    exposed = venue.exposed(portfolio)
    deciding, at_initial = (
        _loss(exposed, venue, answer.worst, initial=answer is initial) for answer in (maintenance, initial)
    )
    if equity is None:
        equity = int(quanta_down(np.array([maintenance.equity * QUANTA_PER_UNIT]))[0])
    needed = _up(maintenance.required), _up(initial.required)
    return Breakdown(
        account=name,
        profile=venue.profile.name,
        currency=currency_of(venue.profile, venue.market),
        equity=equity,
        maintenance=needed[0],
        initial=needed[1],
        parts=_parts(maintenance, needed[0]),
        initial_parts=_parts(initial, needed[1]),
        worst=deciding.worst,
        measure=deciding.measure,
        loss=deciding.loss,
        contributions=deciding.contributions,
        relief=deciding.relief,
        at_initial=at_initial,
        scenarios=_scenarios(maintenance),
        verdict=_verdict(equity, *needed),
    )


def stands(maintenance: Requirement) -> bool:
    """Say whether equity, rounded down, is not below the requirement, rounded up."""
    equity = int(quanta_down(np.array([maintenance.equity * QUANTA_PER_UNIT]))[0])
    return equity >= _up(maintenance.required)


def _scenarios(answer: Requirement) -> tuple[Part, ...]:
    profits = quanta_down(np.array([each.profit for each in answer.scenarios]) * QUANTA_PER_UNIT)
    named = zip(answer.scenarios, profits.tolist(), strict=True)
    return tuple(Part(each.name, profit) for each, profit in named)


def _loss(exposed: Vector, venue: VenueMargin, worst: str, *, initial: bool) -> LevelLoss:
    """Divide the loss that decides a level among the positions, to the quantum."""
    binding = binding_loss(exposed, venue, initial=initial)
    held = np.flatnonzero(exposed)
    loss = _up(binding.loss)
    divided = _shares_up([*binding.shares[held], *([-binding.relief] if binding.relief else [])], loss)
    return LevelLoss(
        worst=worst,
        measure=binding.measure,
        loss=loss,
        contributions=tuple(
            _contribution(int(i), exposed, binding, share, venue)
            for i, share in zip(held, divided, strict=False)
        ),
        relief=sum(divided[len(held) :]),
    )


def _contribution(
    i: int, exposed: Vector, binding: BindingLoss, loss: int, venue: VenueMargin
) -> Contribution:
    instrument = venue.chain.instruments[i]
    forward = venue.chain.forward[venue.chain.slot[i]]
    return Contribution(
        instrument=instrument.name,
        quantity=float(exposed[i]),
        mark=float(venue.value[i] if isinstance(instrument, Option) else forward),
        loss=loss,
        scenario=binding.scenarios[i],
    )


def _parts(requirement: Requirement, total: int) -> tuple[Part, ...]:
    """Turn parts into quanta that add up to the total; what is not charged is left out."""
    amounts = _shares_up([part.amount for part in requirement.parts], total)
    named = zip(requirement.parts, amounts, strict=True)
    return tuple(Part(part.name, amount) for part, amount in named if amount != 0)


def _shares_up(amounts: Sequence[float], total: int) -> tuple[int, ...]:
    """Convert amounts to quanta that sum to a total rounded up: differences of running sums rounded up.

    Each is within one quantum of its amount (two, the last that is not zero, where sums of floats differ).
    """
    if not amounts:
        return ()
    running = [0, *(_up(math.fsum(amounts[: i + 1])) for i in range(len(amounts)))]
    last = max((i for i, amount in enumerate(amounts) if amount != 0.0), default=0)
    running[last + 1 :] = [total] * (len(running) - last - 1)
    return tuple(after - before for before, after in pairwise(running))


def _up(amount: float) -> int:
    return int(quanta_up(np.array([amount * QUANTA_PER_UNIT]))[0])


def _verdict(equity: int, maintenance: int, initial: int) -> str:
    if equity < maintenance:
        return "liquidated"
    return "initial met" if equity >= initial else "no new risk"

"""What is quoted, how far does an order move the price, and when do makers leave?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.sim.cascade_settings import CascadeSettings, FlowSettings, MakerSettings
from plimsoll.types import Vector

__all__ = ["Quoted", "Trades", "begin_market", "flow_at", "move_market"]

_PER_CENT = 0.01
_SECONDS_PER_HOUR = 3600.0
_LARGEST_STEP = 0.25
"""Log move that one second's orders make at most: beyond it nobody is left to trade with."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """The market of one second, per market; money in quote units. A value: `move_market` gives the next.

    Attributes
    ----------
    value : Vector [M]          Log of value outside over its start.
    displacement : Vector [M]   Log of the price over value.
    share : Vector [M]          Depth over normal depth.
    variance : Vector [M]       Of log returns per second, as makers see it.
    trend : Vector [M]          Smoothed log return per second.
    inventory : Vector [M]      What makers hold beyond their wish, signed.
    followers, arbitrage : Vector [M]   What these hold, signed.
    """

    value: Vector
    displacement: Vector
    share: Vector
    variance: Vector
    trend: Vector
    inventory: Vector
    followers: Vector
    arbitrage: Vector

    @property
    def log_price(self) -> Vector:
        """Log of the price over its start: Vector [M]."""
        moved: Vector = self.value + self.displacement
        return moved


@dataclass(frozen=True, slots=True)
class Trades:
    """What was traded in one second, quote units, negative where sold.

    Attributes
    ----------
    forced : Vector [M]                By the venue.
    followers, arbitrage : Vector [M]
    """

    forced: Vector
    followers: Vector
    arbitrage: Vector


def begin_market(markets: int, settings: CascadeSettings) -> Quoted:
    """Start at value, with normal depth, normal volatility and nothing held."""
    none = np.zeros(markets)
    normal = np.full(markets, _normal_variance(settings))
    return Quoted(none, none, np.ones(markets), normal, none, none, none, none)


def move_market(
    before: Quoted, value: Vector, forced: Vector, interest: Vector, settings: CascadeSettings
) -> tuple[Quoted, Trades]:
    r"""Let one second pass.

    With D normal depth (notional per 1 %) and A the share of it that is quoted:

    .. math::
        d' &= d\, 2^{-A / h} + 0.01\, q / (D A) \\
        q &= q_{forced} + q_{followers} + q_{arbitrage} \\
        A^* &= \max\big(a,\; (\sigma / \sigma_0)^{-\eta} (1 - |I| / B)_+\big)

    A moves towards A* with one half-life down and another up; I is the inventory of all markets together and
    B the makers' risk budget: what they bought in one market is not there for another.

    Parameters
    ----------
    value : Vector [M]      Log of value outside, over its start, at the end of the second.
    forced : Vector [M]     What the venue sold (negative) or bought back in the second before.
    interest : Vector [M]   Open interest that accounts want.

    Returns
    -------
    Quoted, Trades   Of this second. `value` at its end is the only thing from the future of the state given.
    """
    makers, flows = settings.makers, settings.flows
    normal = makers.depth * interest
    followers = _towards(before.followers, _wanted_by_followers(before, interest, flows), flows)
    arbitrage = _towards(before.arbitrage, _wanted_by_arbitrage(before, interest, flows), flows)
    trades = Trades(forced, followers - before.followers, arbitrage - before.arbitrage)
    traded = trades.forced + trades.followers + trades.arbitrage
    quoted = normal * before.share
    step = np.clip(_PER_CENT * traded / quoted, -_LARGEST_STEP, _LARGEST_STEP)
    displacement = before.displacement * 0.5 ** (before.share / makers.resilience_half_life) + step
    change = value + displacement - before.log_price
    memory = 0.5 ** (1.0 / makers.volatility_half_life)
    fading = 0.5 ** (1.0 / flows.trend_half_life)
    after = replace(
        before,
        value=value,
        displacement=displacement,
        variance=memory * before.variance + (1.0 - memory) * change**2,
        trend=fading * before.trend + (1.0 - fading) * change,
        inventory=before.inventory * 0.5 ** (1.0 / makers.inventory_half_life) - traded,
        followers=followers,
        arbitrage=arbitrage,
    )
    return replace(after, share=_share(after, normal, settings)), trades


def _share(market: Quoted, normal: Vector, settings: CascadeSettings) -> Vector:
    """Move depth towards what makers would quote now."""
    makers = settings.makers
    calm = np.sqrt(_normal_variance(settings) / market.variance)
    used = float(np.abs(market.inventory).sum()) / (makers.risk_budget * float(normal.sum()))
    wish = np.minimum(calm**makers.withdrawal, 1.0) * max(1.0 - used, 0.0)
    wish = np.maximum(wish, makers.least_depth)
    leaving = wish < market.share
    half_life = np.where(leaving, makers.withdrawal_half_life, makers.return_half_life)
    moved: Vector = wish + (market.share - wish) * 0.5 ** (1.0 / half_life)
    return moved


def _wanted_by_followers(market: Quoted, interest: Vector, flows: FlowSettings) -> Vector:
    """Follow the trend: all in where it is strong."""
    strength = np.tanh(market.trend * flows.trend_half_life / flows.trend_width)
    wanted: Vector = flows.trend_share * interest * strength
    return wanted


def _wanted_by_arbitrage(market: Quoted, interest: Vector, flows: FlowSettings) -> Vector:
    """Buy below value and sell above it, in proportion to the distance, as far as capital reaches."""
    distance = np.clip(-market.displacement / flows.arbitrage_width, -1.0, 1.0)
    wanted: Vector = flows.arbitrage_share * interest * distance
    return wanted


def _towards(held: Vector, wanted: Vector, flows: FlowSettings) -> Vector:
    moved: Vector = wanted + (held - wanted) * 0.5 ** (1.0 / flows.speed_half_life)
    return moved


def _normal_variance(settings: CascadeSettings) -> float:
    return settings.shock.noise_per_hour**2 / _SECONDS_PER_HOUR


def flow_at(interest: Vector, share: Vector, makers: MakerSettings) -> tuple[Vector, Vector]:
    r"""Say what a tick tells the engine: volume per hour, and the move from trading that at once.

    Volume is what depth allows to trade at its present refresh; impact is set so that the square-root law of
    the engine agrees with the depth at one second's volume:

    .. math:: V = 3600\, \rho D A, \qquad Y' \sqrt{1 / 3600} = 0.01 \rho

    Parameters
    ----------
    interest : Vector [M]   Open interest that accounts want; D is a share of it.
    share : Vector [M]      A: what is quoted of normal depth.

    Returns
    -------
    volume, impact : Vector [M]
    """
    volume = _SECONDS_PER_HOUR * makers.refresh_per_second * makers.depth * interest * share
    impact = np.full(len(interest), _PER_CENT * makers.refresh_per_second * float(np.sqrt(_SECONDS_PER_HOUR)))
    return volume, impact

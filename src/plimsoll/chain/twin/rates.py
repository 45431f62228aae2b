"""How do a market's rates move on chain, and how far may they?

Twin of the arithmetic of `RiskParameters.vy`.
"""

from typing import NamedTuple

from plimsoll.chain.hashing import keccak, words
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.reverts import require

__all__ = [
    "HOUR",
    "ONE",
    "UPDATE_TYPE",
    "Bounds",
    "MarketRates",
    "Record",
    "SideRates",
    "Update",
    "after_one_rise",
    "followed",
    "message_of",
    "raised",
    "require_move",
    "require_sound",
    "require_sound_bounds",
    "share",
    "stale_factor",
]

_C = constants("RiskParameters")
ONE, HOUR = _C["ONE"], _C["HOUR"]
_LONGEST_FRESH = 86_400
_MOST_STEPS = 1_000

SIDE_TYPE = "SideRates(uint32 floor,uint32 maintenance,uint32 call,uint32 initial)"
MARKET_TYPE = "MarketRates(bytes32 market,SideRates long,SideRates short)"
UPDATE_TYPE = (
    "Update(uint256 nonce,uint64 version,uint64 effective,uint64 deadline,bytes32 digest,bytes32 evidence,"
    "MarketRates[] rates)"
)


class SideRates(NamedTuple):
    """One side's rates, billionths of notional."""

    floor: int
    maintenance: int
    call: int
    initial: int


class MarketRates(NamedTuple):
    """A market's rates; the market is named by 32 bytes."""

    market: bytes
    long: SideRates
    short: SideRates


class Bounds(NamedTuple):
    """What rates can never leave, and how fast they may move; rates in billionths, times in seconds."""

    least: int
    most: int
    rise_per_hour: int
    fall_per_hour: int
    fresh_for: int
    stale_step: int
    stale_rise: int
    stale_steps: int


class Record(NamedTuple):
    """When rates changed, of which moment they speak, their version, and the reach of volatility."""

    accepted: int
    effective: int
    version: int
    reach: int


class Update(NamedTuple):
    """What reporters sign."""

    nonce: int
    version: int
    effective: int
    deadline: int
    digest: bytes
    evidence: bytes
    rates: tuple[MarketRates, ...]


def message_of(update: Update) -> bytes:
    """Hash an update as EIP-712 does."""
    side, market = keccak(SIDE_TYPE.encode()), keccak((MARKET_TYPE + SIDE_TYPE).encode())
    hashed = [
        keccak(words(market, each.market, *(keccak(words(side, *rates)) for rates in each[1:])))
        for each in update.rates
    ]
    kind = keccak((UPDATE_TYPE + MARKET_TYPE + SIDE_TYPE).encode())
    return keccak(words(kind, *update[:6], keccak(b"".join(hashed))))


def require_sound_bounds(bounds: Bounds) -> None:
    """Revert where bounds contradict themselves or leave a speed unlimited."""
    wrong = "parameters: bounds"
    require(0 < bounds.least <= bounds.most, wrong)
    require(bounds.most <= ONE, wrong)
    require(0 < bounds.fall_per_hour < ONE, wrong)
    require(0 < bounds.rise_per_hour <= ONE, wrong)
    require(0 < bounds.fresh_for <= _LONGEST_FRESH, wrong)
    require(bounds.stale_step > 0 and bounds.stale_steps <= _MOST_STEPS, wrong)
    require(bounds.stale_rise * HOUR <= bounds.rise_per_hour * bounds.stale_step, "parameters: stale rise")
    require(bounds.fall_per_hour * bounds.fresh_for < ONE * HOUR, wrong)


def require_sound(rates: SideRates, bounds: Bounds) -> None:
    """Revert where rates leave their bounds or their order."""
    require(bounds.least <= rates.floor, "parameters: below the bound")
    require(rates.floor <= rates.maintenance, "parameters: floor above maintenance")
    require(rates.maintenance <= rates.call, "parameters: maintenance above call")
    require(rates.call <= rates.initial, "parameters: call above initial")
    require(rates.initial <= bounds.most, "parameters: above the bound")
    require(rates.initial >= after_one_rise(rates.maintenance, bounds), "parameters: notice")


def after_one_rise(rate: int, bounds: Bounds) -> int:
    """Give the most that a maintenance rate can become by the next update."""
    return min(rate + share(rate, bounds.rise_per_hour, bounds.fresh_for), bounds.most)


def share(rate: int, per_hour: int, elapsed: int) -> int:
    """Give the part of a rate that it may move by in a time, rounded down."""
    return rate * per_hour * elapsed // (ONE * HOUR)


def require_move(old: SideRates, new: SideRates, bounds: Bounds, elapsed: int, *, paused: bool) -> None:
    """Revert where new rates are not sound or moved too fast."""
    require_sound(new, bounds)
    most = old.maintenance + share(old.maintenance, bounds.rise_per_hour, elapsed)
    require(new.maintenance <= most, "parameters: rises too fast")
    falling = 0 if paused else elapsed
    for before, after in zip(old, new, strict=True):
        require(after >= before - share(before, bounds.fall_per_hour, falling), "parameters: falls too fast")


def followed(old: SideRates, model: int, bounds: Bounds, elapsed: int, *, falls: bool) -> SideRates:
    """Move maintenance as near to the model as the limits allow; call and initial keep their proportion."""
    rate = old.maintenance
    lowest = max(rate - share(rate, bounds.fall_per_hour, elapsed), old.floor) if falls else rate
    highest = min(rate + share(rate, bounds.rise_per_hour, elapsed), bounds.most)
    moved = min(max(model, lowest), highest)
    call = min((old.call * moved + rate - 1) // rate, bounds.most)
    initial = min((old.initial * moved + rate - 1) // rate, bounds.most)
    return SideRates(old.floor, moved, call, max(initial, after_one_rise(moved, bounds)))


def raised(rate: int, factor: int) -> int:
    """Multiply a rate by a factor in billionths, rounded up."""
    return (rate * factor + ONE - 1) // ONE


def stale_factor(now: int, said: int, bounds: Bounds) -> int:
    """Give what is multiplied because nothing was said since a moment, in billionths."""
    age = now - min(now, said)
    if age <= bounds.fresh_for:
        return ONE
    return ONE + min((age - bounds.fresh_for) // bounds.stale_step, bounds.stale_steps) * bounds.stale_rise

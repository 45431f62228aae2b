"""Which fraction does a venue ask for when much of a market is held open?

Fractions are integers of a millionth (ppm), amounts are quote quanta; every result is an integer and says
which way it was rounded.
"""

from msgspec import structs

from plimsoll.domain.profiles import OpenInterestTier, PortfolioProfile, UnderlyingRange

__all__ = [
    "initial_margin_up",
    "initial_ppm_down",
    "maintenance_ppm_down",
    "with_open_interest",
]

_MILLION = 1_000_000


def initial_ppm_down(tier: OpenInterestTier, open_notional: int) -> int:
    r"""Give the initial fraction at an open notional, rounded down to a millionth.

    .. math:: f = b + \min\Big(1, \frac{\max(OI - l, 0)}{u - l}\Big)(1 - b)
    """
    numerator, denominator = _initial_fraction(tier, open_notional)
    return numerator // denominator


def initial_margin_up(tier: OpenInterestTier, open_notional: int, notional: int) -> int:
    """Give the initial margin of a position in quanta, rounded up once, at the end."""
    numerator, denominator = _initial_fraction(tier, open_notional)
    return -(-abs(notional) * numerator // (denominator * _MILLION))


def maintenance_ppm_down(tier: OpenInterestTier) -> int:
    """Give the maintenance fraction, rounded down: a share of the initial one at no open interest."""
    return tier.initial_ppm * tier.maintenance_ppm // _MILLION


def with_open_interest(profile: PortfolioProfile, open_notional: dict[str, int]) -> PortfolioProfile:
    """Give a profile the ranges that the open notional of each underlying, in quanta, asks for."""
    tier = profile.open_interest
    if tier is None:
        return profile
    maintenance = tier.initial_ppm * tier.maintenance_ppm / _MILLION**2

    def initial(held: int) -> float:
        numerator, denominator = _initial_fraction(tier, held)
        return numerator / (denominator * _MILLION)

    ranges = tuple(
        UnderlyingRange(underlying=underlying, maintenance=maintenance, initial=initial(held))
        for underlying, held in open_notional.items()
    )
    return structs.replace(profile, ranges=ranges)


def _initial_fraction(tier: OpenInterestTier, open_notional: int) -> tuple[int, int]:
    """Give the initial fraction in millionths as numerator and denominator, exactly."""
    width = tier.upper - tier.lower
    if width <= 0:
        return tier.initial_ppm, 1
    above = min(max(open_notional - tier.lower, 0), width)
    return tier.initial_ppm * width + above * (_MILLION - tier.initial_ppm), width

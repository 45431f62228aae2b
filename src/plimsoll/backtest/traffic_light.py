"""In which of Basel's zones does a number of breaches lie?"""

from dataclasses import dataclass
from enum import StrEnum

from plimsoll.backtest.chances import binomial_at_least, binomial_at_most

__all__ = ["TrafficLight", "Zone", "basel_plus_factor", "traffic_light"]

_YELLOW_FROM = 0.95
_RED_FROM = 0.9999
"""Chances of so many breaches or fewer at which the zones begin."""

_FIRST_YELLOW = 5
_PLUS_FACTORS = (0.40, 0.50, 0.65, 0.75, 0.85, 1.00)
"""Of five, six, ... and of ten or more breaches in 250 days at 99 %."""


class Zone(StrEnum):
    """Basel's judgement."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """The zone and the chances behind it.

    Attributes
    ----------
    zone : Zone
    at_most : float    Chance of so many breaches or fewer where the rate is right.
    at_least : float   Chance of so many or more: of calling a right rate wrong at this count.
    """

    zone: Zone
    at_most: float
    at_least: float


def traffic_light(breaches: int, observations: int, share: float) -> TrafficLight:
    """Place a number of breaches: yellow from a cumulative chance of 95 %, red from 99.99 %.

    Source: Basel Committee (1996), Supervisory framework for the use of backtesting.
    """
    at_most = binomial_at_most(breaches, observations, share)
    return TrafficLight(_zone(at_most), at_most, binomial_at_least(breaches, observations, share))


def basel_plus_factor(breaches: int) -> float:
    """Return what Basel adds to the multiplier 3 for the breaches of 250 days at 99 %.

    Source: Basel Committee (1996), table 2.
    """
    if breaches < _FIRST_YELLOW:
        return 0.0
    return _PLUS_FACTORS[min(breaches - _FIRST_YELLOW, len(_PLUS_FACTORS) - 1)]


def _zone(at_most: float) -> Zone:
    if at_most < _YELLOW_FROM:
        return Zone.GREEN
    return Zone.YELLOW if at_most < _RED_FROM else Zone.RED

"""What does a venue know about implied volatility at a moment, by expiry and strike?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.types import Matrix, Vector

__all__ = ["YEAR", "GridSlice", "GridSurface", "Smile", "SurfaceSettings", "SviSlice", "SviSurface"]

YEAR = 365 * 86_400_000
"""Milliseconds in the year that volatilities are stated for."""

Above = Annotated[float, Meta(gt=0.0)]
AtLeastZero = Annotated[float, Meta(ge=0.0)]


@dataclass(frozen=True, slots=True)
class Smile:
    """Quotes of one expiry at one moment.

    Attributes
    ----------
    expiry, time : int       Milliseconds UTC; time is when the quotes were taken.
    forward : float          Price for delivery at expiry.
    strikes : Vector [N]     Increasing.
    bid, ask : Vector [N]    Implied volatilities (0.6 is 60 %); NaN where nobody quotes that side.
    mark : Vector [N]        The venue's own volatility; NaN where unknown. Used where a side is missing.
    """

    expiry: int
    time: int
    forward: float
    strikes: Vector
    bid: Vector
    ask: Vector
    mark: Vector

    @property
    def tau(self) -> float:
        """Years left."""
        return (self.expiry - self.time) / YEAR

    @property
    def log_moneyness(self) -> Vector:
        """ln(K / F) of every strike."""
        return np.log(self.strikes / self.forward)


class SurfaceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a chain's quotes are weighed when a surface is fitted.

    Attributes
    ----------
    fewest_quotes : int         An expiry with fewer usable strikes is refused; SVI has five parameters.
    least_half_spread : float   No quote counts as more certain than this (0.0025 is a quarter of a point).
    mark_half_spread : float    A mark without two-sided quote counts as at least this uncertain, and
    price_step : share          as one step of the price, a share of the forward, makes it.
    """

    fewest_quotes: Annotated[int, Meta(ge=5)] = 6
    least_half_spread: Above = 0.0025
    mark_half_spread: Above = 0.05
    price_step: AtLeastZero = 0.0001


class SviSlice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""Total variance of one expiry: :math:`w(k) = a + b(\rho(k - m) + \sqrt{(k - m)^2 + \sigma^2})`.

    Attributes
    ----------
    expiry : int      Milliseconds UTC.
    forward : price   F in k = ln(K / F).
    a, b, rho, m, sigma : float   Total variance until expiry, as of the surface's time.
    """

    expiry: int
    forward: Above
    a: float
    b: AtLeastZero
    rho: Annotated[float, Meta(ge=-1.0, le=1.0)]
    m: float
    sigma: Above


class SviSurface(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """SVI smiles of one underlying, in order of expiry.

    Attributes
    ----------
    time : int   Milliseconds UTC: the moment whose quotes it describes, and from which variance is counted.
    """

    underlying: str
    time: int
    slices: Annotated[tuple[SviSlice, ...], Meta(min_length=1)]

    def tenors(self) -> Vector:
        """Years from the surface's time to each expiry [E]."""
        return np.array([(part.expiry - self.time) / YEAR for part in self.slices])

    def parameters(self) -> Matrix:
        """Columns a, b, rho, m, sigma, one row per expiry [E, 5]."""
        return np.array([(part.a, part.b, part.rho, part.m, part.sigma) for part in self.slices])

    def forwards(self) -> Vector:
        """Forward of each expiry [E]."""
        return np.array([part.forward for part in self.slices])


class GridSlice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Volatility at each strike of one expiry, strikes increasing."""

    expiry: int
    forward: Above
    strikes: Annotated[tuple[Above, ...], Meta(min_length=1)]
    volatilities: Annotated[tuple[AtLeastZero, ...], Meta(min_length=1)]


class GridSurface(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Volatilities as quoted, in order of expiry; what lies between is interpolated, nothing is smoothed."""

    underlying: str
    time: int
    slices: Annotated[tuple[GridSlice, ...], Meta(min_length=1)]

    def tenors(self) -> Vector:
        """Years from the surface's time to each expiry [E]."""
        return np.array([(part.expiry - self.time) / YEAR for part in self.slices])

    def grids(self) -> tuple[tuple[Vector, Vector], ...]:
        """Log-moneyness and volatility of each expiry's strikes."""
        return tuple(
            (np.log(np.array(part.strikes) / part.forward), np.array(part.volatilities))
            for part in self.slices
        )

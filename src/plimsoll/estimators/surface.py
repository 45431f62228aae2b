"""Which volatility surface fits a real chain, how well, and is it free of arbitrage?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.domain.surface import GridSlice, GridSurface, Smile, SurfaceSettings, SviSlice, SviSurface
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.smiles import SmileTarget, smile_target
from plimsoll.kernels.svi import svi_volatility, wing_slopes
from plimsoll.kernels.svi_fit import closest_svi
from plimsoll.kernels.svi_repair import least_butterfly, refined_svi, violations
from plimsoll.types import Flags, Vector

__all__ = ["SliceFit", "SurfaceFit", "fit_grid", "fit_surface"]

TESTED_POINTS = 401
"""Log-moneyness values at which arbitrage is looked for."""
WIDER_THAN_QUOTES = 1.5
WIDER_THAN_DEVIATIONS = 6.0
"""Arbitrage is looked for out to 1.5 times the farthest quote, and at least six standard deviations."""
LEAST_SHRINKING = 0.99
REPAIR_PRICES = (1e1, 1e3, 1e5, 1e7, 1e9)
"""Cost of a violation in squared spreads; the first that removes it ends the search."""


@dataclass(frozen=True, slots=True)
class SliceFit:
    """One fitted expiry and the evidence for it.

    Attributes
    ----------
    slice : SviSlice
    quotes, marks : int        Strikes fitted to a two-sided quote, and to the venue's mark alone.
    error, mark_error : float  Root mean squared distance from the middle of bid and ask, and from the marks,
                               in volatility (0.01 is a point); NaN where there are none.
    worst_error : float        The largest distance from a middle; NaN likewise.
    half_spread : float        Mean half distance of bid and ask; NaN likewise.
    inside : float             Share of two-sided quotes that the smile passes between; NaN likewise.
    least_butterfly : float    Smallest butterfly factor; below 0 is arbitrage.
    least_butterfly_at : float   Its log-moneyness.
    steepest_wing : float      Larger wing slope; above 2 is arbitrage (Lee).
    calendar_gap : float       Smallest rise of total variance to the expiry after, as a share of the
                               variance; infinite for the last. Below 0 is arbitrage.
    is_repaired : bool         Whether the closest smile had arbitrage and was moved.
    """

    slice: SviSlice
    quotes: int
    marks: int
    error: float
    mark_error: float
    worst_error: float
    half_spread: float
    inside: float
    least_butterfly: float
    least_butterfly_at: float
    steepest_wing: float
    calendar_gap: float
    is_repaired: bool

    @property
    def is_free_of_arbitrage(self) -> bool:
        """Whether all three conditions hold where they were tested."""
        return self.least_butterfly >= 0.0 and self.steepest_wing <= 2.0 and self.calendar_gap >= 0.0


@dataclass(frozen=True, slots=True)
class SurfaceFit:
    """A fitted surface with its evidence, one entry per expiry, and the expiries that could not be fitted."""

    surface: SviSurface
    slices: tuple[SliceFit, ...]
    refused: tuple[tuple[int, PlimsollError], ...]


def fit_surface(underlying: str, smiles: Sequence[Smile], settings: SurfaceSettings) -> SurfaceFit:
    """Fit the expiries from the farthest to the nearest, each kept below the one after it.

    The far smiles are quoted over the widest range of strikes; in the other direction a near smile's wing,
    far beyond its own quotes, would lift all later ones. An expiry with too few quotes is refused and the
    others are fitted. All smiles must be of one moment.

    Raises
    ------
    PlimsollError   NO_SURFACE where no expiry can be fitted.
    """
    fits: list[SliceFit] = []
    refused: list[tuple[int, PlimsollError]] = []
    for smile in sorted(smiles, key=lambda one: one.expiry, reverse=True):
        try:
            fits.insert(0, _fit_slice(underlying, smile, fits[0].slice if fits else None, settings))
        except PlimsollError as error:
            refused.append((smile.expiry, error))
    if not fits:
        raise PlimsollError(
            Code.NO_SURFACE,
            f"none of {len(smiles)} expiries can be fitted",
            where=underlying,
            remedy="Give at least one expiry with enough quotes: "
            + "; ".join(str(why) for _, why in refused[:3]),
        )
    slices = tuple(fit.slice for fit in fits)
    return SurfaceFit(
        SviSurface(underlying=underlying, time=smiles[0].time, slices=slices), tuple(fits), tuple(refused)
    )


def fit_grid(underlying: str, smiles: Sequence[Smile], settings: SurfaceSettings) -> GridSurface:
    """Take the middle of every quote as it stands; nothing is smoothed and nothing is checked."""
    slices = []
    for smile in sorted(smiles, key=lambda one: one.expiry):
        target = smile_target(underlying, smile, settings)
        slices.append(
            GridSlice(
                expiry=smile.expiry,
                forward=smile.forward,
                strikes=tuple((smile.forward * np.exp(target.k)).tolist()),
                volatilities=tuple(target.volatility.tolist()),
            )
        )
    return GridSurface(underlying=underlying, time=smiles[0].time, slices=tuple(slices))


def _tested(target: SmileTarget) -> Vector:
    """Return the log-moneyness values at which arbitrage is looked for."""
    deviation = math.sqrt(float(np.interp(0.0, target.k, target.w)))
    reach = max(WIDER_THAN_QUOTES * float(np.abs(target.k).max()), WIDER_THAN_DEVIATIONS * deviation)
    return np.linspace(-reach, reach, TESTED_POINTS)


def _fit_slice(underlying: str, smile: Smile, after: SviSlice | None, settings: SurfaceSettings) -> SliceFit:
    target = smile_target(underlying, smile, settings)
    points = _tested(target)
    ceiling = np.full(len(points), np.inf) if after is None else _variance(points, after)
    closest = closest_svi(target.k, target.w, target.weight)
    closest = refined_svi(closest, target.k, target.w, target.weight, points, ceiling, 0.0)
    if _keeps_conditions(points, ceiling, closest):
        return _evidence(smile, target, points, ceiling, closest, is_repaired=False)
    starts = [closest] if after is None else [closest, _shrunk(target, after)]
    repaired = _repair(starts, target, points, ceiling)
    return _evidence(smile, target, points, ceiling, repaired, is_repaired=True)


def _keeps_conditions(points: Vector, ceiling: Vector, parameters: Vector) -> bool:
    out = np.empty(2 * len(points) + 1)
    violations(points, ceiling, parameters, 0.0, out)
    return not out.any()


def _shrunk(target: SmileTarget, after: SviSlice) -> Vector:
    """Return the smile after, shrunk to the level of the quotes, so that it lies below everywhere."""
    level = min(float(np.median(target.w / _variance(target.k, after))), LEAST_SHRINKING)
    return np.array([level * after.a, level * after.b, after.rho, after.m, after.sigma])


def _repair(starts: Sequence[Vector], target: SmileTarget, points: Vector, ceiling: Vector) -> Vector:
    """Search from each start at rising prices; of the smiles that keep the conditions return the closest."""
    found: list[tuple[bool, float, Vector]] = []
    for start in starts:
        smile = start
        for price in REPAIR_PRICES:
            smile = refined_svi(smile, target.k, target.w, target.weight, points, ceiling, price)
            if _keeps_conditions(points, ceiling, smile):
                break
        misfit = float(np.mean((target.weight * (svi_volatility(target.k, 1.0, smile) ** 2 - target.w)) ** 2))
        found.append((not _keeps_conditions(points, ceiling, smile), misfit, smile))
    return min(found, key=lambda one: one[:2])[2]


def _row(part: SviSlice) -> Vector:
    return np.array([part.a, part.b, part.rho, part.m, part.sigma])


def _variance(k: Vector, part: SviSlice) -> Vector:
    return svi_volatility(k, 1.0, _row(part)) ** 2


def _evidence(
    smile: Smile,
    target: SmileTarget,
    points: Vector,
    ceiling: Vector,
    parameters: Vector,
    *,
    is_repaired: bool,
) -> SliceFit:
    a, b, rho, m, sigma = parameters.tolist()
    part = SviSlice(expiry=smile.expiry, forward=smile.forward, a=a, b=b, rho=rho, m=m, sigma=sigma)
    fitted = svi_volatility(target.k, smile.tau, parameters)
    errors = np.abs(fitted - target.volatility)
    both = np.isfinite(target.bid)
    inside = ((fitted >= target.bid) & (fitted <= target.ask))[both]
    least, place = least_butterfly(points, parameters)
    gap = float((ceiling / _variance(points, part) - 1.0).min())
    return SliceFit(
        slice=part,
        quotes=int(both.sum()),
        marks=int((~both).sum()),
        error=math.sqrt(_mean(errors[both] ** 2)),
        mark_error=math.sqrt(_mean(errors[~both] ** 2)),
        worst_error=float(errors[both].max()) if both.any() else math.nan,
        half_spread=0.5 * _mean((target.ask - target.bid)[both]),
        inside=_mean(inside),
        least_butterfly=least,
        least_butterfly_at=place,
        steepest_wing=max(wing_slopes(b, rho)),
        calendar_gap=gap,
        is_repaired=is_repaired,
    )


def _mean(figures: Vector | Flags) -> float:
    return float(figures.mean()) if len(figures) else math.nan

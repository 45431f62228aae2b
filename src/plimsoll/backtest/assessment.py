"""Did a policy keep its promise on one market, by every test, in every year, and at what cost?"""

import math
import zlib
from dataclasses import dataclass

import numpy as np

from plimsoll.backtest.coverage import breach_count_test, first_failure_test, proportion_test
from plimsoll.backtest.dynamic_quantile import LAGS, dynamic_quantile_test
from plimsoll.backtest.e_process import anytime_p_value, evidence_path, pooled_evidence
from plimsoll.backtest.independence import conditional_coverage_test, independence_test
from plimsoll.backtest.procyclicality import Procyclicality, measure_procyclicality
from plimsoll.backtest.scores import fissler_ziegel, pinball, qlike
from plimsoll.backtest.shortfall import (
    acerbi_szekely_conditional,
    acerbi_szekely_unconditional,
    exceedance_residual_test,
)
from plimsoll.backtest.traffic_light import Zone, traffic_light
from plimsoll.backtest.verdicts import Verdict
from plimsoll.backtest.walk import SIDES, Walk, phases_of
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Rows, Vector

__all__ = ["Assessment", "PhasedVerdict", "SideAssessment", "Year", "assess"]

_FEWEST_WINDOWS = LAGS + 8
"""A phase with fewer windows has nothing to test."""


@dataclass(frozen=True, slots=True)
class PhasedVerdict:
    """One test, made on each phase of windows that do not overlap.

    Attributes
    ----------
    test, basis : str
    phases : tuple of Verdict   One per phase on which the test can be made.
    """

    test: str
    basis: str
    phases: tuple[Verdict, ...]

    @property
    def median(self) -> float:
        """The p-value of the middle phase: what one would have found with one phase drawn by lot."""
        return float(np.median([verdict.p_value for verdict in self.phases]))

    @property
    def pooled(self) -> float:
        """Twice the median, at most 1: a valid p-value however the phases depend on each other.

        Source: Rueschendorf (1982); Vovk and Wang (2020), Combining p-values via averaging.
        """
        return min(1.0, 2.0 * self.median)

    @property
    def smallest(self) -> float:
        """The p-value of the worst phase."""
        return min(verdict.p_value for verdict in self.phases)

    @property
    def observations(self) -> int:
        """Windows of the smallest phase."""
        return min(verdict.observations for verdict in self.phases)


@dataclass(frozen=True, slots=True)
class Year:
    """Windows that began in a calendar year, UTC, and breaches among them."""

    year: int
    windows: int
    breaches: int

    @property
    def share(self) -> float:
        """Share of breaches."""
        return self.breaches / self.windows


@dataclass(frozen=True, slots=True)
class SideAssessment:
    """One side of one market under one policy.

    Attributes
    ----------
    side : str                long or short.
    windows, breaches : int   Over all starts, overlapping ones too.
    years : tuple of Year
    tests : tuple of PhasedVerdict
    anytime : float           P-value of the always-valid monitor against too many breaches.
    zone : Zone               Basel's, the worst of the phases.
    pinball, fissler_ziegel : float   Mean scores.
    cost : Procyclicality
    matched_mean : float      Mean requirement once scaled by the one factor that gives exactly the promised
                              coverage in hindsight: what policies of equal coverage cost.
    """

    side: str
    windows: int
    breaches: int
    years: tuple[Year, ...]
    tests: tuple[PhasedVerdict, ...]
    anytime: float
    zone: Zone
    pinball: float
    fissler_ziegel: float
    cost: Procyclicality
    matched_mean: float

    @property
    def covered(self) -> float:
        """Share of excursions within the rate."""
        return 1.0 - self.breaches / self.windows

    def test(self, name: str) -> PhasedVerdict | None:
        """Find a test by its name; None where it could not be made."""
        return next((test for test in self.tests if test.test == name), None)


@dataclass(frozen=True, slots=True)
class Assessment:
    """One policy on one market; `qlike` is the mean score of its forecast of the next bar's variance."""

    market: str
    policy: str
    first: int
    last: int
    phases: int
    qlike: float
    sides: tuple[SideAssessment, ...]


def assess(walk: Walk, *, seed: int) -> Assessment:
    """Assess a walk on those of its rows whose horizon is complete.

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where fewer than a dozen horizons that do not overlap are complete.
    """
    judged = walk.rows(walk.judged)
    times = judged.series.times
    phases = [
        rows for rows in phases_of(times, walk.length, walk.target.horizon) if len(rows) >= _FEWEST_WINDOWS
    ]
    if not phases:
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"{len(times)} complete horizons of {walk.market} under {walk.policy} are too few to test",
            where="backtest",
            remedy="Give more bars, or a shorter horizon.",
        )
    known = ~np.isnan(judged.realised)
    quality = qlike(judged.realised[known], judged.series.variance[known])
    labels = (walk.market, walk.policy)
    generator = np.random.default_rng([seed, *(zlib.crc32(label.encode()) for label in labels)])
    return Assessment(
        market=walk.market,
        policy=walk.policy,
        first=int(times[0]),
        last=int(times[-1]),
        phases=len(phases),
        qlike=float(quality.mean()) if len(quality) else math.nan,
        sides=tuple(_side(judged, side, phases, generator) for side in range(len(SIDES))),
    )


def _side(walk: Walk, side: int, phases: list[Rows], generator: np.random.Generator) -> SideAssessment:
    share = walk.target.share
    times = walk.series.times
    excursions, rates = walk.excursions[:, side], walk.series.rates[:, side]
    shortfalls = walk.series.shortfall[:, side]
    breaches = walk.breaches[:, side]
    parts = [(excursions[rows], rates[rows], shortfalls[rows]) for rows in phases]
    paths = [evidence_path(breaches[rows], share) for rows in phases]
    zones = [traffic_light(int(breaches[rows].sum()), len(rows), share).zone for rows in phases]
    return SideAssessment(
        side=SIDES[side],
        windows=len(times),
        breaches=int(breaches.sum()),
        years=_years(walk, side),
        tests=_tests(parts, share, generator),
        anytime=anytime_p_value(pooled_evidence(paths)),
        zone=max(zones, key=list(Zone).index),
        pinball=float(pinball(excursions, rates, share).mean()),
        fissler_ziegel=float(fissler_ziegel(excursions, rates, shortfalls, share).mean()),
        cost=measure_procyclicality(times, rates),
        matched_mean=float(rates.mean() * np.quantile(excursions / rates, walk.target.level)),
    )


def _tests(
    phases: list[tuple[Vector, Vector, Vector]], share: float, generator: np.random.Generator
) -> tuple[PhasedVerdict, ...]:
    """Make every test on every phase, and put what belongs together side by side."""
    made: dict[str, list[Verdict]] = {}
    for excursions, rates, shortfalls in phases:
        breaches = excursions > rates
        for verdict in (
            proportion_test(breaches, share, generator),
            breach_count_test(breaches, share),
            independence_test(breaches, share, generator),
            conditional_coverage_test(breaches, share, generator),
            first_failure_test(breaches, share),
            dynamic_quantile_test(breaches, rates, share, generator),
            acerbi_szekely_conditional(excursions, rates, shortfalls, generator),
            acerbi_szekely_unconditional(excursions, rates, shortfalls, share, generator),
            exceedance_residual_test(excursions, rates, shortfalls, generator),
        ):
            if verdict is not None:
                made.setdefault(verdict.test, []).append(verdict)
    return tuple(PhasedVerdict(test, found[0].basis, tuple(found)) for test, found in made.items())


def _years(walk: Walk, side: int) -> tuple[Year, ...]:
    years = walk.series.times.astype("datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970
    breaches = walk.breaches[:, side]
    return tuple(
        Year(int(year), int((years == year).sum()), int(breaches[years == year].sum()))
        for year in np.unique(years)
    )

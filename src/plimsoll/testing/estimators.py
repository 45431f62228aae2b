"""Does a forecaster of variance keep the laws that calibration relies on?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.estimators.forecasts import VarianceForecaster
from plimsoll.estimators.observed import Observed, observe
from plimsoll.estimators.returns import nothing_heard
from plimsoll.testing.bars import holed, wild_bars
from plimsoll.testing.laws import hold
from plimsoll.types import Matrix

__all__ = ["ESTIMATOR_LAWS", "HURTS", "Candidate", "check_estimator"]

_STEPS = 4
_COUNT = 300
"""Bars drawn where a law says nothing else."""
_POISON = 40.0
"""Factor on all prices after a row: whoever looks ahead cannot miss it."""
_HURT_AT = 250
"""Row at which something that hurts begins."""
_JUDGED = 1500
"""Bars drawn where forecasts are held against what came."""
_STRETCH = 100
"""Bars over which either is averaged."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A forecaster under test, and what may be expected of it.

    Attributes
    ----------
    forecaster : VarianceForecaster
    known_after : int    Hourly bars after which it says a number.
    bridges : int        Longest gap in hours over which it still has something to say.
    misread : float      Factor within which its mean forecast lies of the variance that came. The drawn bars
                         are seen on eight prices each, so that ranges show less than half of it.
    reassociation : float   Relative difference allowed between the sum over a path and the pass's own sum.
    """

    forecaster: VarianceForecaster
    known_after: int = 200
    bridges: int = 72
    misread: float = 3.0
    reassociation: float = 1e-12


def check_estimator(forecaster: VarianceForecaster, seeds: Iterable[int] = range(3), **expected: Any) -> None:
    """Hold a forecaster to every law of `ESTIMATOR_LAWS`.

    Parameters
    ----------
    seeds : ints      Each gives other bars.
    expected : any    Fields of `Candidate`, where the forecaster needs longer or bridges less.

    Raises
    ------
    BrokenLawError   Names the law and the seed.
    """
    candidate = Candidate(forecaster, **expected)
    for seed in seeds:
        for law in ESTIMATOR_LAWS.values():
            law(candidate, seed)


def _bars_in_any_pieces_give_the_same_bytes(candidate: Candidate, seed: int) -> None:
    """Absorbing bars at once, or in pieces, gives the same forecasts and the same memory, bit for bit."""
    seen = _observed(holed(_bars(seed), seed, 0.05))
    generator = np.random.default_rng(seed)
    places = generator.integers(1, len(seen.ends), generator.integers(0, 7))
    memory, path = _passed(candidate, seen)
    again, apart = _passed(candidate, seen, places.tolist())
    hold("pieces of any size give the same forecasts", path.tobytes() == apart.tobytes(), f"seed {seed}")
    hold("pieces of any size give the same memory", _bytes(memory) == _bytes(again), f"seed {seed}")


def _a_forecast_knows_nothing_of_what_comes(candidate: Candidate, seed: int) -> None:
    """Row t of what `update` returns uses bars up to t only."""
    row = int(np.random.default_rng(seed).integers(_COUNT // 3, _COUNT - 10))
    bars = _bars(seed)
    poisoned = _times(_bars(seed), slice(row, None), _POISON)
    before, after = (_passed(candidate, _observed(drawn))[1][:row] for drawn in (bars, poisoned))
    hold(
        "a forecast does not depend on what comes after", before.tobytes() == after.tobytes(), f"seed {seed}"
    )


def _a_memory_is_a_value(candidate: Candidate, seed: int) -> None:
    """`update` gives a new memory and leaves the one it was given as it was."""
    seen = _observed(_bars(seed))
    memory, _ = _passed(candidate, seen.rows(0, 200))
    before = _bytes(memory)
    candidate.forecaster.update(memory, seen.rows(200, _COUNT), _STEPS)
    hold("a memory may have several futures", _bytes(memory) == before, f"seed {seed}")


def _a_path_adds_up_to_what_the_pass_said(candidate: Candidate, seed: int) -> None:
    """`estimate` gives the steps whose first and whose sum `update` returned in its last row."""
    memory, path = _passed(candidate, _observed(_bars(seed, _COUNT + 100)))
    ahead = candidate.forecaster.estimate(memory, _STEPS)
    hold("the path has as many steps as were asked for", ahead.shape == (_STEPS,), f"seed {seed}")
    told = np.array([ahead[0], ahead.sum()])
    close = np.abs(told - path[-1]) <= candidate.reassociation * path[-1]
    hold("the path adds up to what the pass said", close, f"seed {seed}")


def _forecasts_are_of_the_size_of_what_comes(candidate: Candidate, seed: int) -> None:
    """The variance that comes is that of the forecast within a factor, in most stretches of a hundred bars.

    Of one whole stretch the mean of squares says little: moves are so fat-tailed that a few bars make it.
    """
    seen = _observed(_bars(seed, _JUDGED))
    forecasts = _passed(candidate, seen)[1][_COUNT:-1, 0]
    hold("a forecast is a number once much is known", np.isfinite(forecasts), f"seed {seed}")
    whole = len(forecasts) - len(forecasts) % _STRETCH
    came, said = (
        values[:whole].reshape(-1, _STRETCH).mean(axis=1)
        for values in (seen.returns[_COUNT + 1 :] ** 2, forecasts)
    )
    ratio = float(np.median(came / said))
    sized = 1.0 / candidate.misread < ratio < candidate.misread
    hold(f"variance that came is {ratio:.2f} times the forecast", sized, f"seed {seed}")


def _what_hurts_gives_a_number(candidate: Candidate, seed: int) -> None:
    """Constant prices, gaps, missing days, a lone tick: once a number was known, a number not below zero."""
    for name, hurt in HURTS.items():
        bars = hurt(_bars(seed, _COUNT + 100), candidate)
        path = _passed(candidate, _observed(bars))[1]
        first = int(np.argmax(~np.isnan(path[:, 0])))
        where = f"with {name}, seed {seed}"
        hold("a forecast is known in time", first < candidate.known_after, where)
        hold("what hurts gives a number", np.isfinite(path[first:]).all(axis=1), where)
        hold("a variance is not negative", (path[first:] >= 0.0).all(axis=1), where)


def _constant(bars: Bars, _candidate: Candidate) -> Bars:
    return _repriced(bars, lambda prices: np.full_like(prices, 100.0))


def _nothing_traded(bars: Bars, _candidate: Candidate) -> Bars:
    return replace(bars, volume=np.zeros_like(bars.volume))


def _volume_unknown(bars: Bars, _candidate: Candidate) -> Bars:
    return replace(bars, volume=np.full_like(bars.volume, np.nan))


def _nine_tenths_gone(bars: Bars, _candidate: Candidate) -> Bars:
    return _times(bars, slice(_HURT_AT, None), 0.1)


def _one_tick_far_off(bars: Bars, _candidate: Candidate) -> Bars:
    low = bars.low.copy()
    low[_HURT_AT] *= 0.01
    return replace(bars, low=low)


def _hours_missing(bars: Bars, candidate: Candidate) -> Bars:
    return _times(bars, slice(_HURT_AT, _HURT_AT + candidate.bridges), np.nan)


HURTS: Mapping[str, Callable[[Bars, Candidate], Bars]] = {
    "constant prices": _constant,
    "no volume": _nothing_traded,
    "unknown volume": _volume_unknown,
    "a gap of nine tenths": _nine_tenths_gone,
    "one tick far off": _one_tick_far_off,
    "hours missing": _hours_missing,
}
"""What is done to bars that a forecaster must live through."""

ESTIMATOR_LAWS: Mapping[str, Callable[[Candidate, int], None]] = {
    law.__name__.removeprefix("_"): law
    for law in (
        _bars_in_any_pieces_give_the_same_bytes,
        _a_forecast_knows_nothing_of_what_comes,
        _a_memory_is_a_value,
        _a_path_adds_up_to_what_the_pass_said,
        _forecasts_are_of_the_size_of_what_comes,
        _what_hurts_gives_a_number,
    )
}
"""Every law by its name: called with a `Candidate` and a seed."""


def _bars(seed: int, count: int = _COUNT) -> Bars:
    return wild_bars(seed, count, markets=("BTC",))


def _times(bars: Bars, rows: slice, factor: float) -> Bars:
    """Multiply all prices of some rows."""
    factors = np.ones((len(bars), 1))
    factors[rows] = factor
    return _repriced(bars, lambda prices: prices * factors)


def _repriced(bars: Bars, change: Callable[[Matrix], Matrix]) -> Bars:
    return replace(
        bars, open=change(bars.open), high=change(bars.high), low=change(bars.low), close=change(bars.close)
    )


def _observed(bars: Bars) -> Observed:
    """See bars and, as a regressor, something that moves and is always known."""
    regressors = np.sin(bars.times[:, None] / (7.0 * HOUR))
    (seen,), _ = observe(nothing_heard(1), bars, regressors)
    return seen


def _passed(candidate: Candidate, seen: Observed, places: Iterable[int] = ()) -> tuple[Any, Matrix]:
    """Absorb in pieces cut at `places`."""
    forecaster = candidate.forecaster
    memory, parts = forecaster.begin(seen.hours), []
    for first, last in pairwise(sorted({0, len(seen.ends), *places})):
        memory, path = forecaster.update(memory, seen.rows(first, last), _STEPS)
        parts.append(path)
    return memory, np.vstack(parts)


def _bytes(memory: Any) -> Any:
    """Everything that a memory holds, in a form that can be compared to the last bit."""
    if isinstance(memory, np.ndarray):
        return memory.tobytes()
    if isinstance(memory, tuple):
        return tuple(_bytes(part) for part in memory)
    return memory

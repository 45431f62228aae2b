"""How large is a quantile of losses that lies beyond most of those seen, and how sure is that?"""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from plimsoll.types import Vector

__all__ = ["Basis", "quantile_band", "tail_quantile"]

Basis: TypeAlias = Literal["observed", "fitted", "largest"]
"""Whether the level lies within the losses, beyond them on a fitted tail, or beyond so few that the largest
stands in and nothing is known above it."""

_TAIL = 0.4
"""Share of the largest losses that the tail is fitted to, where the level lies beyond all of them."""

_FEWEST = 8
"""Losses in the tail below which nothing is fitted."""

_HEAVIEST = 0.9
"""Largest shape of the tail: beyond it its mean, and with it the estimate, hardly exists."""

_FLAT = 1e-9
"""Shape below which the tail is an exponential one: its formula would divide nothing by nothing."""

_RESAMPLES = 200
_BAND = (0.05, 0.95)


def tail_quantile(losses: Vector, level: float) -> tuple[float, Basis]:
    r"""Take a quantile of losses, from a fitted tail where it lies beyond all of them.

    With u the threshold above which the largest 40 % lie, exceedances y follow a generalised Pareto law,
    fitted by probability-weighted moments:

    .. math:: \xi = 2 - \frac{a_0}{a_0 - 2 a_1}, \quad \beta = \frac{2 a_0 a_1}{a_0 - 2 a_1}, \quad
              q = u + \frac{\beta}{\xi}\Big(\Big(\frac{1 - p}{s}\Big)^{-\xi} - 1\Big)

    with :math:`a_0` their mean, :math:`a_1 = E[y (1 - F(y))]` and s their share of all losses.

    Returns
    -------
    float   Never below the largest loss seen, where the level lies beyond it.
    Basis

    Source: Hosking and Wallis (1987), Technometrics 29.
    """
    if level <= 1.0 - 1.0 / len(losses):
        return float(np.quantile(losses, level)), "observed"
    tail = _fitted(losses)
    if tail is None:
        return float(losses.max()), "largest"
    beyond = float(tail.beyond(np.array((1.0 - level) / tail.share)))
    return max(beyond, float(losses.max())), "fitted"


def quantile_band(losses: Vector, level: float, seed: int) -> tuple[float, float | None]:
    """Say between which losses the quantile lies, with an aim of 90 %.

    Losses are drawn anew, the body with replacement and the tail from its fit, and the quantile is taken
    again. Of two usual readings of what comes out, percentiles and their reflection about the estimate on a
    log scale, the wider end counts on either side. On half zeros and half exponential or log-normal losses,
    30 to 100 of them and a level of 0.999, such a band held the truth in 76 to 90 of 100 trials, and nearly
    always lay below it in the others; drawing only from losses seen, in 43.

    Returns
    -------
    low : float
    high : float or None   None where too few losses are in the tail to bound anything.
    """
    estimate, basis = tail_quantile(losses, level)
    if basis == "largest":
        return estimate, None
    generator = np.random.default_rng(seed)
    tail = _fitted(losses) if basis == "fitted" else None
    drawn = [tail_quantile(_drawn_anew(losses, tail, generator), level)[0] for _ in range(_RESAMPLES)]
    low, high = (float(end) for end in np.quantile(drawn, _BAND))
    if tail is None or low <= 0.0:
        return low, high
    return min(low, estimate**2 / high), max(high, estimate**2 / low)


class _Tail(NamedTuple):
    """A generalised Pareto law of what lies above a threshold, and its share of all losses."""

    threshold: float
    shape: float
    scale: float
    share: float

    def beyond(self, chances: Vector) -> Vector:
        """Give what such shares of the losses in the tail exceed."""
        if abs(self.shape) < _FLAT:
            return self.threshold - self.scale * np.log(chances)
        return self.threshold + self.scale * (chances**-self.shape - 1.0) / self.shape


def _fitted(losses: Vector) -> _Tail | None:
    threshold = float(np.quantile(losses, 1.0 - _TAIL))
    over = np.sort(losses[losses > threshold]) - threshold
    if len(over) < _FEWEST:
        return None
    survival = (len(over) - np.arange(1, len(over) + 1) + 0.35) / len(over)
    mean, weighted = float(over.mean()), float((survival * over).mean())
    shape = min(2.0 - mean / (mean - 2.0 * weighted), _HEAVIEST)
    return _Tail(threshold, shape, mean * (1.0 - shape), len(over) / len(losses))


def _drawn_anew(losses: Vector, tail: _Tail | None, generator: np.random.Generator) -> Vector:
    count = len(losses)
    if tail is None:
        return losses[generator.integers(count, size=count)]
    body = losses[losses <= tail.threshold]
    inside = body[generator.integers(len(body), size=count)]
    chances = 1.0 - generator.random(count)
    return np.where(generator.random(count) < tail.share, tail.beyond(chances), inside)

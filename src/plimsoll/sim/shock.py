"""How does the value outside the venue move in a crash, second by second?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.scenarios.library import hourly
from plimsoll.sim.cascade_settings import ShockSettings
from plimsoll.types import Matrix, Vector

__all__ = ["Anchor", "anchor", "draw_value"]

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the worst hour of a scenario fixes.

    Attributes
    ----------
    markets : tuple [M]
    start : int          When that hour opens, milliseconds UTC.
    prices : Vector [M]  At its opening, US dollars.
    fall : Vector [M]    Log of its low over that price, below 0.
    close : Vector [M]   Log of its close over that price.
    before : Bars        The hours before it: what calibration has seen of the scenario.
    """

    markets: tuple[str, ...]
    start: int
    prices: Vector
    fall: Vector
    close: Vector
    before: Bars


def anchor(name: str) -> Anchor:
    """Find the hour of a crash in which the markets together fell furthest below their opening.

    Raises
    ------
    PlimsollError   `UNKNOWN_SCENARIO` where the scenario did not happen.
    """
    bars = hourly(name)
    fall = np.log(bars.low[1:] / bars.close[:-1])
    row = int(fall.mean(axis=1).argmin()) + 1
    return Anchor(
        markets=bars.markets,
        start=int(bars.times[row]),
        prices=bars.close[row - 1].copy(),
        fall=fall[row - 1],
        close=np.log(bars.close[row] / bars.close[row - 1]),
        before=bars.between(0, int(bars.times[row])),
    )


def draw_value(anchor: Anchor, settings: ShockSettings, generator: np.random.Generator) -> Matrix:
    r"""Draw the log of value over its start, for every second.

    .. math:: f_m(t) = k\, s\, fall_m\, S\Big(\frac{t - t_0}{T k'}\Big)
              + (close_m - k\,s\,fall_m)\Big(1 - 2^{-(t - t_0 - T k')_+ / h}\Big) + noise_m(t)

    with S the smooth step :math:`3x^2 - 2x^3` on [0, 1], and k, k' log-normal with the spread of the settings
    and median 1.
    Noise is Brownian, correlated over markets. Trailing seconds keep what the hour won back: its close.

    Returns
    -------
    Matrix [T + 1, M]   The first row is 0.
    """
    size, length = np.exp(settings.fall_spread * generator.standard_normal(2))
    news = settings.share * size * anchor.fall
    since = np.arange(settings.seconds + 1) - float(settings.onset_second)
    lasting = settings.fall_seconds * length
    place = np.clip(since / lasting, 0.0, 1.0)
    step = place * place * (3.0 - 2.0 * place)
    back = -np.expm1(-np.log(2.0) * np.maximum(since - lasting, 0.0) / settings.recovery_half_life)
    path = step[:, None] * news + back[:, None] * (anchor.close - news)
    return np.asarray(path + _noise(len(anchor.markets), settings, generator))


def _noise(markets: int, settings: ShockSettings, generator: np.random.Generator) -> Matrix:
    deviation = settings.noise_per_hour / np.sqrt(_SECONDS_PER_HOUR)
    common = generator.standard_normal((settings.seconds, 1))
    own = generator.standard_normal((settings.seconds, markets))
    steps = np.sqrt(settings.correlation) * common + np.sqrt(1.0 - settings.correlation) * own
    return np.vstack([np.zeros((1, markets)), deviation * np.cumsum(steps, axis=0)])

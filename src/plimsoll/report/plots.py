"""How is a chart drawn that a page shows without any script?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from plimsoll.report import figures
from plimsoll.types import Times, Vector

__all__ = ["Columns", "Dot", "Trace", "nice_ticks", "scatter_plot", "time_plot"]

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 10, 24
_DAY = 86_400_000
_TIME_STEPS = (
    *(hours * _DAY // 24 for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 5, 10, 30, 91, 182, 365, 730)),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One line over time: Vector [T], NaN where it breaks; `slot` is the number of its colour."""

    label: str
    slot: int
    values: Vector
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Grey columns behind the lines: Vector [T]."""

    label: str
    values: Vector


@dataclass(frozen=True, slots=True)
class Dot:
    """One point of a scatter plot; a large one carries its label."""

    x: float
    y: float
    slot: int
    label: str
    large: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    """Maps values to pixels, linearly or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        place = math.log(value) if self.logarithmic else value
        return self.start + (place - low) / ((high - low) or 1.0) * (self.end - self.start)


def nice_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Choose about so many round values within the ends."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1.0, 2.0, 2.5, 5.0, 10.0) if size * power >= rough * (1.0 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def time_plot(
    times: Times,
    traces: Sequence[Trace],
    columns: Columns | None,
    title: str,
    *,
    written: Callable[[float], str] = figures.share,
) -> str:
    """Draw lines over time, with columns behind them; the axis begins at 0.

    Parameters
    ----------
    times : Times [T]   Milliseconds UTC.
    """
    known = [trace.values for trace in traces] + ([columns.values] if columns else [])
    top = max((float(np.nanmax(values)) for values in known if not np.isnan(values).all()), default=1.0)
    x = _Axis(int(times[0]), max(int(times[-1]), int(times[0]) + 1), _LEFT, _WIDTH - _RIGHT)
    y = _Axis(0.0, 1.06 * top or 1.0, _HEIGHT - _BOTTOM, _TOP)
    parts = [_horizontal(y, nice_ticks(y.low, y.high, 5), written), _time_axis(x)]
    if columns is not None:
        parts.append(_drawn_columns(times, columns.values, x, y))
    parts += [_line(times, trace, x, y) for trace in traces]
    legend = "".join(_key(trace.label, f"slot-{trace.slot}", dashed=trace.dashed) for trace in traces)
    if columns is not None:
        legend = _key(columns.label, "slot-none") + legend
    return _figure(title, legend, "".join(parts))


def scatter_plot(
    dots: Sequence[Dot], title: str, across: str, up: str, *, written_up: Callable[[float], str]
) -> str:
    """Draw points; both axes are logarithmic, for costs and ratios are compared by factors."""
    x = _Axis(*_room([dot.x for dot in dots]), _LEFT, _WIDTH - _RIGHT, logarithmic=True)
    y = _Axis(*_room([dot.y for dot in dots]), _HEIGHT + 60 - _BOTTOM - 14, _TOP, logarithmic=True)
    parts = [_horizontal(y, _log_ticks(y.low, y.high), written_up)]
    for value in _log_ticks(x.low, x.high):
        at = x.at(value)
        parts.append(
            f'<line class="gridline" x1="{at:.1f}" x2="{at:.1f}" y1="{y.end:.1f}" y2="{y.start:.1f}"/>'
            f'<text x="{at:.1f}" y="{y.start + 15:.1f}" text-anchor="middle">{figures.share(value)}</text>'
        )
    parts.append(
        f'<text x="{_WIDTH - _RIGHT}" y="{y.start + 30:.1f}" text-anchor="end">{escape(across)}</text>'
        f'<text x="{_LEFT + 6}" y="{_TOP + 12}">{escape(up)}</text>'
    )
    for dot in sorted(dots, key=lambda dot: dot.large):
        at, to = x.at(dot.x), y.at(dot.y)
        size, name = (6.5, "dot") if dot.large else (3.2, "dot faint")
        parts.append(
            f'<circle class="{name} slot-{dot.slot}" cx="{at:.1f}" cy="{to:.1f}" r="{size}">'
            f"<title>{escape(dot.label)}</title></circle>"
        )
    large = [dot for dot in dots if dot.large]
    legend = "".join(_key(dot.label, f"slot-{dot.slot}") for dot in large)
    return _figure(title, legend, "".join(parts), height=_HEIGHT + 60)


def _room(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max((high / low) ** 0.08, 1.03)
    return low / margin, high * margin


def _log_ticks(low: float, high: float) -> list[float]:
    if high / low < 8.0:
        return nice_ticks(low, high, 6)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**power for power in powers for m in (1.0, 2.0, 5.0) if low <= m * 10.0**power <= high]


def _horizontal(y: _Axis, values: list[float], written: Callable[[float], str]) -> str:
    return "".join(
        f'<line class="gridline" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y.at(v):.1f}" y2="{y.at(v):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y.at(v) + 4:.1f}" text-anchor="end">{escape(written(v))}</text>'
        for v in values
    )


def _time_axis(x: _Axis) -> str:
    span = x.high - x.low
    step = next((size for size in _TIME_STEPS if span / size <= 9.0), _TIME_STEPS[-1])
    return "".join(
        f'<line class="gridline" x1="{x.at(t):.1f}" x2="{x.at(t):.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text x="{x.at(t):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{_time_label(t, step)}</text>'
        for t in _time_ticks(x.low, x.high, step)
        if _LEFT + 14 <= x.at(t) <= _WIDTH - _RIGHT - 14
    )


def _time_ticks(low: float, high: float, step: int) -> list[int]:
    if step >= 365 * _DAY:
        years = np.arange(1970, 2200, max(1, step // (365 * _DAY)))
        starts = (years - 1970).astype("datetime64[Y]").astype("datetime64[ms]").astype(np.int64)
        return [int(start) for start in starts if low <= start <= high]
    return list(range(math.ceil(low / step) * step, int(high) + 1, step))


def _time_label(milliseconds: int, step: int) -> str:
    if step >= 365 * _DAY:
        return str(np.datetime64(milliseconds, "ms").astype("datetime64[Y]"))
    if step >= 30 * _DAY:
        return figures.day(milliseconds).partition(" ")[2]
    if step >= _DAY:
        return " ".join(figures.day(milliseconds).split(" ")[:2])
    return figures.moment(milliseconds).split(" ")[3]


def _line(times: Times, trace: Trace, x: _Axis, y: _Axis) -> str:
    path, pen = [], "M"
    for time, value in zip(times.tolist(), trace.values.tolist(), strict=True):
        if math.isnan(value):
            pen = "M"
            continue
        path.append(f"{pen}{x.at(time):.1f} {y.at(value):.1f}")
        pen = "L"
    dashed = " dashed" if trace.dashed else ""
    return f'<path class="line slot-{trace.slot}{dashed}" d="{"".join(path)}"/>'


def _drawn_columns(times: Times, values: Vector, x: _Axis, y: _Axis) -> str:
    half = max(0.5, 0.4 * (x.end - x.start) / max(len(times), 1))
    foot = f"{y.start:.1f}"
    return "".join(
        f'<path class="column" d="M{x.at(time) - half:.1f} {foot}V{y.at(value):.1f}h{2 * half:.1f}V{foot}"/>'
        for time, value in zip(times.tolist(), values.tolist(), strict=True)
        if not math.isnan(value)
    )


def _key(label: str, slot: str, *, dashed: bool = False) -> str:
    style = " dashed" if dashed else ""
    return f'<span class="key"><i class="swatch {slot}{style}"></i>{escape(label)}</span>'


def _figure(title: str, legend: str, content: str, *, height: int = _HEIGHT) -> str:
    words = escape(title)
    return (
        f'<figure class="plot"><figcaption>{words}</figcaption><div class="legend">{legend}</div>'
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{words}">{content}</svg></figure>'
    )

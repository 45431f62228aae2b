"""How are lines over time, and points of two measures, drawn without any script?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from plimsoll.report import figures
from plimsoll.report.plot_frame import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Drawing,
    Slot,
    Write,
    figure,
    key,
    levels,
    log_ticks,
    nice_ticks,
    path,
    span_of,
    uprights,
)
from plimsoll.types import Times, Vector

__all__ = ["Columns", "Dot", "Trace", "course_plot", "scatter_plot", "time_plot"]

_TICKS = 5
_MINUTE = 60.0
_DAY = 86_400_000
_TIME_STEPS = (
    *(hours * _DAY // 24 for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 5, 10, 30, 91, 182, 365, 730)),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One line over time, with a band around it where several runs stand behind it.

    Attributes
    ----------
    values : Vector [T]             Unknown (NaN) where the line breaks.
    low, high : Vector [T] or None  Ends of the band.
    """

    label: str
    slot: Slot
    values: Vector
    low: Vector | None = None
    high: Vector | None = None
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


def time_plot(
    times: Times,
    traces: Sequence[Trace],
    columns: Columns | None,
    title: str,
    *,
    written: Write = figures.share,
) -> str:
    """Draw lines over the calendar, with columns behind them; the axis begins at 0.

    Parameters
    ----------
    times : Times [T]   Milliseconds UTC.
    """
    known = [trace.values for trace in traces] + ([columns.values] if columns else [])
    top = max((float(np.nanmax(values)) for values in known if not np.isnan(values).all()), default=1.0)
    x = Axis(int(times[0]), max(int(times[-1]), int(times[0]) + 1), LEFT, WIDTH - RIGHT)
    y = Axis(0.0, 1.06 * top or 1.0, HEIGHT - BOTTOM, TOP)
    parts = [levels(y, nice_ticks(y.low, y.high, _TICKS), written), _calendar(x)]
    if columns is not None:
        parts.append(_drawn_columns(times, columns.values, x, y))
    parts += [_line(times, trace, x, y) for trace in traces]
    legend = "".join(key(trace.label, trace.slot, dashed=trace.dashed) for trace in traces)
    if columns is not None:
        legend = key(columns.label, "none") + legend
    return figure(title, Drawing("".join(parts)), legend=legend)


def course_plot(
    seconds: Vector, traces: Sequence[Trace], written: Write, *, marked: tuple[float, ...] = ()
) -> Drawing:
    """Draw lines with bands over the minutes of a run; the axis spans what is drawn.

    Parameters
    ----------
    seconds : Vector [T]
    marked : tuple   Values at which a level is drawn across.
    """
    drawn = [part for t in traces for part in (t.values, t.low, t.high) if part is not None]
    y = Axis(*span_of(np.concatenate([*drawn, np.array(marked)])), HEIGHT - BOTTOM, TOP)
    x = Axis(float(seconds[0]), float(seconds[-1]), LEFT, WIDTH - RIGHT)
    minutes = nice_ticks(x.low / _MINUTE, x.high / _MINUTE, _TICKS)
    parts = [
        levels(y, nice_ticks(y.low, y.high, _TICKS), written),
        uprights(x, [_MINUTE * m for m in minutes], _minutes, TOP, HEIGHT - BOTTOM),
        *(f'<path class="hair" d="M{LEFT} {y.at(value):.1f}H{WIDTH - RIGHT}"/>' for value in marked),
        *(_line(seconds, trace, x, y) for trace in traces),
    ]
    return Drawing("".join(parts))


def scatter_plot(dots: Sequence[Dot], title: str, across: str, up: str, *, written_up: Write) -> str:
    """Draw points; both axes are logarithmic, for costs and ratios are compared by factors."""
    x = Axis(*_room([dot.x for dot in dots]), LEFT, WIDTH - RIGHT, logarithmic=True)
    y = Axis(*_room([dot.y for dot in dots]), HEIGHT + 60 - BOTTOM - 14, TOP, logarithmic=True)
    parts = [
        levels(y, log_ticks(y.low, y.high), written_up),
        uprights(x, log_ticks(x.low, x.high), figures.share, y.end, y.start),
        f'<text x="{WIDTH - RIGHT}" y="{y.start + 30:.1f}" text-anchor="end">{escape(across)}</text>',
        f'<text x="{LEFT + 6}" y="{TOP + 12}">{escape(up)}</text>',
    ]
    for dot in sorted(dots, key=lambda dot: dot.large):
        at, to = x.at(dot.x), y.at(dot.y)
        size, name = (6.5, "dot") if dot.large else (3.2, "dot faint")
        parts.append(
            f'<circle class="{name} slot-{dot.slot}" cx="{at:.1f}" cy="{to:.1f}" r="{size}">'
            f"<title>{escape(dot.label)}</title></circle>"
        )
    legend = "".join(key(dot.label, dot.slot) for dot in dots if dot.large)
    return figure(title, Drawing("".join(parts), height=HEIGHT + 60), legend=legend)


def _room(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max((high / low) ** 0.08, 1.03)
    return low / margin, high * margin


def _minutes(seconds: float) -> str:
    return f"{seconds / _MINUTE:g} min"


def _calendar(x: Axis) -> str:
    span = x.high - x.low
    step = next((size for size in _TIME_STEPS if span / size <= 9.0), _TIME_STEPS[-1])
    shown = [
        time for time in _time_ticks(x.low, x.high, step) if LEFT + 14 <= x.at(time) <= WIDTH - RIGHT - 14
    ]
    return uprights(x, shown, lambda time: _time_label(int(time), step), TOP, HEIGHT - BOTTOM)


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


def _line(times: Times | Vector, trace: Trace, x: Axis, y: Axis) -> str:
    band = ""
    if trace.low is not None and trace.high is not None:
        back = path(x, y, times[::-1], trace.low[::-1]).replace("M", "L", 1)
        band = f'<path class="band slot-{trace.slot}" d="{path(x, y, times, trace.high)}{back}Z"/>'
    dashed = " dashed" if trace.dashed else ""
    return (
        f'{band}<path class="line slot-{trace.slot}{dashed}" d="{path(x, y, times, trace.values)}">'
        f"<title>{escape(trace.label)}</title></path>"
    )


def _drawn_columns(times: Times, values: Vector, x: Axis, y: Axis) -> str:
    half = max(0.5, 0.4 * (x.end - x.start) / max(len(times), 1))
    foot = f"{y.start:.1f}"
    return "".join(
        f'<path class="column" d="M{x.at(time) - half:.1f} {foot}V{y.at(value):.1f}h{2 * half:.1f}V{foot}"/>'
        for time, value in zip(times.tolist(), values.tolist(), strict=True)
        if not math.isnan(value)
    )

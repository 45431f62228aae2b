"""How is a chart drawn that needs no script: lines with bands, dots by seed, layers of a waterfall?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from plimsoll.types import Vector

__all__ = ["Course", "Dots", "Layers", "draw_courses", "draw_dots", "draw_layers"]

Write = Callable[[float], str]
"""How a value of the vertical axis is written."""

_WIDTH, _HEIGHT = 680, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 24, 12, 26
_TICKS = 4
_ROW = 30
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Course:
    """One line, with a band around it where several runs stand behind it.

    Attributes
    ----------
    label : str
    slot : str             Colour of the page's palette: ``0`` to ``7``, or ``none``.
    middle : Vector [K]
    low, high : Vector [K] or None
    dashed : bool
    """

    label: str
    slot: str
    middle: Vector
    low: Vector | None = None
    high: Vector | None = None
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dots:
    """One row of dots, a run each."""

    label: str
    slot: str
    values: Vector


@dataclass(frozen=True, slots=True)
class Layers:
    """One bar of parts that add up."""

    label: str
    parts: tuple[float, ...]


def draw_courses(
    times: Vector, courses: Sequence[Course], write: Write, *, lines: tuple[float, ...] = ()
) -> str:
    """Draw lines over time.

    Parameters
    ----------
    times : Vector [K]   Seconds.
    lines : tuple        Values at which a level is drawn across.
    """
    values = [part for c in courses for part in (c.middle, c.low, c.high) if part is not None]
    known = np.concatenate([*values, np.array(lines)])
    low, high = _span(known[np.isfinite(known)])
    across = _Scale(float(times[0]), float(times[-1]), _LEFT, _WIDTH - _RIGHT)
    up = _Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    marks = "".join(_level(up, value, write(value)) for value in _steps(low, high))
    whole = _steps(float(times[0]) / _MINUTE, float(times[-1]) / _MINUTE)
    minutes = "".join(_moment(across, value) for value in whole)
    levels = "".join(_across(up, value) for value in lines)
    drawn = "".join(_course(times, course, across, up) for course in courses)
    return _svg(_HEIGHT, marks + minutes + levels + drawn)


def draw_dots(rows: Sequence[Dots], write: Write, wanted: tuple[float, float] | None = None) -> str:
    """Draw every run as a dot, each row's median as a bar, and the range that it should lie in.

    Parameters
    ----------
    wanted : tuple   The range to shade.
    """
    values = np.concatenate([row.values for row in rows] + [np.array(wanted or ())])
    low, high = _span(values[np.isfinite(values)])
    across = _Scale(low, high, _LABELS, _WIDTH - _RIGHT)
    height = _TOP + _ROW * len(rows) + _BOTTOM
    marks = "".join(_upright(across, value, height, write(value)) for value in _steps(low, high))
    shade = ""
    if wanted is not None:
        x, end = across(wanted[0]), across(wanted[1])
        shade = (
            f'<rect class="chosen" x="{x:.1f}" y="{_TOP}" width="{end - x:.1f}" height="{_ROW * len(rows)}"/>'
        )
    return _svg(height, shade + marks + "".join(_row(row, place, across) for place, row in enumerate(rows)))


def draw_layers(bars: Sequence[Layers], names: Sequence[str], write: Write) -> str:
    """Draw bars of parts that add up, each part with its colour by place.

    Parameters
    ----------
    names : sequence   What the parts are, in order.
    """
    longest = max((sum(bar.parts) for bar in bars), default=0.0) or 1.0
    across = _Scale(0.0, longest, _LABELS, _WIDTH - _RIGHT - _LABELS / 2)
    height = _TOP + _ROW * len(bars) + _BOTTOM
    drawn = "".join(_bar(bar, place, across, write) for place, bar in enumerate(bars))
    step = (_WIDTH - _LABELS) / max(len(names), 1)
    keys = "".join(
        f'<rect class="part slot-{slot}" x="{_LABELS + slot_place * step:.1f}" y="{height - 15}" width="10" '
        f'height="8"/><text x="{_LABELS + slot_place * step + 15:.1f}" y="{height - 7}">{escape(name)}</text>'
        for slot_place, (slot, name) in enumerate(zip(_PARTS, names, strict=False))
    )
    return _svg(height, drawn + keys)


_LABELS = 150
_PARTS = (7, 5, 4, 1, 2, 6)
"""Colours of parts by place."""


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _span(values: Vector) -> tuple[float, float]:
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12 * max(abs(high), 1.0):
        return low - 0.5 * max(abs(low), 1.0), high + 0.5 * max(abs(high), 1.0)
    return low, high


def _steps(low: float, high: float) -> list[float]:
    """Choose round values between two ends."""
    raw = (high - low) / _TICKS
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(size * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if size * factor >= raw)
    first = np.ceil(low / step)
    return [float(step * k) for k in np.arange(first, np.floor(high / step + 1e-9) + 1.0)]


def _svg(height: int, content: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img">{content}</svg>'


def _level(up: _Scale, value: float, text: str) -> str:
    y = up(value)
    return (
        f'<path class="gridline" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    )


def _moment(across: _Scale, minutes: float) -> str:
    x = across(minutes * _MINUTE)
    return f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{minutes:g} min</text>'


def _across(up: _Scale, value: float) -> str:
    return f'<path class="hair" d="M{_LEFT} {up(value):.1f}H{_WIDTH - _RIGHT}"/>'


def _upright(across: _Scale, value: float, height: int, text: str) -> str:
    x = across(value)
    return (
        f'<path class="gridline" d="M{x:.1f} {_TOP}V{height - _BOTTOM}"/>'
        f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{escape(text)}</text>'
    )


def _course(times: Vector, course: Course, across: _Scale, up: _Scale) -> str:
    band = ""
    if course.low is not None and course.high is not None:
        there = _path(times, course.high, across, up)
        back = _path(times[::-1], course.low[::-1], across, up).replace("M", "L", 1)
        band = f'<path class="band slot-{course.slot}" d="{there}{back}Z"/>'
    dashed = " dashed" if course.dashed else ""
    line = _path(times, course.middle, across, up)
    title = f"<title>{escape(course.label)}</title>"
    return f'{band}<path class="line slot-{course.slot}{dashed}" d="{line}">{title}</path>'


def _path(times: Vector, values: Vector, across: _Scale, up: _Scale) -> str:
    points = [
        f"{across(float(t)):.1f} {up(float(v)):.1f}"
        for t, v in zip(times, values, strict=True)
        if np.isfinite(v)
    ]
    return "M" + "L".join(points) if points else ""


def _row(row: Dots, place: int, across: _Scale) -> str:
    y = _TOP + _ROW * (place + 0.5)
    values = row.values[np.isfinite(row.values)]
    dots = "".join(
        f'<circle class="dot slot-{row.slot}" cx="{across(float(value)):.1f}" '
        f'cy="{y + _SPREAD * ((7 * k) % 11 - 5):.1f}" r="3"/>'
        for k, value in enumerate(values)
    )
    middle = ""
    if len(values):
        x = across(float(np.median(values)))
        middle = f'<path class="line slot-{row.slot}" d="M{x:.1f} {y - 12:.1f}V{y + 12:.1f}"/>'
    label = f'<text x="{_LABELS - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(row.label)}</text>'
    return label + dots + middle


_SPREAD = 1.6
"""Dots lie beside each other by so much, so that equal ones can be told apart."""


def _bar(bar: Layers, place: int, across: _Scale, write: Write) -> str:
    y = _TOP + _ROW * place + 5
    x, parts = across(0.0), ""
    for slot, part in zip(_PARTS, bar.parts, strict=False):
        wide = across(part) - across(0.0)
        parts += (
            f'<rect class="part slot-{slot}" x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_ROW - 10}">'
        )
        parts += f"<title>{escape(write(part))}</title></rect>"
        x += wide
    label = f'<text x="{_LABELS - 10}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>'
    total = f'<text x="{x + 6:.1f}" y="{y + 14}">{escape(write(sum(bar.parts)))}</text>'
    return label + parts + total

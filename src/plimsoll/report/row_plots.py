"""How are charts of a row for each policy drawn: a dot for each run, or bars of parts that add up?"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from plimsoll.report.plot_frame import (
    BOTTOM,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Drawing,
    Slot,
    Write,
    nice_ticks,
    span_of,
    uprights,
)
from plimsoll.types import Vector

__all__ = ["Dots", "Parts", "draw_dots", "draw_parts"]

_LABELS = 150
_ROW = 30
_TICKS = 5
_COLOURS = (7, 5, 4, 1, 2, 6)
"""Colours of parts by place."""
_SPREAD = 1.6
"""Dots lie beside each other by so much, so that equal ones can be told apart."""


@dataclass(frozen=True, slots=True)
class Dots:
    """One row of dots, a run each."""

    label: str
    slot: Slot
    values: Vector


@dataclass(frozen=True, slots=True)
class Parts:
    """One bar of parts that add up."""

    label: str
    parts: tuple[float, ...]


def draw_dots(rows: Sequence[Dots], write: Write, wanted: tuple[float, float] | None = None) -> Drawing:
    """Draw every run as a dot, each row's median as a bar, and the range that it should lie in.

    Parameters
    ----------
    wanted : tuple   The range to shade.
    """
    x = Axis(
        *span_of(np.concatenate([row.values for row in rows] + [np.array(wanted or ())])),
        _LABELS,
        WIDTH - RIGHT,
    )
    foot = TOP + _ROW * len(rows)
    marks = uprights(x, nice_ticks(x.low, x.high, _TICKS), write, TOP, foot)
    shade = ""
    if wanted is not None:
        left, right = x.at(wanted[0]), x.at(wanted[1])
        size = f'width="{right - left:.1f}" height="{foot - TOP}"'
        shade = f'<rect class="chosen" x="{left:.1f}" y="{TOP}" {size}/>'
    drawn = "".join(_row(row, place, x) for place, row in enumerate(rows))
    return Drawing(shade + marks + drawn, height=foot + BOTTOM)


def draw_parts(bars: Sequence[Parts], names: Sequence[str], write: Write) -> Drawing:
    """Draw bars of parts that add up, each part with its colour by place.

    Parameters
    ----------
    names : sequence   What the parts are, in order.
    """
    longest = max((sum(bar.parts) for bar in bars), default=0.0) or 1.0
    x = Axis(0.0, longest, _LABELS, WIDTH - RIGHT - _LABELS / 2)
    height = TOP + _ROW * len(bars) + BOTTOM
    drawn = "".join(_bar(bar, place, x, write) for place, bar in enumerate(bars))
    step = (WIDTH - _LABELS) / max(len(names), 1)
    keys = "".join(
        f'<rect class="part slot-{slot}" x="{_LABELS + place * step:.1f}" y="{height - 15}" width="10" '
        f'height="8"/><text x="{_LABELS + place * step + 15:.1f}" y="{height - 7}">{escape(name)}</text>'
        for place, (slot, name) in enumerate(zip(_COLOURS, names, strict=False))
    )
    return Drawing(drawn + keys, height=height)


def _row(row: Dots, place: int, x: Axis) -> str:
    y = TOP + _ROW * (place + 0.5)
    values = row.values[np.isfinite(row.values)]
    dots = "".join(
        f'<circle class="dot slot-{row.slot}" cx="{x.at(float(value)):.1f}" '
        f'cy="{y + _SPREAD * ((7 * k) % 11 - 5):.1f}" r="3"/>'
        for k, value in enumerate(values)
    )
    middle = ""
    if len(values):
        at = x.at(float(np.median(values)))
        middle = f'<path class="line slot-{row.slot}" d="M{at:.1f} {y - 12:.1f}V{y + 12:.1f}"/>'
    return _label(row.label, y + 4.0) + dots + middle


def _bar(bar: Parts, place: int, x: Axis, write: Write) -> str:
    y = TOP + _ROW * place + 5
    at, parts = x.at(0.0), ""
    for slot, part in zip(_COLOURS, bar.parts, strict=False):
        wide = x.at(part) - x.at(0.0)
        size = f'width="{wide:.1f}" height="{_ROW - 10}"'
        parts += (
            f'<rect class="part slot-{slot}" x="{at:.1f}" y="{y}" {size}>'
            f"<title>{escape(write(part))}</title></rect>"
        )
        at += wide
    total = f'<text x="{at + 6:.1f}" y="{y + 14}">{escape(write(sum(bar.parts)))}</text>'
    return _label(bar.label, y + 14.0) + parts + total


def _label(words: str, y: float) -> str:
    return f'<text x="{_LABELS - 10}" y="{y:.1f}" text-anchor="end">{escape(words)}</text>'

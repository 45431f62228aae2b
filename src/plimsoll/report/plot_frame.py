"""On which axes and grid, and in which frame, is a chart drawn that a page shows without any script?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import numpy as np

from plimsoll.types import Times, Vector

__all__ = [
    "BOTTOM",
    "HEIGHT",
    "LEFT",
    "RIGHT",
    "TOP",
    "WIDTH",
    "Axis",
    "Drawing",
    "Slot",
    "Write",
    "document",
    "figure",
    "key",
    "levels",
    "log_ticks",
    "nice_ticks",
    "path",
    "span_of",
    "uprights",
]

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 10, 24
"""Pixels: the whole, and what labels need around it."""

Slot: TypeAlias = int | Literal["none"]
"""Place of a colour in the page's palette; ``none`` is grey."""

Write: TypeAlias = Callable[[float], str]
"""How a value of an axis is written."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to pixels, linearly or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Give the pixel of a value."""
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        place = math.log(value) if self.logarithmic else value
        return self.start + (place - low) / ((high - low) or 1.0) * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks, and the room that they take."""

    content: str
    height: int = HEIGHT
    width: int = WIDTH


def figure(title: str, drawing: Drawing, *, legend: str = "", note: str = "") -> str:
    """Set a drawing into a page, under its title; the note stands beside the title, the legend below it."""
    words = escape(title)
    beside = f" <span>{escape(note)}</span>" if note else ""
    keys = f'<div class="legend">{legend}</div>' if legend else ""
    return (
        f'<figure class="plot"><figcaption>{words}{beside}</figcaption>{keys}'
        f'<svg viewBox="0 0 {drawing.width} {drawing.height}" role="img" aria-label="{words}">'
        f"{drawing.content}</svg></figure>"
    )


def document(title: str, drawing: Drawing, style: str) -> str:
    """Write a drawing as a file of its own, which needs no page."""
    size = f'width="{drawing.width}" height="{drawing.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width} {drawing.height}" {size} '
        f'role="img" aria-label="{escape(title)}">\n<style>{style}</style>\n{drawing.content}\n</svg>\n'
    )


def key(label: str, slot: Slot, *, dashed: bool = False) -> str:
    """Say in a legend which colour is whose."""
    style = " dashed" if dashed else ""
    return f'<span class="key"><i class="swatch slot-{slot}{style}"></i>{escape(label)}</span>'


def span_of(values: Vector) -> tuple[float, float]:
    """Take the ends of what is known; equal ones are moved apart, so that the line lies in the middle."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if high - low <= 1e-12 * max(abs(high), 1.0):
        return low - 0.5 * max(abs(low), 1.0), high + 0.5 * max(abs(high), 1.0)
    return low, high


def nice_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Choose about so many round values within the ends."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1.0, 2.0, 2.5, 5.0, 10.0) if size * power >= rough * (1.0 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Choose round values within the ends of a logarithmic axis."""
    if high / low < 8.0:
        return nice_ticks(low, high, 6)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**power for power in powers for m in (1.0, 2.0, 5.0) if low <= m * 10.0**power <= high]


def levels(y: Axis, values: Sequence[float], written: Write) -> str:
    """Draw grid lines across, with what they stand for on the left."""
    return "".join(
        f'<line class="gridline" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y.at(v):.1f}" y2="{y.at(v):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y.at(v) + 4:.1f}" text-anchor="end">{escape(written(v))}</text>'
        for v in values
    )


def uprights(x: Axis, values: Sequence[float], written: Write, top: float, foot: float) -> str:
    """Draw grid lines from top to foot, with what they stand for below."""
    return "".join(
        f'<line class="gridline" x1="{x.at(v):.1f}" x2="{x.at(v):.1f}" y1="{top:.1f}" y2="{foot:.1f}"/>'
        f'<text x="{x.at(v):.1f}" y="{foot + 16:.1f}" text-anchor="middle">{escape(written(v))}</text>'
        for v in values
    )


def path(x: Axis, y: Axis, places: Times | Vector, values: Vector) -> str:
    """Join values by a line that breaks where one is not known."""
    drawn, pen = [], "M"
    for place, value in zip(places.tolist(), values.tolist(), strict=True):
        if not math.isfinite(value):
            pen = "M"
            continue
        drawn.append(f"{pen}{x.at(place):.1f} {y.at(value):.1f}")
        pen = "L"
    return "".join(drawn)

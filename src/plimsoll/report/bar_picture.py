"""How do gains and losses by scenario look, side by side?"""

from collections.abc import Sequence
from html import escape

from msgspec import Struct

from plimsoll.report import figures
from plimsoll.report.plot_frame import Drawing, document

__all__ = ["Bar", "bar_picture"]

_ROW, _TOP, _BOTTOM = 22, 58, 34
_LABEL, _PLOT, _VALUE = 270, 470, 100
"""Pixels: height of a row, of head and foot, and widths of the three columns."""

_LONGEST_LABEL = 40

_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #57606a; }
  .page { fill: #ffffff; } .axis { stroke: #8c959f; } .band { fill: #f6f8fa; }
  .loss { fill: #d1495b; } .gain { fill: #2f855a; } .worst { font-weight: 700; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #8d96a0; }
    .page { fill: #0d1117; } .axis { stroke: #6e7681; } .band { fill: #161b22; }
    .loss { fill: #f2718a; } .gain { fill: #4ac18e; }
  }
"""


class Bar(Struct, frozen=True):
    """One scenario: its name and a gain (or a loss, negative) in quote currency."""

    label: str
    value: float


def bar_picture(title: str, note: str, bars: Sequence[Bar]) -> str:
    """Draw bars left and right of zero as an SVG document, in the order given; the lowest is set in bold.

    It follows the reader's light or dark scheme and needs nothing from anywhere else.
    """
    lowest = min((bar.value for bar in bars), default=0.0)
    highest = max((bar.value for bar in bars), default=0.0)
    left, right = min(lowest, 0.0), max(highest, 0.0)
    scale = _PLOT / ((right - left) or 1.0)
    zero = _LABEL - left * scale
    height = _TOP + _ROW * len(bars) + _BOTTOM
    width = _LABEL + _PLOT + _VALUE
    rows = [_row(i, bar, zero, scale, worst=bar.value == lowest < 0.0) for i, bar in enumerate(bars)]
    content = "\n".join(
        [
            f'<rect class="page" width="{width}" height="{height}"/>',
            f'<text class="title" x="16" y="26">{escape(title)}</text>',
            f'<text class="quiet" x="16" y="46">{escape(note)}</text>',
            *rows,
            f'<line class="axis" x1="{zero:.1f}" x2="{zero:.1f}" y1="{_TOP}" y2="{height - _BOTTOM + 4}"/>',
            f'<text class="quiet" x="{zero:.1f}" y="{height - 12}" text-anchor="middle">0</text>',
        ]
    )
    return document(title, Drawing(content, height, width), _STYLE)


def _row(place: int, bar: Bar, zero: float, scale: float, *, worst: bool) -> str:
    y = _TOP + _ROW * place
    length = abs(bar.value) * scale
    start = zero - length if bar.value < 0.0 else zero
    middle = y + _ROW - 7
    kind, weight = ("loss" if bar.value < 0.0 else "gain"), (' class="worst"' if worst else "")
    label = bar.label if len(bar.label) <= _LONGEST_LABEL else f"{bar.label[: _LONGEST_LABEL - 1]}…"
    band = f'<rect class="band" y="{y}" width="{_LABEL + _PLOT + _VALUE}" height="{_ROW}"/>'
    return (
        f"{band if place % 2 else ''}"
        f'<text{weight} x="16" y="{middle}">{escape(label)}</text>'
        f'<rect class="{kind}" x="{start:.1f}" y="{y + 4}" width="{length:.1f}" height="{_ROW - 8}"/>'
        f'<text{weight} x="{_LABEL + _PLOT + _VALUE - 12}" y="{middle}" text-anchor="end">'
        f"{figures.money(bar.value)}</text>"
    )

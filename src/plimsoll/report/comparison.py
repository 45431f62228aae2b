"""How does a page set measures against policies in one table?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from plimsoll.report.plot_frame import Slot

__all__ = ["Row", "comparison"]

_PART = "- "
"""A label that begins so is part of the one above it."""
_MOST_AT_EASE = 5
"""Columns that stand side by side on a laptop without being set closer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure.

    Attributes
    ----------
    label, meaning : str   The name, and what exactly is measured.
    cells : pairs          What is written, and its class in the style (``best``, ``broken``) or nothing.
    group : str            Heading that it stands under; empty where there are none.
    """

    label: str
    meaning: str
    cells: Sequence[tuple[str, str]]
    group: str = ""


def comparison(
    corner: str, policies: Iterable[tuple[str, Slot]], rows: Iterable[Row], *, beside: str = ""
) -> str:
    """Write a table: a row for each measure, a column for each policy under its colour.

    Parameters
    ----------
    corner : str   What stands above the measures.
    beside : str   Head of one more column at the end, which is no policy's.
    """
    columns = [
        f'<th scope="col"><i class="swatch slot-{slot}"></i>{escape(name)}</th>' for name, slot in policies
    ]
    if beside:
        columns.append(f'<th scope="col">{escape(beside)}</th>')
    body = "".join(
        _heading(group, len(columns) + 1) + "".join(map(_row, members))
        for group, members in groupby(rows, key=lambda row: row.group)
    )
    kind = "comparison many" if len(columns) > _MOST_AT_EASE else "comparison"
    return (
        f'<table class="{kind}"><thead><tr><th scope="col">{escape(corner)}</th>{"".join(columns)}</tr>'
        f"</thead><tbody>{body}</tbody></table>"
    )


def _heading(group: str, span: int) -> str:
    if not group:
        return ""
    return f'<tr class="group"><th scope="rowgroup" colspan="{span}">{escape(group)}</th></tr>'


def _row(row: Row) -> str:
    part = ' class="part"' if row.label.startswith(_PART) else ""
    label = escape(row.label.removeprefix(_PART))
    cells = "".join(f"<td{_marked(mark)}>{escape(text)}</td>" for text, mark in row.cells)
    return f'<tr{part}><th scope="row" title="{escape(row.meaning)}">{label}</th>{cells}</tr>'


def _marked(mark: str) -> str:
    return f' class="{mark}"' if mark else ""

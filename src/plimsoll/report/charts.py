"""Which charts does a report draw, and from which series?"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from plimsoll.report import figures
from plimsoll.report.packing import BYTES_PER_VALUE, Packed, Pool
from plimsoll.report.sampling import bars_per_bucket, extremes, per_period, sample_times
from plimsoll.report.summary import leading_market
from plimsoll.sim.outcome import PolicyOutcome, Replay
from plimsoll.types import Vector

__all__ = ["Charts", "Line", "Panel", "Policy", "build_charts", "colour_slots"]

_ROOM = 1_000_000
"""Bytes that all sampled series together may take; the page stays well below 1.5 MB with them."""

_FEWEST_BUCKETS = 60
_MOST_BUCKETS = 720
"""About one bucket per two pixels of a wide screen: more cannot be seen."""

_SLOTS = {"static": 0, "static-matched": 1, "dynamic": 2, "plimsoll": 3}
"""Colours that a policy keeps in every report, whatever stands beside it."""

_SLOT_COUNT = 8
_HOUR = 3_600_000
_MOST_PERIODS = 400


class Policy(Struct, frozen=True):
    """A policy and the number of its colour in the page's palette."""

    name: str
    slot: int


class Line(Struct, frozen=True, kw_only=True):
    """One line of a panel.

    Attributes
    ----------
    label : str            What it is beside its policy, such as ``initial``; empty for the main one.
    policy : int or None   Index into the policies; None for what no policy changes.
    data : tuple of int    Places in the pool: one per market for a market's panel, one for the venue's.
    """

    label: str
    policy: int | None
    data: tuple[int, ...]


class Panel(Struct, frozen=True, kw_only=True):
    """One chart.

    Attributes
    ----------
    group : str   ``market`` follows the chosen market; ``venue`` covers all of them.
    note : str    What exactly is drawn.
    form : str    ``line`` over samples, or ``columns`` over periods.
    zero : bool   The axis includes zero.
    """

    key: str
    group: Literal["market", "venue"]
    title: str
    note: str
    unit: Literal["price", "share", "money", "count"]
    form: Literal["line", "columns"]
    zero: bool
    lines: tuple[Line, ...]


class Charts(Struct, frozen=True, kw_only=True):
    """All charts of a report, as the page's script reads them.

    Attributes
    ----------
    leader : int           The market to show first.
    times : tuple of int   End of the bar of each sample, milliseconds UTC.
    bucket : int           Bars per pair of samples; 1 where each sample is a bar of its own.
    first_period : int     Start of the first period, milliseconds UTC.
    period : int           Length of a period, milliseconds.
    """

    markets: tuple[str, ...]
    leader: int
    policies: tuple[Policy, ...]
    times: tuple[int, ...]
    bucket: int
    first_period: int
    period: int
    pool: tuple[Packed, ...]
    panels: tuple[Panel, ...]


_Pick = Callable[[Replay, PolicyOutcome, int], Vector]


class _Recipe(Struct, frozen=True, kw_only=True):
    """A panel before its series are taken; `curves` holds a label and what to take, per line of a policy."""

    key: str
    group: Literal["market", "venue"]
    title: str
    note: str
    unit: Literal["price", "share", "money", "count"]
    curves: tuple[tuple[str, _Pick], ...]
    form: Literal["line", "columns"] = "line"
    zero: bool = True


_RECIPES = (
    _Recipe(
        key="price",
        group="market",
        title="Price",
        note="Undisturbed, and with each policy's forced trades in it.",
        unit="price",
        curves=(("", lambda replay, outcome, m: outcome.price[:, m]),),
        zero=False,
    ),
    _Recipe(
        key="push",
        group="market",
        title="Push of forced trades on the price",
        note="Away from the undisturbed price.",
        unit="share",
        curves=(("", lambda replay, outcome, m: outcome.price[:, m] / replay.undisturbed[:, m] - 1.0),),
    ),
    _Recipe(
        key="rates-long",
        group="market",
        title="Margin rates, long positions",
        note="Share of notional. Solid: maintenance. Dashed: initial.",
        unit="share",
        curves=(
            ("maintenance", lambda replay, outcome, m: outcome.maintenance[:, m, 0]),
            ("initial", lambda replay, outcome, m: outcome.initial[:, m, 0]),
        ),
    ),
    _Recipe(
        key="rates-short",
        group="market",
        title="Margin rates, short positions",
        note="Share of notional. Solid: maintenance. Dashed: initial.",
        unit="share",
        curves=(
            ("maintenance", lambda replay, outcome, m: outcome.maintenance[:, m, 1]),
            ("initial", lambda replay, outcome, m: outcome.initial[:, m, 1]),
        ),
    ),
    _Recipe(
        key="sold",
        group="market",
        title="Liquidated notional",
        note="Sold or bought back by force in this market, per {period}.",
        unit="money",
        curves=(("", lambda replay, outcome, m: outcome.liquidated[:, m]),),
        form="columns",
    ),
    _Recipe(
        key="called",
        group="venue",
        title="Accounts called",
        note="Accounts asked for more collateral, at each moment.",
        unit="count",
        curves=(("", lambda replay, outcome, m: outcome.called),),
    ),
    _Recipe(
        key="liquidating",
        group="venue",
        title="Accounts in liquidation",
        note="Accounts being sold down, at each moment.",
        unit="count",
        curves=(("", lambda replay, outcome, m: outcome.liquidating),),
    ),
    _Recipe(
        key="sold-all",
        group="venue",
        title="Liquidated notional, all markets",
        note="Sold or bought back by force, per {period}.",
        unit="money",
        curves=(("", lambda replay, outcome, m: outcome.liquidated.sum(axis=1)),),
        form="columns",
    ),
    _Recipe(
        key="debt",
        group="venue",
        title="Bad debt",
        note="What closed accounts owed beyond what they had, so far.",
        unit="money",
        curves=(("", lambda replay, outcome, m: outcome.bad_debt),),
    ),
    _Recipe(
        key="fund",
        group="venue",
        title="Insurance fund",
        note="Balance.",
        unit="money",
        curves=(("", lambda replay, outcome, m: outcome.fund),),
    ),
    _Recipe(
        key="margin",
        group="venue",
        title="Maintenance margin held",
        note="Share of gross open notional.",
        unit="share",
        curves=(("", lambda replay, outcome, m: _held(outcome)),),
    ),
)


def build_charts(replay: Replay) -> Charts:
    """Turn a replay's series into panels, sampled so that the page stays small."""
    pool = Pool()
    size = bars_per_bucket(len(replay.times), _buckets(replay))
    period = _period(replay)
    recipes = [recipe for recipe in _RECIPES if len(replay.markets) > 1 or recipe.key != "sold-all"]
    panels = tuple(_panel(recipe, replay, pool, size, period) for recipe in recipes)
    return Charts(
        markets=replay.markets,
        leader=leading_market(replay.markets),
        policies=tuple(Policy(name, slot) for name, slot in colour_slots(replay).items()),
        times=tuple(sample_times(replay.times, size).tolist()),
        bucket=size,
        first_period=int((replay.times[0] - 1) // period * period),
        period=period,
        pool=pool.contents,
        panels=panels,
    )


def colour_slots(replay: Replay) -> dict[str, int]:
    """Give each policy its colour; those without one of their own take the free ones in turn."""
    free = [slot for slot in range(_SLOT_COUNT) if slot not in _SLOTS.values()]
    others = [outcome.policy for outcome in replay.outcomes if outcome.policy not in _SLOTS]
    drawn = {policy: free[place % len(free)] for place, policy in enumerate(others)}
    return {outcome.policy: (_SLOTS | drawn)[outcome.policy] for outcome in replay.outcomes}


def _panel(recipe: _Recipe, replay: Replay, pool: Pool, size: int, period: int) -> Panel:
    def shortened(series: Vector) -> int:
        if recipe.form == "columns":
            return pool.place(per_period(replay.times, series, period))
        return pool.place(extremes(series, size))

    columns = range(len(replay.markets) if recipe.group == "market" else 1)
    undisturbed = Line(
        label="undisturbed",
        policy=None,
        data=tuple(shortened(replay.undisturbed[:, m]) for m in columns) if recipe.key == "price" else (),
    )
    lines = tuple(
        Line(label=label, policy=policy, data=tuple(shortened(pick(replay, outcome, m)) for m in columns))
        for label, pick in recipe.curves
        for policy, outcome in enumerate(replay.outcomes)
    )
    return Panel(
        key=recipe.key,
        group=recipe.group,
        title=recipe.title,
        note=recipe.note.format(period=figures.span(period).removeprefix("1 ")),
        unit=recipe.unit,
        form=recipe.form,
        zero=recipe.zero,
        lines=(undisturbed, *lines) if undisturbed.data else lines,
    )


def _held(outcome: PolicyOutcome) -> Vector:
    """Take margin held as a share of open notional; unknown where nothing is open."""
    share = outcome.margin_held.copy()
    is_open = outcome.open_notional > 0
    share[is_open] /= outcome.open_notional[is_open]
    share[~is_open] = float("nan")
    return share


def _buckets(replay: Replay) -> int:
    """Share the room among all series that change from bar to bar."""
    policies, markets = len(replay.outcomes), len(replay.markets)
    series = markets * (1 + 6 * policies) + 5 * policies
    fitting = int(_ROOM / (series * 2 * BYTES_PER_VALUE))
    return min(max(fitting, _FEWEST_BUCKETS), _MOST_BUCKETS)


def _period(replay: Replay) -> int:
    """Choose the length of a column: an hour, or as many as keep the columns countable."""
    hours = (int(replay.times[-1]) - int(replay.times[0])) / _HOUR
    return next((n for n in (1, 2, 4, 6, 12) if hours <= n * _MOST_PERIODS), 24) * _HOUR

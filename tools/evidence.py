"""How do the figures of a backtest become the tables of the page of evidence?

python -m tools.evidence policies runs/proof/summary.json
python -m tools.evidence markets runs/proof/summary.json
python -m tools.evidence duels runs/proof/summary.json
python -m tools.evidence crash runs/august/summary.json
python -m tools.evidence frontier runs/guard/summary.json
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

__all__ = ["main"]

Summary: TypeAlias = Any
"""A parsed document; its keys are those that `plimsoll backtest --json` prints."""

_TESTS = ("Kupiec", "Christoffersen independence", "Christoffersen conditional coverage")
_CRASH_HOURS = 16


def _percent(value: float | None, digits: int = 2) -> str:
    return "n/a" if value is None or value != value else f"{100.0 * value:.{digits}f} %"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(cells: list[str]) -> Iterator[str]:
    yield _row(cells)
    yield f"|{'---|' * len(cells)}"


def _policies(summary: Summary) -> Iterator[str]:
    """Write a line per policy over all markets."""
    yield from _head(
        [
            "policy",
            "covered",
            "of a market-side",
            "worst year",
            "Kupiec",
            "indep.",
            "cond.",
            "mean",
            "at equal coverage",
            "p99/p1, mean (largest)",
            "24 h rise",
            "pinball",
            "FZ0",
            "QLIKE",
        ]
    )
    for s in summary["standings"]:
        yield _row(
            [
                f"`{s['policy']}`",
                _percent(s["covered"]),
                f"{_percent(s['least_covered'])} to {_percent(s['most_covered'])}",
                _percent(s["worst_year"]),
                *(_percent(s[test], 0) for test in ("kupiec", "independence", "conditional")),
                _percent(s["mean"]),
                _percent(s["matched_mean"]),
                f"{s['spread']:.1f} ({s['largest_spread']:.1f})",
                _percent(s["worst_rise"], 0),
                f"{1e4 * s['pinball']:.2f}",
                f"{s['fissler_ziegel']:.3f}",
                f"{s['qlike']:.3f}",
            ]
        )


def _markets(summary: Summary) -> Iterator[str]:
    """Write a line per market-side of the reference."""
    names = ("Kupiec", "indep.", "cond.")
    yield from _head(
        [
            "market-side",
            "windows",
            "covered",
            "worst year",
            *names,
            "mean",
            "p99/p1",
            "24 h rise",
            "pinball",
            "FZ0",
        ]
    )
    for market in summary["markets"]:
        for assessment in market["assessments"]:
            if assessment["policy"] != summary["reference"]:
                continue
            for side in assessment["sides"]:
                yield _row(_market_cells(market["market"], side))


def _market_cells(market: str, side: Summary) -> list[str]:
    tests = {test["test"]: test["phases"] for test in side["tests"]}
    years = [y["breaches"] / y["windows"] for y in side["years"] if y["windows"] >= 2_000]
    return [
        f"{market} {side['side']}",
        f"{side['windows']:,}",
        _percent(1.0 - side["breaches"] / side["windows"]),
        _percent(max(years, default=None)),
        *(_p(median(phase["p_value"] for phase in tests[name])) for name in _TESTS),
        _percent(side["cost"]["mean"]),
        f"{side['cost']['spread']:.1f}",
        _percent(side["cost"]["worst_rise"], 0),
        f"{1e4 * side['pinball']:.2f}",
        f"{side['fissler_ziegel']:.3f}",
    ]


def _duels(summary: Summary) -> Iterator[str]:
    """Write a line per policy: mean difference to the reference, markets where it is worse, and better."""
    scores = ("pinball", "fissler-ziegel", "qlike")
    yield from _head(
        [
            "policy",
            *(f"{score}: difference, worse / better" for score in scores),
            "in the set, pinball",
            "QLIKE",
        ]
    )
    policies = [s["policy"] for s in summary["standings"]]
    for policy in policies:
        cells = [_duel(summary, policy, score) for score in scores]
        markets = summary["markets"]
        sets = [
            f"{sum(_is_in(market, score, policy) for market in markets)} of {len(markets)}"
            for score in ("pinball", "qlike")
        ]
        yield _row([f"`{policy}`", *cells, *sets])


def _duel(summary: Summary, policy: str, score: str) -> str:
    found = [
        duel
        for market in summary["markets"]
        for duel in market["duels"]
        if (duel["policy"], duel["score"]) == (policy, score)
    ]
    if not found:
        return "reference"
    sure = [duel for duel in found if duel["contest"]["p_value"] <= 0.05]
    worse = sum(duel["relative"] > 0.0 for duel in sure)
    mean = sum(duel["relative"] for duel in found) / len(found)
    size = f"{mean:+.3f}" if score == "fissler-ziegel" else f"{100.0 * mean:+.1f} %"
    return f"{size}, {worse} / {len(sure) - worse}"


def _is_in(market: Summary, score: str, policy: str) -> bool:
    found = market["sets"].get(score)
    return found is not None and found["p_values"][policy] > found["size"]


def _crash(summary: Summary) -> Iterator[str]:
    """Write a line per hour of the day: windows, worst moves, breaches of each policy."""
    policies = [s["policy"] for s in summary["standings"]]
    yield from _head(
        ["hour, UTC", "windows", "worst fall", "worst rise", *(f"`{policy}`" for policy in policies)]
    )
    falls = summary["crash"][f"{policies[0]} long"]
    rises = summary["crash"][f"{policies[0]} short"]
    for place in range(min(_CRASH_HOURS, len(falls))):
        when = datetime.fromtimestamp(falls[place]["start"] / 1000, tz=UTC)
        yield _row(
            [
                f"{when:%d %b %H:%M}",
                str(2 * falls[place]["windows"]),
                _percent(falls[place]["worst"], 1),
                _percent(rises[place]["worst"], 1),
                *(_broken(summary, policy, place) for policy in policies),
            ]
        )


def _broken(summary: Summary, policy: str, place: int) -> str:
    sides = [summary["crash"][f"{policy} {side}"][place] for side in ("long", "short")]
    return f"{sum(side['breaches'] for side in sides)} ({_percent(sides[0]['rate'], 1)})"


def _frontier(summary: Summary) -> Iterator[str]:
    """Write a line per setting of the guard."""
    yield from _head(
        [
            "guard",
            "covered",
            "least",
            "worst year",
            "mean",
            "at equal coverage",
            "p99/p1",
            "24 h rise",
            "24 h call",
        ]
    )
    for s in summary:
        yield _row(
            [
                s["policy"],
                *(
                    _percent(s[name])
                    for name in ("covered", "least_covered", "worst_year", "mean", "matched_mean")
                ),
                f"{s['largest_spread']:.2f}",
                _percent(s["worst_rise"], 0),
                _percent(s["liquidity_call"], 1),
            ]
        )


_TABLES: dict[str, Callable[[Summary], Iterator[str]]] = {
    "policies": _policies,
    "markets": _markets,
    "duels": _duels,
    "crash": _crash,
    "frontier": _frontier,
}


def main() -> None:
    """Print one table."""
    kind, path = sys.argv[1], Path(sys.argv[2])
    for line in _TABLES[kind](json.loads(path.read_text(encoding="utf-8"))):
        print(line)


if __name__ == "__main__":
    main()

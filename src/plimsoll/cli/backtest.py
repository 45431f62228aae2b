"""Did policies cover what they promised on these bars, and at what cost?"""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.options import (
    BarsFile,
    First,
    Json,
    Last,
    Markets,
    Quiet,
    market_list,
    milliseconds,
    optional_milliseconds,
)
from plimsoll.cli.program import program
from plimsoll.cli.run_folder import RECORD, REPORT, SUMMARY, WALKS
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.backtest.trial import Trial, TrialPlan

__all__ = ["Horizon", "Level", "Workers", "hours_of", "level_of", "refuse_foreign", "run"]

Horizon = Annotated[str, typer.Option("--horizon", metavar="HOURS", help="Liquidation horizon: 4h, 1h, 30m.")]
Level = Annotated[
    float, typer.Option("--level", metavar="SHARE", help="Share of excursions to cover, per side.")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Processes. Default: one per processor."),
]

_DAY = 86_400_000
_UNITS = {"m": 1.0 / 60.0, "h": 1.0, "d": 24.0}


def run(
    *,
    bars: BarsFile,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of the run.")],
    markets: Markets = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="NAME", help="Repeat it; the first is the reference. Default: all."),
    ] = None,
    horizon: Horizon = "4h",
    level: Level = 0.995,
    first: First = None,
    last: Last = None,
    day: Annotated[
        str | None,
        typer.Option(
            "--day", metavar="DATE", help="Day to show hour by hour. Default: that of the largest move."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Of simulated p-values and bootstraps.")
    ] = 1,
    workers: Workers = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Walk policies over history, knowing at each moment only what was known, and test what they covered.

    Every rate is judged on the worst move within the horizon that followed. Learning begins with the first
    bar; `--from` and `--to` choose what is judged. The folder holds a report that opens offline, the figures
    as JSON, and one Parquet file per market and policy. A run that was interrupted goes on where it stopped:
    repeat the command. Confidence sets need the extra *backtest*; without it they are left out, and said so.

    **Examples**

    ```
    plimsoll backtest --bars prices.parquet --markets BTC,ETH --out runs/bt
    plimsoll backtest --bars prices.parquet --policy historical --horizon 1h --level 0.99 --out runs/hour
    plimsoll backtest --bars 5m.parquet --day 2024-08-05 --out runs/august
    ```
    """
    from plimsoll.backtest.trial import run_trial
    from plimsoll.feeds.bars import read_bars
    from plimsoll.report.trial import show_trial

    voice = Voice.chosen(quiet=quiet, as_json=json)
    refuse_foreign(out)
    plan = _plan(policy, horizon, level, first, last, day, seed, workers)
    with voice.progress() as progress:
        progress("reading bars", 0, 1)
        read = read_bars(bars, markets=market_list(markets))
        progress("reading bars", 1, 1)
        trial = run_trial(read, plan, out / WALKS, progress)
    _write(trial, out, bars)
    voice.tell(lambda console: show_trial(trial, console), lambda: _document(trial))
    if not plan.sets:
        voice.remark("no confidence sets: pip install 'plimsoll-margin[backtest]' brings them")
    voice.remark(f"report: {out / REPORT}")


def _plan(
    policies: list[str] | None,
    horizon: str,
    level: float,
    first: str | None,
    last: str | None,
    day: str | None,
    seed: int,
    workers: int | None,
) -> "TrialPlan":
    from importlib.util import find_spec

    from plimsoll.backtest.trial import TrialPlan
    from plimsoll.backtest.walk import Target
    from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES, rate_policy

    names = dict.fromkeys(policies or (DEFAULT, *RATE_POLICIES))
    return TrialPlan(
        policies={name: rate_policy(name) for name in names},
        reference=next(iter(names)),
        target=Target(horizon_hours=hours_of(horizon), level=level_of(level)),
        first=optional_milliseconds(first, "--from"),
        last=optional_milliseconds(last, "--to"),
        day=None if day is None else milliseconds(day, "--day") // _DAY * _DAY,
        seed=seed,
        workers=workers or os.cpu_count() or 1,
        sets=find_spec("arch") is not None,
    )


def hours_of(text: str) -> float:
    """Read a length of time: ``4h``, ``30m``, ``1d``, or hours as a plain number."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "h")
    try:
        hours = float(number) * _UNITS[unit]
    except ValueError:
        hours = 0.0
    if not 0.0 < hours < float("inf"):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"cannot read the length of time {text!r}",
            where="--horizon",
            remedy="Write 4h, 30m or 1d.",
        )
    return hours


def level_of(level: float) -> float:
    """Check a level."""
    if not 0.5 <= level < 1.0:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"a level of {level:g} is not within 0.5 and 1",
            where="--level",
            remedy="Write the share to cover, such as 0.995.",
        )
    return level


def refuse_foreign(out: Path) -> None:
    """Refuse a folder that holds something else than an earlier run; raises `FILE_EXISTS`."""
    known = {WALKS, RECORD, REPORT, SUMMARY}
    if out.exists() and (not out.is_dir() or {entry.name for entry in out.iterdir()} - known):
        raise PlimsollError(
            Code.FILE_EXISTS,
            "holds something that is not an earlier backtest",
            where=str(out),
            remedy="Give --out a new folder, or that of an earlier backtest.",
        )


def _write(trial: "Trial", out: Path, bars: Path) -> None:
    from plimsoll.feeds.bars import file_digest
    from plimsoll.report.backtest_page import render_backtest
    from plimsoll.report.files import write_json, write_whole

    inputs = ((bars.name, f"sha256:{file_digest(bars)}"),)
    command = _command(trial, bars)
    page = render_backtest(trial, source=bars.name, inputs=inputs, program=program(), command=command)
    write_whole(out / REPORT, page.encode())
    write_json(out / SUMMARY, _document(trial))
    write_json(out / RECORD, {"program": program(), "command": command, "inputs": inputs})


def _command(trial: "Trial", bars: Path) -> str:
    plan = trial.plan
    words = ["plimsoll", "backtest", "--bars", bars.name, "--markets"]
    words.append(",".join(league.market for league in trial.leagues))
    words += [word for name in plan.policies for word in ("--policy", name)]
    words += ["--horizon", f"{plan.target.horizon_hours:g}h", "--level", f"{plan.target.level:g}"]
    for option, moment in (("--from", plan.first), ("--to", plan.last), ("--day", plan.day)):
        if moment is not None:
            words += [option, _moment(moment)]
    return shlex.join([*words, "--seed", str(plan.seed), "--out", "FOLDER"])


def _moment(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M")


def _document(trial: "Trial") -> dict[str, object]:
    """Give every figure as values; the walks themselves are in the Parquet files."""
    return {
        "target": trial.plan.target,
        "reference": trial.plan.reference,
        "standings": trial.standings,
        "markets": trial.leagues,
        "shocks": trial.shocks,
        "crash": {f"{policy} {side}": hours for (policy, side), hours in trial.crash.items()},
    }

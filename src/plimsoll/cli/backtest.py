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
    SettingsFile,
    Workers,
    market_list,
    milliseconds,
    optional_milliseconds,
    read_calibration,
)
from plimsoll.cli.program import program
from plimsoll.cli.run_folder import RECORD, REPORT, SUMMARY, WALKS
from plimsoll.cli.voice import Voice
from plimsoll.cli.walk_options import Horizon, Level, RunFolder, refuse_foreign, target_of

if TYPE_CHECKING:
    from plimsoll.backtest.trial import Trial, TrialPlan
    from plimsoll.backtest.walk import Target
    from plimsoll.calibration.policies import RatePolicy

__all__ = ["run"]

_DAY = 86_400_000


def run(
    *,
    bars: BarsFile,
    out: RunFolder,
    markets: Markets = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="NAME", help="Repeat it; the first is the reference. Default: all."),
    ] = None,
    settings: SettingsFile = None,
    horizon: Horizon = None,
    level: Level = None,
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
    repeat the command. With `--settings`, what `plimsoll calibrate` would publish under that file is the
    reference, named *own*. Confidence sets need the extra *backtest*; without it they are left out, and said
    so.

    **Examples**

    ```
    plimsoll backtest --bars prices.parquet --markets BTC,ETH --out runs/bt
    plimsoll backtest --bars prices.parquet --policy historical --horizon 1h --level 0.99 --out runs/hour
    plimsoll backtest --bars prices.parquet --settings desk.toml --policy fhs-har-plus --out runs/own
    plimsoll backtest --bars 5m.parquet --day 2024-08-05 --out runs/august
    ```
    """
    from plimsoll.backtest.trial import run_trial
    from plimsoll.calibration.policies import OWN, own_policy
    from plimsoll.domain.bars import HOUR
    from plimsoll.feeds.bars import read_bars
    from plimsoll.report.trial import show_trial

    voice = Voice.chosen(quiet=quiet, as_json=json)
    refuse_foreign(out)
    calibration = read_calibration(settings)
    target = target_of(horizon, level, calibration)
    asked = _policies(policy)
    times = (
        optional_milliseconds(first, "--from"),
        optional_milliseconds(last, "--to"),
        None if day is None else milliseconds(day, "--day") // _DAY * _DAY,
    )
    with voice.progress() as progress:
        progress("reading bars", 0, 1)
        read = read_bars(bars, markets=market_list(markets))
        progress("reading bars", 1, 1)
        own = {} if settings is None else {OWN: own_policy(calibration, read.length / HOUR)}
        plan = _plan(own | asked, target, times, seed, workers)
        trial = run_trial(read, plan, out / WALKS, progress)
    _write(trial, out, bars, settings)
    voice.tell(lambda console: show_trial(trial, console), lambda: _document(trial))
    if not plan.sets:
        voice.remark("no confidence sets: pip install 'plimsoll-margin[backtest]' brings them")
    voice.remark(f"report: {out / REPORT}")


def _plan(
    policies: "dict[str, RatePolicy]",
    target: "Target",
    times: tuple[int | None, int | None, int | None],
    seed: int,
    workers: int | None,
) -> "TrialPlan":
    from importlib.util import find_spec

    from plimsoll.backtest.trial import TrialPlan

    first, last, day = times
    return TrialPlan(
        policies=policies,
        reference=next(iter(policies)),
        target=target,
        first=first,
        last=last,
        day=day,
        seed=seed,
        workers=workers or os.cpu_count() or 1,
        sets=find_spec("arch") is not None,
    )


def _policies(names: list[str] | None) -> "dict[str, RatePolicy]":
    from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES, rate_policy

    return {name: rate_policy(name) for name in names or (DEFAULT, *RATE_POLICIES)}


def _write(trial: "Trial", out: Path, bars: Path, settings: Path | None) -> None:
    from plimsoll.feeds.bars import file_digest
    from plimsoll.report.backtest_page import render_backtest
    from plimsoll.report.files import write_json, write_whole

    files = (bars,) if settings is None else (bars, settings)
    inputs = tuple((file.name, f"sha256:{file_digest(file)}") for file in files)
    command = _command(trial, bars, settings)
    page = render_backtest(trial, source=bars.name, inputs=inputs, program=program(), command=command)
    write_whole(out / REPORT, page.encode())
    write_json(out / SUMMARY, _document(trial))
    write_json(out / RECORD, {"program": program(), "command": command, "inputs": inputs})


def _command(trial: "Trial", bars: Path, settings: Path | None) -> str:
    from plimsoll.calibration.policies import OWN

    plan = trial.plan
    words = ["plimsoll", "backtest", "--bars", bars.name, "--markets"]
    words.append(",".join(league.market for league in trial.leagues))
    words += [] if settings is None else ["--settings", settings.name]
    words += [word for name in plan.policies if name != OWN for word in ("--policy", name)]
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

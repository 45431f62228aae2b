"""What does each part of the guard cost on these bars, and what does it give?"""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
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
    optional_milliseconds,
    read_calibration,
)
from plimsoll.cli.program import program
from plimsoll.cli.run_folder import REPORT, SUMMARY, WALKS
from plimsoll.cli.voice import Voice
from plimsoll.cli.walk_options import Horizon, Level, RunFolder, refuse_foreign, target_of
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.calibration.policies import RatePolicy

__all__ = ["run"]

_DEFAULT_OUT = Path("runs") / "frontier"


def run(
    *,
    bars: BarsFile,
    markets: Markets = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", metavar="NAME", help="Whose guard is varied. Default: fhs-har-plus."),
    ] = None,
    settings: SettingsFile = None,
    horizon: Horizon = None,
    level: Level = None,
    first: First = None,
    last: Last = None,
    out: RunFolder = _DEFAULT_OUT,
    workers: Workers = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Walk one policy under many guards: each part switched off, each setting moved alone.

    The table gives coverage, mean requirement (as asked, and at exactly the promised coverage), spread of the
    rate in time and its worst rise; the report draws them against each other. All variants are judged on the
    same windows. With `--settings`, the guard varied is that file's. A run that was interrupted goes on
    where it stopped: repeat the command.

    **Examples**

    ```
    plimsoll frontier --bars prices.parquet --markets BTC
    plimsoll frontier --bars prices.parquet --markets BTC,ETH --policy fhs-har --out runs/har-guard
    plimsoll frontier --bars prices.parquet --markets BTC --settings desk.toml --out runs/own-guard
    ```
    """
    from plimsoll.backtest.frontier import frontier, variants
    from plimsoll.backtest.walkforward import walk_forward
    from plimsoll.calibration.policies import own_policy
    from plimsoll.domain.bars import HOUR
    from plimsoll.feeds.bars import read_bars
    from plimsoll.report.files import write_json, write_whole
    from plimsoll.report.frontier import render_frontier, show_frontier

    voice = Voice.chosen(quiet=quiet, as_json=json)
    refuse_foreign(out)
    calibration = read_calibration(settings)
    name, named = _named(policy, settings)
    target = target_of(horizon, level, calibration)
    begin, end = optional_milliseconds(first, "--from"), optional_milliseconds(last, "--to")
    with voice.progress() as progress:
        read = read_bars(bars, markets=market_list(markets))
        tried = variants(named or own_policy(calibration, read.length / HOUR))
        policies = {variant.name: variant.policy for variant in tried}
        count = workers or os.cpu_count() or 1
        walks = walk_forward(read, policies, target, out / WALKS, progress, workers=count)
        judged = {key: walk.between(begin, end) for key, walk in walks.items()}
        found = frontier(judged, target, seed=1)
    write_json(out / SUMMARY, found)
    words = ["plimsoll", "frontier", "--bars", bars.name, "--markets", ",".join(read.markets)]
    words += ["--policy", name] if settings is None else ["--settings", settings.name]
    words += ["--horizon", f"{target.horizon_hours:g}h", "--level", f"{target.level:g}"]
    title = f"The guard of {name} on {', '.join(read.markets)}"
    page = render_frontier(tried, found, title=title, program=program(), command=shlex.join(words))
    write_whole(out / REPORT, page.encode())
    voice.tell(
        lambda console: show_frontier(tried, found, console),
        lambda: [
            {"variant": variant.name, "family": variant.family, **msgspec.to_builtins(standing)}
            for variant, standing in zip(tried, found, strict=True)
        ],
    )
    voice.remark(f"report: {out / REPORT}")


def _named(policy: str | None, settings: Path | None) -> "tuple[str, RatePolicy | None]":
    """Say whose guard is varied: a policy's, or that of the settings, which no name finds."""
    from plimsoll.calibration.policies import DEFAULT, OWN, rate_policy

    if settings is None:
        return policy or DEFAULT, rate_policy(policy or DEFAULT)
    if policy is not None:
        raise PlimsollError(
            Code.BAD_SETTING,
            "one guard is varied: that of the settings, or that of a policy",
            where="--policy",
            remedy="Give --settings or --policy.",
        )
    return OWN, None

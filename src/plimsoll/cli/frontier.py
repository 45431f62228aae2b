"""What does each part of the guard cost on these bars, and what does it give?"""

import os
import shlex
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from plimsoll.cli.backtest import Horizon, Level, Workers, hours_of, level_of, refuse_foreign
from plimsoll.cli.options import (
    BarsFile,
    First,
    Json,
    Last,
    Markets,
    Quiet,
    market_list,
    optional_milliseconds,
)
from plimsoll.cli.program import program
from plimsoll.cli.run_folder import REPORT, SUMMARY, WALKS
from plimsoll.cli.voice import Voice

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
    horizon: Horizon = "4h",
    level: Level = 0.995,
    first: First = None,
    last: Last = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of the run.")] = _DEFAULT_OUT,
    workers: Workers = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Walk one policy under many guards: each part switched off, each setting moved alone.

    The table gives coverage, mean requirement (as asked, and at exactly the promised coverage), spread of the
    rate in time and its worst rise; the report draws them against each other. All variants are judged on the
    same windows. A run that was interrupted goes on where it stopped: repeat the command.

    **Examples**

    ```
    plimsoll frontier --bars prices.parquet --markets BTC
    plimsoll frontier --bars prices.parquet --markets BTC,ETH --policy fhs-har --out runs/har-guard
    ```
    """
    from plimsoll.backtest.frontier import frontier, variants
    from plimsoll.backtest.walk import Target
    from plimsoll.backtest.walkforward import walk_forward
    from plimsoll.calibration.policies import DEFAULT, rate_policy
    from plimsoll.feeds.bars import read_bars
    from plimsoll.report.files import write_json, write_whole
    from plimsoll.report.frontier import render_frontier, show_frontier

    voice = Voice.chosen(quiet=quiet, as_json=json)
    refuse_foreign(out)
    name = policy or DEFAULT
    tried = variants(rate_policy(name))
    target = Target(horizon_hours=hours_of(horizon), level=level_of(level))
    begin, end = optional_milliseconds(first, "--from"), optional_milliseconds(last, "--to")
    with voice.progress() as progress:
        read = read_bars(bars, markets=market_list(markets))
        policies = {variant.name: variant.policy for variant in tried}
        count = workers or os.cpu_count() or 1
        walks = walk_forward(read, policies, target, out / WALKS, progress, workers=count)
        judged = {key: walk.between(begin, end) for key, walk in walks.items()}
        found = frontier(judged, target, seed=1)
    write_json(out / SUMMARY, found)
    words = ["plimsoll", "frontier", "--bars", bars.name, "--markets", ",".join(read.markets)]
    words += ["--policy", name, "--horizon", f"{target.horizon_hours:g}h", "--level", f"{level:g}"]
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

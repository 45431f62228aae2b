"""What margin rates do these bars support?"""

import hashlib
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
    market_list,
    optional_milliseconds,
    read_calibration,
)
from plimsoll.cli.program import program
from plimsoll.cli.recorded import BooksFiles, ImpliedFiles, Recorded, TradesFiles
from plimsoll.cli.voice import Voice
from plimsoll.errors import PlimsollError

if TYPE_CHECKING:
    from rich.console import Console

    from plimsoll.calibration.cost import GuardCost
    from plimsoll.cli.voice import Progressing
    from plimsoll.domain.bars import Bars
    from plimsoll.domain.parameters import ParameterSet
    from plimsoll.domain.settings import CalibrationFile, CalibrationSettings

__all__ = ["run"]


def run(
    *,
    bars: BarsFile,
    markets: Markets = None,
    first: First = None,
    last: Last = None,
    settings: SettingsFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the parameter set here, as JSON.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show what each part of the guard did and cost, and how each cost curve fits its books.",
        ),
    ] = False,
    implied: ImpliedFiles = None,
    books: BooksFiles = None,
    trades: TradesFiles = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Turn price bars into margin rates, with the evidence behind each.

    Each side of each market gets a maintenance rate that covers a stated share (default 99.5 %) of the
    adverse excursions over the liquidation horizon (default 4 hours), steadied by a memory of two years; a
    rate below which the account is called; and an initial rate that covers every rise within the notice
    (default 24 hours). The result is a *parameter set*: sealed by a digest, read by `plimsoll margin`.

    **Examples**

    ```
    plimsoll calibrate --bars prices.parquet --out parameters.json
    plimsoll calibrate --bars prices.csv --markets BTC,ETH --to 2021-05-12
    plimsoll calibrate --bars prices.csv --settings desk.toml --json
    plimsoll calibrate --bars prices.parquet --markets BTC --explain
    plimsoll calibrate --bars prices.parquet --implied BTC=dvol.parquet --out parameters.json
    plimsoll calibrate --bars prices.parquet --books ETH=books.parquet --trades ETH=trades.parquet --explain
    ```

    **Settings that matter most** (the file may hold fewer; these are the defaults)

    ```
    level = 0.995            # share of adverse excursions that is covered
    horizon_hours = 4.0      # time in which a position can be closed
    [guard]
    stress_weight = 0.5      # weight of the volatility of the last two years
    rise_per_hour = 0.01     # relative rise that every hour allows maintenance
    rise_at_once = 0.0       # relative rise that can be saved up for a crash
    fall_half_life = 12.0    # hours in which half of an excess decays
    notice_hours = 24.0      # initial margin covers every rise within this time
    [books]                  # with --books
    stressed_depth = 0.05    # share of normal depth that charges count on
    ```
    """
    from plimsoll.report.cost_curves import show_curves
    from plimsoll.report.files import write_json
    from plimsoll.report.guard_costs import show_costs
    from plimsoll.report.parameters import show_parameters

    voice = Voice.chosen(quiet=quiet, as_json=json)
    chosen = read_calibration(settings)
    with voice.progress() as progress:
        progress("reading bars", 0, 1)
        read = _read(bars, market_list(markets), first, last)
        progress("reading bars", 1, 1)
        progress("calibrating", 0, 1)
        recorded = Recorded.named(implied, books, trades, read.markets)
        parameters = _calibrated(read, chosen, bars, recorded)
        progress("calibrating", 1, 1)
        costs = _costs(read, chosen, progress) if explain else {}
    if out is not None:
        write_json(out, parameters)

    def show(console: "Console") -> None:
        show_parameters(parameters, console)
        if explain:
            show_curves(parameters.liquidity, console)
        show_costs(costs, console)

    voice.tell(show, lambda: {"parameters": parameters, "guard": costs} if explain else parameters)
    if out is not None:
        voice.remark(f"parameters: {out}")


def _costs(
    bars: "Bars", settings: "CalibrationSettings", progress: "Progressing"
) -> "dict[str, tuple[GuardCost, ...]]":
    from plimsoll.calibration.cost import guard_costs

    costs = {}
    for done, market in enumerate(bars.markets):
        progress("weighing the guard", done, len(bars.markets))
        costs[market] = guard_costs(bars.select((market,)), settings)
    progress("weighing the guard", len(bars.markets), len(bars.markets))
    return costs


def _read(path: Path, markets: tuple[str, ...], first: str | None, last: str | None) -> "Bars":
    from plimsoll.feeds.bars import read_bars

    return read_bars(
        path,
        markets=markets,
        first=optional_milliseconds(first, "--from"),
        last=optional_milliseconds(last, "--to"),
    )


def _calibrated(bars: "Bars", settings: "CalibrationFile", path: Path, recorded: Recorded) -> "ParameterSet":
    from plimsoll.calibration import calibrate
    from plimsoll.calibration.cost_curves import with_cost_curves
    from plimsoll.domain.parameters import Provenance
    from plimsoll.feeds.bars import file_digest
    from plimsoll.feeds.implied import read_implied

    rates = settings.rates
    used = settings if recorded.books else rates
    provenance = Provenance(
        program=program(),
        settings=hashlib.sha256(msgspec.json.encode(used)).hexdigest(),
        inputs=tuple(f"{file.name} sha256:{file_digest(file)}" for file in (path, *recorded.files)),
    )
    history = read_implied(recorded.implied) if recorded.implied else None
    recordings = recorded.recordings(settings.books.stuck_seconds)
    try:
        parameters = calibrate(bars, rates, provenance, implied=history)
    except PlimsollError as error:
        where = f"{path}: {error.where}"
        raise PlimsollError(error.code, error.what, where=where, remedy=error.remedy) from error
    if not recordings:
        return parameters
    return with_cost_curves(parameters, bars, recordings, rates, settings.books)

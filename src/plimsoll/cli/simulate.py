"""What does a venue's own forced selling do to a crash, under several policies and over many seeds?"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from plimsoll.cli.options import Accounts, Json, Quiet, SettingsFile, Workers
from plimsoll.cli.program import libraries, program
from plimsoll.cli.run_folder import FACTS, RECORD, REPORT, SETTINGS, SUMMARY, TRACES, run_folder
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code
from plimsoll.feeds.documents import read_document

if TYPE_CHECKING:
    from plimsoll.sim.cascade_settings import CascadeSettings
    from plimsoll.sim.seeds import Cascades

__all__ = ["run"]


def run(
    *,
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="A crash whose worst hour anchors the shock.")
    ] = "october-2025",
    accounts: Accounts = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="NAME", help="Repeat it per policy. Default: static, plimsoll."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", help="Runs per policy. Default: 10.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Seed of the first run. Default: 1.")
    ] = None,
    workers: Workers = None,
    settings: SettingsFile = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Folder of the run. Default: runs/ and the scenario."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Let a crash run through a venue whose own forced selling makes the price, second by second.

    Value outside the venue falls as in the worst hour of the scenario; market makers withdraw as volatility
    rises, trend followers sell, arbitrage buys as far as its capital reaches, owners answer calls, and the
    engine liquidates as it would in service. Every policy meets the same accounts, owners and news.

    **Policies**: `static`, `static-matched` (one constant that asks as much as `plimsoll` at the opening),
    `dynamic`, `plimsoll-unguarded`, and three that cap exposure where liquidations would feed each other:
    `plimsoll`, `static-guarded` and `plimsoll-matched` (calibrated rates scaled to the margin of `static`).
    `static-shrunk` is the placebo of the caps: as much exposure, cut blindly.

    **Examples**

    ```
    plimsoll simulate --scenario october-2025 --seeds 4 --accounts 3000
    plimsoll simulate --policy static --policy static-guarded --policy plimsoll-matched
    plimsoll simulate --accounts 100000 --seeds 50 --out runs/oct
    ```
    """
    from plimsoll.report.cascade_terminal import show_cascades
    from plimsoll.sim.seeds import simulate

    chosen = _settings(settings, accounts, policy, seeds, seed)
    voice = Voice.chosen(quiet=quiet, as_json=json)
    folder = out or Path("runs") / f"{scenario}-simulated"
    with run_folder(folder) as unfinished:
        with voice.progress() as progress:
            cascades = simulate(scenario, chosen, workers=workers, progress=progress)
        _write(cascades, unfinished, _command(scenario, folder))
    voice.tell(
        lambda console: show_cascades(cascades, console),
        lambda: _summary(cascades) | {"folder": str(folder)},
    )
    voice.remark(f"\nreport: {folder / REPORT}")


def _settings(
    path: Path | None, accounts: int | None, policies: list[str] | None, seeds: int | None, seed: int | None
) -> "CascadeSettings":
    """Read the settings; options given on the command line come before the file."""
    from plimsoll.feeds.documents import within_bounds
    from plimsoll.sim.cascade_settings import CascadeSettings

    remedy = "Correct or remove it; a run's settings.json shows every name and its value."
    found = (
        CascadeSettings() if path is None else read_document(path, CascadeSettings, Code.BAD_SETTING, remedy)
    )
    if accounts is not None:
        found = structs.replace(found, population=structs.replace(found.population, accounts=accounts))
    given = {"seeds": seeds, "seed": seed, "policies": tuple(policies) if policies else None}
    found = structs.replace(found, **{name: value for name, value in given.items() if value is not None})
    return within_bounds(found, remedy)


def _write(cascades: "Cascades", folder: Path, command: str) -> None:
    from plimsoll.report.cascade_page import render_cascades
    from plimsoll.report.files import write_json, write_whole
    from plimsoll.store.cascades import facts_bytes, traces_bytes

    write_whole(folder / FACTS, facts_bytes(cascades))
    write_whole(folder / TRACES, traces_bytes(cascades))
    page = render_cascades(cascades, program=program(), command=command)
    write_whole(folder / REPORT, page.encode())
    write_json(folder / SETTINGS, cascades.settings)
    write_json(folder / SUMMARY, _summary(cascades))
    record = {
        "program": program(),
        "libraries": libraries(),
        "command": command,
        "source": cascades.source,
        "runs": [
            {"policy": f.policy, "seed": f.seed, "journal": f.journal, "state": f.state}
            for f in (each.facts for each in cascades.runs)
        ],
    }
    write_json(folder / RECORD, record)


def _summary(cascades: "Cascades") -> dict[str, object]:
    """Give mean and standard deviation over seeds of every figure, by policy."""
    from plimsoll.report.cascade_measures import MEASURES, spread_of, values_of

    def figures(name: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for measure in MEASURES:
            mean, deviation = spread_of(values_of(cascades, name, measure))
            known = mean == mean
            found[measure.key] = {"mean": mean, "deviation": deviation} if known else None
        return found

    return {
        "scenario": cascades.scenario,
        "markets": cascades.markets,
        "seeds": cascades.settings.seeds,
        "policies": {name: figures(name) for name in cascades.settings.policies},
    }


def _command(scenario: str, folder: Path) -> str:
    """Write the command that repeats the run from the settings it leaves behind."""
    return shlex.join(["plimsoll", "simulate", "--scenario", scenario, "--settings", str(folder / SETTINGS)])

"""What would each margin policy have done on that day?"""

import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from plimsoll.cli.options import (
    Accounts,
    First,
    Json,
    Last,
    Markets,
    Quiet,
    SettingsFile,
    market_list,
    optional_milliseconds,
)
from plimsoll.cli.replay_options import Asked, History, Out, OwnBars, Policies, ScenarioName, Seed
from plimsoll.cli.run_folder import JOURNALS, REPORT, SETTINGS, run_folder
from plimsoll.cli.voice import Progressing, Voice
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.documents import read_document, within_bounds

if TYPE_CHECKING:
    from plimsoll.cli.replay_inputs import ReplayInputs
    from plimsoll.sim.outcome import Replay
    from plimsoll.sim.settings import ReplaySettings

__all__ = ["run"]


def run(
    *,
    scenario: ScenarioName = None,
    bars: OwnBars = None,
    history: History = None,
    markets: Markets = None,
    first: First = None,
    last: Last = None,
    accounts: Accounts = None,
    policy: Policies = None,
    seed: Seed = None,
    settings: SettingsFile = None,
    out: Out = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Replay a crash under several margin policies, on the same accounts and the same prices.

    A book of accounts is drawn from the seed. Under each policy in turn it meets the same prices: parameters
    are calibrated as the market moves, accounts are margined, called and sold down in parts, and forced
    selling moves the price. The table says what each policy asked for, whom it hit and what was lost; the
    report draws it bar by bar.

    ```
    static           constant rates by size of position
    static-matched   one constant rate: the mean that plimsoll asked for, with hindsight
    dynamic          calibrated rates that follow the estimate at once, without notice
    plimsoll         calibrated rates under a guard, with notice; hedges netted
    ```

    The folder of the run holds report.html, summary.json, settings.json (as --settings reads it), run.json
    (what went in, by digest) and one journal per policy. The same inputs give the same journals, byte for
    byte. An earlier run in the folder is replaced, anything else refused.

    **Examples**

    ```
    plimsoll replay --scenario black-thursday-2020
    plimsoll replay --scenario august-2024 --policy static --policy plimsoll
    plimsoll replay --bars prices.parquet --from 2021-05-12 --to 2021-05-26
    plimsoll replay --scenario ftx-2022 --settings desk.toml --out runs/desk
    ```
    """
    from plimsoll.cli.run_files import summary_document, write_run
    from plimsoll.report.terminal import show_replay

    asked = Asked(scenario=scenario, bars=bars, history=history, markets=markets, first=first, last=last)
    folder = out or Path("runs") / asked.name
    chosen = _settings(settings, accounts=accounts, policies=policy, seed=seed)
    inputs = _inputs(asked, chosen)
    _refuse_too_little_history(inputs, chosen)
    voice = Voice.chosen(quiet=quiet, as_json=json)
    with run_folder(folder) as unfinished:
        with voice.progress() as progress:
            result = _replayed(inputs, chosen, unfinished / JOURNALS, progress)
        write_run(result, unfinished, _command(asked, folder))
    voice.tell(
        lambda console: show_replay(result, console),
        lambda: summary_document(result) | {"folder": str(folder)},
    )
    voice.remark(f"\nreport: {folder / REPORT}")


def _settings(
    path: Path | None, *, accounts: int | None, policies: list[str] | None, seed: int | None
) -> "ReplaySettings":
    """Read the settings; options given on the command line come before the file."""
    from plimsoll.sim.settings import ReplaySettings

    settings = (
        ReplaySettings() if path is None else read_document(path, ReplaySettings, Code.BAD_SETTING, _REMEDY)
    )
    if accounts is not None:
        population = structs.replace(settings.population, accounts=accounts)
        settings = structs.replace(settings, population=population)
    if policies:
        settings = structs.replace(settings, policies=tuple(policies))
    if seed is not None:
        settings = structs.replace(settings, seed=seed)
    return _within_bounds(settings)


_REMEDY = "Correct or remove it; a run's settings.json shows every name and its value."


def _within_bounds(settings: "ReplaySettings") -> "ReplaySettings":
    from plimsoll.sim.policies import POLICIES

    unknown = [name for name in settings.policies if name not in POLICIES]
    if unknown:
        raise PlimsollError(
            Code.UNKNOWN_POLICY,
            f"no policy {unknown[0]}",
            where="--policy",
            remedy=f"Choose among {', '.join(POLICIES)}.",
        )
    return within_bounds(settings, _REMEDY)


def _inputs(asked: Asked, settings: "ReplaySettings") -> "ReplayInputs":
    from plimsoll.cli.replay_inputs import bars_inputs, scenario_inputs
    from plimsoll.domain.bars import MINUTE

    markets = market_list(asked.markets)
    if asked.scenario is not None:
        return scenario_inputs(
            asked.scenario, markets, step=settings.step_minutes * MINUTE, seed=settings.seed
        )
    return bars_inputs(
        asked.bars or Path(),
        asked.history,
        markets,
        first=optional_milliseconds(asked.first, "--from"),
        last=optional_milliseconds(asked.last, "--to"),
    )


def _refuse_too_little_history(inputs: "ReplayInputs", settings: "ReplaySettings") -> None:
    """Calibrate once beforehand, so that a history too short is found before the first policy has run."""
    from itertools import compress

    import numpy as np

    from plimsoll.calibration import calibrate
    from plimsoll.domain.parameters import Provenance

    if all(name.startswith("static") for name in settings.policies):
        return
    history = inputs.history.aligned(inputs.path.bars.markets)
    known = np.count_nonzero(~np.isnan(history.close), axis=0) > 0
    if known.any():
        history = history.select(tuple(compress(history.markets, known.tolist())))
    try:
        calibrate(history, settings.calibration, Provenance(program="", settings="", inputs=()))
    except PlimsollError as error:
        where = f"{inputs.history_name}: {error.where}"
        raise PlimsollError(error.code, error.what, where=where, remedy=error.remedy) from error


def _command(asked: Asked, folder: Path) -> str:
    """Write the command that repeats the run from the settings it leaves behind."""
    options = {
        "--scenario": asked.scenario,
        "--bars": asked.bars,
        "--history": asked.history,
        "--markets": asked.markets,
        "--from": asked.first,
        "--to": asked.last,
        "--settings": folder / SETTINGS,
    }
    given = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return shlex.join(["plimsoll", "replay", *given])


def _replayed(
    inputs: "ReplayInputs", settings: "ReplaySettings", folder: Path, progress: Progressing
) -> "Replay":
    from plimsoll.sim.replay import replay
    from plimsoll.store.journal import FileJournal

    folder.mkdir()
    with ExitStack() as journals:
        return replay(
            inputs.origin,
            inputs.path,
            inputs.history,
            settings,
            journal=lambda name: journals.enter_context(FileJournal(folder / f"{name}.journal")),
            progress=progress,
        )

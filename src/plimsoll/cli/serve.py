"""How is the service started, and who is given a token?"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.program import program
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.service.settings import ServiceSettings

__all__ = ["run"]


def run(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings, TOML; what is left out keeps its default."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Journal, snapshots and tokens. Default: data/serve."),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="NAME", help="Replay this one of the library.")
    ] = None,
    pace: Annotated[
        float | None, typer.Option("--pace", metavar="FACTOR", help="Seconds of the scenario in a second.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="NUMBER", help="0 takes any free one. Default: 8750.")
    ] = None,
    options: Annotated[
        bool, typer.Option("--options", metavar="", help="List options in the replayed market too.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", metavar="", help="Print the settings that would hold, and stop.")
    ] = False,
) -> None:
    """Run the engine as a service with an API and a dashboard, until interrupted.

    Without a file it listens on loopback, keeps its journal in the data folder, and replays a crash of the
    library with a drawn population, so that there is something to look at. The address printed opens the
    dashboard; it carries a token for reading that ends with the process. Other tokens: `plimsoll token`.
    Environment variables `PLIMSOLL_SERVE__ROOM__SETTING` come after the file, options after both. On SIGTERM
    or SIGINT what waits is worked off and a snapshot is taken. Needs the extra *service*:
    `pip install 'plimsoll-margin[service]'`.

    **Examples**

    ```
    plimsoll serve
    plimsoll serve --scenario october-2025 --pace 60
    plimsoll serve --options
    plimsoll serve --config plimsoll.toml
    plimsoll serve --config plimsoll.toml --check
    ```
    """
    settings = _settings(config, data=data, scenario=scenario, pace=pace, port=port, options=options)
    if check:
        from plimsoll.service.configuration import shown

        Voice.chosen(quiet=False, as_json=True).tell(lambda _: None, lambda: shown(settings))
        return
    try:
        from plimsoll.dashboard.pages import pages
        from plimsoll.service.process import serve
    except ModuleNotFoundError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            f"{error.name} is not installed",
            where="plimsoll serve",
            remedy="pip install 'plimsoll-margin[service]'",
        ) from error
    serve(settings, program(), pages(), _tell)


def _settings(
    config: Path | None,
    *,
    data: Path | None,
    scenario: str | None,
    pace: float | None,
    port: int | None,
    options: bool,
) -> "ServiceSettings":
    """Read file and environment, with the options as the last word."""
    from plimsoll.service.configuration import PREFIX, read_settings

    said = {
        "STORE__FOLDER": data,
        "REPLAY__SCENARIO": scenario,
        "REPLAY__PACE": pace,
        "LISTEN__PORT": port,
        "REPLAY__OPTIONS": "true" if options else None,
    }
    given = {PREFIX + name: str(value) for name, value in said.items() if value is not None}
    if scenario is not None:
        given[f"{PREFIX}FEED"] = "replay"
    return read_settings(config, {**os.environ, **given})


def _tell(address: str) -> None:
    sys.stdout.write(f"dashboard: {address}\n")
    sys.stdout.flush()

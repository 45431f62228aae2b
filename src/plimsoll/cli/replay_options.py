"""Which options belong to a replay alone?"""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import typer

from plimsoll.errors import Code, PlimsollError

__all__ = ["Asked", "History", "Out", "OwnBars", "Policies", "ScenarioName", "Seed"]

ScenarioName: TypeAlias = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="A crash or stress; `plimsoll scenarios` lists them."),
]
OwnBars: TypeAlias = Annotated[
    Path | None,
    typer.Option("--bars", metavar="FILE", help="Or your own bars, Parquet or CSV, of any bar length."),
]
History: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--history",
        metavar="FILE",
        help="Older bars, known to calibration at the start. Default: what --bars holds before --from.",
    ),
]
Policies: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="NAME",
        help="Repeat it per policy. Default: static, static-matched, dynamic, plimsoll.",
    ),
]
Seed: TypeAlias = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Of accounts and of minutes within hours. Default: 1."),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FOLDER", help="Folder of the run. Default: runs/ and the scenario or file."
    ),
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed, as given on the command line."""

    scenario: str | None
    bars: Path | None
    history: Path | None
    markets: str | None
    first: str | None
    last: str | None

    @property
    def name(self) -> str:
        """Name the run after what it replays; raises `BAD_SETTING` where that is not one thing."""
        if self.scenario is not None and self.bars is None:
            self._refuse_cut()
            return self.scenario
        if self.bars is not None and self.scenario is None:
            return self.bars.name.partition(".")[0]
        raise PlimsollError(
            Code.BAD_SETTING,
            "either a scenario or a file of bars is replayed",
            where="--scenario, --bars",
            remedy="Give one of them: --scenario black-thursday-2020, or --bars prices.parquet.",
        )

    def _refuse_cut(self) -> None:
        """A scenario has its own period and its own history."""
        given = {"--history": self.history, "--from": self.first, "--to": self.last}
        for option, value in given.items():
            if value is not None:
                raise PlimsollError(
                    Code.BAD_SETTING,
                    "a scenario has its own period and history",
                    where=option,
                    remedy="Leave it out, or replay your own bars with --bars.",
                )

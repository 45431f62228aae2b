"""What does a run leave in its folder, and on stdout for a script?"""

from pathlib import Path

from plimsoll.cli.program import libraries, program
from plimsoll.cli.run_folder import JOURNALS, RECORD, REPORT, SETTINGS, SUMMARY
from plimsoll.report.files import write_json, write_whole
from plimsoll.report.html import render_page
from plimsoll.report.summary import summarise
from plimsoll.sim.outcome import Replay

__all__ = ["summary_document", "write_run"]


def write_run(replay: Replay, folder: Path, command: str) -> None:
    """Write the report, the summary, the settings and the record of a run beside its journals."""
    write_whole(folder / REPORT, render_page(replay, program=program(), command=command).encode())
    write_json(folder / SETTINGS, replay.settings)
    write_json(folder / SUMMARY, summary_document(replay))
    write_json(folder / RECORD, _record(replay, folder, command))


def summary_document(replay: Replay) -> dict[str, object]:
    """Give what the terminal shows, as values: the sentences, and every figure of every policy."""
    return {
        "title": replay.title,
        "first": int(replay.times[0]),
        "last": int(replay.times[-1]),
        "markets": replay.markets,
        "summary": summarise(replay).sentences,
        "policies": [outcome.summary for outcome in replay.outcomes],
    }


def _record(replay: Replay, folder: Path, command: str) -> dict[str, object]:
    return {
        "program": program(),
        "libraries": libraries(),
        "command": command,
        "source": replay.source,
        "inputs": replay.inputs,
        "settings": replay.settings,
        "results": {
            outcome.policy: {"journal": outcome.summary.journal, "state": outcome.summary.state}
            for outcome in replay.outcomes
        },
        "journals": sorted(f"{JOURNALS}/{path.name}" for path in (folder / JOURNALS).glob("*")),
    }

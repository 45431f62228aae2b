"""How does one setting change a replay: here, twelve hours of notice instead of twenty-four?

Run: python examples/replay_with_other_settings.py
"""

import tempfile
from pathlib import Path

from msgspec import structs

from plimsoll.domain.bars import MINUTE
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.scenarios.library import daily_history, path, scenario
from plimsoll.sim.outcome import PolicySummary
from plimsoll.sim.replay import Origin, replay
from plimsoll.sim.settings import PopulationSettings, ReplaySettings
from plimsoll.store.journal import FileJournal

NAME = "gap-30"
SMALL = ReplaySettings(policies=("plimsoll",), population=PopulationSettings(accounts=400))


def outcome(settings: ReplaySettings, journals: Path) -> PolicySummary:
    """Replay the scenario once; the journal is written as the engine asks, and thrown away here."""
    entry = scenario(NAME)
    drawn = path(NAME, length=settings.step_minutes * MINUTE, seed=settings.seed)
    origin = Origin(entry.title, entry.summary, entry.source, inputs=())
    with FileJournal(journals / "plimsoll.journal") as journal:
        result = replay(
            origin,
            drawn,
            daily_history(entry.first),
            settings,
            journal=lambda _name: journal,
            progress=lambda _name, _done, _total: None,
        )
    return result.outcomes[0].summary


def main() -> None:
    """Replay with both notices and print what they changed."""
    shorter = CalibrationSettings(guard=GuardSettings(notice_hours=12.0))
    with tempfile.TemporaryDirectory() as folder:
        for settings in (SMALL, structs.replace(SMALL, calibration=shorter)):
            summary = outcome(settings, Path(folder))
            print(
                f"notice {settings.calibration.guard.notice_hours:g} h: "
                f"initial margin {summary.mean_initial:.1%}, admitted ${summary.admitted:,.0f}, "
                f"liquidated {summary.liquidated}, bad debt ${summary.bad_debt:,.0f}"
            )


if __name__ == "__main__":
    main()

"""What rates does the daily history that comes with Plimsoll support on two dates, and what holds them there?

Run: python examples/calibrate_from_history.py
"""

from datetime import UTC, datetime

from rich.console import Console

from plimsoll.calibration import calibrate
from plimsoll.domain.parameters import Provenance
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.report.parameters import show_parameters
from plimsoll.scenarios.library import daily_history

ORIGIN = Provenance(program="examples/calibrate_from_history.py", settings="", inputs=("daily history",))


def main() -> None:
    """Calibrate at the eve of the crash of March 2020 and on a calm day, from what was known by then."""
    settings = CalibrationSettings()
    for day in (datetime(2020, 3, 12, tzinfo=UTC), datetime(2023, 8, 1, tzinfo=UTC)):
        bars = daily_history(round(day.timestamp() * 1000))
        parameters = calibrate(bars, settings, ORIGIN)
        show_parameters(parameters, Console(width=100, highlight=False))
        print()


if __name__ == "__main__":
    main()

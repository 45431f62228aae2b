"""What must an account hold that is long one market and short another, and how much does the hedge save?

Run: python examples/margin_a_hedged_account.py
"""

from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console

from plimsoll.calibration import calibrate
from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.money import units
from plimsoll.domain.parameters import Provenance
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.margin.explain import explain
from plimsoll.report.explanation import show_explanation
from plimsoll.scenarios.library import daily_history

DESK = Account(
    name="desk",
    collateral=(CollateralBalance("USD", Decimal(25_000)), CollateralBalance("BTC", Decimal("0.2"))),
    positions=(
        Position("BTC-PERP", Decimal(2), Decimal(41_000)),
        Position("ETH-PERP", Decimal(-30), Decimal(2_300)),
    ),
)


def main() -> None:
    """Margin the account at the last daily closes before 1 January 2024, then show the reasons."""
    day = round(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
    origin = Provenance(program="examples/margin_a_hedged_account.py", settings="", inputs=("daily history",))
    parameters = calibrate(daily_history(day), CalibrationSettings(), origin)
    explanation = explain(DESK, parameters, marks={})
    show_explanation(explanation, Console(width=100, highlight=False))
    alone = sum(line.alone for line in explanation.positions)
    print(f"\nWithout any netting it would need ${units(alone):,.2f}.")


if __name__ == "__main__":
    main()

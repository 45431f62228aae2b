"""What must who sold calls hold under the rules of two venues, and how much does a future save?

Run: python examples/margin_options.py
"""

from datetime import UTC, datetime

from plimsoll import Level, Portfolio, Quotes, market_of, requirement

QUOTES = Quotes(
    time=datetime(2026, 1, 15, 8, tzinfo=UTC),
    prices={"BTC": 95_000.0, "BTC-PERP": 95_040.0, "BTC-27MAR26": 96_100.0},
    volatilities={"BTC-27MAR26-110000-C": 0.49},
)
SHORT = {"BTC-27MAR26-110000-C": -2.0}


def main() -> None:
    """Margin two calls sold, then the same hedged by a future."""
    market = market_of(QUOTES)
    for name in ("derive-pmrm2", "span-16"):
        for title, holdings in (
            ("two calls sold", SHORT),
            ("with a future bought", SHORT | {"BTC-27MAR26": 0.8}),
        ):
            needed = requirement(Portfolio.of(holdings, cash=120_000.0), market, name, Level.INITIAL)
            parts = ", ".join(f"{part.name} {part.amount:,.0f}" for part in needed.parts if part.amount)
            print(f"{name:<14} {title:<20} {needed.required:>9,.0f}   worst: {needed.worst}   ({parts})")


if __name__ == "__main__":
    main()

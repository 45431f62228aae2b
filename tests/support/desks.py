"""Where does a test get an account with options, as a user writes it, and quotes to margin it at?"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.market import Market
from plimsoll.domain.quotes import Quotes, market_of

__all__ = ["DESK", "QUOTES", "market", "write_desk"]

QUOTES = Quotes(
    time=datetime(2026, 1, 15, 8, tzinfo=UTC),
    prices={
        "BTC": 95_000.0,
        "BTC-PERP": 95_020.0,
        "BTC-27MAR26": 96_100.0,
        "ETH": 3_300.0,
        "ETH-PERP": 3_297.0,
    },
    rates={"BTC-27MAR26": 0.04},
    volatilities={
        "BTC-27MAR26-80000-P": 0.58,
        "BTC-27MAR26-90000-P": 0.52,
        "BTC-27MAR26-110000-C": 0.48,
    },
)

DESK = Account(
    name="desk",
    collateral=(CollateralBalance("USD", Decimal("91000.25")), CollateralBalance("BTC", Decimal("0.3"))),
    positions=(
        Position("BTC-PERP", Decimal(2), Decimal(94000)),
        Position("BTC-27MAR26", Decimal("-0.7"), Decimal(97000)),
        Position("BTC-27MAR26-110000-C", Decimal(-5), Decimal(3300)),
        Position("BTC-27MAR26-80000-P", Decimal(-3), Decimal(3100)),
        Position("ETH-PERP", Decimal(-11), Decimal(3350)),
    ),
)
"""Loses when BTC falls and when it rises: it has a liquidation price on both sides."""


def market() -> Market:
    """Give the quotes as a market."""
    return market_of(QUOTES, "quotes")


def write_desk(folder: Path, account: Account = DESK, quotes: object = QUOTES) -> tuple[str, ...]:
    """Write both to files; return the options that name them."""
    (folder / "desk.json").write_bytes(msgspec.json.encode(account))
    (folder / "quotes.json").write_text(json.dumps(msgspec.to_builtins(quotes)))
    return ("--account", "desk.json", "--quotes", "quotes.json")

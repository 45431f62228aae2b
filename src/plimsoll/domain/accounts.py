"""What does an account hold, as a user writes it down?"""

from decimal import Decimal

import msgspec
from msgspec import structs

__all__ = ["Account", "CollateralBalance", "Position"]


class CollateralBalance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount of one asset posted as collateral; the quote currency itself counts at par.

    Attributes
    ----------
    asset : str        ``USD`` or a market such as ``BTC``.
    amount : Decimal   Units of the asset, not negative except in the quote currency (a debt).
    """

    asset: str
    amount: Decimal

    def __post_init__(self) -> None:
        _as_decimals(self, "amount")


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed quantity of one instrument.

    Attributes
    ----------
    instrument : str       Name, such as ``BTC-PERP``.
    quantity : Decimal     Base units, positive long, negative short.
    entry_price : Decimal  Average price it was opened at, quote currency per base unit.
    """

    instrument: str
    quantity: Decimal
    entry_price: Decimal

    def __post_init__(self) -> None:
        _as_decimals(self, "quantity", "entry_price")


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is margined together: one owner's collateral and positions."""

    name: str
    collateral: tuple[CollateralBalance, ...] = ()
    positions: tuple[Position, ...] = ()


def _as_decimals(written: msgspec.Struct, *names: str) -> None:
    """Let a program write plain numbers: what they show is what is meant, 0.1 is a tenth."""
    for name in names:
        figure = getattr(written, name)
        if not isinstance(figure, Decimal):
            structs.force_setattr(written, name, Decimal(str(figure)))

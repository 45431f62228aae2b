"""What does an account hold, as a user writes it down?"""

from decimal import Decimal

import msgspec

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


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is margined together: one owner's collateral and positions."""

    name: str
    collateral: tuple[CollateralBalance, ...] = ()
    positions: tuple[Position, ...] = ()

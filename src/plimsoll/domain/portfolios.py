"""What does a portfolio hold, as numbers ready to be valued?"""

from msgspec import Struct

from plimsoll.domain.instruments import Instrument

__all__ = ["Collateral", "Holding", "Portfolio"]


class Holding(Struct, frozen=True, forbid_unknown_fields=True):
    """A signed quantity of one instrument, in base units; positive is long."""

    instrument: Instrument
    quantity: float


class Collateral(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount of an asset posted as collateral."""

    asset: str
    amount: float


class Portfolio(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is margined together.

    Attributes
    ----------
    cash : float        Quote currency; a debt is negative.
    unrealised : float  Profit of perpetuals and futures since they were last settled, funding included.
    holdings : tuple of Holding
    collateral : tuple of Collateral
    """

    cash: float = 0.0
    unrealised: float = 0.0
    holdings: tuple[Holding, ...] = ()
    collateral: tuple[Collateral, ...] = ()

"""What does a portfolio hold, as numbers ready to be valued?"""

from collections.abc import Mapping

from msgspec import Struct

from plimsoll.domain.instruments import Instrument, parse_instrument

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

    @classmethod
    def of(
        cls,
        holdings: Mapping[str, float],
        *,
        cash: float = 0.0,
        unrealised: float = 0.0,
        collateral: Mapping[str, float] | None = None,
    ) -> "Portfolio":
        """Write a portfolio down by names.

        Parameters
        ----------
        holdings : mapping     Base units by instrument: ``{"BTC-PERP": 1.5, "BTC-27MAR26-90000-P": -10}``.
        collateral : mapping   Amounts by asset.

        Raises
        ------
        PlimsollError   `UNKNOWN_INSTRUMENT` for a name that is none.
        """
        return cls(
            cash=cash,
            unrealised=unrealised,
            holdings=tuple(
                Holding(parse_instrument(name, f"holdings.{name}"), quantity)
                for name, quantity in holdings.items()
            ),
            collateral=tuple(Collateral(asset, amount) for asset, amount in (collateral or {}).items()),
        )

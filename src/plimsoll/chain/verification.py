"""Do contract, twin and off-chain engine ask the same of every account?"""

from msgspec import Struct

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.mirror import Holding, Mirror, mirrored
from plimsoll.chain.off_chain import off_chain

__all__ = ["AccountCheck", "Compared", "Verification", "verify"]


class Compared(Struct, frozen=True, kw_only=True):
    """One figure, said three times; quanta.

    Attributes
    ----------
    name : str             equity, maintenance, call or initial.
    contract, twin : int   By the exact path; equal to the unit.
    engine : int           By the off-chain engine, in double precision.
    bound : int            Quanta that the contract may be off, against the account and never in its favour.
    agrees : bool
    """

    name: str
    contract: int
    twin: int
    engine: int
    bound: int
    agrees: bool


class AccountCheck(Struct, frozen=True, kw_only=True):
    """One account, asked three times.

    Attributes
    ----------
    account : str
    figures : tuple of Compared
    packed_agrees : bool   Whether the contract says by packed rows what the twin says by them.
    """

    account: str
    figures: tuple[Compared, ...]
    packed_agrees: bool

    @property
    def agrees(self) -> bool:
        """Say whether all of it does."""
        return self.packed_agrees and all(figure.agrees for figure in self.figures)


class Verification(Struct, frozen=True, kw_only=True):
    """Everything that was compared at one block.

    Attributes
    ----------
    block : int
    accounts : tuple of AccountCheck
    cash, fund, shortfall : int   Of the whole ledger.
    unsettled : int               What lots that are still to be settled are fixed to pay.
    balance : int                 What the house holds of the token: cash + unsettled + fund - shortfall.
    agrees : bool                 Whether all of it does.
    """

    block: int
    accounts: tuple[AccountCheck, ...]
    cash: int
    fund: int
    shortfall: int
    unsettled: int
    balance: int
    agrees: bool


def verify(connection: Connection, deployment: Deployment) -> Verification:
    """Compare contract, twin and engine for every account at the latest block."""
    mirror = mirrored(connection, deployment)
    checks = tuple(
        _checked(mirror, deployment, holding, place) for place, holding in enumerate(mirror.holdings)
    )
    house = deployment.bound(connection, "house")
    quote = connection.node.to_checksum_address(house.read("QUOTE"))
    asked = {"to": quote, "data": "0x70a08231" + house.address.removeprefix("0x").rjust(64, "0")}
    balance = int.from_bytes(
        connection.patiently(lambda: connection.node.eth.call(asked, mirror.block)), "big"
    )
    cash = sum(holding.cash for holding in mirror.holdings)
    unsettled = sum(_unsettled(mirror, house, holding) for holding in mirror.holdings)
    whole = cash + unsettled + mirror.fund - mirror.shortfall == balance
    return Verification(
        block=mirror.block,
        accounts=checks,
        cash=cash,
        fund=mirror.fund,
        shortfall=mirror.shortfall,
        unsettled=unsettled,
        balance=balance,
        agrees=whole and all(check.agrees for check in checks),
    )


def _unsettled(mirror: Mirror, house: Bound, holding: Holding) -> int:
    """Add up what an account's expired lots are fixed to pay and have not been paid."""
    due = 0
    for instrument, lots in holding.book.items():
        fixed = house.read("fixed", instrument, block=mirror.block)
        if fixed and fixed == mirror.margin.expiry(mirror.message, instrument):
            due += lots * house.read("payoffs", instrument, block=mirror.block)
    return due


def _checked(mirror: Mirror, deployment: Deployment, holding: Holding, place: int) -> AccountCheck:
    given = (mirror.message, holding.account, holding.cash, holding.book, holding.collateral)
    contract, twin = mirror.exact[place], mirror.margin.assess_exactly(*given)
    engine = off_chain(mirror, deployment.markets, holding)
    figures = (
        _compared("equity", (contract.equity, twin.equity, engine.equity), engine.slack, lower=True),
        *(
            _compared(name, said, bound, lower=False)
            for name, said, bound in zip(
                ("maintenance", "call", "initial"),
                (
                    (contract.maintenance, twin.maintenance, engine.maintenance),
                    (contract.called, twin.called, engine.call),
                    (contract.initial, twin.initial, engine.initial),
                ),
                engine.bounds,
                strict=True,
            )
        ),
    )
    return AccountCheck(
        account=holding.account,
        figures=figures,
        packed_agrees=mirror.margin.assess(*given) == mirror.assessments[place],
    )


def _compared(name: str, said: tuple[int, int, int], bound: int, *, lower: bool) -> Compared:
    """Compare to the unit with the twin, and within a bound on the account's side with the engine."""
    contract, twin, engine = said
    apart = engine - contract if lower else contract - engine
    agrees = contract == twin and 0 <= apart <= bound
    return Compared(name=name, contract=contract, twin=twin, engine=engine, bound=bound, agrees=agrees)

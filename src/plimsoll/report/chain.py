"""How is what stands on chain shown to a person?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from plimsoll.domain.money import units

if TYPE_CHECKING:
    from plimsoll.chain.deployment import Deployment
    from plimsoll.chain.option_publisher import BoardOutcome
    from plimsoll.chain.publisher import Published
    from plimsoll.chain.standing import Standing
    from plimsoll.chain.verification import Verification

__all__ = ["show_board", "show_deployment", "show_published", "show_standing", "show_verification"]


def show_deployment(deployment: "Deployment", console: Console) -> None:
    """Show where each contract stands and what it cost."""
    table = _table("contract", "address", "gas")
    for part, gas in deployment.gas.items():
        table.add_row(part, getattr(deployment, part), f"{gas:,}")
    console.print(table)


def show_published(published: "Published", console: Console) -> None:
    """Say how far a publication came."""
    signed = f"{len(published.signers)} of {published.threshold} signatures"
    console.print(
        f"version {published.version}, nonce {published.nonce}: {published.outcome.value}, {signed}"
    )
    for signer in published.signers:
        console.print(f"  signed by {signer}")
    if published.gas:
        console.print(f"  gas {published.gas:,}")


def show_board(found: "BoardOutcome", console: Console) -> None:
    """Say how far a listing or a publication of options came."""
    signed = f"{len(found.signers)} of {found.threshold} signatures"
    what = f"{found.market}, board {found.board}, {found.instruments} instruments"
    console.print(f"{what}: {found.outcome.value}, {signed}")
    for signer in found.signers:
        console.print(f"  signed by {signer}")
    if found.gas:
        console.print(f"  gas {found.gas:,}")


def show_verification(found: "Verification", console: Console) -> None:
    """Show each account as contract, twin and off-chain engine see it."""
    table = _table("account", "", "contract", "twin", "engine, off chain", "")
    for check in found.accounts:
        for place, figure in enumerate(check.figures):
            money = (f"{units(amount):,.6f}" for amount in (figure.contract, figure.twin, figure.engine))
            name = check.account if place == 0 else ""
            table.add_row(name, figure.name, *money, _verdict(agrees=figure.agrees))
        if not check.packed_agrees:
            table.add_row("", "packed rows", "", "", "", _verdict(agrees=False))
    console.print(table)
    ledger = f"cash {units(found.cash):,.6f} + fund {units(found.fund):,.6f}"
    if found.unsettled:
        ledger += f" + unsettled {units(found.unsettled):,.6f}"
    ledger += f" - shortfall {units(found.shortfall):,.6f} = held {units(found.balance):,.6f}"
    console.print(f"block {found.block}: {ledger}: {_verdict(agrees=found.agrees)}")


def show_standing(found: "Standing", console: Console) -> None:
    """Show rates, prices and what stands behind them."""
    table = _table("market", "price", "doubt", "vol/h", "maintenance", "initial", "age", "")
    for market in found.markets:
        notes = [word for word, true in (("stale", market.stale), ("no live price", not market.live)) if true]
        table.add_row(
            market.market,
            f"{market.price:,.2f}",
            f"{market.doubt:,.2f}",
            f"{market.volatility:.3%}",
            _pair(market.maintenance),
            _pair(market.initial),
            f"{market.age:,} s",
            ", ".join(notes),
        )
    console.print(table)
    for board in found.boards:
        told = f"{board.market}, board {board.board}: {board.instruments} instruments, "
        console.print(
            told + (f"quotes {board.age:,} s old, {board.state}" if board.age is not None else board.state)
        )
    flags = [word for word in ("paused", "winding_down", "allocating") if getattr(found, word)]
    state = ", ".join(flags).replace("_", " ") or "open"
    console.print(f"block {found.block}: version {found.version}, nonce {found.nonce}, {state}")
    console.print(
        f"listing rights: {'kept on ' + ', '.join(found.listing) if found.listing else 'given up for ever'}"
    )
    console.print(
        f"accounts {found.accounts}, fund {units(found.fund):,.6f}, shortfall {units(found.shortfall):,.6f}"
    )


def _pair(rates: Sequence[float]) -> str:
    return " / ".join(f"{rate:.3%}" for rate in rates)


def _verdict(*, agrees: bool) -> str:
    return "agrees" if agrees else "DIFFERS"


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", no_wrap=True)
    return table

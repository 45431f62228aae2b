"""How do the prices read at which an account is liquidated?"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.margin.liquidation_price import REACH, LiquidationPrices
from plimsoll.report import figures
from plimsoll.report.ledger import exact, table_of

__all__ = ["show_liquidation_prices"]


def show_liquidation_prices(prices: LiquidationPrices, console: Console) -> None:
    """Print both sides, or that there is none."""
    name = (prices.account, "bold")
    if prices.liquidated:
        missing = exact(prices.maintenance - prices.equity, prices.currency)
        console.print(
            Text.assemble(name, " ", ("is liquidated today", "bold red"), f": {missing} are missing")
        )
        return
    console.print(Text.assemble(name, f" as {prices.market} moves and everything else is held"))
    console.print()
    console.print(_sides(prices))


def _sides(prices: LiquidationPrices) -> Table:
    table = table_of("", prices.reference, "from today")
    for side, price in (("liquidated above", prices.above), ("liquidated below", prices.below)):
        if price is None:
            table.add_row(side, "none", f"within a factor of {REACH:g}")
        else:
            table.add_row(side, f"${price:,.2f}", figures.share(price / prices.price - 1.0))
    table.add_section()
    table.add_row("today", f"${prices.price:,.2f}", "")
    return table

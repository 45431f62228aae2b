"""What is every instrument worth in every scenario, and what must be repriced when one market ticks?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.kernels.lanes import LANES
from plimsoll.kernels.repricing import NO_SKEW, reprice, reprice_few
from plimsoll.pricing.chain import Chain
from plimsoll.pricing.moves import Moves
from plimsoll.types import Matrix, Rows, Vector

__all__ = ["PriceTable", "price_table", "repriced"]

_FEW = 300_000
"""Cells that one thread prices in some milliseconds, which a second one takes to wake up where much runs."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Values per unit of each instrument.

    Attributes
    ----------
    chain : Chain
    moves : Moves
    value : Vector [I]     At the mark; quote currency, or coins where contracts are inverse.
    shocked : Matrix [I, S]   In each scenario.
    coin : bool            Whether values are in coins.
    """

    chain: Chain
    moves: Moves
    value: Vector
    shocked: Matrix
    coin: bool

    @property
    def change(self) -> Matrix:
        """Weighted profit per unit: Matrix [I, S]. For positions that net without further rules."""
        change: Matrix = (self.shocked - self.value[:, None]) * self.moves.weight[self.chain.slot]
        return change


def price_table(chain: Chain, moves: Moves, *, coin: bool = False) -> PriceTable:
    r"""Price a chain in every scenario.

    In quote currency an instrument is worth :math:`D V(F m, \sigma')`. In coins an option is worth that
    over the shocked forward, and a linear contract of one coin's worth today :math:`-1 / m`: its profit
    is :math:`1 - 1 / m = s / (1 + s)`.
    """
    empty = PriceTable(
        chain, moves, np.zeros(len(chain.slot)), np.zeros((len(chain.slot), len(moves.names))), coin
    )
    return _filled(empty, np.arange(len(chain.slot), dtype=np.intp))


def repriced(table: PriceTable, chain: Chain, moves: Moves, underlying: str) -> PriceTable:
    """Reprice the instruments of one underlying after its market ticked; the other rows stay as they are.

    Parameters
    ----------
    chain, moves   Of the same instruments and scenarios, built from the new quotes.
    """
    rows = np.flatnonzero(chain.underlying == chain.underlyings.index(underlying))
    renewed = replace(table, chain=chain, moves=moves, value=table.value.copy(), shocked=table.shocked.copy())
    return _filled(renewed, rows)


def _filled(table: PriceTable, rows: Rows) -> PriceTable:
    """Write the rows of a table that nobody else holds yet."""
    chain, moves = table.chain, table.moves
    terms = (chain.kind, chain.slot, chain.strike, chain.volatility, chain.forward, chain.tau, chain.discount)
    still = LANES - len(moves.names) % LANES
    price = reprice_few if len(rows) * len(moves.names) <= _FEW else reprice
    price(
        rows,
        *terms,
        np.pad(moves.multiple, ((0, 0), (0, still)), constant_values=1.0),
        np.pad(moves.scale, ((0, 0), (0, still)), constant_values=1.0),
        np.pad(moves.floor, (0, still)),
        np.pad(moves.skew, (0, still), constant_values=NO_SKEW),
        np.pad(moves.cap, ((0, 0), (0, still))),
        moves.width,
        table.shocked,
        table.value,
    )
    if table.coin:
        _in_coins(table, rows)
    return table


def _in_coins(table: PriceTable, rows: Rows) -> None:
    chain, multiple = table.chain, table.moves.multiple
    for i in rows:
        e = chain.slot[i]
        if chain.slots[e].is_option:
            table.value[i] /= chain.forward[e]
            table.shocked[i] /= chain.forward[e] * multiple[e]
        else:
            table.value[i] = -1.0
            table.shocked[i] = -1.0 / multiple[e]

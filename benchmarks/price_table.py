"""How long does one option in one scenario take, and what is repriced when one market ticks?

Peers: NumPy with SciPy's normal distribution over whole arrays, and QuantLib called option by option. The
limit is one exponential and one division per cell on whole vectors, measured in the same run: no formula for
the price needs less.
"""

import timeit
from collections.abc import Callable
from typing import Literal

import numpy as np
import QuantLib
from numba import get_num_threads, njit, prange
from scipy.special import ndtr

from plimsoll.domain.instruments import Option
from plimsoll.domain.market import ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.kernels.elementary import exponential
from plimsoll.kernels.repricing import CALL
from plimsoll.margin.profiles import profile
from plimsoll.pricing import Chain, Moves, build_chain, build_moves, price_table, repriced
from plimsoll.types import Matrix

__all__ = ["main"]

UNDERLYINGS, EXPIRIES, STRIKES = 10, 10, 50
DAY = 86_400_000
REPEATS = 40
PEER_CELLS = 20_000
RIGHTS: tuple[Literal["C", "P"], ...] = ("C", "P")


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the shortest of several runs: what the machine does when nothing else disturbs it."""
    return min(timeit.repeat(work, number=1, repeat=repeats))


def market() -> Market:
    """Quote a venue's worth of options."""
    underlyings, options = [], []
    for u in range(UNDERLYINGS):
        name, spot = f"U{u}", 100.0 * (1 + u)
        steps = [((3 + 30 * e) * DAY, spot * (1 + 0.002 * e)) for e in range(EXPIRIES)]
        expiries = tuple(ExpiryQuote(expiry=expiry, forward=forward) for expiry, forward in steps)
        underlyings.append(UnderlyingQuote(underlying=name, spot=spot, expiries=expiries))
        for expiry in expiries:
            for k, moneyness in enumerate(np.linspace(0.5, 1.8, STRIKES)):
                for right in RIGHTS:
                    option = Option(name, expiry.expiry, float(spot * moneyness), right)
                    options.append(OptionQuote(option, 0.4 + 0.005 * k))
    return Market(time=0, underlyings=tuple(underlyings), options=tuple(options))


def cells(chain: Chain, moves: Moves) -> tuple[Matrix, Matrix, Matrix, Matrix, Matrix]:
    """Spread the inputs of every cell, Matrix [I, S] all: forward, strike, deviation, discount, call."""
    e = chain.slot
    forward = chain.forward[e, None] * moves.multiple[e]
    sigma = np.maximum(moves.floor, chain.volatility[:, None] * moves.scale[e])
    wide = np.ones_like(forward)
    deviation = sigma * np.sqrt(chain.tau[e, None])
    return (
        forward,
        chain.strike[:, None] * wide,
        deviation,
        chain.discount[e, None] * wide,
        (chain.kind == CALL)[:, None] * wide,
    )


def by_numpy(chain: Chain, moves: Moves) -> Matrix:
    """Price every cell as the textbook writes it, over whole arrays."""
    forward, strike, deviation, discount, call = cells(chain, moves)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    sign = 2.0 * call - 1.0
    prices: Matrix = discount * sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - deviation)))
    return prices


def by_quantlib(chain: Chain, moves: Moves) -> tuple[Callable[[], None], int]:
    """Return a loop over some cells, and how many; the inputs are plain numbers already."""
    wide = cells(chain, moves)
    every = wide[0].size // PEER_CELLS
    rows = list(zip(*(column.ravel()[::every].tolist() for column in wide), strict=True))

    right = {1.0: QuantLib.Option.Call, 0.0: QuantLib.Option.Put}

    def loop() -> None:
        for forward, strike, deviation, discount, kind in rows:
            QuantLib.blackFormula(right[kind], strike, forward, deviation, discount)

    return loop, len(rows)


@njit(parallel=True, error_model="numpy")
def least(table: Matrix, out: Matrix) -> None:
    """Take one exponential and one division per cell."""
    for i in prange(len(table)):
        for s in range(table.shape[1]):
            out[i, s] = exponential(table[i, s]) / (1.0 + table[i, s] * table[i, s])


def line(name: str, taken: float, count: int, ours: float) -> None:
    """Print nanoseconds per cell, and how ours compares."""
    each = taken / count
    print(f"{name:30} {1e9 * each:9.2f} ns per option and scenario {each / ours:9.2f} times ours")


def main() -> None:
    """Price a venue's chain in a grid of nine moves and three volatilities."""
    quotes = market()
    chain = build_chain(tuple(quote.option for quote in quotes.options), quotes)
    grid = profile("deribit-pm").scenarios[0]
    moves = build_moves(grid, chain, {})
    count = len(chain.kind) * len(moves.names)
    table = price_table(chain, moves)
    ours = best(lambda: price_table(chain, moves))
    print(f"{len(chain.kind):,} options x {len(moves.names)} scenarios, {get_num_threads()} threads")
    line("plimsoll, marks included", ours, count, ours / count)
    line("NumPy and SciPy", best(lambda: by_numpy(chain, moves)), count, ours / count)
    loop, looped = by_quantlib(chain, moves)
    line("QuantLib, option by option", best(loop, 3), looped, ours / count)
    inputs, out = -np.abs(table.shocked) / 1000.0, np.empty(table.shocked.shape)
    least(inputs, out)
    line("this machine's least", best(lambda: least(inputs, out)), count, ours / count)
    gap = np.abs(by_numpy(chain, moves) - table.shocked).max() / chain.forward.max()
    print(f"largest difference from NumPy {gap:.1e} of the forward")
    tick = best(lambda: repriced(table, chain, moves, "U3"))
    print(f"one of {UNDERLYINGS} underlyings ticks: {100 * tick / ours:.0f} % of the whole table's time")


if __name__ == "__main__":
    main()

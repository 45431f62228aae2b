"""How much more do packed rows and the screen by Greeks ask for than full repricing on chain?

Random books of one to ten options over four expiries, signs and sizes drawn; books whose loss is below a
thousandth of their gross notional are left out, for they have no meaningful relative error.
"""

import numpy as np

from plimsoll.chain.twin.boards import Board, Listing, Market
from plimsoll.chain.twin.greeks_engine import GreeksEngine
from plimsoll.chain.twin.margin_engine import MarginEngine
from plimsoll.chain.twin.positions import pack, unpack
from plimsoll.chain.twin.publication import Quote, publication

__all__ = ["main"]

BOOKS, SEED = 400, 7
START, DAY = 1_767_225_600, 86_400
WAD = 10**18
SPOT = 100_000 * WAD
LOT_QUANTA = 1_000_000_000
MEANINGFUL = 1e-3
SHARES = (0.05, 0.5, 0.95, 1.0)
EQUITIES = (1.25, 1.5, 2.0, 3.0)
"""Multiples of what full repricing asks for: the screen decides a book whose equity covers its bound."""


def main() -> None:
    """Print quantiles of both ratios, and how many books the screen decides."""
    engine = _engine()
    screen = GreeksEngine(engine)
    generator = np.random.default_rng(SEED)
    packed, bounded = [], []
    for _ in range(BOOKS):
        words = _book(generator, len(engine.boards[0].listings))
        (exact,), (rows,) = engine.exact(words, [SPOT], START), engine.packed(words, [SPOT], START)
        (bound,) = screen.greeks(words, [SPOT], START)
        loss = exact.value - exact.worst
        if loss >= MEANINGFUL * LOT_QUANTA * sum(abs(lots) for _, lots in unpack(words)):
            packed.append((exact.worst - rows.worst) / loss)
            bounded.append((bound.value - bound.worst) / loss - 1.0)
    print(f"{len(packed)} of {BOOKS} books; more than full repricing asks for, per cent of it:")
    for name, excess in (("packed rows", packed), ("screen by Greeks", bounded)):
        told = ", ".join(f"{share:.0%} {100 * np.quantile(excess, share):.3f}" for share in SHARES)
        print(f"  {name:<17}{told}")
    decided = ", ".join(
        f"{equity:g} times {100 * np.mean(np.array(bounded) <= equity - 1):.0f} %" for equity in EQUITIES
    )
    print(f"books that the screen decides with an equity of what full repricing asks for: {decided}")


def _engine() -> MarginEngine:
    """Publish 104 options of one market: a range of 15 %, volatility up 45 % or down 25 %, 31 scenarios."""
    steps = [round(10**6 * step / 5) for step in range(-5, 6)]
    cells = sorted((spot, move) for move in (0, 450_000, -250_000) for spot in steps)[:31]
    market = Market(lot=WAD // 100, spread=150_000, power=400_000, scenarios=tuple(cells))
    listings = tuple(
        Listing(kind, START + days * DAY, round(100_000 * moneyness) * WAD)
        for days in (7, 30, 90, 180)
        for moneyness in np.linspace(0.7, 1.3, 13)
        for kind in (1, 2)
    )
    sent = publication(market, listings, [Quote(10_000_000, 600_000)] * len(listings), spot=SPOT, as_of=START)
    board = Board(listings, sent.as_of, sent.spot, sent.notional, sent.decay, sent.rows)
    return MarginEngine({0: market}, {0: board})


def _book(generator: np.random.Generator, listed: int) -> list[int]:
    rows = generator.choice(listed, int(generator.integers(1, 11)), replace=False)
    return pack([(int(row), int(generator.choice([-1, 1]) * generator.integers(1, 200))) for row in rows])


if __name__ == "__main__":
    main()

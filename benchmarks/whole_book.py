"""How long does a whole venue take: a million accounts in a grid, and in joint scenarios with a shortfall?

The peer is SciPy: sparse positions times a dense price table in chunks, then the minimum or a partition. The
limit is what this machine can do at best, measured in the same run: positions read from memory once, table
rows read from a cache of the table's size (of a strip's, where that is smaller), one multiply-add per cell in
the nearest cache. The largest of the three is the floor. Caches are probed on one thread and belong to each.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray
from scipy import sparse

from plimsoll.kernels.lanes import LANES, MOST_BLOCKS, lowest_sum, on_lines
from plimsoll.margin.book import BookLosses, PositionRows, position_rows
from plimsoll.types import Array, Matrix, Vector

__all__ = ["main"]

ACCOUNTS = int(os.environ.get("PLIMSOLL_BENCH_ACCOUNTS", "1000000"))
POSITIONS = 10
INSTRUMENTS = 1_000
GRID, JOINT, TAIL = 33, 500, 13
REPEATS, BUDGET = 5, 2.0
CHUNK = 20_000
PEER_SHARE = 10
"""SciPy answers for a tenth of the accounts in the joint scenarios and is charged ten times as much."""
STREAM, PROBE = 1 << 24, 1 << 14
STRIP = LANES * MOST_BLOCKS


def best(work: Callable[[], object], budget: float = BUDGET) -> float:
    """Return the shortest run within some seconds: what the machine does when nothing else disturbs it."""
    taken: list[float] = []
    while len(taken) < REPEATS or sum(taken) < budget:
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


@njit()
def read(table: Matrix, columns: NDArray[np.int32], quantity: Vector) -> float:
    """Add up the rows of a table in the order of `columns`."""
    return lowest_sum(table, table, columns, quantity, 0, len(columns), (0, 0, 0, 0, 0, 0, 0, 0), ())


@njit(parallel=True)
def read_together(tables: Array, columns: NDArray[np.int32], quantity: Vector) -> Vector:
    """Let every thread read a table of its own."""
    lowest = np.zeros(len(tables))
    for t in prange(len(tables)):
        lowest[t] = read(tables[t], columns, quantity)
    return lowest


def rows_per_second(values: int) -> float:
    """Return how many rows of 64 values one thread adds up per second, from a table of so many values."""
    count = max(1, values // STRIP)
    columns = np.tile(np.arange(count, dtype=np.int32), max(1, PROBE // count))
    table, quantity = on_lines(np.ones((count, STRIP))), np.ones(len(columns))
    read(table, columns, quantity)
    return len(columns) / best(lambda: read(table, columns, quantity))


def bytes_per_second(threads: int) -> float:
    """Return how fast all threads together read what lies beyond every cache."""
    count = STREAM // (STRIP * threads)
    columns, quantity = np.arange(count, dtype=np.int32), np.ones(count)
    tables = on_lines(np.ones((threads, count, STRIP)))
    read_together(tables, columns, quantity)
    return tables.nbytes / best(lambda: read_together(tables, columns, quantity))


def floor(rows: PositionRows, scenarios: int) -> dict[str, float]:
    """Return the seconds that each limit of the machine would take by itself."""
    positions, threads = len(rows.quantity), get_num_threads()
    size = sum(part.nbytes for part in (rows.first, rows.last, rows.columns, rows.quantity)) + 8 * len(
        rows.first
    )
    near = positions * scenarios / (STRIP * threads)
    return {
        "memory": size / bytes_per_second(threads),
        "cache": near / rows_per_second(INSTRUMENTS * min(scenarios, STRIP)),
        "multiply-add": near / rows_per_second(STRIP),
    }


def peer(rows: PositionRows, change: Matrix, tail: int | None, accounts: int) -> float:
    """Return SciPy's seconds, for as many accounts as are asked for."""
    ends = np.append(rows.first, rows.last[-1])
    held = sparse.csr_array((rows.quantity, rows.columns, ends), shape=(len(rows.first), INSTRUMENTS))

    def work() -> None:
        for start in range(0, accounts, CHUNK):
            profits = held[start : start + CHUNK] @ change
            if tail is None:
                profits.min(axis=1)
            else:
                np.partition(profits, tail - 1, axis=1)[:, :tail].mean(axis=1)

    return best(work, 0.0)


def report(name: str, ours: float, theirs: float, limits: dict[str, float]) -> None:
    """Print one line of seconds and ratios."""
    lowest = max(limits.values())
    parts = ", ".join(f"{part} {1e3 * taken:.1f}" for part, taken in limits.items())
    print(f"{name:34} {1e3 * ours:8.1f} ms")
    print(f"  {'SciPy sparse @ dense, chunked':32} {1e3 * theirs:8.1f} ms   {theirs / ours:5.1f} times ours")
    ratio = ours / lowest
    print(f"  {'floor of this machine':32} {1e3 * lowest:8.1f} ms   ours is {ratio:.2f} times it ({parts})")


def measure(name: str, rows: PositionRows, change: Matrix, tail: int | None, share: int) -> BookLosses:
    """Time the whole book, its peer and its floor."""
    losses = BookLosses(rows, change, tail)
    everyone = np.arange(len(rows.first))
    ours = best(lambda: losses.answer(everyone))
    theirs = share * peer(rows, change, tail, len(rows.first) // share)
    report(name, ours, theirs, floor(rows, change.shape[1]))
    return losses


def increments(name: str, losses: BookLosses, change: Matrix, holders: int) -> None:
    """Time a tick of one instrument, of a tenth of them, and a trade of one account."""
    one, tenth = np.arange(1), np.arange(INSTRUMENTS // 10)
    for title, ticked in (("one instrument ticks", one), ("a tenth of them tick", tenth)):
        touched = len(losses.tick(ticked, change[ticked]))
        taken = best(lambda ticked=ticked: losses.tick(ticked, change[ticked]), 0.5)  # type: ignore[misc]
        print(f"  {name}, {title}: {1e3 * taken:.2f} ms for {touched} accounts")
    taken = best(lambda: losses.trade(holders // 2, 7, 0.5), 0.1)
    print(f"  {name}, one account trades: {1e6 * taken:.0f} us")


def memory(what: str) -> float:
    """Return the memory that the process holds (``VmRSS``) or held at most (``VmHWM``), GiB; Linux alone."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 2**20


def main() -> None:
    """Draw a book and print both questions."""
    rng = np.random.default_rng(1)
    count = ACCOUNTS * POSITIONS
    owners = np.repeat(np.arange(ACCOUNTS), POSITIONS)
    rows = position_rows(owners, rng.integers(0, INSTRUMENTS, count), rng.standard_normal(count), ACCOUNTS)
    grid = rng.standard_normal((INSTRUMENTS, GRID))
    factors = rng.standard_t(4, (3, JOINT))
    joint = rng.standard_normal((INSTRUMENTS, 3)) @ factors + 0.3 * rng.standard_t(4, (INSTRUMENTS, JOINT))
    size = f"{ACCOUNTS:,} accounts x {POSITIONS} positions of {INSTRUMENTS:,} instruments"
    print(f"{size}, {get_num_threads()} threads")
    for change, tail in ((grid, None), (joint, TAIL)):
        began = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        BookLosses(rows, change, tail)
        more = memory("VmHWM") - began
        print(f"  {change.shape[1]} scenarios: {more:.2f} GiB beyond the positions at the peak")
    losses = measure(f"{GRID} grid scenarios, worst", rows, grid, None, 1)
    increments("grid", losses, grid, ACCOUNTS)
    losses = measure(f"{JOINT} joint scenarios, shortfall", rows, joint, TAIL, PEER_SHARE)
    increments("joint", losses, joint, ACCOUNTS)


if __name__ == "__main__":
    main()

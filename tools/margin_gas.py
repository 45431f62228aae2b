"""How much gas does the margin of a book take on a real node, by path and by size of the book?

`python -m tools.margin_gas` measures on anvil and writes the snapshot and the table of docs/reference/gas.md,
to which a test then holds the contracts. Every figure is of a transaction of its own, so slots and addresses
start cold; positions are read from another contract's storage within what is measured.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from plimsoll.chain.compilation import CONTRACTS, compile_contract
from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.twin.boards import Listing, Market
from plimsoll.chain.twin.positions import pack
from plimsoll.chain.twin.publication import Quote, publication
from tests.support.boards import DAY, START, WAD, ladder
from tests.support.evm import ARTEFACTS, MOCKS
from tools.anvil import running

__all__ = ["PAGE", "SIZES", "SNAPSHOT", "main", "measured", "table"]

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "tests" / "chain" / "margin_gas.json"
PAGE = ROOT / "docs" / "reference" / "gas.md"
SIZES = (1, 2, 10, 20, 50, 100)
PATHS = ("packed", "exact", "greeks")
EXPIRIES = (7, 30, 90, 180)
SPOT = 100_000 * WAD
SEED = 3
LOTS = 200
TITLES = {
    "packed": "packed rows",
    "exact": "exact Black-76",
    "greeks": "delta-gamma-vega with remainder",
    "refresh": "refresh of a board, per row of 104, total",
    "set_range": "new range of a market, total",
    "challenge": "challenge of a row, total",
}


def main() -> None:
    """Measure, and write the snapshot and the page's table."""
    with running(START) as rpc:
        found = measured(rpc)
    SNAPSHOT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    first, last = page.index("| margin check"), page.index("\n\n", page.index("| challenge of a row"))
    PAGE.write_text(page[:first] + table(found) + page[last:], encoding="utf-8")
    print(table(found))


def table(found: dict[str, int]) -> str:
    """Lay the figures out as the page shows them."""
    heads = ["margin check, gas per option", *(f"{size}" for size in SIZES)]
    rows = [heads, ["---", *("---:" for _ in SIZES)]]
    rows += [[TITLES[path], *(f"{found[f'{path} {size}']:,}" for size in SIZES)] for path in PATHS]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    others = ["", "| other | gas |", "|---|---:|"]
    others += [f"| {TITLES[name]} | {found[name]:,} |" for name in ("refresh", "set_range", "challenge")]
    return "\n".join([*lines, *others])


def measured(rpc: str) -> dict[str, int]:
    """Measure on a fresh node: 31 scenarios besides today, one market, 104 options of four expiries."""
    line = Connection(rpc, b"\x42" * 32, ARTEFACTS)
    line.node.provider.make_request("anvil_setBalance", [line.sender, hex(10**24)])
    engine, _ = line.deploy("MarginEngine", line.sender, line.sender, line.sender)
    screen, _ = line.deploy("GreeksEngine", engine.address)
    market = Market(lot=WAD // 100, spread=150_000, power=400_000, scenarios=ladder(31))
    engine.send("open_market", 0, market.lot, market.spread, market.power, market.scenarios)
    listings = _listings()
    engine.send("list_board", 0, 0, [listing.word for listing in listings])
    _publish(line, engine, market, listings)
    found = {"set_range": int(engine.send("set_range", 0, market.spread)["gasUsed"])}
    found["refresh"] = round(_publish(line, engine, market, listings) / len(listings))
    found["challenge"] = int(engine.send("challenge", 0, 0, 3)["gasUsed"])
    mock = compile_contract("book_mock", roots=(CONTRACTS, MOCKS), cache=ARTEFACTS)
    house, _ = line.deploy(mock, engine.address, screen.address)
    return found | _books(house, len(listings))


def _listings() -> list[Listing]:
    return [
        Listing(kind, START + days * DAY, round(100_000 * moneyness) * WAD)
        for days in EXPIRIES
        for moneyness in np.linspace(0.7, 1.3, 13)
        for kind in (1, 2)
    ]


def _publish(line: Connection, engine: Bound, market: Market, listings: list[Listing]) -> int:
    line.node.provider.make_request("evm_increaseTime", [12])
    line.node.provider.make_request("evm_mine", [])
    quotes = [Quote(10_000_000, 600_000)] * len(listings)
    sent = publication(market, listings, quotes, spot=SPOT, as_of=line.block()[1])
    header = (sent.as_of, sent.spot, sent.notional, sent.decay)
    return int(engine.send("publish", 0, 0, *header, sent.encoded)["gasUsed"])


def _books(house: Bound, listed: int) -> dict[str, int]:
    """Ask for books of every size; what the house logs is the gas of reading positions and asking."""
    generator = np.random.default_rng(SEED)
    found = {}
    for size in SIZES:
        account = f"0x{size + 1000:040x}"
        rows = generator.choice(listed, size, replace=False).tolist()
        lots = generator.choice([-1, 1], size) * generator.integers(1, LOTS, size)
        house.send("fill", account, pack(list(zip(rows, lots.tolist(), strict=True))))
        for path in PATHS:
            receipt: dict[str, Any] = house.send(path, account, [SPOT, *[0] * 7])
            gas = int.from_bytes(bytes(receipt["logs"][0]["data"])[32:64], "big")
            found[f"{path} {size}"] = round(gas / size)
    return found


if __name__ == "__main__":
    main()

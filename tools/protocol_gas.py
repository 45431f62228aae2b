"""How much gas do an update of rates and an observation of prices take on a real node?

`python -m tools.protocol_gas` measures on anvil, where each transaction starts with cold slots, and writes
what a test holds the contracts to. Totals include the 21,000 that any transaction costs.
"""

import json
from pathlib import Path
from typing import Any

from plimsoll.chain.compilation import CONTRACTS, compile_contract
from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.hashing import Signature, signed
from plimsoll.chain.twin.boards import Listing, Market
from plimsoll.chain.twin.option_bounds import listing_message, publication_message
from plimsoll.chain.twin.price_oracle import CHAINLINK, Feed, Rules
from plimsoll.chain.twin.publication import Quote, publication
from plimsoll.chain.twin.quorum import typed
from plimsoll.chain.twin.rates import Update, message_of
from tests.support.boards import DAY, WAD, ladder
from tests.support.evm import ARTEFACTS, MOCKS
from tests.support.option_desks import OPTION_BOUNDS
from tests.support.pairs import key_of
from tests.support.reporters import BITCOIN, BOUNDS, ETHER, RATES, REACH, REPORTERS, THRESHOLD
from tools.anvil import running

__all__ = ["SNAPSHOT", "main", "measured"]

SNAPSHOT = Path(__file__).resolve().parents[1] / "tests" / "integration" / "protocol_gas.json"
INTRINSIC = 21_000
BEGIN = 1_767_225_600
E8 = 10**8
FEEDS, BATCHES = (1, 3), (1, 5, 10)


def main() -> None:
    """Measure, and write the snapshot."""
    with running(BEGIN) as rpc:
        text = json.dumps(measured(rpc), indent=2) + "\n"
    SNAPSHOT.write_text(text, encoding="utf-8")
    print(text, end="")


def measured(rpc: str) -> dict[str, int]:
    """Measure on a fresh node; an update's share per market is the difference that a second market makes."""
    line = Connection(rpc, b"\x42" * 32, ARTEFACTS)
    line.node.provider.make_request("anvil_setBalance", [line.sender, hex(10**24)])
    oracle, _ = line.deploy("PriceOracle", line.sender)
    gas: dict[str, int] = {}
    for feeds in FEEDS:
        gas |= _observations(line, oracle, feeds)
    contract, totals = _updated(line, oracle)
    gas["update, 1 market, 3 signatures, total"] = totals[0]
    gas["update, each further market"] = totals[1] - totals[0]
    gas["publication through the desk, per row of 104, 3 signatures, total"] = _published(line, contract)
    return gas


def _observations(line: Connection, oracle: Bound, count: int) -> dict[str, int]:
    """Observe one market, and several in one transaction, each with so many feeds of its own."""
    names = [bytes([count, place]) + bytes([7]) * 30 for place in range(max(BATCHES))]
    feeds = _listed(line, oracle, names, count)
    _answer(line, feeds, 50_100)
    oracle.send("observe_many", names)
    _answer(line, feeds, 50_050)
    total = oracle.send("observe", names[0])["gasUsed"]
    gas = {
        f"observe, {count} feeds, total": total,
        f"observe, {count} feeds, beyond the transaction's own": total - INTRINSIC,
    }
    for size in BATCHES:
        _answer(line, feeds, 50_100 + size)
        used = oracle.send("observe_many", names[:size])["gasUsed"]
        gas[f"observe_many, {count} feeds, per market of {size}, all in"] = round(used / size)
    return gas


def _listed(line: Connection, oracle: Bound, names: list[bytes], count: int) -> list[Bound]:
    artefact = compile_contract("chainlink_mock", roots=(CONTRACTS, MOCKS), cache=ARTEFACTS)
    feeds = [line.deploy(artefact, 8)[0] for _ in range(count * len(names))]
    _answer(line, feeds, 50_000)
    rules = Rules(count // 2 + 1, 50_000_000, 20_000_000, 86_400, 600, 1_000_000)
    for place, name in enumerate(names):
        own = feeds[count * place : count * (place + 1)]
        listed = [Feed(feed.address, CHAINLINK, 8, 10**6, bytes(32)) for feed in own]
        oracle.send("configure", name, rules, listed, 10**14)
    return feeds


def _answer(line: Connection, feeds: list[Bound], price: int) -> None:
    line.node.provider.make_request("evm_increaseTime", [60])
    line.node.provider.make_request("evm_mine", [])
    now = line.block()[1]
    for place, feed in enumerate(feeds):
        feed.send("set_round", 1, (price + place) * E8, now)


def _published(line: Connection, parameters: Bound) -> int:
    """Publish a board of 104 options twice, as reporters sign it; the second has something to be held to."""
    desk, _ = line.deploy("OptionDesk", REPORTERS, THRESHOLD, line.sender, parameters.address)
    engine, _ = line.deploy("MarginEngine", desk.address, desk.address, line.sender)
    desk.send("bind", engine.address)
    lot, power, scenarios = 10**15, 400_000, ladder(31)
    desk.send("open_market", 0, BITCOIN, OPTION_BOUNDS, lot, power, scenarios)
    now = line.block()[1]
    listings = tuple(
        Listing(kind, now + days * DAY, 40_000 * WAD + step * 1_500 * WAD)
        for days in (7, 30, 90, 180)
        for step in range(13)
        for kind in (1, 2)
    )
    terms, deadline = [listing.word for listing in listings], now + 600
    proof = _signed(desk, listing_message(1, deadline, 0, 1, listings))
    desk.send("list_board", 0, 1, terms, 1, deadline, proof)
    market = Market(lot, engine.read("spread", 0), power, scenarios)
    used = []
    for volatility in (600_000, 600_900):
        line.node.provider.make_request("evm_increaseTime", [60])
        line.node.provider.make_request("evm_mine", [])
        quotes = [Quote(1_000_000, volatility)] * len(listings)
        sent = publication(market, listings, quotes, spot=50_000 * WAD, as_of=line.block()[1])
        header = (0, 1, sent.as_of, sent.spot, sent.notional, sent.decay)
        proof = _signed(desk, publication_message(0, 1, sent))
        used.append(int(desk.send("publish", header, sent.encoded, proof)["gasUsed"]))
    return round(used[-1] / len(listings))


def _signed(contract: Bound, message: bytes) -> list[Signature]:
    digest = typed(contract.read("domain"), message)
    return [signed(digest, key_of(reporter)) for reporter in REPORTERS[:THRESHOLD]]


def _updated(line: Connection, oracle: Bound) -> tuple[Bound, list[int]]:
    contract, _ = line.deploy("RiskParameters", REPORTERS, THRESHOLD, line.sender, oracle.address)
    for rates in RATES.values():
        contract.send("list_market", rates, BOUNDS, REACH, line.block()[1])
    used = []
    for version, markets in ((1, (BITCOIN, ETHER)), (2, (BITCOIN,)), (3, (BITCOIN, ETHER))):
        line.node.provider.make_request("evm_increaseTime", [60])
        line.node.provider.make_request("evm_mine", [])
        now = line.block()[1]
        proof = (bytes([version]) * 32, bytes([version + 8]) * 32)
        moved = tuple(_raised(RATES[market], version) for market in markets)
        used.append(_sent(contract, Update(version, version, now, now + 600, *proof, moved)))
    return contract, used[1:]


def _raised(rates: Any, version: int) -> Any:
    return rates._replace(long=rates.long._replace(maintenance=rates.long.maintenance + version))


def _sent(contract: Bound, update: Update) -> int:
    proof = _signed(contract, message_of(update))
    return int(contract.send("update", update, proof)["gasUsed"])


if __name__ == "__main__":
    main()

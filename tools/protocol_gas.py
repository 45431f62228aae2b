"""How much gas do an update of rates and an observation of prices take on a real node?

`python -m tools.protocol_gas` measures on anvil, where each transaction starts with cold slots, and writes
what a test holds the contracts to. Totals include the 21,000 that any transaction costs.
"""

import json
from pathlib import Path
from typing import Any

from plimsoll.chain.compilation import CONTRACTS, compile_contract
from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.hashing import signed
from plimsoll.chain.twin.price_oracle import CHAINLINK, Feed, Rules
from plimsoll.chain.twin.quorum import typed
from plimsoll.chain.twin.rates import Update, message_of
from tests.support.evm import ARTEFACTS, MOCKS
from tests.support.pairs import key_of
from tests.support.reporters import BITCOIN, BOUNDS, ETHER, RATES, REACH, REPORTERS, THRESHOLD
from tools.anvil import running

__all__ = ["SNAPSHOT", "main", "measured"]

SNAPSHOT = Path(__file__).resolve().parents[1] / "tests" / "integration" / "protocol_gas.json"
INTRINSIC = 21_000
BEGIN = 1_767_225_600
E8 = 10**8


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
    names = {1: b"\x01" * 32, 3: b"\x03" * 32}
    feeds = _observed(line, oracle, names)
    gas = {}
    for count, name in names.items():
        _answer(line, feeds, 50_100)
        oracle.send("observe", name)
        _answer(line, feeds, 50_050)
        total = oracle.send("observe", name)["gasUsed"]
        gas[f"observe of {count} feeds, total"] = total
        gas[f"observe of {count} feeds, beyond the transaction's own"] = total - INTRINSIC
    totals = _updated(line, oracle)
    gas["update, 1 market, 3 signatures, total"] = totals[0]
    gas["update, each further market"] = totals[1] - totals[0]
    return gas


def _observed(line: Connection, oracle: Bound, names: dict[int, bytes]) -> list[Bound]:
    artefact = compile_contract("chainlink_mock", roots=(CONTRACTS, MOCKS), cache=ARTEFACTS)
    feeds = [line.deploy(artefact, 8)[0] for _ in range(3)]
    _answer(line, feeds, 50_000)
    for count, name in names.items():
        rules = Rules(count // 2 + 1, 50_000_000, 20_000_000, 86_400, 600, 1_000_000)
        listed = [Feed(feed.address, CHAINLINK, 8, 10**6, bytes(32)) for feed in feeds[:count]]
        oracle.send("configure", name, rules, listed, 10**14)
    return feeds


def _answer(line: Connection, feeds: list[Bound], price: int) -> None:
    line.node.provider.make_request("evm_increaseTime", [60])
    line.node.provider.make_request("evm_mine", [])
    for place, feed in enumerate(feeds):
        feed.send("set_round", 1, (price + place) * E8, line.block()[1])


def _updated(line: Connection, oracle: Bound) -> list[int]:
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
    return used[1:]


def _raised(rates: Any, version: int) -> Any:
    return rates._replace(long=rates.long._replace(maintenance=rates.long.maintenance + version))


def _sent(contract: Bound, update: Update) -> int:
    digest = typed(contract.read("domain"), message_of(update))
    proof = [signed(digest, key_of(reporter)) for reporter in REPORTERS[:THRESHOLD]]
    return int(contract.send("update", update, proof)["gasUsed"])


if __name__ == "__main__":
    main()

"""How do tests run a contract: an EVM in the process, calls by name, reverts with their reason?"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyrevm
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from plimsoll.chain.compilation import CONTRACTS, EVM, Artefact, compile_contract

__all__ = ["ARTEFACTS", "MOCKS", "ROLE", "Chain", "Contract", "Event", "RevertError", "compiled"]

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / ".cache" / "contracts"
MOCKS = ROOT / "tests" / "chain" / "mocks"
"""Contracts that only tests deploy: each exposes a library's internal functions, or plays a counterparty."""

ROLE = {
    name: f"0x{number:040x}"
    for number, name in enumerate(
        ("deployer", "publisher", "trader", "maker", "keeper", "stranger"), start=0xA1
    )
}
"""Addresses that call, by the part they play."""

_RICH = 10**30
_REVERT = re.compile(r"output: 0x([0-9a-f]*)")
_ERROR = keccak(b"Error(string)")[:4]


class RevertError(Exception):
    """A call failed; `reason` is what the contract said, empty where it said nothing (a checked overflow)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Event:
    """What a contract logged: its name and its fields by name."""

    name: str
    fields: dict[str, Any]


@cache
def compiled(name: str) -> Artefact:
    """Compile a contract of the project or of the tests, once per state of its sources."""
    return compile_contract(name, roots=(CONTRACTS, MOCKS), cache=ARTEFACTS)


@dataclass(frozen=True, slots=True)
class _Function:
    selector: bytes
    takes: tuple[str, ...]
    gives: tuple[str, ...]


class Chain:
    """One EVM with its own clock; every call is a transaction, so slots and addresses start cold."""

    def __init__(self, *, timestamp: int = 1_767_225_600, number: int = 1) -> None:
        self._evm = pyrevm.EVM(spec_id=EVM.upper())
        for address in ROLE.values():
            self._evm.set_balance(address, _RICH)
        self._number = number
        self.at(timestamp)

    def at(self, timestamp: int) -> None:
        """Set the time of the next block, in seconds."""
        self.timestamp = timestamp
        self._evm.set_block_env(pyrevm.BlockEnv(number=self._number, timestamp=timestamp))

    def pass_seconds(self, seconds: int) -> None:
        """Move the clock and the block number on."""
        self._number += 1
        self.at(self.timestamp + seconds)

    def endow(self, address: str) -> None:
        """Give an address ether to call with."""
        self._evm.set_balance(address, _RICH)

    def code(self, address: str) -> bytes:
        """Give the code at an address, empty where there is none."""
        return bytes(self._evm.get_code(address) or b"").rstrip(b"\0") if address else b""

    def deploy(self, contract: str | Artefact, *arguments: Any, sender: str = "deployer") -> "Contract":
        """Deploy a contract by name with its constructor's arguments."""
        artefact = compiled(contract) if isinstance(contract, str) else contract
        takes = next((_types(e["inputs"]) for e in artefact.abi if e["type"] == "constructor"), ())
        initcode = artefact.initcode + encode(takes, arguments)
        address = self._guarded(lambda: self._evm.deploy(ROLE.get(sender, sender), initcode))
        return Contract(self, str(address), artefact)

    def raw(self, to: str, calldata: bytes, *, sender: str = "deployer", value: int = 0) -> bytes:
        """Send a transaction; raise `RevertError` where it fails."""
        return bytes(
            self._guarded(
                lambda: self._evm.message_call(ROLE.get(sender, sender), to, calldata=calldata, value=value)
            )
        )

    def snapshot(self) -> Any:
        """Mark a state to come back to."""
        return self._evm.snapshot()

    def back_to(self, mark: Any) -> None:
        """Return to a marked state; the clock stays."""
        self._evm.revert(mark)

    @property
    def gas_used(self) -> int:
        """Gas of the last transaction, its intrinsic cost included."""
        return self._result().gas_used

    @property
    def logs(self) -> list[Any]:
        """What the last transaction logged."""
        return list(self._result().logs)

    def _result(self) -> pyrevm.ExecutionResult:
        assert self._evm.result is not None, "nothing was sent yet"
        return self._evm.result

    def _guarded(self, send: Any) -> Any:
        try:
            return send()
        except RuntimeError as error:
            found = _REVERT.search(str(error))
            data = bytes.fromhex(found[1]) if found else b""
            if found is None and "Halt" not in str(error):
                raise
            said = decode(("string",), data[4:])[0] if data[:4] == _ERROR else ""
            raise RevertError(said) from None


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract: `contract.call("name", ...)` with Python values, integers for integers."""

    chain: Chain
    address: str
    artefact: Artefact
    _functions: dict[str, _Function] = field(default_factory=dict)

    def calldata(self, name: str, *arguments: Any) -> bytes:
        """Encode a call."""
        function = self._function(name, len(arguments))
        return function.selector + encode(function.takes, arguments)

    def call(self, name: str, *arguments: Any, sender: str = "deployer") -> Any:
        """Send a call; one result comes as itself, several as a tuple, structs as tuples."""
        function = self._function(name, len(arguments))
        data = function.selector + encode(function.takes, arguments)
        results = decode(function.gives, self.chain.raw(self.address, data, sender=sender))
        return results[0] if len(results) == 1 else results or None

    def events(self) -> list[Event]:
        """Give what this contract logged in the last transaction."""
        known = {
            keccak(_signature(entry).encode()): entry
            for entry in self.artefact.abi
            if entry["type"] == "event"
        }
        found = []
        for log in self.chain.logs:
            entry = known.get(bytes.fromhex(log.topics[0].removeprefix("0x"))) if log.topics else None
            if entry is not None and log.address.lower() == self.address.lower():
                found.append(Event(entry["name"], _fields(entry, log)))
        return found

    def _function(self, name: str, count: int) -> _Function:
        key = f"{name}/{count}"
        if key not in self._functions:
            entry = next(
                e for e in self.artefact.abi if e.get("name") == name and len(e.get("inputs", ())) == count
            )
            self._functions[key] = _Function(
                keccak(_signature(entry).encode())[:4], _types(entry["inputs"]), _types(entry["outputs"])
            )
        return self._functions[key]


def _types(inputs: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(_type(entry) for entry in inputs)


def _type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(entry['components']))}){kind.removeprefix('tuple')}"


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _fields(entry: dict[str, Any], log: Any) -> dict[str, Any]:
    topics = [bytes.fromhex(topic.removeprefix("0x")) for topic in log.topics[1:]]
    indexed = [e for e in entry["inputs"] if e["indexed"]]
    plain = [e for e in entry["inputs"] if not e["indexed"]]
    values = decode(_types(plain), bytes(log.data[1]))
    return {
        **{e["name"]: decode((_type(e),), t)[0] for e, t in zip(indexed, topics, strict=True)},
        **dict(zip((e["name"] for e in plain), values, strict=True)),
    }

"""How does a transaction reach a chain once, whatever goes wrong on the way?"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from plimsoll.chain.compilation import Artefact, compile_contract
from plimsoll.chain.hashing import address_of, extra
from plimsoll.errors import Code, PlimsollError

__all__ = ["Bound", "Connection", "Receipt", "read_key"]

Receipt = dict[str, Any]
_Answer = TypeVar("_Answer")
_ATTEMPTS = 5
_FIRST_WAIT = 0.5
"""Seconds before the second attempt; each wait is twice the last."""
_GAS_MARGIN = 1.2
"""Share of the estimate that is offered: storage may have changed by the time the transaction runs."""
_DEAREST_BUMP = 1.25
"""By how much a replacement pays more: nodes ask for an eighth, and round."""
_PATIENCE = 60.0
"""Seconds that a transaction may stay unmined before it is replaced by a dearer one."""
_FIRST_LOOK, _RAREST_LOOK = 0.05, 2.0
"""Seconds between looks for a receipt: a node of one's own mines at once, a public one counts requests."""
_KEY_BYTES = 32
_SENT = ("already known", "already imported", "nonce too low")
"""What nodes say of a transaction that they have seen before: an answer may have been lost on the way."""


def read_key(path: Path) -> bytes:
    """Read a private key, 32 bytes in hexadecimal; an error never repeats what the file holds."""
    try:
        text = path.read_text(encoding="utf-8").strip().removeprefix("0x")
        key = bytes.fromhex(text)
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise PlimsollError(
            Code.BAD_KEY,
            "holds no private key",
            where=str(path),
            remedy="Give a file that holds one key: 64 hexadecimal digits.",
        )
    return key


class Connection:
    """A node, a key to send with, and what was sent over it.

    Parameters
    ----------
    rpc : str      Address of the node's JSON-RPC.
    key : bytes or None   Private key that pays for transactions; none only reads.
    cache : Path or None  Where compiled contracts are kept.
    """

    def __init__(self, rpc: str, key: bytes | None = None, cache: Path | None = None) -> None:
        self._web3 = extra("web3")
        self.node = self._web3.Web3(self._web3.HTTPProvider(rpc))
        self._key = key
        self._cache = cache
        self.sender = address_of(key) if key else ""
        self.where = f"chain at {_host(rpc)}"
        self.chain_id: int = self.patiently(lambda: self.node.eth.chain_id)

    def contract(self, name: str, address: str) -> "Bound":
        """Speak to a deployed contract of the project."""
        return Bound(self, compile_contract(name, cache=self._cache), address)

    def deploy(self, artefact: Artefact | str, *arguments: Any) -> tuple["Bound", Receipt]:
        """Deploy a contract by name, or what was compiled elsewhere."""
        made = artefact if isinstance(artefact, Artefact) else compile_contract(artefact, cache=self._cache)
        contract = self.node.eth.contract(abi=made.abi, bytecode=made.initcode)
        receipt = self.send({"data": contract.constructor(*_checked(arguments)).data_in_transaction})
        return Bound(self, made, receipt["contractAddress"].lower()), receipt

    def block(self) -> tuple[int, int]:
        """Give number and second of the latest block."""
        latest = self.patiently(lambda: self.node.eth.get_block("latest"))
        return latest["number"], latest["timestamp"]

    def send(self, call: dict[str, Any]) -> Receipt:
        """Sign, send and wait; one nonce is used however often it is sent, and any offer mined counts.

        Raises
        ------
        PlimsollError   `CHAIN_REFUSED` with the contract's reason; `CHAIN_FAILED` where no node answers, no
                        offer is mined, or another transaction of the key takes the nonce.
        """
        if self._key is None:
            raise self._failure("no key to send with", "Give --key-file.")
        whole = {"from": self.node.to_checksum_address(self.sender), "chainId": self.chain_id, **call}
        gas = self.patiently(lambda: self.node.eth.estimate_gas(whole))
        nonce = self.patiently(lambda: self.node.eth.get_transaction_count(whole["from"], "pending"))
        latest = self.patiently(lambda: self.node.eth.get_block("latest"))
        tip = self.patiently(lambda: self.node.eth.max_priority_fee)
        offer = {**whole, "gas": int(gas * _GAS_MARGIN), "nonce": nonce, "value": 0}
        fee = 2 * latest["baseFeePerGas"] + tip
        hashes: list[str] = []
        for _ in range(_ATTEMPTS):
            self._offer({**offer, "maxFeePerGas": int(fee), "maxPriorityFeePerGas": int(tip)}, hashes)
            receipt = self._mined(hashes)
            if receipt is None and self._used(nonce):
                receipt = self._mined(hashes)
                if receipt is None:
                    raise self._failure(
                        f"another transaction of {self.sender} took nonce {nonce}",
                        "Use the key in one command at a time, see what holds, and run the command again.",
                    )
            if receipt is not None:
                return self._succeeded(offer, receipt)
            fee, tip = fee * _DEAREST_BUMP, tip * _DEAREST_BUMP
        raise self._failure(
            f"nonce {nonce} of {self.sender} is not mined, offered as {', '.join(hashes)}",
            "One of them may be mined yet: see what became of the nonce before you run the command again.",
        )

    def patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask the node, again where the line fails; a refusal of the contract is final."""
        errors, wait = self._web3.exceptions, _FIRST_WAIT
        for attempt in range(_ATTEMPTS):
            try:
                return ask()
            except errors.ContractLogicError as error:
                raise _refusal(error, self.where) from error
            except (errors.RequestTimedOut, OSError) as error:
                if attempt + 1 == _ATTEMPTS:
                    raise self._failure(f"does not answer: {type(error).__name__}", "Check --rpc.") from error
            time.sleep(wait)
            wait *= 2
        raise AssertionError  # the loop returns or raises

    def _offer(self, offer: dict[str, Any], hashes: list[str]) -> None:
        """Hand an offer in and add its hash; after a first one no refusal is final, for that may be mined."""
        signed = extra("eth_account").Account.sign_transaction(
            {name: value for name, value in offer.items() if name != "from"}, self._key
        )
        try:
            self.patiently(lambda: self.node.eth.send_raw_transaction(signed.raw_transaction))
        except self._web3.exceptions.Web3RPCError as error:
            if not hashes and not any(words in str(error) for words in _SENT):
                raise self._failure(str(error), "See what the node asks for.") from error
        hashes.append(signed.hash.to_0x_hex())

    def _mined(self, hashes: Sequence[str]) -> Receipt | None:
        """Wait for the receipt of any offer of one nonce; none where patience ends."""
        until, wait = time.monotonic() + _PATIENCE, _FIRST_LOOK
        while True:
            for each in hashes:
                receipt = self._receipt(each)
                if receipt is not None:
                    return receipt
            if time.monotonic() >= until:
                return None
            time.sleep(wait)
            wait = min(2 * wait, _RAREST_LOOK)

    def _receipt(self, name: str) -> Receipt | None:
        errors = self._web3.exceptions
        try:
            return dict(self.patiently(lambda: self.node.eth.get_transaction_receipt(name)))
        except (errors.TransactionNotFound, errors.TransactionIndexingInProgress):
            return None

    def _used(self, nonce: int) -> bool:
        address = self.node.to_checksum_address(self.sender)
        count: int = self.patiently(lambda: self.node.eth.get_transaction_count(address, "latest"))
        return count > nonce

    def _succeeded(self, offer: dict[str, Any], receipt: Receipt) -> Receipt:
        if receipt["status"] != 1:
            self.patiently(lambda: self.node.eth.call(offer, receipt["blockNumber"]))
            raise self._failure("a transaction was undone", "The chain moved: run the command again.")
        return receipt

    def _failure(self, what: str, remedy: str) -> PlimsollError:
        return PlimsollError(Code.CHAIN_FAILED, what, where=self.where, remedy=remedy)


class Bound:
    """A contract at an address: `read` asks it, `send` makes a transaction."""

    def __init__(self, connection: Connection, artefact: Artefact, address: str) -> None:
        self.connection = connection
        self.artefact = artefact
        self.address = address
        node = connection.node
        self._contract = node.eth.contract(address=node.to_checksum_address(address), abi=artefact.abi)

    def read(self, name: str, *arguments: Any, block: int | str = "latest") -> Any:
        """Ask a view; structs come as tuples, addresses in lower case."""
        function = getattr(self._contract.functions, name)(*_checked(arguments))
        return _plain(self.connection.patiently(lambda: function.call(block_identifier=block)))

    def send(self, name: str, *arguments: Any) -> Receipt:
        """Send a transaction and wait until it is mined."""
        function = getattr(self._contract.functions, name)(*_checked(arguments))
        data = function.data_in_transaction if hasattr(function, "data_in_transaction") else None
        data = data or self._contract.encode_abi(name, args=list(_checked(arguments)))
        return self.connection.send({"to": self._contract.address, "data": data})


def _host(rpc: str) -> str:
    """Name a node by scheme and host alone: the rest of an address may be a key."""
    try:
        parts = urlsplit(rpc)
    except ValueError:
        return "an address without a host"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if host else "an address without a host"


def _checked(value: Any) -> Any:
    """Write addresses as web3 wants them, however deep."""
    if isinstance(value, tuple | list):
        return tuple(_checked(each) for each in value)
    if isinstance(value, str) and value.startswith("0x"):
        return extra("eth_utils").to_checksum_address(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_plain(each) for each in value)
    return value.lower() if isinstance(value, str) else value


def _refusal(error: Any, where: str) -> PlimsollError:
    reason = str(getattr(error, "message", None) or error).removeprefix("execution reverted: ")
    return PlimsollError(
        Code.CHAIN_REFUSED,
        f"the contract refused: {reason}",
        where=where,
        remedy="docs/how-to/run-a-reporter.md says what each reason means.",
    )

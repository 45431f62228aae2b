"""How do several reporters come to sign the same message, each by itself and in any order?

A proposal is a folder that reporters share: what is to be signed in one file, each signature in its own,
named by who signed. Nobody writes another's file: what follows a proposal whose time has passed takes the
next number, and of two that begin at once the second is refused, so nothing is lost. Whoever completes the
quorum submits.
"""

import os
import re
import secrets
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from plimsoll.chain.connection import Bound
from plimsoll.chain.hashing import Signature, address_of, recovered, signed
from plimsoll.chain.twin.quorum import typed
from plimsoll.errors import Code, PlimsollError

__all__ = ["Proposal"]

_NAME = re.compile(r"proposal-([1-9][0-9]*)\.json")


class _Stored(Struct, frozen=True, forbid_unknown_fields=True):
    chain_id: int
    contract: str
    content: dict[str, Any]


class Proposal:
    """Something under way to a quorum, in a folder.

    Parameters
    ----------
    folder : Path     Shared by the reporters; a subfolder per contract and subject.
    contract : Bound  Where it goes: with a quorum, and the EIP-712 domain that signatures are for.
    subject : str     What it is about, such as the nonce that it takes.
    """

    def __init__(self, folder: Path, contract: Bound, subject: str) -> None:
        self._chain_id, self._contract = contract.connection.chain_id, contract.address
        self._place = folder / f"{self._chain_id}-{contract.address}-{subject}"
        self._domain: bytes = contract.read("domain")
        self._members: tuple[str, ...] = contract.read("members")
        self._number = 0

    def content(self) -> dict[str, Any] | None:
        """Read what is under way, the latest; none where nothing is yet."""
        self._number, text = self._latest()
        if text is None:
            return None
        try:
            stored = msgspec.json.decode(text, type=_Stored)
        except (msgspec.DecodeError, ValueError) as error:
            raise self.spoilt("is no proposal") from error
        if (stored.chain_id, stored.contract) != (self._chain_id, self._contract):
            raise self.spoilt("is for another contract")
        return stored.content

    def begin(self, content: dict[str, Any]) -> None:
        """Write down what is to be signed after what `content` read; signatures of that count no longer.

        Raises
        ------
        PlimsollError   `BAD_SETTING` where somebody else began another one since.
        """
        self._place.mkdir(parents=True, exist_ok=True)
        document = msgspec.json.encode(_Stored(self._chain_id, self._contract, content))
        whole = self._place / f"{secrets.token_hex(8)}.part"
        text = msgspec.json.format(document, indent=2) + b"\n"
        whole.write_bytes(text)
        former = self._number
        try:
            os.link(whole, self._path(former + 1))  # whole at once, and only where there is none yet
        except FileExistsError:
            pass
        finally:
            whole.unlink()
        self._number, found = self._latest()
        if found != text:
            raise PlimsollError(
                Code.BAD_SETTING,
                "another reporter began a proposal at the same time",
                where=str(self._path(self._number)),
                remedy="Run the command again: it signs that one, or says how it differs.",
            )
        for number in self._numbers():
            if number <= former:
                self._path(number).unlink(missing_ok=True)

    def sign(self, message: bytes, key: bytes) -> None:
        """Add a signature of the message, where the key is a reporter's."""
        signer = address_of(key)
        if signer not in self._members:
            return
        made = signed(typed(self._domain, message), key)
        packed = (made.r + made.s + bytes([made.v])).hex()
        _write(self._place / f"{signer}.json", msgspec.json.encode(packed))

    def signatures(self, message: bytes) -> dict[str, Signature]:
        """Collect the right signatures of members, by signer in ascending order; others are ignored."""
        digest = typed(self._domain, message)
        found = {}
        for signer in sorted(self._members, key=lambda address: int(address, 16)):
            signature = _signature(self._place / f"{signer}.json")
            if signature is not None and recovered(digest, signature) == signer:
                found[signer] = signature
        return found

    def spoilt(self, what: str) -> PlimsollError:
        """Make the error of a proposal that cannot be read."""
        return PlimsollError(
            Code.UNREADABLE_FILE,
            what,
            where=str(self._path(self._number)),
            remedy="Remove it and publish again.",
        )

    def _path(self, number: int) -> Path:
        return self._place / f"proposal-{number}.json"

    def _numbers(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self._place.glob("proposal-*.json"))
        return [int(each[1]) for each in found if each]

    def _latest(self) -> tuple[int, bytes | None]:
        """Read the proposal of the highest number; look again where a later one has just replaced it."""
        while number := max(self._numbers(), default=0):
            try:
                return number, self._path(number).read_bytes()
            except FileNotFoundError:
                continue
        return 0, None


def _signature(path: Path) -> Signature | None:
    try:
        packed = bytes.fromhex(msgspec.json.decode(path.read_bytes(), type=str))
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return Signature(packed[64], packed[:32], packed[32:64]) if len(packed) == 65 else None


def _write(path: Path, content: bytes) -> None:
    whole = path.with_suffix(".part")
    whole.write_bytes(content + b"\n")
    whole.replace(path)

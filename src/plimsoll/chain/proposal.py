"""How do several reporters come to sign the same update, each by itself and in any order?

A proposal is a folder that reporters share: the update in one file, each signature in its own, named by who
signed. Nobody writes another's file, so nothing is lost when two write at once; whoever completes the quorum
submits.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from plimsoll.chain.hashing import Signature, recovered, signed
from plimsoll.chain.twin.quorum import typed
from plimsoll.chain.twin.rates import MarketRates, SideRates, Update, message_of
from plimsoll.errors import Code, PlimsollError

__all__ = ["Proposal"]

_UPDATE = "update.json"


class _Stored(Struct, frozen=True, forbid_unknown_fields=True):
    chain_id: int
    contract: str
    update: dict[str, Any]


class Proposal:
    """An update under way, in a folder.

    Parameters
    ----------
    folder : Path     Shared by the reporters; a subfolder per contract and nonce.
    chain_id, contract, domain   Where the update goes, and the EIP-712 domain that signatures are for.
    """

    def __init__(self, folder: Path, chain_id: int, contract: str, domain: bytes, nonce: int) -> None:
        self._place = folder / f"{chain_id}-{contract}-{nonce}"
        self._chain_id, self._contract, self._domain = chain_id, contract, domain

    def update(self) -> Update | None:
        """Read the update that is under way; none where there is none yet."""
        path = self._place / _UPDATE
        if not path.is_file():
            return None
        try:
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
            found = _update(stored.update)
        except (msgspec.DecodeError, KeyError, ValueError, TypeError) as error:
            raise self._spoilt("is no proposal") from error
        if (stored.chain_id, stored.contract) != (self._chain_id, self._contract):
            raise self._spoilt("is for another contract")
        return found

    def begin(self, update: Update) -> None:
        """Write an update down and forget the signatures of an earlier one."""
        self._place.mkdir(parents=True, exist_ok=True)
        for path in self._place.glob("0x*.json"):
            path.unlink()
        document = msgspec.json.encode(_Stored(self._chain_id, self._contract, _document(update)))
        _write(self._place / _UPDATE, msgspec.json.format(document, indent=2))

    def sign(self, update: Update, signer: str, key: bytes) -> None:
        """Add a reporter's signature."""
        made = signed(typed(self._domain, message_of(update)), key)
        packed = (made.r + made.s + bytes([made.v])).hex()
        _write(self._place / f"{signer}.json", msgspec.json.encode(packed))

    def signatures(self, update: Update, members: tuple[str, ...]) -> dict[str, Signature]:
        """Collect the right signatures of members, by signer in ascending order; others are ignored."""
        digest = typed(self._domain, message_of(update))
        found = {}
        for signer in sorted(members, key=lambda address: int(address, 16)):
            signature = _signature(self._place / f"{signer}.json")
            if signature is not None and recovered(digest, signature) == signer:
                found[signer] = signature
        return found

    def _spoilt(self, what: str) -> PlimsollError:
        return PlimsollError(
            Code.UNREADABLE_FILE,
            what,
            where=str(self._place / _UPDATE),
            remedy="Remove it and publish again.",
        )


def _signature(path: Path) -> Signature | None:
    try:
        packed = bytes.fromhex(msgspec.json.decode(path.read_bytes(), type=str))
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return Signature(packed[64], packed[:32], packed[32:64]) if len(packed) == 65 else None


def _document(update: Update) -> dict[str, Any]:
    rates = [{"market": each.market.hex(), "long": each.long, "short": each.short} for each in update.rates]
    named = {**update._asdict(), "rates": rates}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in named.items()}


def _update(document: dict[str, Any]) -> Update:
    rates = tuple(
        MarketRates(bytes.fromhex(each["market"]), SideRates(*each["long"]), SideRates(*each["short"]))
        for each in document["rates"]
    )
    hashes = {name: bytes.fromhex(document[name]) for name in ("digest", "evidence")}
    return Update(**{**document, **hashes, "rates": rates})


def _write(path: Path, content: bytes) -> None:
    whole = path.with_suffix(".part")
    whole.write_bytes(content + b"\n")
    whole.replace(path)

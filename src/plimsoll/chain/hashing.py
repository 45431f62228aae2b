"""How is a message hashed, signed and its signer found, as an Ethereum contract does it?"""

import importlib
from typing import Any, NamedTuple

from plimsoll.errors import Code, PlimsollError

__all__ = ["Signature", "address_of", "extra", "keccak", "recovered", "signed", "words"]

_RECOVERABLE = (27, 28)


class Signature(NamedTuple):
    """A signature as a contract takes it: recovery number, then the two halves, 32 bytes each."""

    v: int
    r: bytes
    s: bytes


def keccak(message: bytes) -> bytes:
    """Hash as Ethereum does; raises `MISSING_EXTRA` without the extra `chain`."""
    hashed: bytes = extra("eth_utils").keccak(message)
    return hashed


def words(*values: int | bytes | str) -> bytes:
    """Set values one after the other as 32-byte words: integers, 32 bytes, or addresses as hexadecimal."""
    return b"".join(_word(value) for value in values)


def signed(digest: bytes, key: bytes) -> Signature:
    """Sign a digest with a private key, deterministically; the lower of the two signatures."""
    made = extra("eth_account").Account.unsafe_sign_hash(digest, key)
    return Signature(made.v, made.r.to_bytes(32, "big"), made.s.to_bytes(32, "big"))


def address_of(key: bytes) -> str:
    """Give the address that a private key signs for, in lower case."""
    found: str = extra("eth_account").Account.from_key(key).address
    return found.lower()


def recovered(digest: bytes, signature: Signature) -> str | None:
    """Find who signed a digest; none where the signature belongs to nobody."""
    if signature.v not in _RECOVERABLE:
        return None
    keys = extra("eth_keys")
    r, s = (int.from_bytes(half, "big") for half in signature[1:])
    try:
        made = keys.keys.Signature(vrs=(signature.v - _RECOVERABLE[0], r, s))
        found: str = made.recover_public_key_from_msg_hash(digest).to_address()
    except (keys.exceptions.BadSignature, keys.exceptions.ValidationError):
        return None
    return found


def extra(module: str) -> Any:
    """Import a module of the extra `chain`; raises `MISSING_EXTRA` where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            f"{module} is not installed",
            where="chain",
            remedy="Run: pip install 'plimsoll-margin[chain]'",
        ) from error


def _word(value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(32, "big", signed=value < 0)
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x")).rjust(32, b"\0")
    return value.ljust(32, b"\0")

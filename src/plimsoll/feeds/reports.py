"""Is a report signed by the reporter whom it names, and so may it be counted?

A report is signed as EIP-712 typed data with secp256k1, the signature that every EVM contract can check with
`ecrecover`: what was counted off chain can be shown on chain, and the reporters' keys are those that sign
parameter sets. A reporter is named by its address. Prices are whole numbers of 1e-18, so that no two programs
round a signed figure differently.
"""

import importlib
from collections.abc import Mapping
from typing import Annotated, Any, final

import msgspec
from msgspec import Meta, Struct

from plimsoll.domain.observations import Fault, Refusal
from plimsoll.domain.oracle import Report
from plimsoll.errors import Code, PlimsollError

__all__ = ["ReportDoor", "SignedReport", "sign_report"]

_TYPES = {
    "Report": [
        {"name": "market", "type": "string"},
        {"name": "price", "type": "uint256"},
        {"name": "confidence", "type": "uint256"},
        {"name": "time", "type": "uint64"},
    ]
}
_UNIT = 10**18
_LARGEST = r"^(0|[1-9][0-9]{0,59})$"
"""Whole numbers of at most sixty digits: below 2^256, and JSON readers elsewhere keep them exact as text."""

WholeNumber = Annotated[str, Meta(pattern=_LARGEST)]


class SignedReport(Struct, frozen=True, forbid_unknown_fields=True):
    """A report as it travels: JSON with these fields.

    Attributes
    ----------
    reporter : str     Address, ``0x`` and forty hexadecimal digits.
    price : str        Whole number of 1e-18 quote currency per base unit.
    confidence : str   The same.
    time : int         Milliseconds UTC.
    signature : str    65 bytes, ``0x`` and hexadecimal.
    """

    reporter: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}$")]
    market: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,40}$")]
    price: WholeNumber
    confidence: WholeNumber
    time: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    signature: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{130}$")]


@final
class ReportDoor:
    """Reads reports as they come and lets in those whose signature is the named reporter's.

    Parameters
    ----------
    chain : int   Chain identifier in the signed domain: a report for one venue's chain is worth nothing on
                  another's.
    venue : str   Name in the signed domain.
    """

    def __init__(self, *, chain: int, venue: str) -> None:
        self._domain = _domain(chain, venue)
        self._account, self._messages, self._invalid = _libraries()
        self._decoder = msgspec.json.Decoder(SignedReport)

    def admit(self, blob: bytes, received: int) -> Report | Refusal:
        """Check one report; whatever it is, the answer is a value."""
        try:
            signed = self._decoder.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Refusal("oracle", None, received, Fault.UNREADABLE, str(error))
        return self.checked(signed, received)

    def checked(self, signed: SignedReport, received: int) -> Report | Refusal:
        """Check the signature of a report that was read already."""
        name = f"oracle:{signed.reporter.lower()}"
        message = self._messages.encode_typed_data(self._domain, _TYPES, _content(signed))
        try:
            signer = self._account.recover_message(message, signature=signed.signature)
        except self._invalid as error:
            return Refusal(name, signed.market, received, Fault.BAD_SIGNATURE, str(error))
        if signer.lower() != signed.reporter.lower():
            return Refusal(name, signed.market, received, Fault.BAD_SIGNATURE, "another key signed it")
        return Report(
            reporter=signed.reporter.lower(),
            market=signed.market,
            price=int(signed.price) / _UNIT,
            confidence=int(signed.confidence) / _UNIT,
            time=signed.time,
        )


def sign_report(
    key: str, market: str, price: int, confidence: int, time: int, *, chain: int, venue: str
) -> SignedReport:
    """Sign a report, as a reporter does.

    Parameters
    ----------
    key : str                Private key, ``0x`` and hexadecimal.
    price, confidence : int  Whole numbers of 1e-18.
    """
    account, messages, _ = _libraries()
    unsigned = SignedReport("", market, str(price), str(confidence), time, "")
    message = messages.encode_typed_data(_domain(chain, venue), _TYPES, _content(unsigned))
    owner = account.from_key(key)
    signature = "0x" + bytes(owner.sign_message(message).signature).hex()
    return SignedReport(owner.address.lower(), market, str(price), str(confidence), time, signature)


def _domain(chain: int, venue: str) -> dict[str, Any]:
    return {"name": f"Plimsoll oracle of {venue}", "version": "1", "chainId": chain}


def _content(signed: SignedReport) -> Mapping[str, Any]:
    return {
        "market": signed.market,
        "price": int(signed.price),
        "confidence": int(signed.confidence),
        "time": signed.time,
    }


def _libraries() -> tuple[Any, Any, tuple[type[Exception], ...]]:
    try:
        account = importlib.import_module("eth_account")
        messages = importlib.import_module("eth_account.messages")
        faults = importlib.import_module("eth_keys.exceptions")
    except ImportError:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "eth-account is not installed",
            where="oracle reports",
            remedy="Run pip install 'plimsoll-margin[chain]'.",
        ) from None
    return account.Account, messages, (faults.BadSignature, faults.ValidationError, ValueError)

"""How is a contract held equal to its twin: the same call on both, the same answer or the same refusal?"""

from collections.abc import Callable
from typing import Any

import pytest

from plimsoll.chain.hashing import Signature, address_of, signed
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.quorum import domain_of, typed
from plimsoll.chain.twin.reverts import Message
from tests.support.evm import ROLE, Chain, Contract, RevertError

__all__ = ["CHAIN_ID", "KEYS", "SIGNERS", "Pair", "key_of", "plain", "refused", "signatures"]

CHAIN_ID = 1
KEYS = {address_of(key): key for key in (bytes([number]) * 32 for number in range(1, 9))}
"""Private keys of tests by address; they guard nothing."""
SIGNERS = tuple(sorted(KEYS, key=lambda address: int(address, 16)))


def key_of(address: str) -> bytes:
    """Give the private key of one of the tests' addresses."""
    return KEYS[address]


def signatures(contract: str, message: bytes, signers: Any) -> tuple[Signature, ...]:
    """Sign a message for a contract, in the order of the signers given."""
    digest = typed(domain_of(CHAIN_ID, contract), message)
    return tuple(signed(digest, KEYS[signer]) for signer in signers)


def plain(value: Any) -> Any:
    """Strip types, so that what a contract and a twin return compare by value."""
    if isinstance(value, tuple | list):
        return tuple(plain(each) for each in value)
    return value.lower() if isinstance(value, str) else value


def refused(reason: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """Expect a refusal with this reason, from contract and twin alike."""
    with pytest.raises(Revert) as error:
        call(*arguments, **named)
    assert error.value.reason == reason


class Pair:
    """A contract and its twin, called together."""

    def __init__(self, contract: Contract, twin: Any) -> None:
        self.contract = contract
        self.twin = twin

    @property
    def chain(self) -> Chain:
        """The chain that both live on."""
        return self.contract.chain

    def both(self, name: str, *arguments: Any, sender: str = "deployer") -> Any:
        """Call both: answer, or raise `Revert` where both refuse alike; fail where they differ."""
        return self.each(name, arguments, arguments, sender=sender)

    def each(self, name: str, given: Any, twin_given: Any, *, sender: str = "deployer") -> Any:
        """Call both as `both` does, where the twin takes as values what the contract takes encoded."""
        block = Message(ROLE.get(sender, sender), self.chain.timestamp)
        refused, expected = _outcome(lambda: getattr(self.twin, name)(block, *twin_given))
        reverted, found = _outcome(lambda: self.contract.call(name, *given, sender=sender))
        assert reverted == refused, f"{name}: contract {reverted!r}, twin {refused!r}"
        if refused is not None:
            raise Revert(refused)
        assert plain(found) == plain(expected), f"{name}: contract {found}, twin {expected}"
        return expected


def _outcome(call: Any) -> tuple[str | None, Any]:
    try:
        return None, call()
    except (RevertError, Revert) as error:
        return error.reason, None

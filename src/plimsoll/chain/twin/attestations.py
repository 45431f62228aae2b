"""What has been attested of an account's own risk, and how far does it move its initial margin?

Twin of `Attestations.vy`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from plimsoll.chain.hashing import Signature, keccak, words
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.quorum import Quorum
from plimsoll.chain.twin.reverts import Message, atomic, require

__all__ = ["ATTESTATION_TYPE", "LONGEST_LIFE", "REVOCATION_TYPE", "Attestation", "Attestations"]

_C = constants("Attestations")
ONE, LONGEST_LIFE = _C["ONE"], _C["LONGEST_LIFE"]
ATTESTATION_TYPE = (
    "Attestation(uint256 nonce,uint64 deadline,address account,uint32 factor,uint64 expires,bytes32 evidence)"
)
REVOCATION_TYPE = "Revocation(uint256 nonce,uint64 deadline,address account)"


class Attestation(NamedTuple):
    """What attesters sign; the factor is in billionths."""

    nonce: int
    deadline: int
    account: str
    factor: int
    expires: int
    evidence: bytes

    def message(self) -> bytes:
        """Hash as EIP-712 does."""
        return keccak(words(keccak(ATTESTATION_TYPE.encode()), *self))


class Attestations:
    """The factors of all accounts."""

    def __init__(self, quorum: Quorum, guardian: str, least: int, most: int) -> None:
        require(0 < least <= ONE <= most <= 4 * ONE, "attestations: bounds")
        self.quorum = quorum
        self.guardian = guardian
        self.least, self.most = least, most
        self.suspended = False
        self._factors: dict[str, tuple[int, int]] = {}

    @staticmethod
    def revocation(nonce: int, deadline: int, account: str) -> bytes:
        """Hash a revocation as EIP-712 does."""
        return keccak(words(keccak(REVOCATION_TYPE.encode()), nonce, deadline, account))

    @atomic
    def attest(self, block: Message, attestation: Attestation, signatures: Sequence[Signature]) -> None:
        """Set an account's factor."""
        self.quorum.accept(block, attestation.nonce, attestation.deadline, attestation.message(), signatures)
        require(self.least <= attestation.factor <= self.most, "attestations: out of bounds")
        within = block.timestamp < attestation.expires <= block.timestamp + LONGEST_LIFE
        require(within, "attestations: expiry")
        self._factors[attestation.account] = (attestation.factor, attestation.expires)

    @atomic
    def revoke(
        self, block: Message, nonce: int, deadline: int, account: str, signatures: Sequence[Signature]
    ) -> None:
        """Take an account's factor back to one."""
        self.quorum.accept(block, nonce, deadline, self.revocation(nonce, deadline, account), signatures)
        self._factors.pop(account, None)

    def suspend(self, block: Message, on: bool) -> None:  # noqa: FBT001 - as the contract takes it
        """Let factors below one count as one, or count again."""
        require(block.sender == self.guardian, "attestations: not the guardian")
        self.suspended = on

    def restore(self, account: str, factor: int, expires: int) -> None:
        """Take over what a contract holds."""
        self._factors[account] = (factor, expires)

    def factor(self, block: Message, account: str) -> int:
        """Give the factor on an account's initial margin now; one where nothing is attested."""
        factor, expires = self._factors.get(account, (ONE, 0))
        if block.timestamp >= expires:
            return ONE
        return max(factor, ONE) if self.suspended else factor

"""Who may speak together, how many must, and did they sign this message?

Twin of `quorum.vy`.
"""

from collections.abc import Sequence

from plimsoll.chain.hashing import Signature, keccak, recovered, words
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.reverts import Message, Part, atomic, require

__all__ = ["DOMAIN_TYPE", "HALF_ORDER", "MOST_SIGNERS", "ROTATION_TYPE", "Quorum", "domain_of", "typed"]

MOST_SIGNERS, HALF_ORDER = (constants("quorum")[name] for name in ("MOST_SIGNERS", "HALF_ORDER"))
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ROTATION_TYPE = "Rotation(uint256 nonce,uint64 deadline,address[] signers,uint256 threshold)"


def domain_of(chain_id: int, contract: str) -> bytes:
    """Give the EIP-712 domain separator of a contract on a chain."""
    return keccak(words(keccak(DOMAIN_TYPE.encode()), keccak(b"Plimsoll"), keccak(b"1"), chain_id, contract))


def typed(domain: bytes, message: bytes) -> bytes:
    """Give the digest that is signed for a hashed message."""
    return keccak(b"\x19\x01" + domain + message)


class Quorum(Part):
    """A set of signers of which `threshold` must sign the same message."""

    def __init__(self, signers: Sequence[str], threshold: int, domain: bytes) -> None:
        self.domain = domain
        self.nonce = 0
        self.signers: tuple[str, ...] = ()
        self.threshold = 0
        self._install(signers, threshold)

    @atomic
    def rotate(
        self,
        block: Message,
        nonce: int,
        deadline: int,
        signers: Sequence[str],
        threshold: int,
        signatures: Sequence[Signature],
    ) -> None:
        """Replace the set of signers by what the present quorum signed."""
        self.accept(block, nonce, deadline, self.rotation(nonce, deadline, signers, threshold), signatures)
        self._install(signers, threshold)

    @staticmethod
    def rotation(nonce: int, deadline: int, signers: Sequence[str], threshold: int) -> bytes:
        """Hash a rotation."""
        kind = keccak(ROTATION_TYPE.encode())
        return keccak(words(kind, nonce, deadline, keccak(words(*signers)), threshold))

    def accept(
        self, block: Message, nonce: int, deadline: int, message: bytes, signatures: Sequence[Signature]
    ) -> None:
        """Accept a message once: the next nonce, in time, signed by the quorum."""
        require(block.timestamp <= deadline, "quorum: expired")
        require(nonce == self.nonce + 1, "quorum: nonce")
        self.require_signed(message, signatures)
        self.nonce = nonce

    def require_signed(self, message: bytes, signatures: Sequence[Signature]) -> None:
        """Revert unless enough members signed, in ascending order."""
        require(len(signatures) >= self.threshold, "quorum: too few")
        digest = typed(self.domain, message)
        last = 0
        for signature in signatures:
            require(int.from_bytes(signature.s, "big") <= HALF_ORDER, "quorum: malleable")
            signer = recovered(digest, signature)
            if signer is None or signer not in self.signers:
                raise Revert("quorum: stranger")
            require(int(signer, 16) > last, "quorum: order")
            last = int(signer, 16)

    def _install(self, signers: Sequence[str], threshold: int) -> None:
        require(threshold <= len(signers) and 2 * threshold > len(signers), "quorum: threshold")
        last = 0
        for signer in signers:
            require(int(signer, 16) > last, "quorum: order")
            last = int(signer, 16)
        self.signers = tuple(signers)
        self.threshold = threshold

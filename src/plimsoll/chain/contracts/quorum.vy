# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Who may speak together, how many must, and did they sign this message?
@license Apache-2.0
@author The Plimsoll authors
@notice A set of signers of which `threshold` must sign the same EIP-712 message. Signatures are given in ascending
        order of their signers, so that nobody counts twice. Every message carries the next nonce and a deadline.
@dev    The set replaces itself: a rotation is signed by the quorum that it replaces.
"""

struct Signature:
    v: uint8
    r: bytes32
    s: bytes32


event SignersRotated:
    signers: DynArray[address, MOST_SIGNERS]
    threshold: uint256


MOST_SIGNERS: constant(uint256) = 16
HALF_ORDER: constant(uint256) = 57_896_044_618_658_097_711_785_492_504_343_953_926_418_782_139_537_452_191_302_581_570_759_080_747_168
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
ROTATION_TYPE: constant(bytes32) = keccak256(
    "Rotation(uint256 nonce,uint64 deadline,address[] signers,uint256 threshold)"
)

is_signer: public(HashMap[address, bool])
signers: DynArray[address, MOST_SIGNERS]
threshold: public(uint256)
nonce: public(uint256)


@deploy
def __init__(signers: DynArray[address, MOST_SIGNERS], threshold: uint256):
    """
    @notice Begin with a set of signers.
    @param signers Ascending, none of them zero.
    @param threshold How many must sign; more than half, so that no two quorums contradict each other.
    """
    self._install(signers, threshold)


@external
@view
def members() -> DynArray[address, MOST_SIGNERS]:
    """
    @notice Who may sign.
    @return Ascending addresses.
    """
    return self.signers


@external
@view
def domain() -> bytes32:
    """
    @notice The EIP-712 domain separator of this contract on this chain.
    @return keccak256 of the domain.
    """
    return self._domain()


@external
def rotate(
    nonce: uint256,
    deadline: uint64,
    signers: DynArray[address, MOST_SIGNERS],
    threshold: uint256,
    signatures: DynArray[Signature, MOST_SIGNERS],
):
    """
    @notice Replace the set of signers; anyone may bring what the present quorum signed.
    @param nonce The next one.
    @param deadline Last second in which the rotation may arrive.
    @param signers The new set, ascending.
    @param threshold How many of them must sign.
    @param signatures Of the present quorum, ascending by signer.
    """
    # abi_encode of an array puts an offset and the length in front: two words that EIP-712 leaves out
    encoded: Bytes[32 * MOST_SIGNERS + 64] = abi_encode(signers)
    message: bytes32 = keccak256(
        abi_encode(ROTATION_TYPE, nonce, deadline, keccak256(slice(encoded, 64, 32 * len(signers))), threshold)
    )
    self._accept(nonce, deadline, message, signatures)
    for signer: address in self.signers:
        self.is_signer[signer] = False
    self._install(signers, threshold)


@internal
def _install(signers: DynArray[address, MOST_SIGNERS], threshold: uint256):
    assert threshold <= len(signers) and 2 * threshold > len(signers), "quorum: threshold"
    last: address = empty(address)
    for signer: address in signers:
        assert convert(signer, uint256) > convert(last, uint256), "quorum: order"
        self.is_signer[signer] = True
        last = signer
    self.signers = signers
    self.threshold = threshold
    log SignersRotated(signers=signers, threshold=threshold)


@internal
def _accept(
    nonce: uint256, deadline: uint64, message: bytes32, signatures: DynArray[Signature, MOST_SIGNERS]
):
    """
    @notice Accept a message once: the next nonce, in time, signed by the quorum.
    """
    assert block.timestamp <= convert(deadline, uint256), "quorum: expired"
    assert nonce == self.nonce + 1, "quorum: nonce"
    self._require_signed(message, signatures)
    self.nonce = nonce


@internal
@view
def _require_signed(message: bytes32, signatures: DynArray[Signature, MOST_SIGNERS]):
    assert len(signatures) >= self.threshold, "quorum: too few"
    digest: bytes32 = keccak256(concat(b"\x19\x01", self._domain(), message))
    last: uint256 = 0
    for signature: Signature in signatures:
        assert convert(signature.s, uint256) <= HALF_ORDER, "quorum: malleable"
        signer: address = ecrecover(digest, signature.v, signature.r, signature.s)
        assert self.is_signer[signer], "quorum: stranger"
        assert convert(signer, uint256) > last, "quorum: order"
        last = convert(signer, uint256)


@internal
@view
def _domain() -> bytes32:
    return keccak256(
        abi_encode(DOMAIN_TYPE, keccak256("Plimsoll"), keccak256("1"), chain.id, self)
    )

# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What has been attested of an account's own risk, and how far does it move its initial margin?
@license Apache-2.0
@author The Plimsoll authors
@notice k of n attesters sign a factor on an account's initial margin, within bounds that never change. It expires, and
        the attesters may revoke it. Whatever it says, the requirement contract keeps initial margin at or above the call
        level, and so above maintenance and its statistical floor.
@dev    Factors are billionths.
@custom:kill The guardian's `suspend` makes every factor below one count as one until it lifts that; factors above one
        go on counting. Expiry ends each attestation by itself.
"""
import quorum

initializes: quorum
exports: (
    quorum.is_signer,
    quorum.threshold,
    quorum.nonce,
    quorum.members,
    quorum.domain,
    quorum.rotate,
)


struct Attestation:
    nonce: uint256
    deadline: uint64
    account: address
    factor: uint32
    expires: uint64
    evidence: bytes32


event Attested:
    account: indexed(address)
    factor: uint32
    expires: uint64
    evidence: bytes32


event Revoked:
    account: indexed(address)


event Suspended:
    suspended: bool


ONE: constant(uint256) = 1_000_000_000
LONGEST_LIFE: constant(uint256) = 7_776_000
ATTESTATION_TYPE: constant(bytes32) = keccak256(
    "Attestation(uint256 nonce,uint64 deadline,address account,uint32 factor,uint64 expires,bytes32 evidence)"
)
REVOCATION_TYPE: constant(bytes32) = keccak256("Revocation(uint256 nonce,uint64 deadline,address account)")

GUARDIAN: public(immutable(address))
LEAST: public(immutable(uint256))
MOST: public(immutable(uint256))
suspended: public(bool)
factors: public(HashMap[address, uint256])
expiries: public(HashMap[address, uint256])


@deploy
def __init__(
    attesters: DynArray[address, quorum.MOST_SIGNERS],
    threshold: uint256,
    guardian: address,
    least: uint256,
    most: uint256,
):
    """
    @notice Begin with attesters and the bounds of what they may say.
    @param attesters Ascending.
    @param threshold How many of them must sign.
    @param guardian May suspend what lowers margin.
    @param least Lowest factor, above zero and at most one.
    @param most Highest factor, at least one.
    """
    quorum.__init__(attesters, threshold)
    assert 0 < least and least <= ONE and ONE <= most and most <= 4 * ONE, "attestations: bounds"
    GUARDIAN = guardian
    LEAST = least
    MOST = most


@external
def attest(attestation: Attestation, signatures: DynArray[quorum.Signature, quorum.MOST_SIGNERS]):
    """
    @notice Set an account's factor; anyone may bring what the attesters signed.
    @param attestation Account, factor, expiry and the hash of its evidence.
    @param signatures Ascending by signer.
    """
    message: bytes32 = keccak256(abi_encode(ATTESTATION_TYPE, attestation))
    quorum._accept(attestation.nonce, attestation.deadline, message, signatures)
    factor: uint256 = convert(attestation.factor, uint256)
    expires: uint256 = convert(attestation.expires, uint256)
    assert LEAST <= factor and factor <= MOST, "attestations: out of bounds"
    assert block.timestamp < expires and expires <= block.timestamp + LONGEST_LIFE, "attestations: expiry"
    self.factors[attestation.account] = factor
    self.expiries[attestation.account] = expires
    log Attested(
        account=attestation.account,
        factor=attestation.factor,
        expires=attestation.expires,
        evidence=attestation.evidence,
    )


@external
def revoke(
    nonce: uint256,
    deadline: uint64,
    account: address,
    signatures: DynArray[quorum.Signature, quorum.MOST_SIGNERS],
):
    """
    @notice Take an account's factor back to one; anyone may bring what the attesters signed.
    @param nonce The next one.
    @param deadline Last second in which the revocation may arrive.
    @param account Whose.
    @param signatures Ascending by signer.
    """
    message: bytes32 = keccak256(abi_encode(REVOCATION_TYPE, nonce, deadline, account))
    quorum._accept(nonce, deadline, message, signatures)
    self.factors[account] = 0
    self.expiries[account] = 0
    log Revoked(account=account)


@external
def suspend(on: bool):
    """
    @notice Let factors below one count as one, or count again.
    @param on Whether they are suspended.
    """
    assert msg.sender == GUARDIAN, "attestations: not the guardian"
    self.suspended = on
    log Suspended(suspended=on)


@external
@view
def factor(account: address) -> uint256:
    """
    @notice The factor on an account's initial margin now.
    @param account Whose.
    @return Billionths; one where nothing is attested or it has expired.
    """
    if block.timestamp >= self.expiries[account]:
        return ONE
    factor: uint256 = self.factors[account]
    if self.suspended:
        return max(factor, ONE)
    return factor

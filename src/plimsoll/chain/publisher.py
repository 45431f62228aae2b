"""How does a parameter set come to hold on chain, signed by enough reporters, once?"""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from msgspec import Struct

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.projection import digest_of, evidence_of, market_name, projected
from plimsoll.chain.proposal import Proposal
from plimsoll.chain.twin.rates import Bounds, MarketRates, SideRates, Update, message_of
from plimsoll.domain.parameters import ParameterSet
from plimsoll.errors import Code, PlimsollError

__all__ = ["Outcome", "Published", "publish"]

_DEADLINE = 3_600
"""Seconds within which the quorum must come together."""


class Outcome(Enum):
    """How far a publication came."""

    IN_FORCE = "in force already"
    WAITING = "waiting for signatures"
    ACCEPTED = "accepted"


class Published(Struct, frozen=True, kw_only=True):
    """What became of a publication.

    Attributes
    ----------
    outcome : Outcome
    version, nonce : int
    signers : tuple of str   Who has signed.
    threshold : int
    gas : int                Used; 0 where nothing was sent.
    """

    outcome: Outcome
    version: int
    nonce: int
    signers: tuple[str, ...]
    threshold: int
    gas: int


def publish(
    connection: Connection,
    deployment: Deployment,
    parameters: ParameterSet,
    keys: Sequence[bytes],
    folder: Path,
) -> Published:
    """Sign a set, collect the quorum in a shared folder, submit once it is complete, check what then holds.

    Run it as often as you like: what holds already is not sent again, a signature that is there stays, a
    proposal whose time has passed is begun anew, and a reporter signs only what its own parameter set says.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where the shared proposal is not of this set; what `projected` and
                    `Connection.send` raise.
    """
    contract = deployment.bound(connection, "parameters")
    threshold = contract.read("threshold")
    if contract.read("digest") == digest_of(parameters):
        nonce = contract.read("nonce")
        return _published(Outcome.IN_FORCE, parameters.version, nonce, (), threshold)
    nonce = contract.read("nonce") + 1
    proposal = Proposal(folder, contract, f"{nonce}")
    update = _update(connection, contract, deployment, parameters, proposal, nonce)
    for key in keys:
        proposal.sign(message_of(update), key)
    found = proposal.signatures(message_of(update))
    signers = tuple(found)
    if len(found) < threshold:
        return _published(Outcome.WAITING, update.version, nonce, signers, threshold)
    receipt = contract.send("update", update, list(found.values()))
    _require_held(contract, update)
    return _published(Outcome.ACCEPTED, update.version, nonce, signers, threshold, receipt["gasUsed"])


def _published(
    outcome: Outcome, version: int, nonce: int, signers: tuple[str, ...], threshold: int, gas: int = 0
) -> Published:
    return Published(
        outcome=outcome, version=version, nonce=nonce, signers=signers, threshold=threshold, gas=gas
    )


def _update(
    connection: Connection,
    contract: Bound,
    deployment: Deployment,
    parameters: ParameterSet,
    proposal: Proposal,
    nonce: int,
) -> Update:
    rates = _rates(contract, deployment, parameters)
    now = connection.block()[1]
    said = (digest_of(parameters), evidence_of(parameters))
    found = _proposed(proposal)
    if found is not None and found.deadline >= now:
        if (found.digest, found.evidence, found.rates) != (*said, rates):
            raise PlimsollError(
                Code.BAD_SETTING,
                "the proposal that others sign is not of this parameter set",
                where="publish",
                remedy="Agree with the other reporters on one set, or wait until its hour is over.",
            )
        return found
    effective = min(parameters.effective // 1_000, now)
    update = Update(nonce, parameters.version, effective, now + _DEADLINE, *said, rates)
    proposal.begin(_document(update))
    return update


def _proposed(proposal: Proposal) -> Update | None:
    """Read the update that is under way; none where there is none yet."""
    content = proposal.content()
    if content is None:
        return None
    try:
        rates = tuple(
            MarketRates(bytes.fromhex(each["market"]), SideRates(*each["long"]), SideRates(*each["short"]))
            for each in content["rates"]
        )
        hashes = {name: bytes.fromhex(content[name]) for name in ("digest", "evidence")}
        return Update(**{**content, **hashes, "rates": rates})
    except (KeyError, ValueError, TypeError) as error:
        raise proposal.spoilt("is no proposal of rates") from error


def _document(update: Update) -> dict[str, Any]:
    rates = [{"market": each.market.hex(), "long": each.long, "short": each.short} for each in update.rates]
    named = {**update._asdict(), "rates": rates}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in named.items()}


def _rates(contract: Bound, deployment: Deployment, parameters: ParameterSet) -> tuple[MarketRates, ...]:
    """Project the set under the limits that the contract itself keeps."""
    bounds = {name: Bounds(*contract.read("bounds", market_name(name))) for name in deployment.markets}
    return projected(parameters, bounds)


def _require_held(contract: Bound, update: Update) -> None:
    held = tuple(_market_rates(contract.read("stored", each.market)) for each in update.rates)
    if held != update.rates or contract.read("digest") != update.digest:
        raise PlimsollError(
            Code.CHAIN_FAILED,
            "the contract does not hold what was published",
            where="publish",
            remedy="Another update may have come in between: see plimsoll chain status.",
        )


def _market_rates(read: tuple[bytes, tuple[int, ...], tuple[int, ...]]) -> MarketRates:
    return MarketRates(read[0], SideRates(*read[1]), SideRates(*read[2]))

"""How do listings and quotes of options come to hold on chain, signed by enough reporters, once?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.engine_state import board_of, listings_of, market_of
from plimsoll.chain.option_terms import listing_of, publication_of
from plimsoll.chain.projection import market_name
from plimsoll.chain.proposal import Proposal
from plimsoll.chain.publisher import Outcome
from plimsoll.chain.twin.boards import Board
from plimsoll.chain.twin.option_bounds import OptionBounds, listing_message, publication_message
from plimsoll.chain.twin.publication import Publication
from plimsoll.domain.market import Market as Quoted
from plimsoll.errors import Code, PlimsollError

__all__ = ["BoardOutcome", "BoardPlan", "list_options", "publish_options"]

_DEADLINE = 3_600
"""Seconds within which the quorum must come together for a listing."""
_NEAR = 20
"""The engine's range follows the rates once they are one part in so many apart, as the desk has it."""
_PER_MILLIONTH = 1_000
"""Billionths."""


class BoardPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is listed and published together, as a user writes it down.

    Attributes
    ----------
    market : str            As the deployment calls it.
    board : int             Number.
    instruments : names     In order of rows; the first of board 0 is the perpetual (``BTC-PERP``).
    """

    market: str
    board: Annotated[int, Meta(ge=0, le=7)] = 0
    instruments: Annotated[tuple[str, ...], Meta(min_length=1, max_length=320)]


class BoardOutcome(Struct, frozen=True, kw_only=True):
    """What became of a listing, or of a publication.

    Attributes
    ----------
    outcome : Outcome
    market : str
    board, instruments : int   Number, and how many are listed.
    as_of : int                Seconds, the moment that quotes speak of; 0 of a listing.
    signers : tuple of str     Who has signed.
    threshold : int
    gas : int                  Used; 0 where nothing was sent.
    """

    outcome: Outcome
    market: str
    board: int
    instruments: int
    as_of: int = 0
    signers: tuple[str, ...] = ()
    threshold: int
    gas: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """A board on chain, and how many must sign what is said of it."""

    desk: Bound
    engine: Bound
    market: str
    number: int
    board: int
    threshold: int

    @property
    def key(self) -> int:
        return self.number << 3 | self.board

    def outcome(self, outcome: Outcome, instruments: int, **told: Any) -> BoardOutcome:
        return BoardOutcome(
            outcome=outcome,
            market=self.market,
            board=self.board,
            instruments=instruments,
            threshold=self.threshold,
            **told,
        )


def list_options(
    connection: Connection, deployment: Deployment, plan: BoardPlan, keys: Sequence[bytes], folder: Path
) -> BoardOutcome:
    """Sign a board's terms, collect the quorum in a shared folder, submit it, check what then holds.

    Run it as often as you like, as `publisher.publish`.

    Raises
    ------
    PlimsollError   `UNKNOWN_INSTRUMENT` for a name that the market cannot list; `BAD_SETTING` where the
                    shared proposal is of other terms; what `Connection.send` raises.
    """
    listings = tuple(listing_of(name, plan.market) for name in plan.instruments)
    place = _place(connection, deployment, plan.market, plan.board)
    block, now = connection.block()
    if listings_of(connection, place.engine, place.key, block) == listings:
        return place.outcome(Outcome.IN_FORCE, len(listings))
    nonce = place.desk.read("nonce") + 1
    proposal = Proposal(folder, place.desk, f"{nonce}")
    terms = {"market": place.number, "board": plan.board, "terms": [hex(each.word) for each in listings]}
    found = proposal.content()
    if found is None or found.get("deadline", 0) < now:
        found = {**terms, "deadline": now + _DEADLINE}
        proposal.begin(found)
    deadline = found.get("deadline", 0)
    if found != {**terms, "deadline": deadline}:
        raise _others("of these terms", "wait until its hour is over")
    message = listing_message(nonce, deadline, place.number, plan.board, listings)
    proof = _signed(proposal, message, keys)
    if len(proof) < place.threshold:
        return place.outcome(Outcome.WAITING, len(listings), signers=tuple(proof))
    words = [each.word for each in listings]
    sent = place.desk.send(
        "list_board", place.number, plan.board, words, nonce, deadline, list(proof.values())
    )
    if listings_of(connection, place.engine, place.key, sent["blockNumber"]) != listings:
        raise _not_held("listed")
    return place.outcome(Outcome.ACCEPTED, len(listings), signers=tuple(proof), gas=sent["gasUsed"])


def publish_options(
    connection: Connection,
    deployment: Deployment,
    subject: tuple[str, int],
    quoted: Quoted,
    keys: Sequence[bytes],
    folder: Path,
) -> BoardOutcome:
    """Price and pack a board from quotes, collect the quorum, submit it, check what then holds.

    Reporters with the same quotes come to the same rows, so each signs only what its own quotes say. Where
    the rates in force have left the engine's range, the range is set first: rows are of the range that they
    are computed in.

    Parameters
    ----------
    subject : (str, int)   Market and number of the board.

    Raises
    ------
    PlimsollError   `MISSING_PRICE` or `MISSING_VOLATILITY` for what is listed and not quoted; `BAD_SETTING`
                    where the proposal or the contract is of other quotes; what `Connection.send` raises.
    """
    place = _place(connection, deployment, *subject)
    _follow_range(connection, deployment, place)
    block, _ = connection.block()
    market = market_of(connection, place.engine, place.number, block)
    board = board_of(connection, place.engine, place.key, block)
    if market is None or board is None:
        raise _unlisted(place)
    bounds = OptionBounds(*place.desk.read("bounds", place.number, block=block))
    sent = publication_of(market, board, quoted, place.market, bounds)
    count = len(sent.rows)
    if _holds(board, sent):
        return place.outcome(Outcome.IN_FORCE, count, as_of=sent.as_of)
    if board.as_of >= sent.as_of:
        raise _others(
            "of these quotes: the contract holds later ones", "publish quotes of a later moment", "board"
        )
    message = publication_message(place.number, place.board, sent)
    proposal = Proposal(folder, place.desk, f"quotes-{place.number}-{place.board}")
    said = {"as_of": sent.as_of, "message": message.hex()}
    found = proposal.content()
    if found is None or found.get("as_of", 0) < sent.as_of:
        proposal.begin(said)
    elif found != said:
        raise _others("of these quotes", "publish quotes of a later moment")
    proof = _signed(proposal, message, keys)
    if len(proof) < place.threshold:
        return place.outcome(Outcome.WAITING, count, as_of=sent.as_of, signers=tuple(proof))
    header = (place.number, place.board, sent.as_of, sent.spot, sent.notional, sent.decay)
    receipt = place.desk.send("publish", header, sent.encoded, list(proof.values()))
    held = board_of(connection, place.engine, place.key, receipt["blockNumber"])
    if held is None or not _holds(held, sent):
        raise _not_held("published")
    told = {"as_of": sent.as_of, "signers": tuple(proof), "gas": receipt["gasUsed"]}
    return place.outcome(Outcome.ACCEPTED, count, **told)


def _place(connection: Connection, deployment: Deployment, market: str, board: int) -> _Place:
    desk, engine = (deployment.bound(connection, part) for part in ("desk", "engine"))
    if market not in deployment.markets:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"the deployment has no market {market}",
            where="market",
            remedy=f"Name one of {', '.join(deployment.markets)}.",
        )
    number = deployment.markets.index(market)
    return _Place(desk, engine, market, number, board, desk.read("threshold"))


def _follow_range(connection: Connection, deployment: Deployment, place: _Place) -> None:
    """Set the engine's range to the worse side's maintenance rate where the desk would: anyone may."""
    held = place.engine.read("spread", place.number)
    rates = deployment.bound(connection, "parameters").read("rates", market_name(place.market))
    asked = -(-max(side[1] for side in rates[1:]) // _PER_MILLIONTH)
    if held and _NEAR * abs(held - asked) >= held:
        place.desk.send("follow_range", place.number)


def _signed(proposal: Proposal, message: bytes, keys: Sequence[bytes]) -> dict[str, Any]:
    for key in keys:
        proposal.sign(message, key)
    return proposal.signatures(message)


def _holds(board: Board, sent: Publication) -> bool:
    said = (board.as_of, board.spot, board.notional, board.decay, board.rows)
    return said == (sent.as_of, sent.spot, sent.notional, sent.decay, sent.rows) and not board.superseded


def _unlisted(place: _Place) -> PlimsollError:
    return PlimsollError(
        Code.BAD_SETTING,
        f"nothing is listed on board {place.board} of {place.market}",
        where="board",
        remedy="List it first: plimsoll chain list-options.",
    )


def _others(what: str, instead: str, where: str = "proposal") -> PlimsollError:
    return PlimsollError(
        Code.BAD_SETTING,
        f"the proposal that others sign is not {what}" if where == "proposal" else f"is not {what}",
        where=where,
        remedy=f"Agree with the other reporters, or {instead}.",
    )


def _not_held(how: str) -> PlimsollError:
    return PlimsollError(
        Code.CHAIN_FAILED,
        f"the contract does not hold what was {how}",
        where="publish",
        remedy="Another one may have come in between: see plimsoll chain status.",
    )

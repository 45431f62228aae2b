"""What is the whole state of a venue, and how is it told apart from any other?"""

import hashlib
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import ParameterSet
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.book import Book, empty_book
from plimsoll.engine.market import Market, market_of, unknown_market
from plimsoll.engine.options import lists_options, model_at
from plimsoll.engine.safety import Safety
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import MarginModel
from plimsoll.types import Vector

__all__ = ["Auction", "State", "begin", "digest", "digest_of", "restore", "snapshot"]


class Auction(msgspec.Struct, frozen=True):
    """An account on the block.

    Attributes
    ----------
    row : int        Of the account.
    began : int      Milliseconds UTC.
    reserved : int   What bids have brought so far, quote quanta: cash that is not sold again.
    kept : float     Share of the account that is left of what was there when the auction began.
    """

    row: int
    began: int
    reserved: int = 0
    kept: float = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the next step depends on. A value: no step changes it.

    Attributes
    ----------
    time : int       Of the last event, milliseconds UTC.
    sequence : int   Events so far.
    ticked : int     Time of the last tick; 0 before the first.
    listings : tuple [I]
    rules : ClearingRules
    book : Book
    market : Market
    parameters : ParameterSet or None   In force; None before the first.
    model : MarginModel or None         Derived from the parameters.
    auctions : tuple of Auction         Under way, in the order of their rows.
    safety : Safety or None             Spares work; derived, in no snapshot.
    """

    time: int
    sequence: int
    ticked: int
    listings: tuple[Listing, ...]
    rules: ClearingRules
    book: Book
    market: Market
    parameters: ParameterSet | None
    model: MarginModel | None
    auctions: tuple[Auction, ...] = ()
    safety: Safety | None = None

    @property
    def model_in_force(self) -> MarginModel:
        """The margin model; raises `MISSING_PARAMETERS` before any parameter set was published."""
        if self.model is None:
            raise PlimsollError(
                Code.MISSING_PARAMETERS,
                "no parameter set is in force",
                where="venue",
                remedy="Publish one first.",
            )
        return self.model

    @property
    def lot_sizes(self) -> Vector:
        """Base units per lot [I]."""
        return np.array([listing.lot for listing in self.listings])

    @property
    def unit(self) -> Vector:
        """Quote quanta per lot at the mark [I]; NaN before the first tick."""
        unit: Vector = self.lot_sizes * self.market.marks * QUANTA_PER_UNIT
        return unit


def begin() -> State:
    """Start a venue that lists nothing."""
    return State(0, 0, 0, (), ClearingRules(), empty_book(0), unknown_market(0), None, None)


class _Frozen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A state as bytes; arrays are little-endian, row-major.

    Normal depth everywhere is not written, nor what options are priced from where none is listed.
    """

    time: int
    sequence: int
    ticked: int
    listings: tuple[Listing, ...]
    rules: ClearingRules
    names: tuple[str, ...]
    cash: memoryview
    lots: memoryview
    cost: memoryview
    status: memoryview
    market: memoryview
    parameters: ParameterSet | None
    auctions: tuple[Auction, ...]
    depth: bytes = b""
    options: bytes = b""


def snapshot(state: State) -> bytes:
    """Write the state as bytes; equal states give equal bytes."""
    book, market = state.book, state.market
    return msgspec.msgpack.encode(
        _Frozen(
            time=state.time,
            sequence=state.sequence,
            ticked=state.ticked,
            listings=state.listings,
            rules=state.rules,
            names=book.names,
            cash=_bytes(book.cash, "<i8"),
            lots=_bytes(book.lots, "<i8"),
            cost=_bytes(book.cost, "<i8"),
            status=_bytes(book.status, "i1"),
            market=_bytes(np.stack([market.marks, market.volume, market.impact]), "<f8"),
            parameters=state.parameters,
            auctions=state.auctions,
            depth=b"" if (market.depth == 1.0).all() else market.depth.astype("<f8").tobytes(),
            options=_options(state),
        )
    )


def _options(state: State) -> bytes:
    if not lists_options(state.listings):
        return b""
    return np.stack([state.market.forwards, state.market.volatility]).astype("<f8").tobytes()


def _bytes(values: NDArray[Any], form: str) -> memoryview:
    """Show an array as bytes; copied only where it is not in this form already."""
    return np.ascontiguousarray(values, dtype=form).reshape(-1).view(np.uint8).data


def restore(snapshot: bytes) -> State:
    """Read a state back; stepping on from it gives what stepping on from the original gives."""
    frozen = msgspec.msgpack.decode(snapshot, type=_Frozen)
    shape = len(frozen.names), len(frozen.listings)

    def whole(blob: memoryview) -> NDArray[np.int64]:
        return np.frombuffer(blob, dtype="<i8").astype(np.int64)

    book = Book(
        names=frozen.names,
        rows=MappingProxyType({name: row for row, name in enumerate(frozen.names)}),
        cash=whole(frozen.cash),
        lots=whole(frozen.lots).reshape(shape),
        cost=whole(frozen.cost).reshape(shape),
        status=np.frombuffer(frozen.status, dtype=np.int8).copy(),
    )
    told = np.frombuffer(frozen.market, dtype="<f8").reshape(3, shape[1]).astype(np.float64)
    depth = np.frombuffer(frozen.depth, dtype="<f8").astype(np.float64) if frozen.depth else np.ones(shape[1])
    market = market_of(told[0], told[1], told[2], depth)
    if frozen.options:
        priced = np.frombuffer(frozen.options, dtype="<f8").reshape(2, shape[1]).astype(np.float64)
        market = replace(market, forwards=priced[0], volatility=priced[1])
    parameters = frozen.parameters
    model = None if parameters is None else model_at(parameters, frozen.listings, market, frozen.ticked)
    return State(
        frozen.time,
        frozen.sequence,
        frozen.ticked,
        frozen.listings,
        frozen.rules,
        book,
        market,
        parameters,
        model,
        frozen.auctions,
    )


def digest(state: State) -> str:
    """Name a state by the SHA-256 of its snapshot."""
    return digest_of(snapshot(state))


def digest_of(written: bytes) -> str:
    """Name the state that a snapshot holds."""
    return hashlib.sha256(written).hexdigest()

"""Which contracts expire together, how do they stand, and how is a further board listed?"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.domain.events import Introduced
from plimsoll.domain.instruments import Future, Instrument, Listing, Option, parse_instrument
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.options import lists_options
from plimsoll.engine.state import State
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.endpoints import Asked
from plimsoll.service.settings import BoardSettings
from plimsoll.service.threads import apart
from plimsoll.service.view import View
from plimsoll.service.writes import (
    SYSTEM_TIME,
    NotNegative,
    Price,
    Volatility,
    WriteAnswer,
    written,
)
from plimsoll.types import Rows

__all__ = ["Board", "NewBoard", "OptionLine", "board_listings", "boards", "boards_of", "list_board"]


class OptionLine(Struct, frozen=True, kw_only=True):
    """One option of a board.

    Attributes
    ----------
    strike : float; right : str    ``C`` or ``P``.
    volatility : float or None     That it is marked at, per root of a year; None before the first tick.
    mark : float or None           Quote currency per base unit.
    open : float                   Base units that traders are long, or short, whichever is more.
    """

    instrument: str
    strike: float
    right: str
    volatility: float | None
    mark: float | None
    open: float


class Board(Struct, frozen=True, kw_only=True):
    """Contracts of one market that expire together.

    Attributes
    ----------
    name : str                Market and day, ``BTC-27MAR26``.
    expiry : int              Milliseconds UTC.
    settled : bool            It has expired, and nobody holds anything of it.
    forward : float or None   Quote currency per base unit; None before the first tick.
    at_the_money : float or None   Volatility of the option whose strike is nearest to the forward.
    open : float              Base units of options that traders are long, or short, the more of both.
    worth : int               Of these at the mark, quote quanta.
    future : str              Name of the future of that day; empty where none is listed.
    options : tuple of OptionLine   By strike.
    """

    name: str
    market: str
    expiry: int
    settled: bool
    forward: float | None
    at_the_money: float | None
    open: float
    worth: int
    future: str
    options: tuple[OptionLine, ...]


class NewBoard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options to be listed, of one market and expiry, with the quotes that they are priced by until a tick.

    Attributes
    ----------
    forward : float       Of the expiry; of one that is listed already the same as now.
    volatility : dict     By the name of each new option.
    volume, impact : float   As in a tick, of each of them.
    future : bool         List the future of that expiry as well.
    """

    forward: Price
    volatility: Annotated[dict[str, Volatility], Meta(min_length=1, max_length=1000)]
    volume: NotNegative = 0.0
    impact: NotNegative = 0.0
    future: bool = False


def board_listings(boards: dict[str, BoardSettings], lots: dict[str, float]) -> tuple[Listing, ...]:
    """List what boards of the settings name: options by strike, then the future.

    Parameters
    ----------
    lots : dict   Of each market: an option is worth less than what it is written on.
    """
    listings: list[Listing] = []
    for name, board in boards.items():
        day = parse_instrument(name)
        assert isinstance(day, Future)  # noqa: S101 the settings were checked
        listed: list[Instrument] = [
            Option(day.underlying, day.expiry, strike, right)
            for strike in sorted(board.strikes)
            for right in ("C", "P")
        ]
        listings += [Listing(each, lots[day.underlying]) for each in (*listed, *([day] * board.future))]
    return tuple(listings)


async def boards(asked: Asked) -> tuple[Board, ...]:
    """List the boards, the next to expire first; those that have settled last."""
    return await apart(boards_of, asked.desk.view)


def boards_of(view: View) -> tuple[Board, ...]:
    """Describe every board."""
    state = view.state
    grouped: dict[tuple[str, int], list[int]] = {}
    for i, listing in enumerate(state.listings):
        if isinstance(listing.instrument, Option):
            grouped.setdefault((listing.underlying, listing.instrument.expiry), []).append(i)
    held = state.book.lots[FIRST_TRADER:]
    found = [
        _board(state, Future(*key), np.array(rows, dtype=np.intp), _open(held, rows))
        for key, rows in grouped.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.settled, each.expiry, each.market)))


def _open(held: np.ndarray, rows: list[int]) -> np.ndarray:
    part = held[:, rows]
    most: np.ndarray = np.maximum(np.maximum(part, 0).sum(axis=0), -np.minimum(part, 0).sum(axis=0))
    return most


def _board(state: State, day: Future, rows: Rows, lots: np.ndarray) -> Board:
    names = {listing.name for listing in state.listings}
    forward = float(state.market.forwards[rows[0]])
    known = forward > 0.0
    sizes = lots * state.lot_sizes[rows]
    lines = []
    for i, size in zip(rows.tolist(), sizes.tolist(), strict=True):
        option = state.listings[i].instrument
        assert isinstance(option, Option)  # noqa: S101 boards are made of options
        lines.append(
            OptionLine(
                instrument=option.name,
                strike=option.strike,
                right=option.right,
                volatility=float(state.market.volatility[i]) if known else None,
                mark=float(state.market.marks[i]) if known else None,
                open=size,
            )
        )
    lines.sort(key=lambda line: (line.strike, line.right))
    nearest = min(lines, key=lambda line: abs(line.strike - forward)) if known else None
    return Board(
        name=day.name,
        market=day.underlying,
        expiry=day.expiry,
        settled=state.ticked >= day.expiry,
        forward=forward if known else None,
        at_the_money=None if nearest is None else nearest.volatility,
        open=float(sizes.sum()),
        worth=round(float(sizes @ np.nan_to_num(state.market.marks[rows])) * QUANTA_PER_UNIT),
        future=day.name if day.name in names else "",
        options=tuple(lines),
    )


async def list_board(asked: Asked) -> WriteAnswer:
    """List options of one market and expiry, priced at once by the quotes that come with them."""
    view: View = asked.desk.view
    body: NewBoard = asked.body
    if asked.desk.described.replayed:
        raise PlimsollError(
            Code.BAD_REQUEST,
            "a replayed market lists its own options",
            where="service",
            remedy='Set `feed = "external"` to list options.',
        )
    options = _options_of(body)
    _check_listed(view, options[0])
    lot = next(each.lot for each in view.state.listings if each.underlying == options[0].underlying)
    new: list[Instrument] = [*options]
    if body.future:
        new.append(Future(options[0].underlying, options[0].expiry))
    event = Introduced(
        SYSTEM_TIME,
        tuple(Listing(each, lot) for each in new),
        marks=(body.forward,) * len(new),
        volume=(body.volume,) * len(new),
        impact=(body.impact,) * len(new),
        volatility=tuple(body.volatility.get(each.name, 0.0) for each in new),
    )
    return await written(asked, event)


def _options_of(body: NewBoard) -> tuple[Option, ...]:
    """Read the names; raises `UNKNOWN_INSTRUMENT` for what is no option, or of another expiry."""
    options: list[Option] = []
    for name in body.volatility:
        option = parse_instrument(name, "volatility")
        if not isinstance(option, Option) or option.name != name:
            raise _no_option(name, "is no option in its usual form")
        if (option.underlying, option.expiry) != (
            (options[0].underlying, options[0].expiry) if options else (option.underlying, option.expiry)
        ):
            raise _no_option(name, f"is of another market or expiry than {options[0].name}")
        options.append(option)
    return tuple(options)


def _no_option(name: str, what: str) -> PlimsollError:
    return PlimsollError(
        Code.UNKNOWN_INSTRUMENT,
        f"{name[:40]} {what}",
        where="volatility",
        remedy="Name options of one market and expiry, such as BTC-27MAR26-90000-P.",
    )


def _check_listed(view: View, option: Option) -> None:
    """Refuse a market that is not there, an expiry that is past, and a first option beside open positions."""
    state = view.state
    if option.underlying not in view.markets:
        raise PlimsollError(
            Code.UNKNOWN_MARKET,
            f"no market {option.underlying}",
            where="volatility",
            remedy=f"Choose among {', '.join(view.markets)}.",
        )
    if option.expiry <= state.time:
        raise PlimsollError(
            Code.EXPIRED_INSTRUMENT,
            "it has expired already",
            where=option.name,
            remedy="List options that expire after the venue's time, which GET /v1/journal tells.",
        )
    if not lists_options(state.listings) and state.book.lots[FIRST_TRADER:].any():
        raise PlimsollError(
            Code.UNSUPPORTED_INSTRUMENT,
            "the venue lists no options, and with the first its accounts would be margined otherwise",
            where=option.name,
            remedy="Open a venue with external.boards, or list it while nobody holds a position.",
        )

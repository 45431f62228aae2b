"""How does a tick get in, with forwards and implied volatilities where options are listed?"""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from plimsoll.domain.events import Ticked
from plimsoll.domain.instruments import Future, Instrument, Option
from plimsoll.engine.options import lists_options
from plimsoll.engine.state import State
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.endpoints import Asked
from plimsoll.service.instructions import ToldTick
from plimsoll.service.live_feed import wall_clock
from plimsoll.service.writes import NotNegative, Price, Volatility, WriteAnswer, place_of, written

__all__ = ["TickBody", "tick", "told_tick"]

_MOST = 10_000
_SECOND = 1000
_AS_SENT = msgspec.json.Encoder(order="deterministic")


class TickBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What moved, by instrument; what is left out keeps its last figure.

    A board is a market and a day, ``BTC-27MAR26``: it stands for all contracts that expire then.

    Attributes
    ----------
    time : int       Milliseconds UTC; not before the last tick, nor more than `external.longest_lead` ahead.
    marks : dict     Quote currency per base unit. Of contracts of a board `forwards` tells it.
    volume : dict    Quote volume per hour; by instrument or board, as `impact` and `depth`.
    impact : dict    Relative move from trading one hour's volume at once; of an option, of its own mark.
    depth : dict     Share of the published curve's depth that is left.
    forwards : dict  Of each board, quote currency per base unit. A tick at or past its expiry settles it at
                     what is told here, and has to.
    volatility : dict   That each option is marked at, per root of a year (0.6 is 60 %).
    """

    time: Annotated[int, Meta(ge=1, le=2**53)]
    marks: Annotated[dict[str, Price], Meta(max_length=_MOST)] = {}
    volume: dict[str, NotNegative] = {}
    impact: dict[str, NotNegative] = {}
    depth: dict[str, Annotated[float, Meta(gt=0.0, le=10.0)]] = {}
    forwards: Annotated[dict[str, Price], Meta(max_length=_MOST)] = {}
    volatility: Annotated[dict[str, Volatility], Meta(max_length=_MOST)] = {}

    def __post_init__(self) -> None:
        if not (self.marks or self.forwards or self.volatility):
            raise ValueError("a tick tells at least one mark, forward or volatility")


async def tick(asked: Asked) -> WriteAnswer:
    """Move the market."""
    if asked.desk.described.replayed or asked.desk.settings.hears:
        raise PlimsollError(
            Code.BAD_REQUEST,
            "the market of this venue is replayed, or comes from its sources or reporters",
            where="service",
            remedy='Set `feed = "external"` without `sources` and `reports` to send ticks.',
        )
    _check_lead(asked.body.time, asked.desk.settings.external.longest_lead)
    return await written(asked, told_tick(asked.body))


def _check_lead(time: int, longest: float) -> None:
    """Refuse a time that is ahead of the clock, before the journal holds it: time never goes back."""
    lead = (time - wall_clock()) / _SECOND
    if lead > longest:
        raise PlimsollError(
            Code.BAD_TIME,
            f"it is {lead:,.0f} seconds ahead of the service's clock, and may be {longest:g}",
            where="time",
            remedy="Give milliseconds since 1970 UTC; for a clock that runs ahead, or a drill, set "
            "external.longest_lead.",
        )


def told_tick(body: TickBody) -> ToldTick:
    """Make what the engine is asked for; the same body is the same request, whatever the market does."""
    request = sha256(_AS_SENT.encode(body)).hexdigest()
    return ToldTick(request, partial(_ticked, body, request))


def _ticked(body: TickBody, request: str, state: State) -> Ticked:
    """Put what moved over what the last tick told."""
    market, places = state.market, _Places(state)
    forwards = places.forwards(body)
    shares = places.over(market.depth.tolist(), body.depth)
    event = Ticked(
        body.time,
        places.over(market.forwards.tolist(), {**places.marks(body.marks), **forwards}),
        places.over(market.volume.tolist(), body.volume),
        places.over(market.impact.tolist(), body.impact),
        () if set(shares) == {1.0} else shares,
        places.volatility(body.volatility),
        request,
    )
    _refuse_untold(event, state)
    return event


def _refuse_untold(event: Ticked, state: State) -> None:
    """Refuse a tick after which an instrument has no figure at all."""
    told = {"marks": event.marks, "volume": event.volume, "impact": event.impact}
    for room, figures in told.items():
        absent = [state.listings[place].name for place in np.flatnonzero(~np.isfinite(figures))]
        if absent:
            raise PlimsollError(
                Code.MISSING_PRICE,
                f"nothing was ever told of {', '.join(absent[:10])}",
                where=room,
                remedy="Let the first tick tell of every listing; later ticks keep what they leave out.",
            )


class _Places:
    """Where each instrument and each board stands among the listings."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._listings = state.listings
        self._of: dict[str, list[int]] = {}
        self._expiry: dict[str, int] = {}
        optional = {
            (each.underlying, each.instrument.expiry)
            for each in self._listings
            if isinstance(each.instrument, Option)
        }
        for place, listing in enumerate(self._listings):
            one = listing.instrument
            if isinstance(one, Option | Future) and (one.underlying, one.expiry) in optional:
                board = Future(one.underlying, one.expiry).name
                self._expiry[board] = one.expiry
                self._of.setdefault(board, []).append(place)
            if not isinstance(one, Future) or listing.name not in self._expiry:
                self._of[listing.name] = [place]

    def marks(self, given: Mapping[str, float]) -> Mapping[str, float]:
        """Let marks through; raises `BAD_PRICE` for what is priced from the forward of its board."""
        for name in given:
            if name in self._of and _is_dated(self._listings[self._of[name][0]].instrument):
                raise PlimsollError(
                    Code.BAD_PRICE,
                    "its price follows from the forward of its expiry, and an option's volatility",
                    where=f"marks.{name}",
                    remedy="Give `forwards` by market and day, and `volatility` by option.",
                )
        return given

    def forwards(self, body: TickBody) -> Mapping[str, float]:
        """Let forwards of live boards through, if the tick has one of every board that it settles.

        Raises
        ------
        PlimsollError   `UNKNOWN_INSTRUMENT`, `MISSING_PRICE`, and `EXPIRED_INSTRUMENT` for a board that has
                        settled, at another price: the tick that settled it may be sent again.
        """
        ticked, known = self._state.ticked, self._state.market.forwards
        for name, forward in body.forwards.items():
            if name not in self._expiry:
                raise _unknown(f"{name[:40]} is no board", "forwards", list(self._expiry))
            if self._expiry[name] <= ticked and forward != known[self._of[name][0]]:
                raise _expired(name, "forwards")
        for name, expiry in self._expiry.items():
            settles = ticked < expiry <= body.time
            if name not in body.forwards and (settles or not np.isfinite(known[self._of[name][0]])):
                raise PlimsollError(
                    Code.MISSING_PRICE,
                    "it settles with this tick, which tells no price to settle at"
                    if settles
                    else "there is no forward of it yet",
                    where=f"forwards.{name}",
                    remedy="Tell it with this tick.",
                )
        return body.forwards

    def volatility(self, given: Mapping[str, float]) -> tuple[float, ...]:
        """Put volatilities over the known ones; raises as `forwards` does, for what is no option too."""
        known = self._state.market.volatility
        for name, figure in given.items():
            one = self._listings[self._of[name][0]].instrument if name in self._of else None
            if not isinstance(one, Option) or one.name != name:
                options = [each.name for each in self._listings if isinstance(each.instrument, Option)]
                raise _unknown(f"{name[:40]} is no option that is listed", "volatility", options)
            if one.expiry <= self._state.ticked and figure != known[self._of[name][0]]:
                raise _expired(name, "volatility")
        if not lists_options(self._listings):
            return ()
        return self.over(known.tolist(), given)

    def over(self, known: list[float], given: Mapping[str, float]) -> tuple[float, ...]:
        """Put new figures over the known ones; raises `UNKNOWN_INSTRUMENT` for a name that is not listed."""
        figures = list(known)
        for name, figure in given.items():
            for place in self._of.get(name) or [place_of(self._state, name)]:
                figures[place] = figure
        return tuple(figures)


def _is_dated(instrument: Instrument) -> bool:
    return isinstance(instrument, Option | Future)


def _unknown(what: str, where: str, choice: list[str]) -> PlimsollError:
    return PlimsollError(
        Code.UNKNOWN_INSTRUMENT,
        what,
        where=where,
        remedy=f"Choose among {', '.join(choice[:10])}." if choice else "The venue lists no options.",
    )


def _expired(name: str, where: str) -> PlimsollError:
    return PlimsollError(
        Code.EXPIRED_INSTRUMENT,
        "it has expired and is settled",
        where=f"{where}.{name}",
        remedy="Leave it out; what it settled at is not changed.",
    )

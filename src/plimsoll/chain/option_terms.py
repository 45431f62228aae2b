"""How are instruments and quotes, by their names, written as the contracts know them?"""

from plimsoll.chain.twin.boards import Board, Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.option_bounds import OptionBounds, forward_limit
from plimsoll.chain.twin.publication import Publication, Quote, publication
from plimsoll.domain.instruments import Future, Instrument, Option, Perpetual, parse_instrument
from plimsoll.domain.market import Market as Quoted
from plimsoll.domain.market import UnderlyingQuote
from plimsoll.errors import Code, PlimsollError

__all__ = ["instrument_of", "listing_of", "publication_of"]

_C = constants("valuation")
_LINEAR, _CALL, _PUT = _C["LINEAR"], _C["CALL"], _C["PUT"]
_WAD, _BILLION, _MILLION = 10**18, 10**9, 10**6
_MILLISECONDS = 1_000


def listing_of(name: str, market: str) -> Listing:
    """Write an instrument's terms; raises `UNKNOWN_INSTRUMENT` for what a market's board cannot hold."""
    instrument = parse_instrument(name)
    if instrument.underlying == market:
        if isinstance(instrument, Perpetual):
            return Listing(_LINEAR)
        if isinstance(instrument, Future):
            return Listing(_LINEAR, instrument.expiry // _MILLISECONDS)
        if isinstance(instrument, Option):
            kind = _CALL if instrument.right == "C" else _PUT
            strike = round(instrument.strike * _MILLION) * (_WAD // _MILLION)
            return Listing(kind, instrument.expiry // _MILLISECONDS, strike)
    raise PlimsollError(
        Code.UNKNOWN_INSTRUMENT,
        f"{name} does not belong on a board of {market}",
        where="instruments",
        remedy=f"List {market}-PERP, dated futures and options of {market}.",
    )


def instrument_of(listing: Listing, market: str) -> Instrument:
    """Name a listed instrument."""
    expiry = listing.expiry * _MILLISECONDS
    if listing.kind == _LINEAR:
        return Future(market, expiry) if expiry else Perpetual(market)
    return Option(market, expiry, listing.strike / _WAD, "C" if listing.kind == _CALL else "P")


def publication_of(
    market: Market, board: Board, quoted: Quoted, name: str, bounds: OptionBounds
) -> Publication:
    """Price and pack a board from quotes: spot and moment are theirs, forwards count against their spot.

    What expired by that moment keeps its row's forward and volatility, within the bounds that the desk
    knows: the engine marks by them until it is settled.

    Raises
    ------
    PlimsollError   `MISSING_PRICE` or `MISSING_VOLATILITY` for what is listed and not quoted; `BAD_PRICE`
                    where the engine could not price it.
    """
    underlying = next((each for each in quoted.underlyings if each.underlying == name), None)
    if underlying is None:
        raise _missing(Code.MISSING_PRICE, name)
    volatilities = {quote.option: quote.volatility for quote in quoted.options}
    as_of = quoted.time // _MILLISECONDS
    quotes = []
    for place, listing in enumerate(board.listings):
        former = board.rows[place] if place < len(board.rows) else None
        if 0 < listing.expiry <= as_of:
            quotes.append(_kept(former, forward_limit(bounds, listing, as_of), bounds.least))
        else:
            quotes.append(_quote(instrument_of(listing, name), underlying, volatilities))
    try:
        return publication(market, board.listings, quotes, spot=round(underlying.spot * _WAD), as_of=as_of)
    except Revert as refused:
        raise PlimsollError(
            Code.BAD_PRICE,
            f"the engine could not price the board: {refused.reason}",
            where=name,
            remedy="Look for a forward or volatility far from all others.",
        ) from refused


def _kept(former: Row | None, limit: int, least: int) -> Quote:
    if former is None:
        return Quote(volatility=least)
    return Quote(max(min(former.basis, limit), -limit), former.volatility)


def _quote(instrument: Instrument, underlying: UnderlyingQuote, volatilities: dict[Option, float]) -> Quote:
    forward: float | None
    if isinstance(instrument, Perpetual):
        forward = underlying.spot if underlying.perpetual is None else underlying.perpetual
    else:
        expiry = instrument.expiry if isinstance(instrument, Future | Option) else 0
        forward = next((each.forward for each in underlying.expiries if each.expiry == expiry), None)
        if forward is None:
            raise _missing(Code.MISSING_PRICE, Future(instrument.underlying, expiry).name)
    basis = round((forward / underlying.spot - 1.0) * _BILLION)
    if not isinstance(instrument, Option):
        return Quote(basis)
    if instrument not in volatilities:
        raise _missing(Code.MISSING_VOLATILITY, instrument.name)
    return Quote(basis, round(volatilities[instrument] * _MILLION))


def _missing(code: Code, name: str) -> PlimsollError:
    return PlimsollError(code, f"{name} is listed and not quoted", where="quotes", remedy="Quote it.")

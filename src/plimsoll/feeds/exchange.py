"""How is an exchange asked for its bars?"""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol, final

from plimsoll.errors import Code, PlimsollError

__all__ = ["Candle", "CcxtExchange", "Exchange", "open_exchange"]

Candle = Sequence[float | None]
"""Opening time (milliseconds UTC), open, high, low, close, volume."""


class Exchange(Protocol):
    """What a download needs of an exchange."""

    @property
    def name(self) -> str:
        """What the cache calls it."""

    def length(self, timeframe: str) -> int:
        """Convert a timeframe such as ``5m`` to milliseconds; raises `BAD_SETTING` for one it has not."""

    def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Candle]:
        """Ask for at most `limit` candles that open at or after `since`, milliseconds UTC.

        Raises `ConnectionError` where trying again may help, and `PlimsollError` where it will not.
        """


def open_exchange(name: str) -> "CcxtExchange":
    """Open an exchange by the name that ccxt gives it, such as ``binance``."""
    ccxt = _ccxt()
    if name not in ccxt.exchanges:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"ccxt knows no exchange {name}",
            where="exchange",
            remedy="Give a name from ccxt's list, such as binance, kraken or coinbase.",
        )
    return CcxtExchange(getattr(ccxt, name)({"enableRateLimit": True}))


@final
class CcxtExchange:
    """An exchange reached through ccxt, which keeps within its rate limit.

    Parameters
    ----------
    client   An instance of one of ccxt's exchange classes.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._errors = _ccxt()

    @property
    def name(self) -> str:
        """What ccxt calls the exchange."""
        return str(self._client.id)

    def length(self, timeframe: str) -> int:
        """Convert a timeframe to milliseconds; months and years have no one length and are refused."""
        offered = self._client.timeframes or {}
        if timeframe not in offered or timeframe[-1] in "My":
            known = ", ".join(entry for entry in offered if entry[-1] not in "My")
            raise PlimsollError(
                Code.BAD_SETTING,
                f"{self.name} has no bars of {timeframe}",
                where="timeframe",
                remedy=f"Choose among {known or 'the timeframes of another exchange'}.",
            )
        return int(self._client.parse_timeframe(timeframe)) * 1000

    def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Candle]:
        """Ask for candles, and translate the errors of ccxt."""
        try:
            candles: Sequence[Candle] = self._client.fetch_ohlcv(symbol, timeframe, since, limit)
        except self._errors.NetworkError as error:
            raise ConnectionError(_told(error)) from error
        except self._errors.BadSymbol as error:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"{self.name} has no market {symbol}",
                where="market",
                remedy="Write it as the exchange lists it: BTC/USDT or, for a perpetual, BTC/USDT:USDT.",
            ) from error
        except self._errors.BaseError as error:
            raise PlimsollError(
                Code.EXCHANGE_FAILED,
                f"refused: {_told(error)}",
                where=f"{self.name} {symbol} {timeframe}",
                remedy="Check the market and timeframe; what was downloaded is kept.",
            ) from error
        return candles


def _ccxt() -> ModuleType:
    try:
        return importlib.import_module("ccxt")
    except ModuleNotFoundError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "ccxt is not installed",
            where="fetch",
            remedy="Run: pip install 'plimsoll-margin[exchanges]'",
        ) from error


def _told(error: Exception) -> str:
    """Give the first line of what a library says, cut short."""
    return (str(error).strip() or type(error).__name__).partition("\n")[0][:200]

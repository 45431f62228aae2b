"""Which market does a symbol name, whatever spelling an exchange gives it?"""

__all__ = ["DOLLARS", "market_name"]

DOLLARS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDE", "PYUSD"})
"""The dollar and the coins that are meant to be worth one."""
# Glued to the base, only these are told apart safely: BNBUSD is BNB in dollars, not BN in BUSD.
_GLUED = ("FDUSD", "USDT", "USDC", "USD")
_PERPETUAL = ("-PERPETUAL", "-PERP", "_PERP", "-SWAP", ".P")
_ALIASES = {"XBT": "BTC"}


def market_name(symbol: str) -> str:
    """Name the market of a symbol: its base, where it is quoted in dollars or a dollar stablecoin.

    ``BTC``, ``BTC/USDT``, ``BTCUSDT``, ``BTC-USD``, ``BTC/USDT:USDT``, ``BTC-USDT-SWAP`` and ``XBTUSD`` all
    name ``BTC``. Case does not matter. Rules, in this order:

    1. A perpetual's mark at the end (``-PERP``, ``_PERP``, ``-PERPETUAL``, ``-SWAP``, ``.P``) is dropped, and
       so is a settlement coin (``:USDT``). A dated one (``:USDT-240628``) has another price and stays whole.
    2. With a separator (``/``, ``-``, ``_``) and a dollar quote, the base is the name.
    3. Without one, a trailing FDUSD, USDT, USDC or USD is dropped. Other quotes must be written with a
       separator, for ``BNBUSD`` could be read in two ways.
    4. Any other quote (``ETH/BTC``) is another price: the symbol stays whole, in capitals.
    5. ``XBT`` is ``BTC``. A multiple such as ``1000PEPE`` is a price of its own and keeps its number.
    """
    text = symbol.strip().upper()
    pair, _, settlement = text.partition(":")
    if settlement and not settlement.isalpha():
        return text
    base = _base(_without_ending(pair, _PERPETUAL))
    return _ALIASES.get(base, base)


def _base(pair: str) -> str:
    for separator in "/-_":
        base, found, quote = pair.partition(separator)
        if found:
            return base if base and quote in DOLLARS else pair
    return pair if pair in DOLLARS else _without_ending(pair, _GLUED)


def _without_ending(text: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if text.endswith(ending) and len(text) > len(ending):
            return text.removesuffix(ending)
    return text

"""How do tests get a service that lists options, and what do they tell it?"""

from pathlib import Path

from msgspec.structs import replace

from plimsoll.domain.instruments import Future, Option
from plimsoll.service.settings import BoardSettings, ServiceSettings
from tests.support.services import external_settings

__all__ = [
    "BOARDS",
    "DAY",
    "FAR",
    "NEAR",
    "OPTIONS",
    "PRICES",
    "START",
    "expiry_in",
    "told",
    "venue_settings",
]

DAY = 86_400_000
START = 25_000 * DAY
"""2038-06-13: a venue opens at the time of its machine, and its ticks tell the time from then on."""
MONEYNESS = (0.9, 1.0, 1.15)
PRICES = {"BTC": 60_000.0, "ETH": 3_000.0}
LINEAR = ("BTC-PERP", "ETH-PERP", "BTC", "ETH")


def expiry_in(days: int) -> int:
    """Give 08:00 UTC of so many days after the venue's first tick."""
    return START + days * DAY + 8 * 3_600_000


NEAR, FAR = expiry_in(3), expiry_in(40)
BOARDS = {Future("BTC", NEAR).name: NEAR, Future("BTC", FAR).name: FAR, Future("ETH", FAR).name: FAR}


def strikes_of(board: str) -> tuple[float, ...]:
    return tuple(PRICES[board.partition("-")[0]] * share for share in MONEYNESS)


OPTIONS = tuple(
    Option(board.partition("-")[0], expiry, strike, right).name
    for board, expiry in BOARDS.items()
    for strike in strikes_of(board)
    for right in ("C", "P")
)


def venue_settings(folder: Path) -> ServiceSettings:
    """Give settings of a small venue that opens with three boards, one of them with a future."""
    settings = external_settings(folder)
    near = Future("BTC", NEAR).name
    boards = {name: BoardSettings(strikes=strikes_of(name), future=name == near) for name in BOARDS}
    limits = replace(settings.limits, body_bytes=65_536)
    return replace(settings, limits=limits, external=replace(settings.external, boards=boards))


def told(time: int, factor: float = 1.0, wilder: float = 1.0) -> dict[str, object]:
    """Give the body of a tick that tells everything."""
    quiet = (*LINEAR, *BOARDS)
    return {
        "time": time,
        "marks": {name: PRICES[name[:3]] * factor for name in LINEAR},
        "forwards": {name: PRICES[name[:3]] * factor * 1.01 for name in BOARDS},
        "volatility": dict.fromkeys(OPTIONS, 0.6 * wilder),
        "volume": dict.fromkeys(quiet, 1e9),
        "impact": dict.fromkeys(quiet, 0.01),
    }

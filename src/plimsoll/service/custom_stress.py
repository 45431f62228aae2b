"""What would moves of a reader's own do to the positions that are open?"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.domain.scenario_sets import MarketMove, NamedStress
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.endpoints import Asked
from plimsoll.service.stress import StressResult, stressed
from plimsoll.service.threads import apart
from plimsoll.service.view import in_force

__all__ = ["Shock", "custom_stress"]

Share = Annotated[float, Meta(gt=-1.0, le=10.0)]


class Shock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Relative moves by market; others move as their mean.

    Attributes
    ----------
    volatility : dict   Relative moves of 30-day implied volatility, of markets that move; 0 of others.
    """

    moves: Annotated[dict[str, Share], Meta(min_length=1, max_length=1000)]
    volatility: Annotated[dict[str, Share], Meta(max_length=1000)] = {}


async def custom_stress(asked: Asked) -> StressResult:
    """Stress the open positions with moves of one's own."""
    view = asked.desk.view
    moves = asked.body.moves
    wilder = asked.body.volatility
    unknown = sorted((set(moves) - set(view.markets)) | (set(wilder) - set(moves)))
    if unknown:
        raise PlimsollError(
            Code.UNKNOWN_MARKET,
            f"no market {unknown[0][:40]}, or no move of it",
            where="moves",
            remedy=f"Choose among {', '.join(view.markets)}.",
        )
    in_force(view)
    named = tuple(
        MarketMove(underlying=market, spot=move, volatility=wilder.get(market, 0.0))
        for market, move in moves.items()
    )
    others = float(np.mean(list(moves.values())))
    asked_for = NamedStress(name="custom", moves=named, others=others)
    return await apart(stressed, view.state, "Moves of the request", asked_for)

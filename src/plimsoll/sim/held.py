"""What do all traders hold, and which depth is normal for it?"""

import numpy as np

from plimsoll.clearing.feedback import Held
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.state import State
from plimsoll.sim.cascade_settings import MakerSettings
from plimsoll.types import Rows, Vector

__all__ = ["held_by_traders", "normal_depth"]

_LEAST = 0.01
"""Depth of the thinnest market over that of all together: nobody wants it, and still it has some."""


def held_by_traders(state: State) -> Held:
    """Take what everybody but the system accounts holds."""
    book = state.book
    return Held(
        book.cash[FIRST_TRADER:], book.lots[FIRST_TRADER:], state.unit, state.model_in_force, state.rules
    )


def normal_depth(interest: Vector, columns: Rows, markets: int) -> Vector:
    """Take as depth the share of open interest that simulated makers quote in normal times.

    Parameters
    ----------
    interest : Vector [I]   Open interest that accounts want, quote units.
    columns : Rows [I]      Market of each instrument.

    Returns
    -------
    Vector [M]   Quote quanta that move each market by 1 %, above 0.
    """
    wanted = np.zeros(markets)
    np.add.at(wanted, columns, interest)
    depth: Vector = MakerSettings().depth * np.maximum(wanted, max(_LEAST * float(wanted.sum()), 1.0))
    return depth * QUANTA_PER_UNIT

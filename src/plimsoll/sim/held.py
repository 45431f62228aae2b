"""What do all traders hold?"""

from plimsoll.clearing.feedback import Held
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.state import State

__all__ = ["held_by_traders"]


def held_by_traders(state: State) -> Held:
    """Take what everybody but the system accounts holds."""
    book = state.book
    return Held(
        book.cash[FIRST_TRADER:], book.lots[FIRST_TRADER:], state.unit, state.model_in_force, state.rules
    )

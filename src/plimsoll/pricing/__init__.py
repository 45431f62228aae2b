"""What is each instrument worth in each scenario?"""

from plimsoll.pricing.chain import Chain, Slot, build_chain
from plimsoll.pricing.moves import Moves, build_moves, spot_moves
from plimsoll.pricing.table import PriceTable, price_table, repriced

__all__ = [
    "Chain",
    "Moves",
    "PriceTable",
    "Slot",
    "build_chain",
    "build_moves",
    "price_table",
    "repriced",
    "spot_moves",
]

"""Which score cards does the package ship?"""

from importlib import resources

import msgspec

from plimsoll.domain.collateral import ScoreCard

__all__ = ["protocol_card"]


def protocol_card() -> ScoreCard:
    """Read the card for a token's own protocol."""
    file = resources.files("plimsoll.calibration.score_cards") / "protocol.json"
    return msgspec.json.decode(file.read_bytes(), type=ScoreCard)

"""How does a venue move from event to event?"""

from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State

__all__ = ["State", "begin", "step"]

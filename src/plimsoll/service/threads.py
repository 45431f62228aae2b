"""How does work of many milliseconds stay out of the way of the event loop and of the engine?"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from numba import config

__all__ = ["apart", "take_short_turns"]

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")

_TURN = 0.0005
"""Seconds that a thread may keep the interpreter while another waits. The engine lets go of it several times
in every commit and waits a turn each time to get it back: Python's own 5 ms would add up to its budget."""

_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="answers")
"""Two at a time: more would only take time from the engine, and each other."""


async def apart(work: Callable[_Given, _Answer], *given: _Given.args, **named: _Given.kwargs) -> _Answer:
    """Run a function in a thread and give its result; it waits where two run already."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_POOL, lambda: work(*given, **named))


def take_short_turns() -> None:
    """Have the threads of this process change places more often; once, at its start.

    Several of them price large tables of options at once, so what shares that work out has to allow it.
    """
    sys.setswitchinterval(_TURN)
    config.THREADING_LAYER = "threadsafe"  # type: ignore[attr-defined]

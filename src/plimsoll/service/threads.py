"""How does work of many milliseconds stay out of the way of the event loop?"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

__all__ = ["apart"]

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")

_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="answers")
"""Two at a time: more would only take time from the engine, and each other."""


async def apart(work: Callable[_Given, _Answer], *given: _Given.args, **named: _Given.kwargs) -> _Answer:
    """Run a function in a thread and give its result; it waits where two run already."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_POOL, lambda: work(*given, **named))

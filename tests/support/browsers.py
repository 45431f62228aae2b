"""How do tests get a real browser, and hear whatever its pages complain about?"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

__all__ = ["PATIENCE", "complaints", "launched"]

PATIENCE = 60_000
"""Milliseconds that a machine busy with other tests is given to draw a page."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SHOWING_BARS = ["--hide-scrollbars"]


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the Chromium on PATH, with bars to scroll by as people have them; without one, skip or fail."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        missing = f"no Chromium on PATH ({', '.join(_NAMES)}); install one, such as Debian's package chromium"
        if os.environ.get("PLIMSOLL_REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox"], ignore_default_args=_SHOWING_BARS
        )
        yield opened
        opened.close()


def complaints(page: Page, address: str) -> list[str]:
    """Give a list that fills with the page's errors and warnings, and with what it asks of anybody else."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not _ours(request.url, address) else None)
    page.set_default_timeout(PATIENCE)
    return said


def _ours(url: str, address: str) -> bool:
    return url.partition("://")[2].startswith(address.partition("://")[2]) or url.startswith("data:")

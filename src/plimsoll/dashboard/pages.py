"""Which pages and files does the dashboard consist of, and how are they served?

The page holds no figure and no secret: its script asks the API, with the token of the address that opened it.
"""

from collections.abc import Awaitable, Callable
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

__all__ = ["pages"]

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGE = "page.html"


def pages() -> list[BaseRoute]:
    """Give the routes of the page and of every file beside it; other names are not there."""
    files = _files(resources.files("plimsoll.dashboard") / "static", "")
    page = files.pop(_PAGE)
    routes: list[BaseRoute] = [Route("/", _serving(page, ".html"))]
    for name, content in files.items():
        routes.append(Route(f"/static/{name}", _serving(content, name[name.rindex(".") :])))
    return routes


def _files(folder: Traversable, prefix: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(tuple(_KINDS)):
            found[f"{prefix}{entry.name}"] = entry.read_bytes()
    return found


def _serving(content: bytes, ending: str) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_request: Request) -> Response:
        return Response(content, media_type=_KINDS[ending])

    return serve

"""Which program is this, and which versions of it and of its arithmetic made a result?"""

from importlib import metadata

__all__ = ["DISTRIBUTION", "libraries", "program"]

DISTRIBUTION = "plimsoll-margin"
_ARITHMETIC = ("numba", "numpy")


def program() -> str:
    """Give the name and version that results carry: ``plimsoll 0.1.0``."""
    try:
        version = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        version = "uninstalled"
    return f"plimsoll {version}"


def libraries() -> dict[str, str]:
    """Give the versions of those libraries that may change the last bit of a result."""
    return {name: metadata.version(name) for name in _ARITHMETIC}

"""Which program is this, and which version of it?"""

from importlib import metadata

__all__ = ["DISTRIBUTION", "program"]

DISTRIBUTION = "plimsoll-margin"


def program() -> str:
    """Give the name and version that results carry: ``plimsoll 0.1.0``."""
    try:
        version = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        version = "uninstalled"
    return f"plimsoll {version}"

"""Which venues' portfolio margins does the package know?"""

from functools import cache
from importlib import resources

import msgspec

from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.errors import Code, PlimsollError

__all__ = ["profile", "profile_names"]

_SUFFIX = ".json"


def profile_names() -> tuple[str, ...]:
    """List the profiles, in the order of their names."""
    found = (entry.name for entry in resources.files("plimsoll.margin.profiles").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@cache
def profile(name: str) -> PortfolioProfile:
    """Read a packaged profile.

    Raises
    ------
    PlimsollError   `UNKNOWN_POLICY` where there is none of this name.
    """
    if name not in profile_names():
        raise PlimsollError(
            Code.UNKNOWN_POLICY,
            f"there is no profile {name!r}",
            where="profile",
            remedy=f"Choose one of {', '.join(profile_names())}.",
        )
    file = resources.files("plimsoll.margin.profiles") / f"{name}{_SUFFIX}"
    return msgspec.json.decode(file.read_bytes(), type=PortfolioProfile)

"""Which venues' portfolio margins does the package know?"""

from functools import cache
from importlib import resources

import msgspec
from msgspec import structs

from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.errors import Code, PlimsollError

__all__ = ["profile", "profile_names"]

_SUFFIX = ".json"
_OWN, _BY_IMPLIED = "plimsoll", "plimsoll-implied"
"""The second is the first, but that its grid moves volatility as far as a calibrated set says."""


def profile_names() -> tuple[str, ...]:
    """List the profiles, in the order of their names."""
    found = [entry.name for entry in resources.files("plimsoll.margin.profiles").iterdir()]
    packaged = (name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))
    return tuple(sorted((*packaged, _BY_IMPLIED)))


@cache
def profile(name: str) -> PortfolioProfile:
    """Read a packaged profile, or one that is made of it.

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
    if name == _BY_IMPLIED:
        title = "Plimsoll, volatility moves calibrated"
        return structs.replace(profile(_OWN), name=name, title=title, calibrated_volatility=True)
    file = resources.files("plimsoll.margin.profiles") / f"{name}{_SUFFIX}"
    return msgspec.json.decode(file.read_bytes(), type=PortfolioProfile)

"""What is said of a law that does not hold?"""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["BrokenLawError", "hold"]


class BrokenLawError(AssertionError):
    """A law that was checked does not hold; the message says which, and where."""


def hold(law: str, kept: ArrayLike, where: str) -> None:
    """Raise `BrokenLawError` where not everything keeps a law; the first row that does not is named.

    Parameters
    ----------
    kept : one or several bools   The first axis is that of rows.
    where : str                   What was drawn: level, seed.
    """
    flags = np.atleast_1d(np.asarray(kept, dtype=np.bool_))
    if flags.all():
        return
    row = f" in row {np.argwhere(~flags)[0, 0]}" if flags.size > 1 else ""
    raise BrokenLawError(f"{law}: not so{row}, {where}")

"""Which array types do signatures use, and what does each letter of a shape mean?

Shapes in docstrings use one letter per axis: T times, M markets (underlyings), I instruments, A accounts,
S scenarios, W windows.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Flag", "Flags", "Lots", "Matrix", "Quanta", "Rows", "Times", "Vector"]

Array: TypeAlias = NDArray[np.float64]
"""Floats of any shape."""
Vector: TypeAlias = NDArray[np.float64]
"""Floats of one axis."""
Matrix: TypeAlias = NDArray[np.float64]
"""Floats of two axes."""
Quanta: TypeAlias = NDArray[np.int64]
"""Money in quote quanta (1e-6 of the quote currency)."""
Lots: TypeAlias = NDArray[np.int64]
"""Position sizes in lots of an instrument."""
Times: TypeAlias = NDArray[np.int64]
"""Milliseconds since 1970-01-01 UTC."""
Rows: TypeAlias = NDArray[np.intp]
"""Indices into an axis."""
Flag: TypeAlias = bool | np.bool_
"""One boolean, from Python or out of `Flags`."""
Flags: TypeAlias = NDArray[np.bool_]
"""Booleans of one axis."""

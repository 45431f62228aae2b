"""How are exp and log written so that a loop over them runs several lanes at a time?

The compiler cannot turn calls of the C library into vector instructions. These are plain arithmetic, without
branches or tables, and so are inlined and vectorised wherever a kernel's loop uses them.
"""

import numpy as np
from numba import njit

__all__ = ["exponential", "inlined", "log_ratio"]

inlined = njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
"""Compiles a small function to be copied into its caller's loop. Division by zero gives infinity, and a
product may be fused with the sum that follows it; nothing else about the order of operations changes."""

_LOWEST_EXPONENT = -708.0
"""exp of less is below the smallest normal number and becomes 0."""
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.6931471803691238
"""ln 2 with its last 21 bits cleared: exact in a product with any exponent."""
_LN2_LOW = 1.9082149292705877e-10
_TO_INTEGER = 6755399441055744.0
"""1.5 x 2^52: adding it leaves the rounded integer in the lowest bits."""
_EXPONENT_BITS = np.int64(52)
_ONE = np.int64(1023 << 52)
"""The bits of 1.0."""
_ROOT_HALF = np.int64(0x3FE6A09E667F3BCD)
"""The bits of the square root of one half."""
_SMALLEST = 2.2250738585072014e-308


@inlined
def exponential(x: float) -> float:
    r"""Return :math:`e^x` for x at most 0, within 4e-16 in relative terms; 0 below -708.

    .. math:: x = n \ln 2 + r, \quad |r| \le \tfrac12 \ln 2, \quad e^x = 2^n \sum_{k=0}^{13} r^k / k!
    """
    bounded = max(x, _LOWEST_EXPONENT)
    shifted = bounded * _LOG2_E + _TO_INTEGER
    n = shifted - _TO_INTEGER
    r = (bounded - n * _LN2_HIGH) - n * _LN2_LOW
    series = 1.0 / 6227020800.0
    series = series * r + 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    mantissa = 1.0 + (r + r * r * series)
    power = np.int64((np.float64(shifted).view(np.int64) << _EXPONENT_BITS) + _ONE).view(np.float64)
    return 0.0 if x < _LOWEST_EXPONENT else mantissa * power


@inlined
def log_ratio(smaller: float, larger: float) -> float:
    r"""Return :math:`\ln(a / b)` for 0 < a <= b, to full relative accuracy however close the two are.

    .. math:: a / b = 2^e (1 + f), \quad \ln(1 + f) = 2 \operatorname{artanh} s
              = 2 s \sum_{k=0}^{10} \frac{s^{2k}}{2k + 1}, \quad s = \frac{f}{2 + f}, \quad |s| < 0.172

    For e = 0 the difference in :math:`f = (a - b) / b` is exact. A ratio that underflows counts as 2.2e-308.
    """
    ratio = max(smaller / larger, _SMALLEST)
    bits = np.float64(ratio).view(np.int64)
    e = (bits - _ROOT_HALF) >> _EXPONENT_BITS
    f = np.int64(bits - (e << _EXPONENT_BITS)).view(np.float64) - 1.0
    excess = (smaller - larger) / larger if e == 0 else f
    s = excess / (2.0 + excess)
    w = s * s
    series = 2.0 / 21.0
    series = series * w + 2.0 / 19.0
    series = series * w + 2.0 / 17.0
    series = series * w + 2.0 / 15.0
    series = series * w + 2.0 / 13.0
    series = series * w + 2.0 / 11.0
    series = series * w + 2.0 / 9.0
    series = series * w + 2.0 / 7.0
    series = series * w + 2.0 / 5.0
    series = series * w + 2.0 / 3.0
    return e * _LN2_HIGH + (2.0 * s + (s * w * series + e * _LN2_LOW))

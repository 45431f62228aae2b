"""How does `fixed_point.vy` compute, in Python integers?

Same names, same order of operations, same rounding, same reverts. `>>` rounds towards minus infinity in both
languages; `quotient` rounds towards zero, as the chain divides.
"""

from math import isqrt

from plimsoll.chain.twin.constants import constants

__all__ = ["ONE", "Revert", "exp", "ln", "normal", "quotient", "sqrt", "tail"]

_C = constants("fixed_point")
ONE = _C["ONE"]
_HALF, _LN2, _INVERSE_LN2, _SQRT2 = _C["HALF"], _C["LN2"], _C["INVERSE_LN2"], _C["SQRT2"]
_EXP_LEAST, _EXP_MOST, _TAIL_END = _C["EXP_LEAST"], _C["EXP_MOST"], _C["TAIL_END"]
_LN = tuple(_C[f"LN_C{i}"] for i in range(9, -1, -1))
_P = tuple(_C[f"TAIL_P{i}"] for i in range(6, -1, -1))
_Q = (*(_C[f"TAIL_Q{i}"] for i in range(7, 0, -1)), ONE)


class Revert(Exception):  # noqa: N818 - the chain's own word for it
    """What the contract would refuse; `reason` is what it would say."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def quotient(dividend: int, divisor: int) -> int:
    """Divide, rounding towards zero."""
    whole = abs(dividend) // abs(divisor)
    return whole if (dividend < 0) == (divisor < 0) else -whole


def ln(x: int) -> int:
    """Natural logarithm of a positive number, both in 2**-96."""
    if x <= 0:
        raise Revert("ln: not positive")
    n = x.bit_length() - 97
    m = x << -n if n < 0 else x >> n
    if m > _SQRT2:
        m >>= 1
        n += 1
    z = quotient((m - ONE) << 96, m + ONE)
    return (_horner(_LN, z * z >> 96) * z >> 96) + n * _LN2


def exp(x: int) -> int:
    """Exponential of a number up to 88, both in 2**-96; 0 below -67."""
    if x < _EXP_LEAST:
        return 0
    if x > _EXP_MOST:
        raise Revert("exp: too large")
    k = ((x * _INVERSE_LN2 >> 96) + _HALF) >> 96
    r = x - k * _LN2
    u = r * r >> 96
    even = ((u + 840 * ONE) * u >> 96) + 75_600 * ONE
    even = (even * u >> 96) + 665_280 * ONE
    odd = ((42 * u + 10_080 * ONE) * u >> 96) + 332_640 * ONE
    odd = odd * r >> 96
    q = ((even + odd) << 96) // (even - odd)
    return q << k if k >= 0 else q >> -k


def sqrt(x: int) -> int:
    """Square root rounded down, both in 2**-96."""
    if x < 0:
        raise Revert("sqrt: negative")
    if x >= 2**158:
        raise Revert("sqrt: too large")
    return isqrt(x << 96)


def tail(x: int, scaled: int) -> int:
    """`scaled` times the normal tail beyond x over exp(-x**2 / 2), for x from 0 to 10."""
    return scaled * _horner(_P, x) // _horner(_Q, x)


def normal(x: int) -> int:
    """Standard normal distribution function, both in 2**-96."""
    if x <= -_TAIL_END:
        return 0
    if x >= _TAIL_END:
        return ONE
    size = abs(x)
    beyond = tail(size, exp(-(size * size >> 97)))
    return beyond if x < 0 else ONE - beyond


def _horner(coefficients: tuple[int, ...], x: int) -> int:
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = (total * x >> 96) + coefficient
    return total

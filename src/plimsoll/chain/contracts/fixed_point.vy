# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title How are logarithm, exponential, root and normal tail computed in integers?
@license Apache-2.0
@author The Plimsoll authors
@notice
    Numbers are signed integers in units of 2**-96. `>>` rounds towards minus infinity, `unsafe_div` towards
    zero. Error bounds are measured against high precision over the whole domain by tests/chain; the page
    docs/theory/on-chain-margin.md states them. Coefficients are this project's own fits.
"""


ONE: constant(int256) = 79_228_162_514_264_337_593_543_950_336
LN2: constant(int256) = 54_916_777_467_707_473_351_141_471_128
INVERSE_LN2: constant(int256) = 114_302_077_158_074_026_402_637_675_937
SQRT2: constant(int256) = 112_045_541_949_572_279_837_463_876_455
# Half of it, rounded down.
ROOT_HALF: constant(int256) = SQRT2 // 2
HALF: constant(int256) = 39_614_081_257_132_168_796_771_975_168

# Largest argument of `_exp`, 88 in these units: its result is below 2**223.
EXP_MOST: constant(int256) = 6_972_078_301_255_261_708_231_867_629_568
# Below -67 the exponential is less than half a unit.
EXP_LEAST: constant(int256) = -5_308_286_888_455_710_618_767_444_672_512

# 2 artanh(z) / z as a polynomial in z**2, for z**2 up to (3 - 2 sqrt 2)**2: off by 1.1e-22.
LN_C0: constant(int256) = 158_456_325_028_528_675_187_079_837_060
LN_C1: constant(int256) = 52_818_775_009_509_558_450_468_209_044
LN_C2: constant(int256) = 31_691_265_005_705_673_684_108_661_836
LN_C3: constant(int256) = 22_636_617_861_245_023_034_099_708_602
LN_C4: constant(int256) = 17_606_258_330_633_209_038_844_170_797
LN_C5: constant(int256) = 14_405_121_199_237_985_799_563_519_694
LN_C6: constant(int256) = 12_188_891_054_551_343_935_556_478_232
LN_C7: constant(int256) = 10_566_459_810_611_041_716_099_863_444
LN_C8: constant(int256) = 9_243_833_948_773_212_435_617_728_788
LN_C9: constant(int256) = 9_541_671_253_387_138_354_432_932_608

# Normal tail over exp(-x**2 / 2), for x from 0 to 10, as P / Q: the tail is off by 2.3e-17.
TAIL_END: constant(int256) = 792_281_625_142_643_375_935_439_503_360
TAIL_P0: constant(int256) = 39_614_081_257_132_170_558_472_621_417
TAIL_P1: constant(int256) = 39_794_448_767_416_824_815_673_652_176
TAIL_P2: constant(int256) = 20_161_834_572_329_852_194_588_950_337
TAIL_P3: constant(int256) = 6_100_459_976_691_885_984_093_899_067
TAIL_P4: constant(int256) = 1_146_569_816_405_396_330_538_052_567
TAIL_P5: constant(int256) = 125_984_913_356_142_205_757_605_255
TAIL_P6: constant(int256) = 6_342_878_800_358_540_090_256_116
TAIL_Q1: constant(int256) = 142_803_825_185_746_327_656_378_126_473
TAIL_Q2: constant(int256) = 114_650_555_226_792_819_384_974_841_582
TAIL_Q3: constant(int256) = 53_348_557_814_257_095_131_811_064_700
TAIL_Q4: constant(int256) = 15_610_654_768_600_944_809_286_016_650
TAIL_Q5: constant(int256) = 2_889_677_692_527_937_473_367_554_110
TAIL_Q6: constant(int256) = 315_809_434_574_467_046_673_624_034
TAIL_Q7: constant(int256) = 15_898_947_166_616_036_745_260_195


@internal
@pure
def _ln(x: int256) -> int256:
    """
    @notice Natural logarithm.
    @dev x = 2**n m with m in [sqrt(1/2), sqrt 2]; ln m = 2 artanh((m - 1) / (m + 1)).
    @param x Positive, in 2**-96.
    @return In 2**-96.
    """
    assert x > 0, "ln: not positive"
    n: int256 = 0
    m: int256 = x
    if x > SQRT2 or x <= ROOT_HALF:
        n = self._exponent(x)
        # m lies in [1, 2): x has its highest bit at 96 + n, and -96 <= n <= 158.
        if n < 0:
            m = x << convert(convert(unsafe_sub(0, n), bytes32), uint256)  # as above
        else:
            m = x >> convert(convert(n, bytes32), uint256)
        if m > SQRT2:
            m = m >> 1
            n = unsafe_add(n, 1)  # n <= 158
    # |m - ONE| < 2**95, so the dividend is below 2**191; the divisor is above 2**96.
    z: int256 = unsafe_div(unsafe_sub(m, ONE) << 96, unsafe_add(m, ONE))
    # |z| < 2**94, so products of two such numbers and of one with a coefficient stay below 2**192.
    u: int256 = unsafe_mul(z, z) >> 96
    # As above: u < 2**91, every partial sum < 2**98.
    p: int256 = unsafe_add(unsafe_mul(LN_C9, u) >> 96, LN_C8)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C7)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C6)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C5)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C4)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C3)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C2)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C1)
    p = unsafe_add(unsafe_mul(p, u) >> 96, LN_C0)
    # |n| <= 159 and LN2 < 2**96: the sum is below 2**104.
    return unsafe_add(unsafe_mul(p, z) >> 96, unsafe_mul(n, LN2))


@internal
@pure
def _exponent(x: int256) -> int256:
    """
    @dev Give n with 2**n <= x / 2**96 < 2**(n + 1), by halving the range of the highest bit.
    """
    v: uint256 = convert(convert(x, bytes32), uint256)
    n: uint256 = convert(v >= 2**128, uint256) << 7
    n = n | convert(v >> n >= 2**64, uint256) << 6
    n = n | convert(v >> n >= 2**32, uint256) << 5
    n = n | convert(v >> n >= 2**16, uint256) << 4
    n = n | convert(v >> n >= 2**8, uint256) << 3
    n = n | convert(v >> n >= 2**4, uint256) << 2
    n = n | convert(v >> n >= 2**2, uint256) << 1
    n = n | convert(v >> n >= 2, uint256)
    return unsafe_sub(convert(convert(n, bytes32), int256), 96)  # n < 256


@internal
@pure
def _exp(x: int256) -> int256:
    """
    @notice Exponential.
    @dev x = k ln 2 + r with |r| <= ln(2) / 2, and exp(r) = (E + O) / (E - O), the diagonal Pade form of order
         six, whose coefficients are small integers: off by 1.8e-19 of itself.
    @param x At most 88, in 2**-96.
    @return In 2**-96; 0 below -67.
    """
    if x < EXP_LEAST:
        return 0
    assert x <= EXP_MOST, "exp: too large"
    # |x| < 2**103 and the inverse < 2**97; the sum is below 2**201.
    k: int256 = unsafe_add(unsafe_mul(x, INVERSE_LN2) >> 96, HALF) >> 96
    # |k| <= 127.
    r: int256 = unsafe_sub(x, unsafe_mul(k, LN2))
    # |r| < 2**95, so every square and product below is under 2**215, every sum under 2**118.
    u: int256 = unsafe_mul(r, r) >> 96
    even: int256 = unsafe_add(unsafe_mul(unsafe_add(u, 840 * ONE), u) >> 96, 75_600 * ONE)
    even = unsafe_add(unsafe_mul(even, u) >> 96, 665_280 * ONE)  # as above
    odd: int256 = unsafe_add(unsafe_mul(unsafe_add(42 * u, 10_080 * ONE), u) >> 96, 332_640 * ONE)
    odd = unsafe_mul(odd, r) >> 96  # as above
    # even > 2**115 > 2 |odd|, so the divisor is positive; the dividend is below 2**213.
    q: int256 = unsafe_div(unsafe_add(even, odd) << 96, unsafe_sub(even, odd))
    return q << convert(k, uint256) if k >= 0 else q >> convert(-k, uint256)


@internal
@pure
def _sqrt(x: int256) -> int256:
    """
    @notice Square root, rounded down.
    @param x From 0 up to 2**158 - 1, in 2**-96.
    @return In 2**-96.
    """
    assert x >= 0, "sqrt: negative"
    assert x < 2**158, "sqrt: too large"
    return convert(isqrt(convert(x, uint256) << 96), int256)


@internal
@pure
def _tail(x: int256, scaled: int256) -> int256:
    """
    @notice `scaled` times the normal tail beyond x over exp(-x**2 / 2).
    @param x From 0 to 10, in 2**-96.
    @param scaled What exp(-x**2 / 2) was multiplied into, from 0 to 2**112.
    @return In units of `scaled`.
    """
    # x < 2**100 and, coefficients being positive and x at most 10, every sum is below 2**107: no product
    # reaches 2**219.
    p: int256 = unsafe_add(unsafe_mul(TAIL_P6, x) >> 96, TAIL_P5)
    p = unsafe_add(unsafe_mul(p, x) >> 96, TAIL_P4)
    p = unsafe_add(unsafe_mul(p, x) >> 96, TAIL_P3)
    p = unsafe_add(unsafe_mul(p, x) >> 96, TAIL_P2)
    p = unsafe_add(unsafe_mul(p, x) >> 96, TAIL_P1)
    p = unsafe_add(unsafe_mul(p, x) >> 96, TAIL_P0)
    q: int256 = unsafe_add(unsafe_mul(TAIL_Q7, x) >> 96, TAIL_Q6)
    q = unsafe_add(unsafe_mul(q, x) >> 96, TAIL_Q5)
    q = unsafe_add(unsafe_mul(q, x) >> 96, TAIL_Q4)
    q = unsafe_add(unsafe_mul(q, x) >> 96, TAIL_Q3)
    q = unsafe_add(unsafe_mul(q, x) >> 96, TAIL_Q2)
    q = unsafe_add(unsafe_mul(q, x) >> 96, TAIL_Q1)
    q = unsafe_add(unsafe_mul(q, x) >> 96, ONE)
    # scaled * p < 2**219, and q >= ONE.
    return unsafe_div(unsafe_mul(scaled, p), q)


@internal
@pure
def _normal(x: int256) -> int256:
    """
    @notice Standard normal distribution function; 0 and 1 beyond ten deviations.
    @param x In 2**-96.
    @return In 2**-96, from 0 to 1.
    """
    if x <= -TAIL_END:
        return 0
    if x >= TAIL_END:
        return ONE
    size: int256 = abs(x)
    # size < 2**100.
    tail: int256 = self._tail(size, self._exp(-(unsafe_mul(size, size) >> 97)))
    return tail if x < 0 else ONE - tail

"""Is what the screen's table says of the normal distribution as near to it as the bound is proven with?"""

import numpy as np
from mpmath import mp, mpf

from plimsoll.chain.twin.fixed_point import ONE
from plimsoll.chain.twin.greeks_bound import least, lower, most

TAIL_WITHIN = 2.6e-7
"""The series' next term, 0.4 h^3 / 6 at h = 1/64: below the 2^-19 / 5 that is counted against the account."""
STEEPEST = 0.2420
"""The largest slope of the density, n(1): two nodes lie 1/32 apart."""
NOTHING = 2.0**-46
"""What densities are moved by, over and above the nodes."""
POINTS = 4_000


def points() -> list[float]:
    generator = np.random.default_rng(31)
    between = [node / 32 + side / 64 for node in range(256) for side in (-1, 0, 1)]
    return [*between, *generator.uniform(-9, 9, POINTS).tolist(), 40.0, -1e6]


def test_tails_are_as_near_as_the_bound_is_proven_with():
    farthest = 0.0
    with mp.workdps(40):
        for drawn in points():
            x = int(drawn * ONE)
            farthest = max(farthest, float(abs(mpf(lower(x)) / ONE - mp.ncdf(mpf(x) / ONE))))
    assert TAIL_WITHIN / 2 < farthest < TAIL_WITHIN


def test_densities_are_on_the_safe_side_and_one_node_away_at_most():
    with mp.workdps(40):
        for size in (int(abs(drawn) * ONE) for drawn in points()):
            true = mp.npdf(mpf(size) / ONE)
            under, over = mpf(least(size)) / ONE, mpf(most(size)) / ONE
            assert 0 <= under <= true <= over
            assert over - under <= STEEPEST / 16 + NOTHING

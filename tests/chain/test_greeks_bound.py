"""Is what the screen's table says of the normal distribution as near to it as the bound is proven with?"""

import numpy as np
from mpmath import mp, mpf

from plimsoll.chain.twin.fixed_point import ONE
from plimsoll.chain.twin.greeks_bound import lower

DENSITY_WITHIN = 3.6e-7
"""The series' next term, 0.551 h^3 / 6 at h = 1/64: below the 2^-20 that is counted against the account."""
TAIL_WITHIN = 1.4e-9
"""The same of the tail, 0.551 h^4 / 24."""
POINTS = 4_000


def test_tails_and_densities_are_as_near_as_the_bound_is_proven_with():
    generator = np.random.default_rng(31)
    between = [node / 32 + side / 64 for node in range(256) for side in (-1, 1)]
    farthest = [0.0, 0.0]
    with mp.workdps(40):
        for drawn in [*between, *generator.uniform(-9, 9, POINTS).tolist()]:
            x = int(drawn * ONE)
            exact = mpf(x) / ONE
            distribution, density = lower(x)
            farthest[0] = max(farthest[0], float(abs(mpf(distribution) / ONE - mp.ncdf(exact))))
            farthest[1] = max(farthest[1], float(abs(mpf(density) / ONE - mp.npdf(exact))))
    assert TAIL_WITHIN / 2 < farthest[0] < TAIL_WITHIN
    assert DENSITY_WITHIN / 2 < farthest[1] < DENSITY_WITHIN

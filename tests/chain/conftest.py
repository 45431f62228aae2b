"""Which clearing house do the tests of its rules begin with?"""

import pytest

from tests.support.houses import E6, TRADERS, House


@pytest.fixture
def house():
    """Three accounts with 100,000 dollars and a rich one; a fifth trader has none yet."""
    made = House()
    for trader, dollars in zip(TRADERS[:4], (100_000, 100_000, 100_000, 10_000_000), strict=True):
        made.both("deposit", dollars * E6, sender=trader)
    return made

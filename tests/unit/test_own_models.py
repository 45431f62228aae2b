"""Do the public checks find what is wrong with a forecaster or a margin model?"""

import numpy as np
import pytest

from examples.check_ones_own_model import Fading, OneRate
from plimsoll.domain.parameters import Level
from plimsoll.testing import BrokenLawError, check_estimator, check_margin_model
from tests.support.venues import LISTINGS, MARKS


class SeesAhead(Fading):
    def update(self, memory, observed, steps):
        after, path = super().update(memory, observed, steps)
        return after, np.roll(path, -1, axis=0)


class Hoards(Fading):
    """Writes into the memory that it was given."""

    def begin(self, hours):
        return np.array(super().begin(hours)), 0.0

    def update(self, memory, observed, steps):
        after, path = super().update(tuple(memory[0]), observed, steps)
        memory[0][:] = after
        return memory, path

    def estimate(self, memory, steps):
        return super().estimate(tuple(memory[0]), steps)


class Understates(Fading):
    def update(self, memory, observed, steps):
        after, path = super().update(memory, observed, steps)
        return after, 0.1 * path

    def estimate(self, memory, steps):
        return 0.1 * super().estimate(memory, steps)


class Forgets(Fading):
    """Says nothing while it sees nothing."""

    def update(self, memory, observed, steps):
        after, path = super().update(memory, observed, steps)
        path[np.isnan(observed.returns)] = np.nan
        return after, path


class Drifts(Fading):
    """Says another thing when asked than when it was told."""

    def estimate(self, memory, steps):
        return super().estimate(memory, steps) * np.linspace(1.0, 1.1, steps)


class Pieces(Fading):
    """Starts each piece anew."""

    def update(self, memory, observed, steps):
        return super().update((memory[0], 0.0, 0.0), observed, steps)


@pytest.mark.parametrize(
    ("forecaster", "law"),
    [
        (SeesAhead(), "pieces of any size give the same forecasts|what comes after"),
        (Hoards(), "several futures"),
        (Understates(), "times the forecast"),
        (Forgets(), "what hurts gives a number"),
        (Drifts(), "adds up"),
        (Pieces(), "pieces of any size give the same forecasts"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_wrong_forecaster_is_found(forecaster, law):
    with pytest.raises(BrokenLawError, match=law):
        check_estimator(forecaster)


class Model(OneRate):
    """`OneRate` over the test's listings, with one thing wrong in each subclass."""

    def __init__(self, rate=0.02, listings=LISTINGS):
        super().__init__(rate, listings)

    def over(self, listings):
        return type(self)(self.rate, listings)


class ChargesAFee(Model):
    def requirement(self, notional, level):
        return super().requirement(notional, level) + 1.0


class UpsideDown(Model):
    def _at(self, level):
        return super()._at(Level(2 - level))


class ByRow(Model):
    """Asks more of whoever comes first."""

    def requirement(self, notional, level):
        return super().requirement(notional, level) * np.linspace(1.1, 1.0, len(notional))


class ByColumn(Model):
    def requirement(self, notional, level):
        return super().requirement(notional * np.linspace(1.0, 1.1, len(self.listings)), level)


class Rebates(Model):
    """Asks for less in proportion of those who hold more."""

    def requirement(self, notional, level):
        return self._at(level) * np.abs(notional).sum(axis=1) ** 0.9


class Overlooks(Model):
    def room(self, cash, lots, unit, level):
        return super().room(cash, lots, unit, level) + 5.0


class SuspectsAll(Model):
    def near(self, cash, lots, unit, level):
        return super().near(cash, lots, unit, level) | True


class QuotesLess(Model):
    def standalone(self, level):
        return 0.9 * super().standalone(level)


class Steeper(Model):
    def steepest(self, level):
        return 0.9 * super().steepest(level)


class Surcharges(Model):
    """Asks more for every further position."""

    def requirement(self, notional, level):
        held = (notional != 0.0).sum(axis=1)
        return super().requirement(notional, level) * (0.9 + 0.1 * held)

    def steepest(self, level):
        return np.inf * super().steepest(level)


class Tiered(Model):
    """Asks more for every further unit."""

    def requirement(self, notional, level):
        gross = np.abs(notional).sum(axis=1)
        return self._at(level) * gross * (1.0 + np.maximum(gross - 1e10, 0.0) / (1e11 + gross))

    def steepest(self, level):
        return np.inf * super().steepest(level)


@pytest.mark.parametrize(
    ("model", "law"),
    [
        (ChargesAFee(), "nothing needs nothing"),
        (UpsideDown(), "a higher level asks for no less"),
        (ByRow(), "order of accounts"),
        (ByColumn(), "order of columns"),
        (Rebates(), "a share needs at most its share"),
        (Overlooks(), "escapes notice"),
        (SuspectsAll(), "covers all thrice"),
        (QuotesLess(), "pays its rate"),
        (Steeper(), "steeper than told"),
        (Surcharges(), "netting never exceeds"),
        (Tiered(), "together|netting"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_wrong_margin_model_is_found(model, law):
    with pytest.raises(BrokenLawError, match=law):
        check_margin_model(model, LISTINGS, MARKS)


def test_tiers_are_right_where_nothing_is_netted():
    check_margin_model(Tiered(), LISTINGS, MARKS, nets=False)
    check_margin_model(Model(), LISTINGS, MARKS)

"""Which laws must a forecaster or a margin model of one's own keep, and does it?

The suites are those that Plimsoll's own pass. They draw what they need from seeds and need no test runner;
`plimsoll.testing.strategies` draws the same for hypothesis.
"""

from plimsoll.testing.estimators import check_estimator
from plimsoll.testing.laws import BrokenLawError
from plimsoll.testing.margin_models import check_margin_model

__all__ = ["BrokenLawError", "check_estimator", "check_margin_model"]

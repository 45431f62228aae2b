"""Do quantile and expected shortfall of a history equal the published ones?"""

import json

import pytest

from plimsoll.kernels.historical import historical_risk, historical_risk_definition

TOLERANCE = 1e-6
"""Profits and results are written to six decimals."""


@pytest.mark.parametrize("method", [historical_risk_definition, historical_risk])
def test_quantiles_and_shortfalls_are_the_published_ones(vectors, method):
    groups = json.loads((vectors / "historical_var.json").read_text(encoding="utf-8"))
    levels = {key.removeprefix("quantile_") for key in groups[0] if key.startswith("quantile_")}
    assert levels
    for group in groups:
        for level in levels:
            quantile, shortfall = method(group["pnl"], float(f"0.{level}"))
            assert quantile == pytest.approx(group[f"quantile_{level}"], rel=TOLERANCE, abs=TOLERANCE)
            assert shortfall == pytest.approx(group[f"es_{level}"], rel=TOLERANCE, abs=TOLERANCE)

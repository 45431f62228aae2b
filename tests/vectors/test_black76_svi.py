"""Do prices and SVI volatilities agree with those of another system, to the digits that it states?"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from plimsoll.kernels.black76 import price
from plimsoll.kernels.surface import svi_surface_volatility
from plimsoll.kernels.svi import svi_volatility

PRICE_TOLERANCE = 1e-12
VOLATILITY_TOLERANCE = 1e-14
"""As the folder's README states them, times max(1, reference)."""
YEAR_SECONDS = 365 * 86_400

OWN_PRICES = [
    # forward, strike, years, volatility, call, put: the textbook formula at 80 digits
    (100.0, 100.0, 1.0, 0.2, 7.965567455405797, 7.965567455405797),
    (90_000.0, 120_000.0, 0.25, 0.65, 3457.278848985067, 33457.278848985065),
    (3_000.0, 1_500.0, 1.0 / 365.0, 0.9, 1500.0, 1.7645714561064254e-48),
    (1.0, 2.0, 5.0, 3.0, 0.9988791894286189, 1.9988791894286189),
]
OWN_SMILES = [
    # k, years, (a, b, rho, m, sigma), volatility: at k = m the root is sigma, and with rho = 1 it is a line
    (0.1, 0.25, (0.01, 0.2, -0.3, 0.1, 0.05), math.sqrt(0.02 / 0.25)),
    (0.5, 1.0, (0.0, 0.3, 1.0, 0.1, 1e-9), math.sqrt(0.24)),
    (0.3, 0.5, (0.02, 0.1, 0.0, 0.0, 0.4), math.sqrt(0.07 / 0.5)),
]


def close(found: float, reference: float, tolerance: float) -> bool:
    return abs(found - reference) <= tolerance * max(1.0, abs(reference))


@pytest.fixture(scope="module")
def cases(vectors: Path) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = json.loads((vectors / "black76_svi.json").read_text("utf-8"))
    assert found["black76"], "the file holds no prices"
    assert found["svi"], "the file holds no smiles"
    return found


def test_every_price_pair_of_the_file_is_met(cases):
    for case in cases["black76"]:
        tau = case["sec"] / YEAR_SECONDS
        pair = case["disc"] * price(case["F"], case["K"], tau, case["vol"], [True, False])
        assert close(pair[0], case["call"], PRICE_TOLERANCE), case
        assert close(pair[1], case["put"], PRICE_TOLERANCE), case


def test_every_smile_of_the_file_is_met_alone_and_as_a_surface(cases):
    for case in cases["svi"]:
        k = math.log(case["K"] / case["F"])
        row = np.array([case[name] for name in ("a", "b", "rho", "m", "sigma")])
        assert close(float(svi_volatility(k, case["tau"], row)), case["vol"], VOLATILITY_TOLERANCE), case
        surface = svi_surface_volatility(k, case["tau"], np.array([case["tau"]]), row[None])
        assert close(float(surface), case["vol"], VOLATILITY_TOLERANCE), case


@pytest.mark.parametrize(("forward", "strike", "tau", "volatility", "call", "put"), OWN_PRICES)
def test_prices_of_our_own_are_met_to_twelve_digits(forward, strike, tau, volatility, call, put):
    assert price(forward, strike, tau, volatility, [True, False]) == pytest.approx(
        [call, put], rel=1e-12, abs=0.0
    )


@pytest.mark.parametrize(("k", "tau", "row", "volatility"), OWN_SMILES)
def test_smiles_of_our_own_are_met_to_fourteen_digits(k, tau, row, volatility):
    assert close(float(svi_volatility(k, tau, np.array(row))), volatility, VOLATILITY_TOLERANCE)

"""What do option portfolios need over joint rows, with and without the changes of implied volatility?

1,000 portfolios are drawn on a fitted snapshot of BTC options of January 2026 and margined at maintenance:
over the rows alone, over the same rows with spot moves only, over the grid alone, under the whole profile,
and under the one whose grid moves volatility as far as the rows do. Ranges and rows are calibrated on hourly
bars of BTC and ETH and on BTC's implied volatility index, all of which end in September 2024; so ranges and
rows are of one time and the chain of another. Reads ``$PLIMSOLL_DATA``; without the variable it says so and
stops.
"""

import os
import sys
from pathlib import Path

import numpy as np
from msgspec import structs

from benchmarks.greeks_error import BOOKS, KINDS, SEED, draw_books, fitted_chain
from plimsoll.calibration import calibrate
from plimsoll.domain.market import Market
from plimsoll.domain.parameters import Level, ParameterSet, Provenance
from plimsoll.domain.portfolios import Portfolio
from plimsoll.domain.profiles import Contingencies, PortfolioProfile
from plimsoll.domain.scenario_sets import JointMoves, ScenarioGrid
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.feeds.bars import read_bars
from plimsoll.feeds.implied import read_implied
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import requirements
from plimsoll.types import Vector

__all__ = ["main"]

BARS, INDEX = "spot_1h_binance.parquet", "iv/dvol_btc_1h_2021_2025.parquet"
LEAST_SHARE = 0.001
"""Of the gross notional: a smaller loss has no meaningful ratio to another."""


def calibrated(folder: Path) -> ParameterSet:
    """Calibrate BTC and ETH together, BTC with its index."""
    bars = read_bars(folder / BARS, markets=("BTC", "ETH"))
    provenance = Provenance(program="benchmark", settings="default", inputs=(BARS, INDEX))
    implied = read_implied({"BTC": folder / INDEX})
    return calibrate(bars, CalibrationSettings(), provenance, implied=implied)


def variants(parameters: ParameterSet) -> dict[str, PortfolioProfile]:
    """Give the whole profile, and its sets one by one with no other charge."""
    whole = with_calibration(profile("plimsoll"), parameters)
    (joint,) = (s for s in whole.scenarios if isinstance(s, JointMoves))
    grids = tuple(s for s in whole.scenarios if isinstance(s, ScenarioGrid))
    bare = structs.replace(whole, basis=None, contingencies=Contingencies(), gross_floor=0.0)
    sets = {
        "rows": (joint,),
        "rows without volatility": (structs.replace(joint, volatility=()),),
        "grid": grids,
        "grid and rows": (*grids, joint),
    }
    chosen = {name: structs.replace(bare, scenarios=each) for name, each in sets.items()}
    calibrated_grid = with_calibration(profile("plimsoll-implied"), parameters)
    return chosen | {
        "whole without rows": structs.replace(whole, scenarios=grids),
        "whole": whole,
        "plimsoll-implied": calibrated_grid,
    }


def required(books: tuple[Portfolio, ...], market: Market, chosen: PortfolioProfile) -> Vector:
    """Margin every book at maintenance: Vector [B], USD."""
    answers = requirements(books, market, chosen, Level.MAINTENANCE)
    return np.array([float("nan") if isinstance(a, Exception) else a.required for a in answers])


def show(kinds: tuple[str, ...], gross: Vector, need: dict[str, Vector]) -> None:
    """Print medians of gross notional by kind, and how the rows with volatility compare."""
    print(f"{'median, % of gross':22}" + "".join(f"{name:>25}" for name in need))
    for kind in (*KINDS, "all"):
        own = np.array([kind in (each, "all") for each in kinds])
        shares = "".join(f"{100.0 * np.median(found[own] / gross[own]):25.2f}" for found in need.values())
        print(f"{kind:22}{shares}")
    rows, plain = need["rows"], need["rows without volatility"]
    counted = np.maximum(rows, plain) > LEAST_SHARE * gross
    ratio = rows[counted] / np.maximum(plain[counted], LEAST_SHARE * gross[counted])
    quantiles = np.quantile(ratio, [0.05, 0.25, 0.5, 0.75, 0.95])
    print("rows with volatility over rows without: " + ", ".join(f"{q:.2f}" for q in quantiles), end="")
    print(" (5, 25, 50, 75, 95 %)")
    dearer = np.mean(rows > plain)
    over = need["plimsoll-implied"] / need["whole"]
    spread = ", ".join(f"{q:.2f}" for q in np.quantile(over, [0.05, 0.25, 0.5, 0.75, 0.95]))
    print(f"plimsoll-implied over whole: {spread} (5, 25, 50, 75, 95 %); sum over sum ", end="")
    print(f"{need['plimsoll-implied'].sum() / need['whole'].sum():.3f}")
    print(f"dearer with volatility: {dearer:.1%} of books; the rows decide in ", end="")
    print(f"{np.mean(rows > need['grid']):.1%}, and then ask for ", end="")
    decided = rows > need["grid"]
    more = rows[decided] / np.maximum(need["grid"][decided], LEAST_SHARE * gross[decided])
    print(f"{np.median(more):.2f} times the grid at the median" if decided.any() else "none")


def main() -> None:
    """Draw, margin, print."""
    if "PLIMSOLL_DATA" not in os.environ:
        sys.exit("set PLIMSOLL_DATA to the folder with market data")
    folder = Path(os.environ["PLIMSOLL_DATA"])
    chain = fitted_chain(folder)
    drawn = draw_books(chain, BOOKS, np.random.default_rng(SEED))
    books = tuple(book for _, book in drawn)
    spot = chain.market.underlyings[0].spot
    gross = np.array([spot * sum(abs(h.quantity) for h in book.holdings) for book in books])
    parameters = calibrated(folder)
    need = {name: required(books, chain.market, each) for name, each in variants(parameters).items()}
    show(tuple(kind for kind, _ in drawn), gross, need)


if __name__ == "__main__":
    main()

"""How far are the Greeks from full repricing over realistic books on a real chain?

A snapshot of BTC options of January 2026 is fitted, 1,000 portfolios are drawn on it and margined three ways:
every cell repriced, delta-gamma-vega, and the bound on what that leaves out. Prints how well the surface
fits, what each part of the requirement adds, and how the errors are distributed. Reads
``$PLIMSOLL_DATA/options/deribit_btc_chain_2026-01.parquet``; without the variable it says so and stops.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from msgspec import structs

from plimsoll.domain.instruments import Instrument, Option, Perpetual
from plimsoll.domain.market import ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.domain.surface import Smile, SurfaceSettings
from plimsoll.estimators.surface import SurfaceFit, fit_surface
from plimsoll.kernels.surface import svi_surface_volatility
from plimsoll.margin.greeks import GreeksMargin
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import VenueMargin
from plimsoll.pricing import build_chain
from plimsoll.pricing.greeks import unit_greeks
from plimsoll.types import Matrix, Vector

__all__ = ["Comparison", "FittedChain", "compare", "draw_books", "fitted_chain", "main"]

SNAPSHOT = "20260115"
BOOKS, SEED = 1_000, 7
PROFILES = ("plimsoll", "span-16")
NEAR_THE_MONEY = 0.25
"""Strikes within this log-moneyness trade; the deeper ones hardly do."""
SHORT = 0.1
"""A book is called short where its requirement is a tenth below full repricing."""
LEAST_SHARE = 0.001
"""Of the gross notional: a smaller loss has no meaningful relative error."""


@dataclass(frozen=True)
class FittedChain:
    """A market of one fitted snapshot, and its calls by expiry, in order of strike, with their deltas."""

    market: Market
    fit: SurfaceFit
    calls: tuple[tuple[Option, ...], ...]
    deltas: dict[Option, float]


@dataclass(frozen=True)
class Comparison:
    """Losses of books, Vector [B]: every cell repriced, by the Greeks, and the bound.

    Attributes
    ----------
    gross : Vector [B]   Notional at spot.
    parts : dict         Per name the amounts of the whole profile, Vector [B].
    """

    kinds: tuple[str, ...]
    full: Vector
    greeks: Vector
    bound: Vector
    gross: Vector
    parts: dict[str, Vector]


def fitted_chain(folder: Path, snapshot: str = SNAPSHOT) -> FittedChain:
    """Fit one snapshot and mark every option near the money by the surface."""
    rows = pl.read_parquet(folder / "options" / "deribit_btc_chain_2026-01.parquet")
    rows = rows.filter(pl.col("snapshot") == snapshot)
    time = int(rows["ts"].dt.epoch("ms").to_numpy().max())
    smiles = [_smile(part, time) for _, part in sorted(rows.group_by("expiry"))]
    fit = fit_surface("BTC", smiles, SurfaceSettings())
    tenors, parameters = fit.surface.tenors(), fit.surface.parameters()
    calls: list[tuple[Option, ...]] = []
    quotes: list[OptionQuote] = []
    for part, tau in zip(fit.slices, tenors, strict=True):
        smile = next(s for s in smiles if s.expiry == part.slice.expiry)
        strikes = smile.strikes[np.abs(smile.log_moneyness) < NEAR_THE_MONEY]
        volatility = svi_surface_volatility(np.log(strikes / smile.forward), tau, tenors, parameters)
        calls.append(tuple(Option("BTC", smile.expiry, float(strike), "C") for strike in strikes))
        for option, sigma in zip(calls[-1], volatility, strict=True):
            quotes += [OptionQuote(one, float(sigma)) for one in (option, _put(option))]
    spot = float(np.median(rows["index_price"].to_numpy()))
    expiries = tuple(ExpiryQuote(expiry=s.expiry, forward=s.forward) for s in smiles)
    quote = UnderlyingQuote(underlying="BTC", spot=spot, perpetual=spot, expiries=expiries)
    market = Market(time=time, underlyings=(quote,), options=tuple(quotes))
    listed = tuple(call for ladder in calls for call in ladder)
    deltas = unit_greeks(build_chain(listed, market)).delta.tolist()
    return FittedChain(market, fit, tuple(calls), dict(zip(listed, deltas, strict=True)))


def _smile(part: pl.DataFrame, time: int) -> Smile:
    """Take the out-of-the-money side of each strike; a volatility of 0 means that nobody quotes."""
    forward = float(np.median(part["underlying_price"].to_numpy()))
    outside = part.filter((pl.col("option_type") == "call") == (pl.col("strike") >= forward))
    outside = outside.unique("strike").sort("strike")
    sides = outside.select("bid_iv", "ask_iv", "mark_iv").cast(pl.Float64).fill_null(0.0).to_numpy() / 100.0
    bid, ask, mark = np.where(sides > 0.0, sides, np.nan).T
    expiry = int(outside["expiry"].dt.epoch("ms")[0])
    return Smile(expiry, time, forward, outside["strike"].cast(pl.Float64).to_numpy(), bid, ask, mark)


def _put(call: Option) -> Option:
    return structs.replace(call, right="P")


def draw_books(chain: FittedChain, count: int, rng: np.random.Generator) -> list[tuple[str, Portfolio]]:
    """Draw portfolios, each kind as often as the others, long and short alike, of 0.5 to 20 coins.

    Single options; vertical spreads one to six strikes wide; straddles; butterflies; covered calls (a
    perpetual against a short call); market makers, who hold 10 to 40 options at random and hedge their delta
    by a perpetual to a tenth of it.
    """
    kinds = tuple(KINDS)
    return [
        (kinds[b % len(kinds)], Portfolio(holdings=KINDS[kinds[b % len(kinds)]](chain, rng)))
        for b in range(count)
    ]


def _pick(chain: FittedChain, rng: np.random.Generator, room: int) -> tuple[tuple[Option, ...], int]:
    """Choose an expiry and the place of a strike in it that has `room` strikes on both sides."""
    ladders = [ladder for ladder in chain.calls if len(ladder) > 2 * room]
    ladder = ladders[int(rng.integers(len(ladders)))]
    return ladder, int(rng.integers(room, len(ladder) - room))


def _size(rng: np.random.Generator) -> float:
    """Draw a signed size in coins, log-uniform."""
    return float(rng.choice([-1.0, 1.0]) * np.exp(rng.uniform(np.log(0.5), np.log(20.0))))


def _side(rng: np.random.Generator, call: Option) -> Option:
    return call if rng.random() < 0.5 else _put(call)


def _single(chain: FittedChain, rng: np.random.Generator) -> tuple[Holding, ...]:
    ladder, place = _pick(chain, rng, 0)
    return (Holding(_side(rng, ladder[place]), _size(rng)),)


def _spread(chain: FittedChain, rng: np.random.Generator) -> tuple[Holding, ...]:
    ladder, place = _pick(chain, rng, 1)
    other = min(place + int(rng.integers(1, 7)), len(ladder) - 1)
    size = _size(rng)
    near, far = ladder[place], ladder[other]
    if rng.random() < 0.5:
        near, far = _put(near), _put(far)
    return (Holding(near, size), Holding(far, -size))


def _straddle(chain: FittedChain, rng: np.random.Generator) -> tuple[Holding, ...]:
    ladder, place = _pick(chain, rng, 0)
    size = _size(rng)
    return (Holding(ladder[place], size), Holding(_put(ladder[place]), size))


def _butterfly(chain: FittedChain, rng: np.random.Generator) -> tuple[Holding, ...]:
    wing = int(rng.integers(1, 4))
    ladder, place = _pick(chain, rng, wing)
    size = _size(rng)
    return tuple(
        Holding(ladder[place + step], size * weight)
        for step, weight in ((-wing, 1.0), (0, -2.0), (wing, 1.0))
    )


def _covered(chain: FittedChain, rng: np.random.Generator) -> tuple[Holding, ...]:
    ladder, place = _pick(chain, rng, 0)
    size = abs(_size(rng))
    return (Holding(Perpetual("BTC"), size), Holding(ladder[place], -size))


def _maker(chain: FittedChain, rng: np.random.Generator) -> tuple[Holding, ...]:
    held: list[Holding] = []
    delta = 0.0
    for _ in range(int(rng.integers(10, 41))):
        ladder, place = _pick(chain, rng, 0)
        option, size = _side(rng, ladder[place]), _size(rng)
        held.append(Holding(option, size))
        delta += size * (chain.deltas[ladder[place]] - (0.0 if option.right == "C" else 1.0))
    return (*held, Holding(Perpetual("BTC"), -0.9 * delta))


KINDS: dict[str, Callable[[FittedChain, np.random.Generator], tuple[Holding, ...]]] = {
    "single option": _single,
    "spread": _spread,
    "straddle": _straddle,
    "butterfly": _butterfly,
    "covered call": _covered,
    "market maker": _maker,
}


def compare(chain: FittedChain, books: list[tuple[str, Portfolio]], chosen: PortfolioProfile) -> Comparison:
    """Margin every book at maintenance: in full, and its scenario losses three ways."""
    instruments: tuple[Instrument, ...] = tuple(
        dict.fromkeys(holding.instrument for _, book in books for holding in book.holdings)
    )
    bare = structs.replace(chosen, basis=None, gross_floor=0.0)
    whole, scan = (VenueMargin(instruments, chain.market, one) for one in (chosen, bare))
    greeks = GreeksMargin(instruments, chain.market, chosen)
    spot = chain.market.underlyings[0].spot
    rows, parts = [], []
    for _, book in books:
        full = scan.requirement(book, Level.MAINTENANCE).part("scenarios")
        asked = greeks.requirement(book, Level.MAINTENANCE)
        rows.append((full, asked.unguarded, asked.bound, spot * sum(abs(h.quantity) for h in book.holdings)))
        charged = {part.name: part.amount for part in whole.requirement(book, Level.MAINTENANCE).parts}
        parts.append({"scan": full, "basis and floor": charged.pop("scenarios") - full, **charged})
    columns: Matrix = np.array(rows).T
    return Comparison(
        kinds=tuple(kind for kind, _ in books),
        full=columns[0],
        greeks=columns[1],
        bound=columns[2],
        gross=columns[3],
        parts={name: np.array([one[name] for one in parts]) for name in parts[0]},
    )


def errors(found: Comparison, estimate: Vector) -> tuple[Vector, list[str]]:
    """Give (estimate - full) / full, of the books whose loss is not next to nothing, and their kinds."""
    counted = np.flatnonzero(found.full > LEAST_SHARE * found.gross)
    return estimate[counted] / found.full[counted] - 1.0, [found.kinds[i] for i in counted]


def _fit_report(chain: FittedChain) -> None:
    figures = np.array(
        [(part.error, part.half_spread, part.inside, part.quotes) for part in chain.fit.slices]
    )
    quoted = figures[np.isfinite(figures[:, 0])]
    inside = float(np.average(quoted[:, 2], weights=quoted[:, 3]))
    median, worst, half = np.median(quoted[:, 0]), quoted[:, 0].max(), np.median(quoted[:, 1])
    print(
        f"surface of {SNAPSHOT}: {len(chain.fit.slices)} expiries, {quoted[:, 3].sum():.0f} two-sided quotes"
    )
    print(
        f"  error, points: median {100 * median:.2f}, worst {100 * worst:.2f}; half spread {100 * half:.2f};"
    )
    print(f"  {100 * inside:.0f} % of quotes have the smile inside")


def _line(name: str, error: Vector) -> None:
    low, median, high = 100.0 * np.quantile(error, [0.05, 0.5, 0.95])
    size, short = 100.0 * np.median(np.abs(error)), 100.0 * np.mean(error < -SHORT)
    figures = f"{size:7.1f} {low:7.1f} {median:7.1f} {high:7.1f} {short:9.1f} {100.0 * error.min():8.1f}"
    print(f"  {name:22}{len(error):6d} {figures}")


def _error_report(found: Comparison) -> None:
    print("  error, % of full repricing books  median |e|  5 %   median   95 %  short >10 %  worst")
    for title, estimate in (("Greeks", found.greeks), ("bound", found.bound)):
        error, kinds = errors(found, estimate)
        _line(f"{title}, all", error)
        for kind in KINDS:
            _line(f"  {kind}", error[np.array(kinds) == kind])


def _parts_report(found: Comparison) -> None:
    total = sum(found.parts.values())
    for name, amounts in found.parts.items():
        share, held = 100.0 * amounts.sum() / np.sum(total), 100.0 * np.mean(amounts > 0.0)
        print(f"  part {name:18} {share:6.1f} % of all requirements; charged to {held:5.1f} % of books")


def main() -> None:
    """Print the three reports."""
    folder = os.environ.get("PLIMSOLL_DATA")
    if not folder:
        sys.exit("set PLIMSOLL_DATA to a folder of market data to run this benchmark")
    chain = fitted_chain(Path(folder))
    _fit_report(chain)
    books = draw_books(chain, BOOKS, np.random.default_rng(SEED))
    for name in PROFILES:
        found = compare(chain, books, profile(name))
        print(f"profile {name}, maintenance, {BOOKS} books")
        _parts_report(found)
        _error_report(found)


if __name__ == "__main__":
    main()

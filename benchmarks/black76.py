"""What does one option price, and one implied volatility, cost beside NumPy, SciPy, QuantLib and vollib?

Every figure is nanoseconds an option, the best of several runs on one thread, compiled beforehand. A peer
that is not installed is left out and named. All price the same options; the largest difference is shown.
"""

import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import QuantLib

from plimsoll.kernels.black76 import delta, gamma, price, price_definition, vega
from plimsoll.kernels.implied import implied_volatilities
from plimsoll.types import Flags, Vector

__all__ = ["main"]

OPTIONS = 200_000
SLOW_OPTIONS = 2_000
"""Of these, how many a peer that is called per option prices."""
REPEATS = 7
NANO = 1e9

Chain = tuple[Vector, Vector, Vector, Vector, Flags]


def chain() -> Chain:
    """Draw a venue's options: strikes within about two deviations, a day to a year, 30 % to 120 %."""
    generator = np.random.default_rng(1)
    forward = np.full(OPTIONS, 90_000.0)
    tau = generator.uniform(1.0 / 365.0, 1.0, OPTIONS)
    volatility = generator.uniform(0.3, 1.2, OPTIONS)
    strike = forward * np.exp(generator.normal(0.0, 1.0, OPTIONS) * volatility * np.sqrt(tau))
    return forward, strike, tau, volatility, generator.random(OPTIONS) < 0.5


def best(work: Callable[[], object]) -> float:
    """Return the least seconds of several runs."""
    work()
    spent = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return min(spent)


def _polynomial_probability(z: Vector) -> Vector:
    """Approximate the normal distribution to 1e-7, as one does without SciPy (Abramowitz, Stegun 7.1.26)."""
    t = 1.0 / (1.0 + 0.3275911 * np.abs(z) / math.sqrt(2.0))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * series * np.exp(-0.5 * z * z)
    return np.where(z < 0.0, tail, 1.0 - tail)


def _textbook(probability: Callable[[Vector], Vector], options: Chain) -> Vector:
    forward, strike, tau, volatility, is_call = options
    deviation = volatility * np.sqrt(tau)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    sign = np.where(is_call, 1.0, -1.0)
    return sign * (forward * probability(sign * d1) - strike * probability(sign * (d1 - deviation)))


def vector_peers(options: Chain) -> Iterator[tuple[str, float, float]]:
    """Yield name, seconds an option and largest difference of the peers that price a whole chain at once."""
    ours = price(*options)
    probabilities = {"NumPy, polynomial erf": _polynomial_probability}
    if importlib.util.find_spec("scipy"):
        from scipy.special import ndtr

        probabilities["NumPy with SciPy ndtr"] = ndtr
    for name, probability in probabilities.items():
        seconds = best(partial(_textbook, probability, options)) / OPTIONS
        yield name, seconds, _difference(_textbook(probability, options), ours)


def single_peers(options: Chain) -> Iterator[tuple[str, float, float]]:
    """Yield the same of the peers that are called once per option."""
    rows = list(zip(*(column[:SLOW_OPTIONS].tolist() for column in options), strict=True))
    ours = price(*options)[:SLOW_OPTIONS]

    def quantlib() -> list[float]:
        call, put = QuantLib.Option.Call, QuantLib.Option.Put
        return [QuantLib.blackFormula(call if c else put, k, f, v * math.sqrt(t)) for f, k, t, v, c in rows]

    def calculator() -> list[float]:
        call, put = QuantLib.Option.Call, QuantLib.Option.Put
        return [
            QuantLib.BlackCalculator(
                QuantLib.PlainVanillaPayoff(call if c else put, k), f, v * math.sqrt(t)
            ).value()
            for f, k, t, v, c in rows
        ]

    def definition() -> list[float]:
        return [price_definition(*row) for row in rows]

    peers = {
        "QuantLib blackFormula": quantlib,
        "QuantLib BlackCalculator": calculator,
        "definition": definition,
    }
    if importlib.util.find_spec("vollib"):
        from vollib.black import undiscounted_black

        peers["vollib"] = lambda: [
            undiscounted_black(f, k, v, t, "c" if c else "p") for f, k, t, v, c in rows
        ]
    for name, work in peers.items():
        yield name, best(work) / SLOW_OPTIONS, _difference(np.array(work()), ours)


def _difference(found: Vector, ours: Vector) -> float:
    return float(np.max(np.abs(found - ours)))


def implied_peers(options: Chain) -> Iterator[tuple[str, float]]:
    """Yield name and seconds a volatility; the options are worth between 1e-6 and 0.9 of their bound."""
    forward, strike, tau, _, _ = options
    is_call = strike >= forward
    quotes = price(forward, strike, tau, options[3], is_call)
    share = quotes / np.minimum(forward, strike)
    told = (share > 1e-6) & (share < 0.9)
    columns = (quotes[told], forward[told], strike[told], tau[told], is_call[told])
    yield "plimsoll", best(lambda: implied_volatilities(*columns)) / int(told.sum())
    rows = list(zip(*(column[:SLOW_OPTIONS].tolist() for column in columns), strict=True))

    def quantlib() -> None:
        call, put = QuantLib.Option.Call, QuantLib.Option.Put
        for p, f, k, _, c in rows:
            QuantLib.blackFormulaImpliedStdDev(call if c else put, k, f, p, 1.0, 0.0, 0.5, 1e-12, 1000)

    yield "QuantLib blackFormulaImpliedStdDev", best(quantlib) / len(rows)
    if importlib.util.find_spec("vollib"):
        from vollib.black.implied_volatility import implied_volatility

        def vollib() -> None:
            for p, f, k, t, c in rows:
                implied_volatility(p, f, k, 0.0, t, "c" if c else "p")

        yield "vollib", best(vollib) / len(rows)


def main() -> None:
    """Print the table."""
    options = chain()
    ours = best(lambda: price(*options)) / OPTIONS
    print(f"price, {OPTIONS:,} options, one thread")
    print(f"  {'plimsoll':36s}{ours * NANO:10.1f} ns")
    for name, seconds, difference in (*vector_peers(options), *single_peers(options)):
        print(
            f"  {name:36s}{seconds * NANO:10.1f} ns{seconds / ours:9.1f} times, differs by {difference:.0e}"
        )
    print("Greeks")
    greeks = {
        "delta": lambda: delta(*options),
        "gamma": lambda: gamma(*options[:4]),
        "vega": lambda: vega(*options[:4]),
    }
    for name, work in greeks.items():
        print(f"  {name:36s}{best(work) / OPTIONS * NANO:10.1f} ns")
    print("implied volatility")
    (_, own), *peers = implied_peers(options)
    print(f"  {'plimsoll':36s}{own * NANO:10.1f} ns")
    for name, seconds in peers:
        print(f"  {name:36s}{seconds * NANO:10.1f} ns{seconds / own:9.1f} times")
    if missing := [peer for peer in ("scipy", "vollib") if not importlib.util.find_spec(peer)]:
        print(f"not installed and left out: {', '.join(missing)}")


if __name__ == "__main__":
    main()

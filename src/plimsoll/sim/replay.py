"""How does a crash run through a venue under several policies, side by side?"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from plimsoll.domain.bars import MINUTE, Bars
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Provenance
from plimsoll.engine.runner import Journal
from plimsoll.errors import Code, PlimsollError
from plimsoll.scenarios.bridge import bridge
from plimsoll.scenarios.scenario import ScenarioPath
from plimsoll.sim.curves import assumed_liquidity
from plimsoll.sim.market import columns_of, undisturbed
from plimsoll.sim.outcome import PolicyOutcome, Replay
from plimsoll.sim.policies import MATCHED, REFERENCE, Policy, flat, policy
from plimsoll.sim.population import Population, draw_population, list_instruments
from plimsoll.sim.settings import ReplaySettings
from plimsoll.sim.venue import Progress, Stage, run_policy
from plimsoll.types import Vector

__all__ = ["Origin", "Progress", "build_stage", "replay"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a replay's prices come from, for the reader of its report.

    Attributes
    ----------
    title, narrative, source : str
    inputs : tuple of str   ``name sha256:...`` of every input.
    """

    title: str
    narrative: str
    source: str
    inputs: tuple[str, ...]


def replay(
    origin: Origin,
    path: ScenarioPath,
    history: Bars,
    settings: ReplaySettings,
    *,
    journal: Callable[[str], Journal],
    progress: Progress,
) -> Replay:
    """Run every policy over the same accounts and the same undisturbed prices.

    Parameters
    ----------
    path : ScenarioPath   What happens; every market has a price in the first bar.
    history : Bars        What calibration knows before; of any markets, all ended when the path begins.
    journal : callable    Opens the journal of a policy, by name.

    Raises
    ------
    PlimsollError   `EMPTY_RANGE` without bars, `MISSING_PRICE` where a market has none at the start, and what
                    calibration raises when it knows too little.
    """
    stage = build_stage(origin, path, history, settings)
    bars = stage.market.bars
    outcomes: dict[str, PolicyOutcome] = {}
    for name in _in_order(settings.policies):
        chosen = _matched(outcomes) if name == MATCHED else policy(name, settings.calibration)
        outcomes[name] = run_policy(name, chosen, stage, journal(name), progress)
    return Replay(
        title=origin.title,
        narrative=origin.narrative,
        source=origin.source,
        markets=bars.markets,
        times=bars.ends,
        undisturbed=bars.close,
        settings=msgspec.to_builtins(settings),
        inputs=origin.inputs,
        outcomes=tuple(outcomes[name] for name in settings.policies),
    )


def build_stage(origin: Origin, path: ScenarioPath, history: Bars, settings: ReplaySettings) -> Stage:
    """Draw the accounts, list the instruments and describe the undisturbed market; see `replay`."""
    path = _filled(path, settings)
    prices = _first_prices(path.bars)
    listings = list_instruments(path.bars.markets, prices)
    columns = columns_of(listings, path.bars.markets)
    unit = np.array([entry.lot for entry in listings]) * prices[columns] * QUANTA_PER_UNIT
    generator = np.random.default_rng(settings.seed)
    population = draw_population(settings.population, listings, unit, generator)
    interest = _interest(population, listings, path.bars.markets, unit)
    market = undisturbed(path.bars, path.liquidity, interest, settings.market)
    liquidity = assumed_liquidity(
        path.bars.markets,
        interest,
        market.impact[0],
        settings.market,
        settings.calibration,
    )
    provenance = Provenance(program=_PROGRAM, settings=_digest(settings), inputs=origin.inputs)
    history = history.aligned(path.bars.markets)
    return Stage(listings, columns, market, history, population, settings, provenance, liquidity)


_PROGRAM = "plimsoll replay"


def _digest(settings: ReplaySettings) -> str:
    return hashlib.sha256(msgspec.json.encode(settings)).hexdigest()


def _filled(path: ScenarioPath, settings: ReplaySettings) -> ScenarioPath:
    """Draw bars of the step length within coarse ones; keep finer ones as they are."""
    step = settings.step_minutes * MINUTE
    if path.bars.length <= max(step, settings.coarse_minutes * MINUTE):
        return path
    count = path.bars.length // step
    return ScenarioPath(bridge(path.bars, step, settings.seed), np.repeat(path.liquidity, count))


def _first_prices(bars: Bars) -> Vector:
    if len(bars) == 0:
        raise PlimsollError(
            Code.EMPTY_RANGE, "there is no bar to replay", where="replay", remedy="Widen --from and --to."
        )
    first: Vector = bars.close[0]
    if np.isnan(first).any():
        missing = [market for market, price in zip(bars.markets, first, strict=True) if np.isnan(price)]
        raise PlimsollError(
            Code.MISSING_PRICE,
            f"no price of {', '.join(missing)} in the first bar",
            where="replay",
            remedy="Start later, or leave these markets out with --markets.",
        )
    return first


def _interest(
    population: Population, listings: tuple[Listing, ...], markets: tuple[str, ...], unit: Vector
) -> Vector:
    """Add up the open interest that accounts want, quote units: Vector [M]."""
    interest = np.zeros(len(markets))
    np.add.at(interest, columns_of(listings, markets), population.interest(unit))
    wanted: Vector = np.maximum(interest, max(_LEAST_INTEREST * float(interest.sum()), 1.0))
    return wanted


_LEAST_INTEREST = 0.01
"""A market that hardly any account wants trades like one that holds this share of all open interest."""


def _in_order(policies: tuple[str, ...]) -> list[str]:
    """Run what others are matched to before them; the order shown stays the one asked for."""
    if len(set(policies)) != len(policies) or not policies:
        raise PlimsollError(
            Code.UNKNOWN_POLICY,
            "policies are missing or given twice",
            where="policy",
            remedy="Name each policy once.",
        )
    if MATCHED in policies and REFERENCE not in policies:
        raise PlimsollError(
            Code.UNKNOWN_POLICY,
            f"{MATCHED} needs {REFERENCE} to be matched to",
            where="policy",
            remedy=f"Add --policy {REFERENCE}, or leave {MATCHED} out.",
        )
    return sorted(policies, key=lambda name: name == MATCHED)


def _matched(outcomes: dict[str, PolicyOutcome]) -> Policy:
    """Ask for the reference's mean maintenance throughout, and admit accounts at its opening ratio."""
    reference = outcomes[REFERENCE]
    maintenance = reference.summary.mean_margin
    opening = float(reference.margin_held[0])
    ratio = float(reference.initial_held[0]) / opening if opening > 0.0 else 1.0
    return flat(maintenance, max(1.0, ratio) * maintenance)

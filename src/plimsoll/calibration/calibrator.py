"""How do bars become a parameter set, one bar or ten years at a time?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.calibration.guards import Guarded, GuardState, apply_guard, begin_guard
from plimsoll.calibration.models import ModelRates, model_rates
from plimsoll.domain.bar_checks import check_bars
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.implied import ImpliedHistory
from plimsoll.domain.parameters import (
    CrossMargin,
    JointScenarios,
    MarketParameters,
    ParameterSet,
    PerPosition,
    Provenance,
    SideEvidence,
    SideParameters,
)
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.dependence import joint_scenarios
from plimsoll.estimators.excursions import ExcursionState, begin_excursions, update_excursions
from plimsoll.estimators.implied import LEAST_WINDOWS
from plimsoll.estimators.returns import LastClose, join, nothing_heard
from plimsoll.estimators.volatility import VolatilityState, begin_volatility, update_volatility

__all__ = ["CalibratorState", "absorb", "begin", "calibrate", "propose"]


_DEFAULTS = CalibrationSettings()
_UNSTATED = Provenance(program="", settings="", inputs=())


@dataclass(frozen=True, slots=True)
class CalibratorState:
    """Everything that calibration remembers, for M markets; a value, so that it can be kept and resumed.

    `last` says what the next return may be taken against, and the last known prices.
    `implied` may know more than the bars do: only what was known at the last bar's end is looked at.
    """

    markets: tuple[str, ...]
    settings: CalibrationSettings
    last: LastClose
    volatility: VolatilityState
    excursions: ExcursionState
    guard: GuardState
    dependence: tuple[JointScenarios, ...]
    announced: int
    version: int
    implied: ImpliedHistory | None = None


def begin(markets: tuple[str, ...], settings: CalibrationSettings) -> CalibratorState:
    """Start with no knowledge."""
    count = len(markets)
    return CalibratorState(
        markets=markets,
        settings=settings,
        last=nothing_heard(count),
        volatility=begin_volatility(count),
        excursions=begin_excursions(count),
        guard=begin_guard(count),
        dependence=(),
        announced=0,
        version=0,
    )


def absorb(state: CalibratorState, bars: Bars) -> CalibratorState:
    """Learn from T bars; absorbing them one by one gives the same state, bit for bit.

    Parameters
    ----------
    bars : Bars   Of the state's markets in the state's order, opening no earlier than the last absorbed bar
                  closed. Their length may differ from that of earlier ones.

    Raises
    ------
    PlimsollError   `OUT_OF_ORDER` where the bars begin before the last absorbed bar ended; what
                    `domain.bar_checks.check_bars` raises.
    """
    check_bars(bars)
    if len(bars) == 0:
        return state
    if bars.markets != state.markets or bars.times[0] < state.last.end:
        raise PlimsollError(
            Code.OUT_OF_ORDER,
            "bars overlap what was already absorbed, or are of other markets",
            where=f"calibration, bar of {int(bars.times[0])}",
            remedy="Absorb each bar once, in order of time, with the markets the state began with.",
        )
    settings = state.settings
    joined, last = join(state.last, bars)
    volatility, path = update_volatility(state.volatility, settings, bars, joined)
    excursions = update_excursions(state.excursions, settings, bars, joined.missing, path)
    return replace(state, last=last, volatility=volatility, excursions=excursions)


def propose(
    state: CalibratorState, method: type[PerPosition] | type[CrossMargin], provenance: Provenance
) -> tuple[ParameterSet, CalibratorState]:
    """Publish what the state knows, as of the end of its last bar.

    Returns
    -------
    ParameterSet      Sealed, with the evidence of every side.
    CalibratorState   Remembers what was published, which the speed limits are relative to.

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where no market has `settings.young.windows` windows, `MISSING_PRICE`
                    where one has never had a price.
    """
    settings = state.settings
    model = model_rates(state.markets, settings, state.volatility, state.excursions.matured[1])
    _refuse_unpriced(state)
    time = state.last.end
    guarded, guard = apply_guard(
        state.guard, settings.guard, time, model.blended, model.limited, model.long_run, model.jump
    )
    dependence, announced = _dependence(state, model)
    markets = _markets(state, guarded)
    chosen: PerPosition | CrossMargin
    if method is CrossMargin:
        floor = settings.joint.gross_floor
        chosen = CrossMargin(markets=markets, dependence=dependence, gross_floor=floor)
    else:
        chosen = PerPosition(markets=markets)
    parameters = ParameterSet(
        version=state.version + 1,
        effective=time,
        method=chosen,
        evidence=_evidence(state, model, guarded),
        provenance=provenance,
    ).sealed()
    published = replace(
        state, guard=guard, dependence=dependence, announced=announced, version=parameters.version
    )
    return parameters, published


def calibrate(
    bars: Bars,
    settings: CalibrationSettings = _DEFAULTS,
    provenance: Provenance = _UNSTATED,
    method: type[PerPosition] | type[CrossMargin] = CrossMargin,
    implied: ImpliedHistory | None = None,
) -> ParameterSet:
    """Calibrate once, from nothing but these bars and, where given, an index of implied volatility.

    A set that is to be published should state its provenance; by default it says nothing of its origin.

    Raises
    ------
    PlimsollError   What `propose` raises; `TOO_LITTLE_HISTORY` where implied volatility is given and too
                    little of it lies within the bars for joint scenarios.
    """
    state = replace(begin(bars.markets, settings), implied=implied)
    parameters, published = propose(absorb(state, bars), method, provenance)
    if implied is not None and not any(table.volatility for table in published.dependence):
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"fewer than {LEAST_WINDOWS} windows know how the implied volatility of "
            f"{', '.join(implied.markets)} changed, or the markets have fewer than {settings.joint.rows} in "
            "common",
            where="calibration",
            remedy="Give an index that overlaps the bars for longer, in steps of an hour or less.",
        )
    return parameters


def _refuse_unpriced(state: CalibratorState) -> None:
    unpriced = [m for m, price in zip(state.markets, state.last.price, strict=True) if np.isnan(price)]
    if unpriced:
        raise PlimsollError(
            Code.MISSING_PRICE,
            f"no bar has a price of {', '.join(unpriced)}",
            where="calibration",
            remedy="Give bars of every market, or leave these markets out.",
        )


def _dependence(state: CalibratorState, model: ModelRates) -> tuple[tuple[JointScenarios, ...], int]:
    """Put an announced table into force when its notice is over, and announce a fresh one when due."""
    guard, now = state.settings.guard, state.last.end
    tables, announced = state.dependence, state.announced
    if len(tables) == 2 and now - announced >= guard.notice_hours * HOUR:
        tables = tables[1:]
    due = now - announced >= state.settings.joint.refresh_hours * HOUR
    if tables and not (due and len(tables) == 1):
        return tables, announced
    grown = [m for m, lender in enumerate(model.borrowed_from) if lender is None]
    moments, windows = state.excursions.matured
    names = tuple(state.markets[m] for m in grown)
    settings, history = state.settings, None if state.implied is None else state.implied.until(now)
    horizon = round(settings.horizon_hours * HOUR)
    began, ends = state.excursions.spans.T
    span = int((ends - began)[ends > 0].max(initial=horizon))
    fresh = joint_scenarios(names, moments, windows[:, grown], settings, history, span)
    if fresh is None or fresh in tables:
        return tables, announced
    return (*tables, fresh), now


def _markets(state: CalibratorState, guarded: Guarded) -> tuple[MarketParameters, ...]:
    def side(m: int, s: int) -> SideParameters:
        return SideParameters(
            maintenance=float(guarded.maintenance[m, s]),
            call=float(guarded.call[m, s]),
            initial=float(guarded.initial[m, s]),
            credit=float(guarded.credit[m, s]),
            initial_credit=float(guarded.initial_credit[m, s]),
        )

    return tuple(
        MarketParameters(market, float(state.last.price[m]), side(m, 0), side(m, 1))
        for m, market in enumerate(state.markets)
    )


def _evidence(state: CalibratorState, model: ModelRates, guarded: Guarded) -> tuple[SideEvidence, ...]:
    forecasters = state.volatility.forecasters
    return tuple(
        SideEvidence(
            market=market,
            side=side,
            windows=int(model.windows[m]),
            last=state.last.end,
            volatility=float(model.volatility[m]),
            scale=float(model.scale[m]),
            residual_quantile=float(model.residual_quantile[m, s]),
            model=float(model.model[m, s]),
            stressed=float(model.stressed[m, s]),
            long_run=float(model.long_run[m, s]),
            floor=float(guarded.floor[m, s]),
            target=float(guarded.target[m, s]),
            maintenance=float(guarded.maintenance[m, s]),
            binding=_binding(guarded.floor[m, s], guarded.target[m, s], guarded.maintenance[m, s]),
            borrowed_from=model.borrowed_from[m],
            forecaster=forecasters[m],
        )
        for m, market in enumerate(state.markets)
        for s, side in enumerate(("long", "short"))
    )


def _binding(floor: float, target: float, maintenance: float) -> str:
    if maintenance < target:
        return "rise-limit"
    if maintenance <= floor:
        return "floor"
    return "fall-limit" if maintenance > target else "model"

"""Which cost curve do recorded books and trades of a market support, and how well does it fit them?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from plimsoll.calibration.liquidity import market_liquidity
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.liquidity import Recording, RecordingSettings, Trades
from plimsoll.domain.market_liquidity import CurveEvidence, MarketLiquidity, WalkedSize
from plimsoll.domain.parameters import ParameterSet
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.cost_curve import covered_sizes, fit_cost_curve
from plimsoll.estimators.flow import begin_flow, estimate_flow, update_flow
from plimsoll.estimators.liquidity import (
    LiquidityEstimate,
    begin_liquidity,
    estimate_liquidity,
    update_liquidity,
)

__all__ = ["with_cost_curves"]

_DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class _Flow:
    """What trading is like: quote per hour, log per square root of an hour, and what that rests on."""

    volume: float
    volatility: float
    trades: int
    measured_impact: float | None


def with_cost_curves(
    parameters: ParameterSet,
    bars: Bars,
    recordings: Mapping[str, Recording],
    settings: CalibrationSettings,
    fitting: RecordingSettings,
) -> ParameterSet:
    """Put a fitted cost curve of each recorded market into a set, with the evidence, and seal it anew.

    Only what was recorded until the set is in force is looked at. Where a market's trades are not recorded,
    its volume is that of the last `fitting.volume_days` of bars, and its volatility what the rates were made
    from.

    Parameters
    ----------
    parameters : ParameterSet   Calibrated on these bars.
    recordings : mapping        By market of the set.

    Raises
    ------
    PlimsollError   `EMPTY_RANGE` where nothing was recorded by then, `TOO_LITTLE_HISTORY` for books too
                    shallow or trades too few to fit anything to, `BAD_VOLUME` where no volume is known.
    """
    liquidity = tuple(
        _fitted(market, recording.until(parameters.effective), parameters, bars, settings, fitting)
        for market, recording in recordings.items()
    )
    return structs.replace(parameters, liquidity=liquidity).sealed()


def _fitted(
    market: str,
    recording: Recording,
    parameters: ParameterSet,
    bars: Bars,
    settings: CalibrationSettings,
    fitting: RecordingSettings,
) -> MarketLiquidity:
    if len(recording.books) == 0:
        raise PlimsollError(
            Code.EMPTY_RANGE,
            "every book was recorded after the set is in force, which is when the last bar ends",
            where=f"books of {market}",
            remedy="Give bars that reach into the recording, or books from before their end.",
        )
    if recording.trades is None:
        flow = _bar_flow(market, parameters, bars, fitting)
    else:
        flow = _trade_flow(market, recording.trades, fitting)
    found = estimate_liquidity(update_liquidity(begin_liquidity(fitting), fitting, recording.books), fitting)
    curve = structs.replace(
        _curve(market, found, flow, fitting),
        impact=fitting.impact,
        stressed_depth=fitting.stressed_depth,
        detect_hours=fitting.detect_hours,
        floor_hours=fitting.floor_hours,
    )
    evidence = _evidence(curve, found, recording, flow, fitting)
    return structs.replace(market_liquidity(market, curve, settings), evidence=evidence)


def _curve(market: str, found: LiquidityEstimate, flow: _Flow, fitting: RecordingSettings) -> CostCurve:
    try:
        return fit_cost_curve(found, fitting, volatility=flow.volatility, volume=flow.volume)
    except PlimsollError as error:
        where = f"books of {market}"
        raise PlimsollError(error.code, error.what, where=where, remedy=error.remedy) from error


def _trade_flow(market: str, trades: Trades, fitting: RecordingSettings) -> _Flow:
    found = estimate_flow(update_flow(begin_flow(), fitting, trades), fitting)
    if not (np.isfinite(found.volatility) and found.volume > 0.0):
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"only {found.windows} windows of {fitting.window_seconds:g} s hold trades",
            where=f"trades of {market}",
            remedy="Give a longer recording, or none: volume and volatility are then those of the bars.",
        )
    measured = found.impact if np.isfinite(found.impact) else None
    return _Flow(found.volume, found.volatility, len(trades), measured)


def _bar_flow(market: str, parameters: ParameterSet, bars: Bars, fitting: RecordingSettings) -> _Flow:
    late = bars.between(parameters.effective - fitting.volume_days * _DAY, parameters.effective).alone(market)
    traded = late.volume[:, 0] * late.close[:, 0]
    volume = float(np.nanmean(traded)) * HOUR / bars.length if np.isfinite(traded).any() else 0.0
    if volume <= 0.0:
        raise PlimsollError(
            Code.BAD_VOLUME,
            f"the last {fitting.volume_days} days of bars know no volume of {market}",
            where=f"books of {market}",
            remedy=f"Give its trades as well, for instance --trades {market}=trades.parquet.",
        )
    volatility = next(side.volatility for side in parameters.evidence if side.market == market)
    return _Flow(volume, volatility, 0, None)


def _evidence(
    curve: CostCurve,
    found: LiquidityEstimate,
    recording: Recording,
    flow: _Flow,
    fitting: RecordingSettings,
) -> CurveEvidence:
    sizes = tuple(
        WalkedSize(
            size=size,
            covered=min(covered, 1.0),
            walked=walked if np.isfinite(walked) else None,
            fitted=curve.walk(size),
            used=used,
        )
        for size, covered, walked, used in zip(
            fitting.sizes,
            found.coverage.tolist(),
            found.cost.tolist(),
            covered_sizes(found, fitting).tolist(),
            strict=True,
        )
    )
    return CurveEvidence(
        books=len(recording.books),
        first=int(recording.books.times[0]),
        last=int(recording.books.times[-1]),
        sizes=sizes,
        largest=curve.reference,
        error=max(abs(each.fitted / each.walked - 1.0) for each in sizes if each.used and each.walked),
        reach=found.reach,
        flow="bars" if recording.trades is None else "trades",
        trades=flow.trades,
        measured_impact=flow.measured_impact,
    )

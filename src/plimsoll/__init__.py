"""What can a program use of Plimsoll, the margin calibration engine?

Names are imported when they are first used, so that ``import plimsoll`` costs next to nothing. Bars one by
one: `calibration.begin`, `absorb`, `propose`. A venue event by event: `engine.begin`, `step`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plimsoll import calibration, engine
    from plimsoll.calibration import calibrate
    from plimsoll.domain.accounts import Account, CollateralBalance, Position
    from plimsoll.domain.bars import Bars
    from plimsoll.domain.market import Market
    from plimsoll.domain.parameters import (
        CrossMargin,
        Level,
        ParameterSet,
        PerPosition,
        Provenance,
        StaticTiers,
    )
    from plimsoll.domain.portfolios import Portfolio
    from plimsoll.domain.quotes import Quotes, market_of
    from plimsoll.domain.settings import CalibrationSettings
    from plimsoll.errors import Code, PlimsollError
    from plimsoll.feeds.bars import bars_from, read_bars
    from plimsoll.margin import margin_model, profiles
    from plimsoll.margin.explain import Explanation, explain
    from plimsoll.margin.venue import requirement, requirements
    from plimsoll.scenarios.library import daily_history
    from plimsoll.sim.outcome import Replay
    from plimsoll.sim.replay import replay
    from plimsoll.sim.settings import ReplaySettings

__all__ = [
    "Account",
    "Bars",
    "CalibrationSettings",
    "Code",
    "CollateralBalance",
    "CrossMargin",
    "Explanation",
    "Level",
    "Market",
    "ParameterSet",
    "PerPosition",
    "PlimsollError",
    "Portfolio",
    "Position",
    "Provenance",
    "Quotes",
    "Replay",
    "ReplaySettings",
    "StaticTiers",
    "bars_from",
    "calibrate",
    "calibration",
    "daily_history",
    "engine",
    "explain",
    "margin_model",
    "market_of",
    "profiles",
    "read_bars",
    "replay",
    "requirement",
    "requirements",
]

_MODULES = ("calibration", "engine")
_HOMES = {
    "Account": "plimsoll.domain.accounts",
    "Bars": "plimsoll.domain.bars",
    "CalibrationSettings": "plimsoll.domain.settings",
    "Code": "plimsoll.errors",
    "CollateralBalance": "plimsoll.domain.accounts",
    "CrossMargin": "plimsoll.domain.parameters",
    "Explanation": "plimsoll.margin.explain",
    "Level": "plimsoll.domain.parameters",
    "Market": "plimsoll.domain.market",
    "ParameterSet": "plimsoll.domain.parameters",
    "PerPosition": "plimsoll.domain.parameters",
    "PlimsollError": "plimsoll.errors",
    "Portfolio": "plimsoll.domain.portfolios",
    "Position": "plimsoll.domain.accounts",
    "Provenance": "plimsoll.domain.parameters",
    "Quotes": "plimsoll.domain.quotes",
    "Replay": "plimsoll.sim.outcome",
    "ReplaySettings": "plimsoll.sim.settings",
    "StaticTiers": "plimsoll.domain.parameters",
    "bars_from": "plimsoll.feeds.bars",
    "calibrate": "plimsoll.calibration",
    "daily_history": "plimsoll.scenarios.library",
    "explain": "plimsoll.margin.explain",
    "margin_model": "plimsoll.margin",
    "market_of": "plimsoll.domain.quotes",
    "profiles": "plimsoll.margin",
    "read_bars": "plimsoll.feeds.bars",
    "replay": "plimsoll.sim.replay",
    "requirement": "plimsoll.margin.venue",
    "requirements": "plimsoll.margin.venue",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"plimsoll.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'plimsoll' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

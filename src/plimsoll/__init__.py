"""What can a program use of Plimsoll, the margin calibration engine?

Names are imported when they are first used, so that ``import plimsoll`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plimsoll.calibration import absorb, begin, calibrate, propose
    from plimsoll.domain.accounts import Account, CollateralBalance, Position
    from plimsoll.domain.bars import Bars
    from plimsoll.domain.parameters import (
        CrossMargin,
        Level,
        ParameterSet,
        PerPosition,
        Provenance,
        StaticTiers,
    )
    from plimsoll.domain.portfolios import Portfolio
    from plimsoll.domain.settings import CalibrationSettings
    from plimsoll.engine.machine import step
    from plimsoll.errors import Code, PlimsollError
    from plimsoll.feeds.bars import bars_from, read_bars
    from plimsoll.margin import margin_model, profiles
    from plimsoll.margin.explain import Explanation, explain
    from plimsoll.margin.venue import requirement
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
    "ParameterSet",
    "PerPosition",
    "PlimsollError",
    "Portfolio",
    "Position",
    "Provenance",
    "Replay",
    "ReplaySettings",
    "StaticTiers",
    "absorb",
    "bars_from",
    "begin",
    "calibrate",
    "explain",
    "margin_model",
    "profiles",
    "propose",
    "read_bars",
    "replay",
    "requirement",
    "step",
]

_HOMES = {
    "Account": "plimsoll.domain.accounts",
    "Bars": "plimsoll.domain.bars",
    "CalibrationSettings": "plimsoll.domain.settings",
    "Code": "plimsoll.errors",
    "CollateralBalance": "plimsoll.domain.accounts",
    "CrossMargin": "plimsoll.domain.parameters",
    "Explanation": "plimsoll.margin.explain",
    "Level": "plimsoll.domain.parameters",
    "ParameterSet": "plimsoll.domain.parameters",
    "PerPosition": "plimsoll.domain.parameters",
    "PlimsollError": "plimsoll.errors",
    "Portfolio": "plimsoll.domain.portfolios",
    "Position": "plimsoll.domain.accounts",
    "Provenance": "plimsoll.domain.parameters",
    "Replay": "plimsoll.sim.outcome",
    "ReplaySettings": "plimsoll.sim.settings",
    "StaticTiers": "plimsoll.domain.parameters",
    "absorb": "plimsoll.calibration",
    "bars_from": "plimsoll.feeds.bars",
    "begin": "plimsoll.calibration",
    "calibrate": "plimsoll.calibration",
    "explain": "plimsoll.margin.explain",
    "margin_model": "plimsoll.margin",
    "profiles": "plimsoll.margin",
    "propose": "plimsoll.calibration",
    "read_bars": "plimsoll.feeds.bars",
    "replay": "plimsoll.sim.replay",
    "requirement": "plimsoll.margin.venue",
    "step": "plimsoll.engine.machine",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'plimsoll' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""What does a plausible replay look like, without running one?"""

import numpy as np

from plimsoll.sim.outcome import PolicyOutcome, PolicySummary, Replay
from plimsoll.types import Matrix, Times, Vector

__all__ = ["POLICIES", "build_outcome", "build_replay", "build_summary"]

POLICIES = ("static", "static-matched", "dynamic", "plimsoll")
MARKETS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX", "TRX")
START = 1_583_884_800_000
"""11 March 2020, 00:00 UTC."""
ACCOUNTS = 10_000

_LAST_PRICE = {"BTC": 7_900.0, "ETH": 200.0}
_BAD_DEBT = {"static": 9.42e6, "static-matched": 3.11e6, "dynamic": 1.24e6, "plimsoll": 0.38e6}
_MARGIN = {"static": 0.0104, "static-matched": 0.0472, "dynamic": 0.0511, "plimsoll": 0.0468}
_LIQUIDATED = {"static": 3_412, "static-matched": 1_907, "dynamic": 1_263, "plimsoll": 1_088}
_NOTIONAL = {"static": 412.6e6, "static-matched": 187.3e6, "dynamic": 96.4e6, "plimsoll": 71.9e6}
_IMPACT = {"static": 0.092, "static-matched": 0.041, "dynamic": 0.023, "plimsoll": 0.017}
_RISE = {"static": 0.0, "static-matched": 0.0, "dynamic": 0.61, "plimsoll": 0.486}


def build_summary(policy: str, **changes: object) -> PolicySummary:
    """Make the figures of one policy; `changes` replace some of them."""
    bad_debt = _BAD_DEBT.get(policy, 2.0e6)
    fund_paid = min(bad_debt, 5.0e6)
    figures: dict[str, object] = {
        "policy": policy,
        "accounts": ACCOUNTS,
        "admitted": 1.31e9 if policy.startswith("static") else 1.17e9,
        "mean_margin": _MARGIN.get(policy, 0.03),
        "mean_initial": 1.9 * _MARGIN.get(policy, 0.03),
        "worst_rise": _RISE.get(policy, 0.2),
        "called": _LIQUIDATED.get(policy, 900) + 731,
        "liquidated": _LIQUIDATED.get(policy, 900),
        "liquidated_by_rise": 0,
        "liquidated_with_rise": 0 if policy.startswith("static") else 14,
        "liquidated_notional": _NOTIONAL.get(policy, 80e6),
        "auctioned": 0.0,
        "taken_over": 0.0,
        "bad_debt": bad_debt,
        "fund_paid": fund_paid,
        "allocated": 0.9 * (bad_debt - fund_paid),
        "uncovered": 0.1 * (bad_debt - fund_paid),
        "branching": 0.31 + 10.0 * _IMPACT.get(policy, 0.03),
        "deepest_impact": _IMPACT.get(policy, 0.03),
        "journal": "8c1f" * 16,
        "state": "03b7" * 16,
    }
    return PolicySummary(**(figures | changes))  # type: ignore[arg-type]


def build_outcome(policy: str, times: Times, undisturbed: Matrix, rng: np.random.Generator) -> PolicyOutcome:
    """Make the series of one policy: forced selling peaks with the fall, and the price comes back late."""
    summary = build_summary(policy)
    count, markets = undisturbed.shape
    burst = _burst(count)
    wobble = 1.0 + 0.25 * rng.standard_normal(count)
    weight = np.linspace(1.0, 0.4, markets)
    displacement = summary.deepest_impact * np.convolve(burst, np.exp(-np.arange(400) / 90), "full")[:count]
    displacement = summary.deepest_impact * displacement / max(displacement.max(), 1e-12)
    rates = _rates(policy, count, markets, burst)
    liquidated = np.outer(np.maximum(burst * wobble, 0.0), weight)
    liquidated *= summary.liquidated_notional / max(liquidated.sum(), 1e-12)
    debt = summary.bad_debt * np.cumsum(burst**2) / max((burst**2).sum(), 1e-12)
    open_notional = summary.admitted - 0.9 * np.cumsum(liquidated.sum(axis=1))
    return PolicyOutcome(
        policy=policy,
        price=undisturbed * (1.0 - displacement[:, None] * weight[None, :]),
        maintenance=rates,
        initial=rates * (1.6 if policy != "static" else 2.0),
        called=np.round(0.3 * summary.called * np.clip(burst * wobble, 0.0, None)),
        liquidating=np.round(0.08 * summary.liquidated * np.clip(burst * wobble, 0.0, None)),
        liquidated=liquidated,
        fund=np.maximum(5.0e6 - debt, 0.0),
        bad_debt=debt,
        margin_held=summary.mean_margin * open_notional * (0.8 + 0.4 * _ramp(policy, count)),
        initial_held=summary.mean_initial * open_notional * (0.7 + 0.5 * _ramp(policy, count)),
        open_notional=open_notional,
        summary=summary,
    )


def build_replay(
    *,
    bars: int = 4_320,
    minutes: int = 1,
    markets: int = 2,
    policies: tuple[str, ...] = POLICIES,
    title: str = "Black Thursday, 12-13 March 2020",
    seed: int = 7,
) -> Replay:
    """Make a replay of a crash; everything asymmetric between markets, sides and policies."""
    rng = np.random.default_rng(seed)
    times = START + minutes * 60_000 * np.arange(1, bars + 1, dtype=np.int64)
    undisturbed = np.column_stack([_path(bars, rng, _LAST_PRICE.get(n, 3.0)) for n in MARKETS[:markets]])
    names = tuple(MARKETS[:markets]) if markets <= len(MARKETS) else tuple(f"M{n}" for n in range(markets))
    if markets > len(MARKETS):
        undisturbed = np.column_stack([_path(bars, rng, 10.0 + n) for n in range(markets)])
    return Replay(
        title=title,
        narrative="Equities fell at the opening bell, and crypto lost half its value within a day.",
        source="hourly figures of Binance spot; minutes drawn by a seeded bridge",
        markets=names,
        times=times,
        undisturbed=undisturbed,
        settings={"seed": 1, "accounts": ACCOUNTS, "calibration": {"level": 0.995, "guard": {"rise": 0.02}}},
        inputs=("black-thursday-2020 sha256:" + "5e" * 32, "daily history sha256:" + "a7" * 32),
        outcomes=tuple(build_outcome(policy, times, undisturbed, rng) for policy in policies),
    )


def _path(bars: int, rng: np.random.Generator, first: float) -> Vector:
    place = np.linspace(0.0, 1.0, bars)
    shape = (
        -0.08 * place - 0.55 / (1 + np.exp(-(place - 0.55) * 60)) + 0.30 / (1 + np.exp(-(place - 0.72) * 40))
    )
    noise = np.cumsum(rng.standard_normal(bars)) * 0.12 / np.sqrt(bars)
    return np.asarray(first * np.exp(shape + noise + 0.03 * np.sin(place * 40)))


def _burst(count: int) -> Vector:
    place = np.linspace(0.0, 1.0, count)
    first = np.exp(-(((place - 0.55) / 0.02) ** 2))
    return np.asarray(np.where(first < 1e-3, 0.0, first) + 0.35 * np.exp(-(((place - 0.62) / 0.008) ** 2)))


def _ramp(policy: str, count: int) -> Vector:
    if policy.startswith("static"):
        return np.full(count, 0.5)
    place = np.linspace(0.0, 1.0, count)
    return np.asarray(np.clip((place - 0.5) * 6, 0.0, 1.0) * np.exp(-np.clip(place - 0.75, 0.0, 1.0) * 3))


def _rates(policy: str, count: int, markets: int, burst: Vector) -> np.ndarray:
    base = build_summary(policy).mean_margin
    side = np.array([1.0, 0.9])
    market = np.linspace(1.0, 1.6, markets)
    path = base * (0.8 + 0.6 * _ramp(policy, count))
    return path[:, None, None] * market[None, :, None] * (side if base > 0.02 else np.ones(2))[None, None, :]

"""What happened in a replay, in words: to the price, under each policy, and to whom the losses went?"""

import numpy as np
from msgspec import Struct

from plimsoll.report import figures
from plimsoll.sim.outcome import PolicySummary, Replay
from plimsoll.types import Times, Vector

__all__ = ["Finding", "Summary", "leading_market", "summarise"]

_CALIBRATED = ("plimsoll", "dynamic")
"""Policies whose case this program makes, the foremost first: the summary says where they fell short."""

_LEADER = "BTC"

_SAME_MARGIN = 0.02
"""Mean margins closer than this, relatively, are called about the same: sampling moves them as much."""

_NOTABLE_ADMISSION = 0.01
"""A relative difference in admitted notional from which on it is said to have helped."""

_QUIET = 0.005
"""A price whose widest move stays below this is said not to have moved."""


class Finding(Struct, frozen=True):
    """A judgement, and the figures that it rests on."""

    judgement: str
    grounds: str


class Summary(Struct, frozen=True, kw_only=True):
    """A replay in plain sentences, without markup.

    Attributes
    ----------
    verdict : tuple of Finding   The calibrated policy against each other one, and whether notice was kept.
    price : str                  What happened to the prices.
    policies : tuple of str      What each policy asked for, did and lost; in the replay's order.
    """

    verdict: tuple[Finding, ...]
    price: str
    policies: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything, as sentences to print one below the other."""
        verdict = (f"{finding.judgement} {finding.grounds}" for finding in self.verdict)
        return (self.price, *self.policies, *verdict)


def summarise(replay: Replay) -> Summary:
    """Say in plain language what a replay showed, also where it speaks against the calibrated policy."""
    summaries = tuple(outcome.summary for outcome in replay.outcomes)
    return Summary(
        verdict=(*_comparisons(summaries), *_notice(summaries)),
        price=_price(replay),
        policies=tuple(_policy(summary) for summary in summaries),
    )


class _Move(Struct, frozen=True):
    """The widest move of a price: `size` is relative, negative for a fall."""

    size: float
    first: int
    last: int


def leading_market(markets: tuple[str, ...]) -> int:
    """Choose the market that a report tells of first: the one that others are measured by, if any."""
    return markets.index(_LEADER) if _LEADER in markets else 0


def _price(replay: Replay) -> str:
    moves = [_widest_move(replay.undisturbed[:, column]) for column in range(len(replay.markets))]
    leader = leading_market(replay.markets)
    path = _path(replay.markets[leader], moves[leader], replay.undisturbed[:, leader], replay.times)
    if len(moves) == 1:
        return path
    widest = max(range(len(moves)), key=lambda column: abs(np.log1p(moves[column].size)))
    if widest == leader:
        return f"{path} Of the {len(moves)} markets it moved most."
    verb = "fell" if moves[widest].size < 0 else "rose"
    size = figures.share(abs(moves[widest].size))
    return f"{path} Of the {len(moves)} markets {replay.markets[widest]} moved most: it {verb} {size}."


def _path(market: str, move: _Move, prices: Vector, times: Times) -> str:
    if abs(move.size) < _QUIET:
        return f"{market} hardly moved: at most {figures.share(abs(move.size))}."
    known = prices[~np.isnan(prices)]
    verb = "fell" if move.size < 0 else "rose"
    return (
        f"{market} {verb} {figures.share(abs(move.size))}, "
        f"from {figures.price(prices[move.first])} ({figures.moment(int(times[move.first]))}) "
        f"to {figures.price(prices[move.last])} ({figures.moment(int(times[move.last]))}); "
        f"it began at {figures.price(known[0])} and ended at {figures.price(known[-1])}."
    )


def _widest_move(prices: Vector) -> _Move:
    """Find the largest move, in log terms, from an earlier to a later price."""
    logs = np.log(prices)
    falls = logs - np.fmax.accumulate(logs)
    rises = logs - np.fmin.accumulate(logs)
    if np.isnan(logs).all():
        return _Move(0.0, 0, 0)
    if -np.nanmin(falls) >= np.nanmax(rises):
        last = int(np.nanargmin(falls))
        first = int(np.nanargmax(logs[: last + 1]))
    else:
        last = int(np.nanargmax(rises))
        first = int(np.nanargmin(logs[: last + 1]))
    return _Move(float(np.expm1(logs[last] - logs[first])), first, last)


def _policy(summary: PolicySummary) -> str:
    margin = figures.share(summary.mean_margin)
    held = f"{summary.policy} held {margin} of open notional as maintenance on average"
    if summary.liquidated == 0:
        return f"{held} and liquidated nobody; {_called(summary)}. {_losses(summary)}"
    pushed = (
        f", which pushed a price up to {figures.share(summary.deepest_impact)} off its path"
        if summary.deepest_impact > 0
        else ""
    )
    return (
        f"{held}. {_called(summary)} and {figures.count(summary.liquidated)} liquidated: "
        f"{figures.money(summary.liquidated_notional)} sold by force{pushed}. {_losses(summary)}"
    )


def _called(summary: PolicySummary) -> str:
    return f"{figures.count(summary.called)} of {figures.count(summary.accounts)} accounts were called"


def _losses(summary: PolicySummary) -> str:
    if summary.bad_debt == 0:
        return "It left no bad debt."
    parts = (
        (summary.fund_paid, "the insurance fund paid"),
        (summary.allocated, "accounts in profit paid"),
        (summary.uncovered, "nobody paid"),
    )
    paid = ", ".join(f"{payer} {figures.money(amount)}" for amount, payer in parts if amount > 0)
    return f"It left {figures.money(summary.bad_debt)} of bad debt: {paid}."


def _comparisons(summaries: tuple[PolicySummary, ...]) -> tuple[Finding, ...]:
    named = {summary.policy: summary for summary in summaries}
    ours = next((named[policy] for policy in _CALIBRATED if policy in named), None)
    if ours is None:
        return ()
    return tuple(_comparison(ours, rival) for rival in summaries if rival is not ours)


def _comparison(ours: PolicySummary, rival: PolicySummary) -> Finding:
    debt, margin = _debt_order(ours, rival), _margin_order(ours, rival)
    return Finding(
        f"{ours.policy} against {rival.policy}: {_JUDGEMENTS[debt, margin]}.",
        f"{_debt_words(ours, rival, debt)}, {_margin_words(ours, rival, margin)}."
        + (_DEARER if (debt, margin) == (-1, 1) else "")
        + _admission(ours, rival),
    )


def _debt_order(ours: PolicySummary, rival: PolicySummary) -> int:
    if figures.money(ours.bad_debt) == figures.money(rival.bad_debt):
        return 0
    return -1 if ours.bad_debt < rival.bad_debt else 1


def _margin_order(ours: PolicySummary, rival: PolicySummary) -> int:
    if abs(ours.mean_margin - rival.mean_margin) <= _SAME_MARGIN * rival.mean_margin:
        return 0
    return -1 if ours.mean_margin < rival.mean_margin else 1


def _debt_words(ours: PolicySummary, rival: PolicySummary, order: int) -> str:
    if order == 0:
        return "Neither left bad debt" if ours.bad_debt == 0 else "As much bad debt"
    word = "Less" if order < 0 else "More"
    return f"{word} bad debt ({figures.money(ours.bad_debt)} against {figures.money(rival.bad_debt)})"


def _margin_words(ours: PolicySummary, rival: PolicySummary, order: int) -> str:
    word = {-1: "less", 0: "about the same", 1: "more"}[order]
    held = f"{figures.share(ours.mean_margin)} against {figures.share(rival.mean_margin)} of open notional"
    return f"with {word} margin held ({held})"


_JUDGEMENTS = {
    (-1, -1): "better on both counts",
    (-1, 0): "safer at the same cost",
    (-1, 1): "safer, but dearer",
    (0, -1): "as safe, and cheaper",
    (0, 0): "no difference that matters",
    (0, 1): "not better: as safe, and dearer",
    (1, -1): "not safer: cheaper, and paid for with losses",
    (1, 0): "not better: less safe at the same cost",
    (1, 1): "worse on both counts",
}
"""By the order of bad debt, then of margin held: -1 where the calibrated policy has less."""


_DEARER = " Collateral alone could have done that; this pair does not show that calibration did."


def _admission(ours: PolicySummary, rival: PolicySummary) -> str:
    """Say how much more or less risk was let in, which moves losses by itself; silent if as much."""
    if rival.admitted <= 0 or abs(ours.admitted / rival.admitted - 1) < _NOTABLE_ADMISSION:
        return ""
    change = ours.admitted / rival.admitted - 1
    if change > 0:
        return f" It let in {figures.share(change)} more notional."
    sentence = f" It let in {figures.share(-change)} less notional, which by itself lowers what can be lost"
    if ours.bad_debt == rival.bad_debt == 0:
        return f"{sentence}."
    per_million = [1e6 * each.bad_debt / max(each.admitted, 1.0) for each in (ours, rival)]
    return (
        f"{sentence}: per $1M admitted, bad debt was {figures.money(per_million[0])} "
        f"against {figures.money(per_million[1])}."
    )


def _notice(summaries: tuple[PolicySummary, ...]) -> tuple[Finding, ...]:
    """Say who was liquidated by a rise alone; only a policy that gives notice can keep or break it."""
    ours = [_kept(summary) for summary in summaries if summary.policy == _CALIBRATED[0]]
    others = [
        Finding(f"{summary.policy} liquidated by a rise alone.", _by_rise(summary))
        for summary in summaries
        if summary.policy != _CALIBRATED[0] and summary.liquidated_by_rise > 0
    ]
    return (*ours, *others)


def _kept(summary: PolicySummary) -> Finding:
    if summary.liquidated_by_rise == 0:
        return Finding(
            "Notice was kept.", f"{summary.policy} liquidated no account by a rise of parameters alone."
        )
    return Finding("Notice was broken.", f"{summary.policy} did it to {_by_rise(summary)}")


def _by_rise(summary: PolicySummary) -> str:
    return f"{figures.count(summary.liquidated_by_rise)} accounts, at prices that would have left them alone."

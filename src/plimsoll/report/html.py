"""How does a replay become one HTML page that needs nothing else?"""

from collections.abc import Iterator, Mapping
from html import escape
from string import Template

import msgspec

from plimsoll.report import figures, notes
from plimsoll.report.charts import Charts, build_charts, colour_slots
from plimsoll.report.comparison import Row, comparison
from plimsoll.report.measures import Measure, best_policies, is_broken, shown_measures
from plimsoll.report.page_parts import Page, asset, definitions, paragraphs
from plimsoll.report.summary import Summary, summarise
from plimsoll.sim.outcome import PolicySummary, Replay

__all__ = ["render_page"]


_SKIP = '<a class="skip" href="#charts">Skip to the charts</a>'


def render_page(replay: Replay, *, program: str, command: str) -> str:
    """Write a replay as a self-contained page.

    Parameters
    ----------
    program : str   Name and version of what made it.
    command : str   The command line that repeats the run.

    Returns
    -------
    str   The page. It loads nothing: its own policy forbids every request and every other script.
    """
    summary = summarise(replay)
    charts = build_charts(replay)
    main = Template(asset("replay.html")).substitute(
        price=escape(summary.price),
        verdict=_verdict(summary),
        table=_table(replay),
        policies=paragraphs(summary.policies),
        sampling=escape(_sampling(charts, replay)),
        repeat=_repeat(replay, command),
        method=_method(replay),
        measures=definitions(
            (measure.label.removeprefix("- "), measure.meaning)
            for measure in shown_measures(_summaries(replay))
        ),
    )
    return Page(
        kind="replay",
        title=replay.title,
        lead=replay.narrative,
        facts=_facts(replay),
        program=program,
        before=_SKIP,
        main=main,
        script=asset("replay.js"),
        data=_embedded(charts),
    ).written()


def _embedded(charts: Charts) -> str:
    """Write the charts as JSON that can end neither its script element nor a line of it."""
    text = msgspec.json.encode(charts).decode("utf-8")
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _facts(replay: Replay) -> tuple[tuple[str, str], ...]:
    accounts = replay.outcomes[0].summary.accounts if replay.outcomes else 0
    first, last = int(replay.times[0]) - _bar_length(replay), int(replay.times[-1])
    return (
        ("Period", f"{figures.moment(first)} to {figures.moment(last)}"),
        ("Bars", f"{figures.count(len(replay.times))} of {figures.span(_bar_length(replay))}"),
        ("Markets", ", ".join(replay.markets)),
        ("Accounts", figures.count(accounts)),
        ("Prices", replay.source),
    )


def _bar_length(replay: Replay) -> int:
    gaps = replay.times[1:] - replay.times[:-1]
    return int(gaps.min()) if len(gaps) else 0


def _verdict(summary: Summary) -> str:
    items = "".join(
        f"<li><b>{escape(finding.judgement)}</b> {escape(finding.grounds)}</li>"
        for finding in summary.verdict
    )
    return f'<ul class="verdict">{items}</ul>' if items else ""


def _table(replay: Replay) -> str:
    summaries = _summaries(replay)
    slots = colour_slots(replay)
    policies = [(outcome.policy, slots[outcome.policy]) for outcome in replay.outcomes]
    return comparison(
        "Measure", policies, [_row(measure, summaries) for measure in shown_measures(summaries)]
    )


def _summaries(replay: Replay) -> tuple[PolicySummary, ...]:
    return tuple(outcome.summary for outcome in replay.outcomes)


def _row(measure: Measure, summaries: tuple[PolicySummary, ...]) -> Row:
    best = best_policies(measure, summaries)
    cells = [
        (measure.written(measure.value(summary)), _mark(measure, summary, best)) for summary in summaries
    ]
    return Row(measure.label, measure.meaning, cells, measure.group)


def _mark(measure: Measure, summary: PolicySummary, best: frozenset[str]) -> str:
    if is_broken(measure, summary):
        return "broken"
    return "best" if summary.policy in best else ""


def _sampling(charts: Charts, replay: Replay) -> str:
    if charts.bucket == 1:
        return "Every bar is drawn."
    length = figures.span(charts.bucket * _bar_length(replay))
    return (
        f"Of every {charts.bucket} bars ({length}) the charts keep the lowest and the highest, in order; "
        "the figures above each chart give that range at the chosen moment."
    )


def _repeat(replay: Replay, command: str) -> str:
    digests = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(digest)}</code></td></tr>"
        for name, digest in _digests(replay)
    )
    return (
        f"<p>This command, on the same inputs, gives the same journals byte for byte:</p>"
        f"<pre>{escape(command)}</pre>"
        f'<h3>Inputs and results</h3><div class="scroll"><table class="digests">{digests}</table></div>'
        f'<h3>Settings</h3><dl class="settings">{definitions(_flat(replay.settings))}</dl>'
    )


def _digests(replay: Replay) -> Iterator[tuple[str, str]]:
    for given in replay.inputs:
        name, _, digest = given.rpartition(" ")
        yield name or given, digest
    for outcome in replay.outcomes:
        yield f"{outcome.policy}: journal", f"sha256:{outcome.summary.journal}"
        yield f"{outcome.policy}: final state", f"sha256:{outcome.summary.state}"


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """List nested settings by their full names: ``calibration.guard.rise_per_hour``."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _setting(value)


def _setting(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode("utf-8")


def _method(replay: Replay) -> str:
    described = [
        f"<p><b>{escape(outcome.policy)}</b>: {escape(notes.POLICIES[outcome.policy])}</p>"
        for outcome in replay.outcomes
        if outcome.policy in notes.POLICIES
    ]
    return "".join(described) + paragraphs(notes.METHOD)

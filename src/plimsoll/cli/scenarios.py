"""Which crashes and stresses can be replayed?"""

from typing import TYPE_CHECKING

import msgspec

from plimsoll.cli.options import Json, Quiet
from plimsoll.cli.voice import Voice

if TYPE_CHECKING:
    from rich.console import Console

    from plimsoll.scenarios.scenario import Scenario

__all__ = ["run"]


def run(*, quiet: Quiet = False, json: Json = False) -> None:
    """List the crashes and stresses that come with the program.

    Crashes that happened are kept by the hour, with their source; minutes between are drawn from a seed and
    keep every hour's high, low and close. Hypothetical stresses are drawn from a seed altogether.

    **Examples**

    ```
    plimsoll scenarios
    plimsoll scenarios --json | jq -r '.[].name'
    ```
    """
    from plimsoll.scenarios.library import scenarios

    entries = scenarios()
    Voice.chosen(quiet=quiet, as_json=json).tell(
        lambda console: _show(entries, console), lambda: msgspec.to_builtins(entries)
    )


def _show(entries: "tuple[Scenario, ...]", console: "Console") -> None:
    from rich.padding import Padding
    from rich.text import Text

    from plimsoll.report import figures

    for kind, heading in (("historical", "Crashes that happened"), ("hypothetical", "Hypothetical stresses")):
        console.print(Text(heading, style="bold"))
        for entry in entries:
            if entry.kind != kind:
                continue
            console.print()
            facts = f"{figures.span(entry.last - entry.first)}, {', '.join(entry.markets)}"
            console.print(Text.assemble("  ", (entry.name, "bold cyan"), f"  {entry.title} ({facts})"))
            console.print(Padding(Text(entry.summary), (0, 4)), width=min(100, console.width))
        console.print()
    console.print("Replay one: plimsoll replay --scenario NAME")

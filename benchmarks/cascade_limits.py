"""Where does a guarded venue break: how much harder may the news, and how much thinner the books be?

Rates of ``plimsoll`` and of ``static``, both with caps, few accounts and seeds. News: the share of the
scenario's deepest fall that happens outside. Depth: what makers quote in normal times over the depth that the
caps were set for: a venue that believes in twice the depth there is has caps twice too wide. Mean over seeds
of bad debt over what was closed by force, and of the share closed against winners.
"""

import sys

import numpy as np
from msgspec import structs

from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.scenarios.library import daily_history, scenario
from plimsoll.sim.cascade import draw_cast, known_before, run_cascade
from plimsoll.sim.cascade_outcome import CascadeFacts
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.policies import policy
from plimsoll.sim.shock import anchor

SCENARIO = "october-2025"
NEWS = (0.72, 1.0, 1.3, 1.7)
THINNER = (0.5, 0.25, 0.1)
SEEDS = (1, 2, 3)


def facts_of(name: str, settings: CascadeSettings, seed: int, believed: float) -> CascadeFacts:
    """Run one seed; caps are set for a depth `believed` times the one there is."""
    cast = draw_cast(anchor(SCENARIO), settings, seed)
    history = daily_history(scenario(SCENARIO).first)
    parameters = known_before(policy(name, settings.calibration), cast, history)
    return run_cascade(
        name, parameters, cast, settings, Runner(DigestJournal()), capped=True, believed=believed
    )[0]


def row(name: str, label: str, settings: CascadeSettings, believed: float = 1.0) -> None:
    """Run all seeds and print one line."""
    found = [facts_of(name, settings, seed, believed) for seed in SEEDS]
    debt = np.array([100.0 * facts.bad_debt_share for facts in found])
    queue = np.array([100.0 * facts.allocation_share for facts in found])
    print(
        f"{name:10s} {label:22s} bad debt {debt.mean():6.3f} % (to {debt.max():.3f})   "
        f"against winners {queue.mean():5.1f} %   deepest fall {min(f.deepest_fall for f in found):.2f}",
        flush=True,
    )


def main() -> None:
    """Run and print; the first argument replaces the number of accounts."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    base = CascadeSettings()
    base = structs.replace(
        base,
        population=structs.replace(base.population, accounts=accounts),
        shock=structs.replace(base.shock, seconds=600, onset_second=60),
    )
    for name in ("plimsoll", "static"):
        for share in NEWS:
            harder = structs.replace(base, shock=structs.replace(base.shock, share=share))
            row(name, f"news {share:.2f}", harder)
        for part in THINNER:
            makers = structs.replace(base.makers, depth=base.makers.depth * part)
            row(name, f"depth {part:.2f} of believed", structs.replace(base, makers=makers), 1.0 / part)


if __name__ == "__main__":
    main()

"""What does a small, fast crash look like, for tests of the simulator?"""

from functools import cache

from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.scenarios.library import daily_history, scenario
from plimsoll.sim.cascade import Cast, draw_cast, run_cascade
from plimsoll.sim.cascade_outcome import CascadeFacts, CascadeSeries
from plimsoll.sim.cascade_policies import cascade_parameters, exposure_of
from plimsoll.sim.cascade_settings import CascadeSettings, OwnerSettings, ShockSettings
from plimsoll.sim.settings import PopulationSettings
from plimsoll.sim.shock import anchor

__all__ = ["QUICK", "SCENARIO", "cast_of", "run"]

SCENARIO = "october-2025"

QUICK = CascadeSettings(
    policies=("static",),
    seeds=1,
    population=PopulationSettings(accounts=300),
    shock=ShockSettings(seconds=150, onset_second=10, fall_seconds=80.0, recovery_half_life=30.0),
    owners=OwnerSettings(answering_share=0.6, delay_seconds=10.0),
    clearing=ClearingRules(allocation="queue", participation=0.5),
    fund_share=0.0005,
)
"""Two and a half minutes in which everything happens: calls, payments, sales, takeovers, the queue."""


@cache
def cast_of(seed: int) -> Cast:
    """Draw a cast once."""
    return draw_cast(anchor(SCENARIO), QUICK, seed)


def run(
    cast: Cast, settings: CascadeSettings = QUICK, name: str = "static"
) -> tuple[CascadeFacts, CascadeSeries, Runner]:
    """Run a policy, and keep the engine that it ran on."""
    history = daily_history(scenario(SCENARIO).first)
    runner = Runner(DigestJournal())
    facts, series = run_cascade(
        name,
        cascade_parameters(name, cast, settings, history),
        cast,
        settings,
        runner,
        exposure=exposure_of(name),
    )
    return facts, series, runner

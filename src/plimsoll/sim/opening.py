"""How does a venue open: who pays in, which positions does initial margin let in, under which rules?"""

from dataclasses import dataclass

from plimsoll.domain.events import Funded, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import ParameterSet
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.runner import Runner
from plimsoll.sim.population import Population
from plimsoll.types import Lots

__all__ = ["Endowment", "enter", "list_and_endow", "publish"]


@dataclass(frozen=True, slots=True)
class Endowment:
    """What the system accounts begin with, as shares of the open interest that accounts want."""

    fund: float
    backstop: float = 0.0


def list_and_endow(
    runner: Runner,
    tick: Ticked,
    listings: tuple[Listing, ...],
    rules: ClearingRules,
    population: Population,
    endowment: Endowment,
) -> None:
    """List the instruments, let accounts pay in, show the first marks and endow fund, makers and backstop.

    The makers begin with cash worth the whole open interest wanted: they never run out.
    """
    time = tick.time
    runner.run(Listed(time, listings, rules))
    runner.run(Opened(time, population.names, tuple(population.deposits.tolist())))
    runner.run(tick)
    interest = float(population.interest(runner.state.unit).sum()) * QUANTA_PER_UNIT
    runner.run(
        Funded(
            time,
            round(interest * endowment.fund),
            round(interest),
            round(interest * endowment.backstop),
        )
    )


def enter(runner: Runner, population: Population, lots: Lots) -> None:
    """Let every account buy its collateral and its positions at the marks."""
    state = runner.state
    marks = tuple(state.market.marks.tolist())
    runner.run(Traded(state.time, marks, population.names, tuple(map(tuple, lots.tolist()))))


def publish(runner: Runner, parameters: ParameterSet | None, time: int) -> bool:
    """Put into force what is due, and say whether anything was."""
    if parameters is not None:
        runner.run(Published(time, parameters))
    return parameters is not None

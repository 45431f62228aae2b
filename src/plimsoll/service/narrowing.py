"""Which part of a parameter set concerns one account?

Explaining with it alone gives the same answer, many times faster where there are many markets.
"""

import threading

from msgspec import structs

from plimsoll.domain.parameters import CrossMargin, JointScenarios, ParameterSet

__all__ = ["Narrowing"]

_KEPT = 4_096
"""Combinations of markets remembered: accounts hold few, and many hold the same."""


class Narrowing:
    """Cuts sets down to some markets and remembers the cuts of the newest set; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digest = ""
        self._cuts: dict[frozenset[str], ParameterSet] = {}

    def of(self, parameters: ParameterSet, markets: frozenset[str]) -> ParameterSet:
        """Keep what an account that holds only these markets is margined by; version and digest stay."""
        with self._lock:
            if parameters.digest != self._digest or len(self._cuts) >= _KEPT:
                self._digest, self._cuts = parameters.digest, {}
            if markets not in self._cuts:
                self._cuts[markets] = _cut(parameters, markets)
            return self._cuts[markets]


def _cut(parameters: ParameterSet, markets: frozenset[str]) -> ParameterSet:
    method = parameters.method
    if not isinstance(method, CrossMargin) or not markets:
        return parameters
    tables = tuple(cut for table in method.dependence if (cut := _table(table, markets)) is not None)
    if len(tables) < len(method.dependence) and tables:
        return parameters
    held = tuple(market for market in method.markets if market.market in markets)
    evidence = tuple(side for side in parameters.evidence if side.market in markets)
    kept = structs.replace(method, markets=held, dependence=tables)
    return structs.replace(parameters, method=kept, evidence=evidence)


def _table(table: JointScenarios, markets: frozenset[str]) -> JointScenarios | None:
    """Keep some columns of the scenarios; None where none is of these markets: nothing nets then."""
    places = [place for place, market in enumerate(table.markets) if market in markets]
    if not places:
        return None
    return structs.replace(
        table,
        markets=tuple(table.markets[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
        volatility=tuple(tuple(row[place] for place in places) for row in table.volatility),
        implied=tuple(table.implied[place] for place in places if table.implied),
        observed=tuple(table.observed[place] for place in places if table.observed),
    )

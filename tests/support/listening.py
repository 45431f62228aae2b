"""How does a test run a venue that hears its prices, and wait for what it hears?"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from plimsoll.service.process import Service
from plimsoll.service.settings import ServiceSettings
from plimsoll.service.tokens import Scope
from plimsoll.service.view import View
from tests.support.services import running, tokens_of

__all__ = ["PATIENCE", "ListeningVenue", "until", "venue_of"]

PATIENCE = 15.0
"""Seconds that a machine busy with other tests is given."""


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it never came to hold")


class ListeningVenue:
    """A running venue, asked through its API."""

    def __init__(self, service: Service, client: httpx.Client) -> None:
        self.service, self.client = service, client
        self.tokens = tokens_of(service)
        self.number = 0
        parameters: Any = self.view.state.parameters
        self.prices: dict[str, float] = {m.market: m.price for m in parameters.method.markets}

    @property
    def view(self) -> View:
        """What readers see."""
        return self.service.desk.view

    def get(self, path: str) -> Any:
        """Ask, as a reader."""
        answer = self.client.get(path, headers={"authorization": f"Bearer {self.tokens[Scope.READ]}"})
        assert answer.status_code == 200, answer.text
        return answer.json() if path != "/v1/metrics" else answer.text

    def post(self, path: str, body: object, scope: Scope = Scope.TRADE) -> httpx.Response:
        """Write, with a key of its own."""
        self.number += 1
        headers = {"authorization": f"Bearer {self.tokens[scope]}", "idempotency-key": f"key-{self.number}"}
        return self.client.post(path, content=json.dumps(body), headers=headers)

    def feed(self) -> str:
        """Give the state of the feed."""
        return str(self.client.get("/v1/ready").json()["feed"])

    def mark(self, name: str = "BTC-PERP") -> float | None:
        """Give the mark of an instrument; None before the first."""
        marks: dict[str, float | None] = {row["name"]: row["mark"] for row in self.get("/v1/instruments")}
        return marks[name]

    def equity(self, account: str) -> int:
        """Give what an account is worth, quanta."""
        return int(self.get(f"/v1/accounts/{account}")["line"]["equity"])

    def market(self, name: str = "BTC") -> Any:
        """Give a market's line."""
        return {row["market"]: row for row in self.get("/v1/markets")}[name]


@contextmanager
def venue_of(settings: ServiceSettings) -> Iterator[ListeningVenue]:
    """Run a venue with these settings."""
    with running(settings) as (service, client):
        yield ListeningVenue(service, client)

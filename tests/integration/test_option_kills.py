"""Is a venue with options what it would have been, when it is killed while an expiry settles?"""

import random
import threading
from contextlib import contextmanager

import httpx
import msgspec

from plimsoll.domain.instruments import Option
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest
from plimsoll.service.process import JOURNAL
from plimsoll.service.tokens import FILE, Scope, Tokens, issue
from plimsoll.store.location import open_store
from plimsoll.store.recovery import recover
from tests.support.option_venues import NEAR, PRICES, START, told, venue_settings
from tests.support.services import serving

CALL = Option("BTC", NEAR, 60_000.0, "C").name
RICH = 500_000 * QUANTA_PER_UNIT
FRESH = "BTC-1JAN50-60000-P"
SEED = 11
LONGEST = 0.03
"""Seconds from sending the tick that settles to the kill: about what it takes to be written and applied."""


@contextmanager
def writing(served, token):
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=60) as http:
        yield Writer(http)


class Writer:
    """Writes with keys of its own choice; an answer that never comes is None."""

    def __init__(self, http):
        self._http = http

    def write(self, path, body, key):
        try:
            content = msgspec.json.encode(body)
            answer = self._http.post(path, content=content, headers={"idempotency-key": key})
        except httpx.TransportError:
            return None
        assert answer.status_code in {200, 503}, answer.text
        return answer.json() if answer.status_code == 200 else None


OPENING = (
    ("/v1/accounts", {"account": "writer", "amount": RICH}),
    ("/v1/accounts", {"account": "buyer", "amount": RICH}),
    ("/v1/ticks", told(START)),
    (
        "/v1/fills",
        {
            "instrument": CALL,
            "price": 1_500.0,
            "legs": [{"account": "writer", "quantity": "-2"}, {"account": "buyer", "quantity": "2"}],
        },
    ),
)
SETTLING = ("/v1/ticks", told(NEAR, 1.1))
AFTERWARDS = (
    ("/v1/boards", {"forward": 61_000.0, "volatility": {FRESH: 0.7}, "volume": 1e9, "impact": 0.01}),
    ("/v1/fills", {"instrument": FRESH, "price": 9_000.0, "legs": [{"account": "buyer", "quantity": "-1"}]}),
    ("/v1/ticks", {"time": NEAR + 60_000, "marks": {"BTC-PERP": 61_000.0}}),
)


def test_a_kill_at_settlement_loses_nothing_and_pays_nobody_twice(tmp_path):
    generator, settings = random.Random(SEED), venue_settings(tmp_path / "store")
    (tmp_path / "store").mkdir()
    presented, token = issue("kills", (Scope.READ, Scope.TRADE, Scope.RISK), 1.0)
    Tokens(tmp_path / "store" / FILE).keep(token)
    with serving(settings, tmp_path) as served, writing(served, presented) as writer:
        for number, (path, body) in enumerate(OPENING):
            assert writer.write(path, body, f"open-{number}") is not None
        sending = threading.Thread(target=writer.write, args=(*SETTLING, "settle"))
        sending.start()
        threading.Event().wait(generator.uniform(0.0, LONGEST))
        served.kill()
        sending.join()
    with serving(settings, tmp_path) as served, writing(served, presented) as writer:
        settled = writer.write(*SETTLING, "settle")
        assert settled is not None
        served.kill()
    with serving(settings, tmp_path) as served, writing(served, presented) as writer:
        assert writer.write(*SETTLING, "settle") == settled
        for number, (path, body) in enumerate(AFTERWARDS):
            assert writer.write(path, body, f"after-{number}") is not None
        assert served.stop()[0] == 0
    store = open_store(tmp_path / "store" / "venue" / JOURNAL, writing=False)
    recovered, records = recover(store), list(store.read(after=0))
    store.close()
    assert digest(recovered.state) == digest(replayed(record.event for record in records))
    keys = [record.key.partition(":")[2] for record in records if record.key is not None]
    assert sorted(keys) == sorted({*keys})
    assert keys.count("settle") == 1
    book = recovered.state.book
    payoff = 2 * (PRICES["BTC"] * 1.1 * 1.01 - 60_000.0 - 1_500.0) * QUANTA_PER_UNIT
    assert abs(int(book.cash[book.rows["writer"]]) - (RICH - payoff)) <= 1
    assert book.lots[book.rows["writer"]].sum() == 0

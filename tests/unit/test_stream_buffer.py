"""What does a client of the stream that is too slow still get?"""

import asyncio

import msgspec

from plimsoll.service.stream import ClientBuffer, Missed


def taken(buffer, count):
    async def take():
        return [await buffer.next() for _ in range(count)]

    return asyncio.run(take())


def test_a_client_in_time_gets_every_message_in_order():
    buffer = ClientBuffer(3)
    assert sum(buffer.put(message) for message in (b"a", b"b", b"c")) == 0
    assert taken(buffer, 3) == [b"a", b"b", b"c"]


def test_a_slow_client_is_told_how_many_it_missed_and_gets_the_newest():
    buffer = ClientBuffer(2)
    assert sum(buffer.put(message) for message in (b"a", b"b", b"c", b"d", b"e")) == 3
    told, *rest = taken(buffer, 3)
    assert msgspec.json.decode(told, type=Missed) == Missed(count=3)
    assert rest == [b"d", b"e"]

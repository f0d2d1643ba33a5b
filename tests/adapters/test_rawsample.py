"""A sample of RAW of a real broker, and the events that gateways refuse."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from nats.aio.client import Client

from crossdock.adapters import refusals
from crossdock.adapters.log import NatsLog
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorysample import MemorySample
from crossdock.adapters.rawsample import RawSample
from crossdock.adapters.refusals import BURST, LARGEST, Refusals
from crossdock.kernel.event import Event
from crossdock.kernel.stream import RAW, Record
from crossdock.pipeline.drifting import Sample
from tests.adapters.test_past import with_log


def records(source: str, number: int) -> list[Record]:
    subject = f"raw.stores.{source}"
    return [Record(subject, str(i).encode(), f"{source}-{i}", {"X": f"{i}"}) for i in range(1, number + 1)]


async def conforms(sample: Sample) -> None:
    """Look at three events of one source, six of another, and three more of the first."""
    assert await sample.last() == 12
    messages, left = await sample.some("raw.stores.tills", 0, 4)
    assert ([message.seq for message in messages], left) == ([1, 2, 3, 10], 2)
    assert [(message.subject, message.payload, message.headers["X"]) for message in messages[:2]] == [
        ("raw.stores.tills", b"1", "1"), ("raw.stores.tills", b"2", "2"),
    ]  # fmt: skip
    assert abs(messages[0].time - time.time()) < 60
    messages, left = await sample.some("raw.stores.desk", 3, 100)
    assert ([message.seq for message in messages], left) == ([4, 5, 6, 7, 8, 9], 0)
    assert await sample.some("raw.stores.tills", 12, 5) == ([], 0)
    assert await sample.some("raw.stores.nobody", 0, 5) == ([], 0)


def test_some_events_of_a_source_are_read_and_the_rest_is_counted(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog) -> None:
        for some in (records("tills", 3), records("desk", 6), records("tills", 6)[3:]):
            await log.append_all(some)
        await conforms(RawSample(client))
        assert await client.jetstream().consumers_info(RAW) == []

    with_log(nats_url, scenario)


def test_memory_reads_as_the_broker_does() -> None:
    async def scenario() -> None:
        log = MemoryLog()
        for some in (records("tills", 3), records("desk", 6), records("tills", 6)[3:]):
            await log.append_all(some)
        await conforms(MemorySample(log))

    asyncio.run(scenario())


def test_refused_events_are_heard_as_far_as_they_are_few_and_small(nats_url: str) -> None:
    async def scenario(client: Client, _: NatsLog) -> None:
        heard, last = list[Mapping[str, Any]](), asyncio.Event()

        def hear(document: Mapping[str, Any]) -> None:
            heard.append(document)
            if document["id"] == "last":
                last.set()
            raise ValueError("and the next is heard all the same")

        now = [0.0]
        await refusals.listen(client, hear)
        telling = Refusals(client, lambda: now[0])
        telling.tell("tills", "1.0", Event("big", "/t", "pos.sale", {"x": "y" * LARGEST}))
        telling.tell("tills", "1.0", Event("odd", "/t", "pos.sale", b"bytes"))
        for number in range(int(BURST) * 2):
            telling.tell("tills", "1.0", Event(f"e{number}", "/t", "pos.sale", {"n": number}))
        now[0] = 1.0
        telling.tell("tills", "1.0", Event("last", "/t", "pos.sale", {"n": 2**53 + 1}))
        await asyncio.wait_for(last.wait(), 5)
        assert [one["id"] for one in heard] == [f"e{number}" for number in range(int(BURST) - 2)] + ["last"]
        expected = {"source": "tills", "version": "1.0", "type": "pos.sale", "id": "last", "data": {"n": 2**53 + 1}}
        assert heard[-1] == expected

    with_log(nats_url, scenario)

"""The running ledger and the proof from nothing agree on real streams, whatever was lost of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from nats.aio.client import Client

from crossdock.adapters.consumers import PROCESS_CONSUMER, Consumer, feed_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.ledger import Ledgers
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.topology import Topology
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.stream import DLQ, EVENT_ID, EVENTS, JOURNAL, ORIGIN, RAW, Record
from journal import entry
from journal.entry import SUBJECT, Entry, pack
from journal.ledger import Ledger
from tests.realservers import clean
from tests.smallproject import project

TYPE = "inventory.sold"
TWO = {"location": "STORE-1", "lines": [1, 2]}
ONE = {"location": "STORE-1", "lines": [1]}


class Site:
    """The streams of an installation, written by hand as its processes would write them."""

    def __init__(self, client: Client, topology: Topology, streams: NatsLog, root: Path) -> None:
        self.client = client
        self.project = project(root)
        self.ledgers = Ledgers(client, lambda: self.project, {}, grace=0)
        self.topology, self._streams = topology, streams
        self.feed = feed_consumer(0, 1, self.project.routes.values())
        self._inboxes: dict[str, NatsInbox] = {}
        self._number = 0

    async def start(self) -> None:
        for consumer in (PROCESS_CONSUMER, self.feed):
            await self.topology.consumer(consumer, 1)
            self._inboxes[consumer.name] = await NatsInbox(self.client, consumer.stream, consumer.name).start()

    async def store(self, subject: str, payload: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> int:
        self._number += 1
        return (await self._streams.append(Record(subject, payload, f"k{self._number}", headers))).seq

    async def raw(self, id_: str, headers: Mapping[str, str] = MappingProxyType({})) -> int:
        return await self.store("raw.stores.tills", b"{}", {EVENT_ID: id_, **headers})

    async def event(self, id_: str, data: dict[str, Any] = TWO) -> int:
        return await self.store(f"event.{TYPE}", encode_structured(Event(id_, "/till/1", TYPE, data)))

    async def record(self, *lines: Entry) -> int:
        return await self.store(SUBJECT, pack(lines))

    async def done(self, consumer: Consumer) -> None:
        """Acknowledge all that a consumer has to hand out."""
        inbox = self._inboxes[consumer.name]
        while messages := await inbox.fetch(100, 0.3):
            inbox.ack(messages)
        while not await inbox.drained(0):  # noqa: ASYNC110  only the broker knows
            await asyncio.sleep(0.01)

    async def deliver(self, id_: str, *lost: str) -> None:
        """Let an event go all its way; what is `lost` of its outcomes is not recorded."""
        raw, seq = await self.raw(id_), await self.event(id_)
        about: dict[str, Any] = {"source": "tills", "id": id_, "raw": raw}
        lines = [
            Entry(1, entry.GATEWAY, entry.ACCEPTED, **about),
            Entry(2, entry.PROCESS, entry.ROUTED, type=TYPE, seq=seq, **about),
            Entry(3, entry.DELIVER, entry.MATCHED, seq=seq, detail=self.feed.name, routes="stock", **about),
            Entry(4, entry.DELIVER, entry.DELIVERED, seq=seq, route="stock", **about),
        ]
        for line in lines:
            if line.outcome not in lost:
                await self.record(line)

    async def dead(self, id_: str) -> int:
        """Let an event end as a dead letter of its source; return its sequence in DLQ."""
        raw, ref = await self.raw(id_), await self.store("dlq.process.tills", b"{}")
        about: dict[str, Any] = {"source": "tills", "id": id_, "raw": raw}
        await self.record(
            Entry(1, entry.GATEWAY, entry.ACCEPTED, **about),
            Entry(2, entry.PROCESS, entry.DEAD_LETTERED, ref=ref, dead_letter=f"dl-{raw}", **about),
        )
        return ref

    async def both(self) -> Ledger:
        """Return the ledger, which must be the same by the running sums and by the proof."""
        now, deep = await self.ledgers.now(), await self.ledgers.deep()
        for part in ("sources", "routes", "by_day", "unexplained", "missing", "unread"):
            assert getattr(now, part) == getattr(deep, part), part
        return now


@asynccontextmanager
async def site(url: str, root: Path) -> AsyncIterator[Site]:
    async with clean(url) as (client, topology):
        acks = Acks(client)
        await acks.start()
        made = Site(client, topology, NatsLog(acks), root)
        await made.start()
        try:
            yield made
        finally:
            await acks.close()


def run(url: str, root: Path, scenario: Callable[[Site], Any]) -> None:
    async def act() -> None:
        async with site(url, root) as made:
            await scenario(made)

    asyncio.run(act())


def named(ledger: Ledger) -> Sequence[tuple[str, str, str]]:
    return [(item["stream"], item["event_id"], item["why"]) for item in ledger.unexplained]


def test_what_is_on_its_way_is_counted_by_the_streams_before_anybody_recorded_it(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        assert (await site.both()).routes[0]["delivered"] == 1
        await site.raw("s-2")
        await site.raw("s-3", {ORIGIN: "1"})
        await site.event("s-4")
        await site.event("s-5", ONE)
        ledger = await site.both()
        assert ledger.balanced
        assert (ledger.sources[0]["accepted"], ledger.sources[0]["in_progress"]) == (2, 1)
        assert (ledger.routes[0]["matched"], ledger.routes[0]["in_progress"]) == (2, 1)

    run(nats_url, tmp_path, scenario)


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        (entry.ACCEPTED, []),
        (entry.ROUTED, [(RAW, "s-2", "no outcome was recorded")]),
        (entry.DELIVERED, [(EVENTS, "s-2", "no outcome was recorded")]),
        (entry.MATCHED, []),
    ],
)
def test_an_outcome_that_was_never_recorded_is_named_once_the_consumers_are_past(
    lost: str, found: list[tuple[str, str, str]], nats_url: str, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        await site.both()
        await site.deliver("s-2", lost)
        assert (await site.both()).balanced
        await site.done(PROCESS_CONSUMER)
        await site.done(site.feed)
        ledger = await site.both()
        assert named(ledger) == found
        assert ledger.gap == len(found) == sum(gap["events"] for gap in ledger.gaps)

    run(nats_url, tmp_path, scenario)


def test_an_event_that_the_feed_passed_without_a_word_is_named_for_each_route_it_may_concern(
    nats_url: str, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        await site.event("s-1", ONE)
        await site.done(site.feed)
        assert named(await site.both()) == [(EVENTS, "s-1", "no outcome was recorded")]

    run(nats_url, tmp_path, scenario)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (RAW, "accepted, but not stored"),
        (EVENTS, "recorded as routed, but not stored"),
        (DLQ, "the dead letter is gone"),
        (JOURNAL, "no outcome was recorded"),
    ],
)
def test_a_message_deleted_from_a_stream_is_found_whether_it_was_read_before_or_not(
    stream: str, why: str, before: bool, nats_url: str, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        for id_ in ("s-1", "s-2"):
            await site.deliver(id_)
            await site.dead(f"bad-{id_}")
        await site.deliver("s-3")
        await site.done(PROCESS_CONSUMER)
        await site.done(site.feed)
        if before:
            assert (await site.both()).balanced
        # The second of each; in JOURNAL the delivery of the second event: 4 entries and a pair before its 4.
        seq = {RAW: 3, EVENTS: 2, DLQ: 2, JOURNAL: 9}[stream]
        await site.client.jetstream().delete_msg(stream, seq)
        ledger = await site.both()
        event = "bad-s-2" if stream == DLQ else "s-2"
        assert named(ledger) == [(EVENTS if stream == JOURNAL else stream, event, why)]

    run(nats_url, tmp_path, scenario)


def test_streams_made_anew_are_read_anew(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        await site.both()
        for stream in (RAW, EVENTS, DLQ, JOURNAL):
            await site.client.jetstream().purge_stream(stream)
        await site.deliver("s-2")
        assert (await site.both()).sources[0]["accepted"] == 1

    run(nats_url, tmp_path, scenario)

"""A replay that comes to nothing is named by both ledgers, and one that waits, however long, by none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters import underway
from crossdock.adapters.consumers import PROCESS_CONSUMER, route_consumer
from crossdock.adapters.pages import read
from crossdock.kernel.stream import AGAIN, EVENTS, JOURNAL, ORIGIN, RAW
from crossdock.pipeline.recorder import now_ms
from journal import entry
from journal.entry import Entry
from tests.adapters.test_ledger import TYPE, Site, named, run

LONG_AGO = 120_000  # milliseconds
WHY = "replayed, but no outcome was recorded"
OF_ROUTE, OF_RAW = (EVENTS, "s-1", WHY), (RAW, "bad", WHY)


class Failed:
    """A delivery that failed and an event that was refused, both replayed, the copies in whatever state."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.about: dict[str, Any] = {"source": "tills", "id": "s-1", "raw": 1}
        self.of_raw: dict[str, Any] = {"source": "tills", "id": "bad", "raw": 2}

    async def happen(self) -> "Failed":
        site = self.site
        raw, seq = await site.raw("s-1"), await site.event("s-1")
        ref = await site.store("dlq.deliver.stock", b"{}")
        await site.record(
            Entry(1, entry.GATEWAY, entry.ACCEPTED, **self.about),
            Entry(2, entry.PROCESS, entry.ROUTED, type=TYPE, seq=seq, **self.about),
            Entry(3, entry.DELIVER, entry.MATCHED, seq=seq, detail=site.feed.name, routes="stock", **self.about),
            Entry(4, entry.DELIVER, entry.DEAD_LETTERED, seq=seq, route="stock", ref=ref, **self.about),
        )
        await site.dead("bad")
        assert (raw, seq) == (1, 1)
        await self.done()
        return self

    async def replayed(self, ago: int = LONG_AGO) -> None:
        at = now_ms() - ago
        await self.site.record(
            Entry(at, entry.REPLAY, entry.REPLAYED, seq=1, route="stock", **self.about),
            Entry(at, entry.REPLAY, entry.REPLAYED, **self.of_raw),
        )

    async def copied(self) -> dict[str, int]:
        of_raw = await self.site.raw("bad", {ORIGIN: "2"})
        return {EVENTS: await self.site.store("replay.stock", b"{}", {ORIGIN: "1"}), RAW: of_raw}

    async def ended(self) -> int:
        return await self.site.record(
            Entry(9, entry.DELIVER, entry.DELIVERED, seq=1, route="stock", **self.about),
            Entry(9, entry.PROCESS, entry.DEAD_LETTERED, ref=2, dead_letter="dl-2", **self.of_raw),
        )

    async def done(self) -> None:
        await self.site.done(PROCESS_CONSUMER)
        await self.site.done(self.site.feed)


def scene(act: Callable[[Failed], Any]) -> Callable[[Site], Any]:
    async def scenario(site: Site) -> None:
        await act(await Failed(site).happen())

    return scenario


@pytest.mark.parametrize("before", [True, False])
def test_a_replay_whose_copy_is_lost_from_its_stream_is_named(before: bool, nats_url: str, tmp_path: Path) -> None:
    async def act(failed: Failed) -> None:
        # given
        await failed.replayed()
        copies = await failed.copied()
        if before:
            assert (await failed.site.both()).balanced
        # when
        for stream, seq in copies.items():
            await failed.site.client.jetstream().delete_msg(stream, seq)
        # then
        ledger = await failed.site.both()
        assert sorted(named(ledger)) == [OF_ROUTE, OF_RAW]
        assert (ledger.gap, ledger.sources[0]["in_progress"], ledger.routes[0]["in_progress"]) == (2, 1, 1)

    run(nats_url, tmp_path, scene(act))


@pytest.mark.parametrize("before", [True, False])
def test_a_replay_whose_outcome_is_lost_from_the_journal_is_named(before: bool, nats_url: str, tmp_path: Path) -> None:
    async def act(failed: Failed) -> None:
        # given
        await failed.replayed()
        await failed.copied()
        seq = await failed.ended()
        await failed.done()
        if before:
            assert (await failed.site.both()).balanced
        # when
        await failed.site.client.jetstream().delete_msg(JOURNAL, seq)
        # then
        assert sorted(named(await failed.site.both())) == [OF_ROUTE, OF_RAW]

    run(nats_url, tmp_path, scene(act))


def test_a_replay_that_waits_is_under_way_however_long_and_until_nobody_has_it_in_hand(
    nats_url: str, tmp_path: Path
) -> None:
    async def act(failed: Failed) -> None:
        await failed.replayed()
        await failed.copied()
        for _ in range(2):
            assert (await failed.site.both()).balanced
        await failed.done()
        assert sorted(named(await failed.site.both())) == [OF_ROUTE, OF_RAW]
        # and what comes late is taken
        await failed.ended()
        assert (await failed.site.both()).balanced

    run(nats_url, tmp_path, scene(act))


def test_what_was_recorded_and_not_stored_has_a_minute_for_that(nats_url: str, tmp_path: Path) -> None:
    async def act(failed: Failed) -> None:
        await failed.replayed(ago=0)
        assert (await failed.site.both()).balanced
        await failed.replayed(ago=LONG_AGO)
        assert (await failed.site.both()).balanced  # it was recorded again meanwhile

    run(nats_url, tmp_path, scene(act))


def test_a_delivery_that_is_made_anew_from_its_raw_event_waits_for_the_process_step(
    nats_url: str, tmp_path: Path
) -> None:
    async def act(failed: Failed) -> None:
        # given
        at = now_ms() - LONG_AGO
        line = Entry(at, entry.REPLAY, entry.REPLAYED, seq=1, route="stock", **failed.about)
        await failed.site.record(line)
        assert named(await failed.site.both()) == [OF_ROUTE]
        # when
        await failed.site.record(line._replace(at=at + 1))
        await failed.site.raw("s-1", {ORIGIN: "1", AGAIN: "rp-1 failed 1 stock"})
        # then
        assert (await failed.site.both()).balanced
        # and once that is done it is looked for on the route
        await failed.site.store("replay.stock", b"{}", {ORIGIN: "1"})
        await failed.site.done(PROCESS_CONSUMER)
        assert (await failed.site.both()).balanced
        await failed.site.done(failed.site.feed)
        assert named(await failed.site.both()) == [OF_ROUTE]

    run(nats_url, tmp_path, scene(act))


def test_a_replay_that_is_lost_does_not_let_the_running_ledger_read_on_in_raw(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    async def counted(client: Any, stream: str, *more: Any, **named: Any) -> Any:
        looks.append(stream)
        return await read(client, stream, *more, **named)

    async def act(failed: Failed) -> None:
        monkeypatch.setattr(underway, "read", counted)
        await failed.replayed()
        for number in range(3):
            assert sorted(named(await failed.site.ledgers.now())) == [OF_ROUTE, OF_RAW]
            await failed.site.raw(f"new-{number}")
        assert (looks.count(RAW), looks.count(EVENTS)) == (2, 3)  # of each source it may be of, and of all
        # and once it is replayed again it is looked for again
        await failed.replayed(LONG_AGO - 1)
        await failed.copied()
        assert (await failed.site.ledgers.now()).balanced

    run(nats_url, tmp_path, scene(act))


def test_a_replay_that_is_lost_on_a_route_that_is_paused_is_named_and_one_that_waits_there_is_not(
    nats_url: str, tmp_path: Path
) -> None:
    async def act(failed: Failed) -> None:
        # given a route that reads through a consumer of its own, and reads nothing
        site = failed.site
        (route,) = site.project.routes.values()
        await site.topology.consumer(route_consumer(route.name, route.types), 2)
        await failed.replayed()
        copies = await failed.copied()
        await failed.done()
        assert named(await site.both()) == [OF_RAW]
        # when
        await site.client.jetstream().delete_msg(EVENTS, copies[EVENTS])
        # then
        assert sorted(named(await site.both())) == [OF_ROUTE, OF_RAW]

    run(nats_url, tmp_path, scene(act))

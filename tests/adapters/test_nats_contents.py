"""Where content is kept, on the real broker: whole or not at all, and replaced by one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters import contents as contents_
from crossdock.adapters.contents import PIECE, NatsContents
from crossdock.bundle import Bundle, pack
from crossdock.inforce import InForce, Leaving
from crossdock.kernel.stream import EVENTS
from tests.realservers import clean
from tests.smallproject import STOCK, edited, write

FORCE = InForce("abc", 1, {"stock": 7}, {"old": Leaving("aaa", "drain", 9)})


def on_broker(url: str, act: Callable[[Any, NatsContents], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with clean(url) as (client, topology):
            await topology.streams()
            await act(client, NatsContents(client))

    asyncio.run(scenario())


def test_files_come_back_as_they_were_however_many(nats_url: str, tmp_path: Path) -> None:
    async def act(client: Any, contents: NatsContents) -> None:
        small = pack(write(tmp_path))
        noise = bytes(number * number % 251 for number in range(3 * PIECE))
        large = Bundle({**small.files, "transforms/lookups/large.csv": noise})
        for bundle in (small, large):
            await contents.store(bundle)
        found = [await contents.bundle(bundle.revision) for bundle in (small, large)]
        assert [one.files if one else None for one in found] == [small.files, large.files]

    on_broker(nats_url, act)


def test_files_that_are_forgotten_or_were_never_stored_whole_are_none(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents_, "KEPT", 1)

    async def act(client: Any, contents: NatsContents) -> None:
        bundle = pack(write(tmp_path))
        await contents.store(bundle)
        bucket = await client.jetstream().key_value("CONTENT")
        await bucket.purge(f"files.{bundle.revision}.0")
        assert await contents.bundle(bundle.revision) is None
        newer = pack(write(tmp_path / "newer", edited(STOCK, "> 1", "> 2")))
        for one in (bundle, newer):
            await contents.store(one)
        await contents.forget([bundle.revision])
        assert await contents.bundle(bundle.revision) is not None
        await contents.forget(["another"])
        found = [await contents.bundle(one.revision) for one in (bundle, newer)]
        assert [one is None for one in found] == [True, False]  # dead letters that failed by the last ones need them

    on_broker(nats_url, act)


def test_of_two_that_replace_the_same_record_one_succeeds(nats_url: str) -> None:
    async def act(client: Any, contents: NatsContents) -> None:
        assert await contents.force() is None
        first = await contents.put_in_force(FORCE)
        assert first is not None
        tries = [contents.put_in_force(replace(first, revision=name)) for name in ("one", "two")]
        made = [one for one in await asyncio.gather(*tries) if one]
        assert len(made) == 1
        assert await contents.force() == made[0]
        assert await contents.put_in_force(FORCE) is None  # one that knows of none

    on_broker(nats_url, act)


def test_a_time_is_the_first_event_stored_then_or_later(nats_url: str) -> None:
    async def act(client: Any, contents: NatsContents) -> None:
        jetstream = client.jetstream()
        await jetstream.publish("event.a", b"{}")
        stored = (await jetstream.get_msg(EVENTS, 1)).time
        assert await contents.since(stored - timedelta(days=1)) == 1
        assert await contents.since(datetime.now(UTC) + timedelta(seconds=1)) == 2
        assert await contents.newest() == 1

    on_broker(nats_url, act)


def test_who_runs_what_is_known(nats_url: str) -> None:
    async def act(client: Any, contents: NatsContents) -> None:
        assert await contents.runs("worker-0") == 0
        await contents.say_runs("worker-0", 12)
        assert await contents.runs("worker-0") == 12

    on_broker(nats_url, act)

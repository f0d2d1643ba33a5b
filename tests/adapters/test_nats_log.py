"""Appending to NATS: atomic batches, and a broker that is away or does not answer."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

from crossdock.adapters import log as log_module
from crossdock.adapters import nats
from crossdock.adapters.log import Acks, NatsLog
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS, Record
from tests.realservers import clean, nats_server, stopped, until


@asynccontextmanager
async def log_on(client: Client) -> AsyncIterator[NatsLog]:
    acks = Acks(client)
    await acks.start()
    yield NatsLog(acks)
    await acks.close()


def records(number: int, name: str = "k") -> list[Record]:
    return [
        Record("event.inventory.sold", str(i).encode(), f"{name}{i}", {"Crossdock-Raw": str(i)}) for i in range(number)
    ]


def test_a_batch_larger_than_one_transaction_is_stored_in_order(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), log_on(client) as log:
            number = 2 * log_module.BATCH + 3
            stored = await log.append_all(records(number))
            assert [one.seq for one in stored] == list(range(1, number + 1))
            last = await client.jetstream().get_msg(EVENTS, number)
            assert last.data == str(number - 1).encode()
            assert last.headers is not None and last.headers["Crossdock-Raw"] == str(number - 1)

    asyncio.run(scenario())


def test_a_batch_sent_again_after_a_lost_answer_is_stored_once(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), log_on(client) as log:
            first = await log.append_all(records(20))
            again = await log.append_all(records(20))
            assert [one.seq for one in again] == [one.seq for one in first]
            assert all(one.duplicate for one in again)
            assert (await client.jetstream().stream_info(EVENTS)).state.messages == 20

    asyncio.run(scenario())


def test_the_headers_of_a_record_are_left_as_they_are(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), log_on(client) as log:
            (one, two) = records(2)
            await log.append_all([one, two])
            await log.append(one)
            assert (one.headers, two.headers) == ({"Crossdock-Raw": "0"}, {"Crossdock-Raw": "1"})

    asyncio.run(scenario())


def test_a_subject_that_no_stream_takes_is_unavailable(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), log_on(client) as log:
            with pytest.raises(Unavailable, match="no stream answers"):
                await log.append(Record("nowhere.at.all", b"", "k"))

    asyncio.run(scenario())


def test_headers_larger_than_the_broker_takes_are_unavailable(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), log_on(client) as log:
            with pytest.raises(Unavailable):
                await log.append(Record("event.a", b"x", "k", {"ce-huge": "x" * (5 << 20)}))
            assert (await log.append(records(1)[0])).seq == 1

    asyncio.run(scenario())


def test_a_broker_that_stops_answering_is_unavailable_in_bounded_time_and_repeats_are_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "ACK_TIMEOUT", 0.5)

    async def scenario(url: str, pid: int) -> None:
        async with clean(url) as (client, _), log_on(client) as log:
            # given
            await log.append(records(1)[0])
            await stopped(pid)
            # when
            for act in (log.append(records(2)[1]), log.append_all(records(3, "batch"))):
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    await act
                assert time.monotonic() - began < 2
            os.kill(pid, signal.SIGCONT)
            # then
            await log.append_all(records(3, "batch"))
            await log.append_all(records(2))
            assert (await client.jetstream().stream_info(EVENTS)).state.messages == 5

    with nats_server(tmp_path) as (url, process):
        asyncio.run(scenario(url, process.pid))


def test_without_a_connection_an_append_fails_at_once(tmp_path: Path) -> None:
    async def scenario(url: str, pid: int) -> None:
        async with clean(url) as (client, _), log_on(client) as log:
            os.kill(pid, signal.SIGKILL)
            await until(lambda: not client.is_connected)
            for act in (log.append(records(1)[0]), log.append_all(records(3))):
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    await act
                assert time.monotonic() - began < 1

    with nats_server(tmp_path) as (url, process):
        asyncio.run(scenario(url, process.pid))


def test_what_waits_for_a_lost_connection_is_told_though_another_one_is_there_at_once(tmp_path: Path) -> None:
    async def scenario(url: str, pid: int) -> None:
        async with clean(url) as (client, _), log_on(client) as log:
            # given
            await stopped(pid)
            waiting = asyncio.create_task(log.append(records(1)[0]))
            await asyncio.sleep(0)
            # when
            began = time.monotonic()
            await client.force_reconnect()
            # then
            with pytest.raises(Unavailable):
                await waiting
            assert time.monotonic() - began < 0.1
            os.kill(pid, signal.SIGCONT)
            await until(lambda: client.is_connected)

    with nats_server(tmp_path) as (url, process):
        asyncio.run(scenario(url, process.pid))


def test_a_broker_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats, "PATIENCE", 0.3)
    with pytest.raises(Unavailable, match="nats"):
        asyncio.run(nats.connect("nats://127.0.0.1:1", "test"))

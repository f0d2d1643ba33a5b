"""The delivery client against targets that misbehave: every one ends in time, in bounded memory, with a clear code."""

import asyncio
import time
from ipaddress import ip_address

import pytest

from connectors.addresses import Address
from connectors.client import Client
from connectors.connection import Limits
from connectors.pool import Pool
from tests.connectors.servers import LOOPBACK, LOOPS, OK, Served, always, failure, once, post, run, serving

pytestmark = pytest.mark.parametrize("loop", list(LOOPS))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "protocol"),
        (b"\x16\x03\x01\x00\xa5\x01\x00" * 20, "protocol"),
        (b"HTTP/1.1 abc\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nxx", "protocol"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000 + b"\r\ncontent-length: 0\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 30_000 + b"content-length: 0\r\n\r\n", "protocol"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, "protocol"),
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "reset"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "reset"),
        (b"HTTP/1.1 200 OK\r\nx-half", "reset"),
    ],
)
def test_an_answer_that_is_broken_or_boundless_is_a_failure(loop: str, answer: bytes, code: str) -> None:
    async def scenario() -> None:
        async with serving(once(answer)) as server:
            client = Client(LOOPBACK)
            failed = await failure(client, server)
            assert (failed.code, failed.sent) == (code, True)
            await client.close()

    run(loop, scenario)


def test_a_header_that_never_ends_is_cut_off(loop: str) -> None:
    async def endless(served: Served) -> None:
        await served.request()
        await served.answer(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            await served.answer(b"a" * 10_000)

    async def scenario() -> None:
        async with serving(endless) as server:
            client = Client(LOOPBACK)
            assert (await failure(client, server)).code == "protocol"
            await server.until_ended(1)
            await client.close()

    run(loop, scenario)


@pytest.mark.parametrize("framing", [b"", b"content-length: 99999999999\r\n", b"transfer-encoding: chunked\r\n"])
def test_a_body_that_never_ends_is_cut_off_and_the_status_counts(loop: str, framing: bytes) -> None:
    async def endless(served: Served) -> None:
        await served.request()
        await served.answer(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        while True:
            await served.answer(b"400\r\n" + b"a" * 1024 + b"\r\n")

    async def scenario() -> None:
        async with serving(endless) as server:
            client = Client(LOOPBACK, max_body=5000)
            response = await post(client, server)
            assert (response.status, len(response.body)) == (200, 5000)
            await server.until_ended(1)
            await client.close()

    run(loop, scenario)


def test_a_long_body_is_kept_in_part_and_its_connection_is_reused(loop: str) -> None:
    async def behave(served: Served) -> None:
        while True:
            await served.request()
            await served.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + b"a" * 200_000)

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            for _ in range(2):
                assert len((await post(client, server)).body) == 64 << 10
            assert server.connections == 1
            await client.close()

    run(loop, scenario)


def test_a_slow_loris_is_ended_by_the_deadline(loop: str) -> None:
    async def dripping(served: Served) -> None:
        await served.request()
        for byte in OK[:-1]:
            await served.answer(bytes([byte]))
            await asyncio.sleep(0.02)
        await served.request()

    async def scenario() -> None:
        async with serving(dripping) as server:
            client = Client(LOOPBACK)
            started = time.monotonic()
            failed = await failure(client, server, 0.2)
            assert (failed.code, failed.sent) == ("timeout", True)
            assert 0.15 < time.monotonic() - started < 2
            await server.until_ended(1)
            await client.close()

    run(loop, scenario)


@pytest.mark.parametrize("junk", [b"junk", OK, b"HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n"])
def test_bytes_after_an_answer_are_never_taken_for_the_next_one(loop: str, junk: bytes) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n" + junk)
        await served.request()
        await served.answer(b"HTTP/1.1 500 Reused\r\ncontent-length: 0\r\n\r\n")

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            for _ in range(2):
                assert (await post(client, server)).status == 201
            assert server.connections == 2
            await client.close()

    run(loop, scenario)


def test_bytes_on_an_idle_connection_end_it(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
        if served.number == 1:
            await idle.wait()
            await served.answer(OK)
        await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            assert (await post(client, server)).status == 201
            idle.set()
            await server.until_ended(1)
            assert (await post(client, server)).status == 201
            assert server.connections == 2
            await client.close()

    idle = asyncio.Event()
    run(loop, scenario)


async def nowhere() -> list[Address]:
    return []


def test_a_connection_spoiled_a_moment_ago_is_not_taken(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            pool = Pool(1, 60, Limits(1024, 1024), nowhere)
            connection = await pool.connect(server.target(), ip_address("127.0.0.1"), None)
            pool.give(connection)
            connection.data_received(b"junk")
            assert await pool.acquire(0) is None
            pool.close()

    run(loop, scenario)


def test_an_answer_that_overtakes_its_request_is_read_and_ends_the_connection(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.reader.readuntil(b"\r\n\r\n")
        await served.answer(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await hold.wait()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            for _ in range(2):
                assert (await post(client, server, body=b"x" * 20_000_000)).status == 413
            assert server.connections == 2
            hold.set()
            await client.close()

    hold = asyncio.Event()
    run(loop, scenario)


def test_a_connection_that_is_reset_in_the_middle_of_an_answer_is_a_failure(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(b"HTTP/1.1 200 OK\r\n\r\nha")
        served.writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: abort sends RST
        served.reset()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            assert (await failure(client, server)).code == "reset"
            await client.close()

    run(loop, scenario)


def test_a_target_that_closes_upon_accept_is_a_failure(loop: str) -> None:
    async def behave(served: Served) -> None:
        served.reset()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            assert (await failure(client, server)).code == "reset"
            await client.close()

    run(loop, scenario)

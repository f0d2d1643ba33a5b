"""The delivery client against well-behaved servers: requests, answers, deadlines, closing."""

import asyncio
from ipaddress import ip_address

import pytest

from connectors.addresses import Address
from connectors.client import Client
from tests.connectors.servers import LOOPBACK, LOOPS, OK, Served, always, failure, once, post, run, serving

pytestmark = pytest.mark.parametrize("loop", list(LOOPS))


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK, 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 503 Later\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n1;x=y\r\nt\r\n0\r\nTrailer: x\r\n\r\n",
            503,
            b"not",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + OK, 200, b"ok"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302, b""),
    ],
)
def test_an_answer_is_read_and_its_connection_kept(loop: str, answer: bytes, status: int, body: bytes) -> None:
    async def scenario() -> None:
        async with serving(always(answer)) as server:
            client = Client(LOOPBACK)
            for _ in range(3):
                response = await post(client, server)
                assert (response.status, response.body) == (status, body)
                assert "link" not in response.headers
                assert "trailer" not in response.headers
            assert server.connections == 1
            await client.close()

    run(loop, scenario)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",  # the body ends with the connection
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    ],
)
def test_an_answer_that_ends_its_connection_is_read_too(loop: str, answer: bytes) -> None:
    async def scenario() -> None:
        async with serving(once(answer)) as server:
            client = Client(LOOPBACK)
            for _ in range(2):
                assert (await post(client, server)).body == b"ok"
            assert server.connections == 2
            await client.close()

    run(loop, scenario)


def test_headers_of_the_same_name_are_joined_and_names_are_lower_case(loop: str) -> None:
    async def scenario() -> None:
        answer = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n"
        async with serving(always(answer)) as server:
            client = Client(LOOPBACK)
            headers = (await post(client, server)).headers
            assert headers == {"x-a": "1, 2", "retry-after": "7", "content-length": "0"}
            await client.close()

    run(loop, scenario)


def test_the_request_arrives_as_written(loop: str) -> None:
    requests: list[bytes] = []

    async def behave(served: Served) -> None:
        requests.append(await served.request())
        await served.answer(OK)

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            await client.request("POST", server.target("/a?b"), {"ce-id": "1"}, b"body", 5)
            host = f"127.0.0.1:{server.port}".encode()
            assert requests == [
                b"POST /a?b HTTP/1.1\r\nhost: " + host + b"\r\nce-id: 1\r\ncontent-length: 4\r\n\r\nbody"
            ]
            await client.close()

    run(loop, scenario)


def test_the_answer_to_a_head_request_has_no_body_whatever_length_it_tells(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n")) as server:
            client = Client(LOOPBACK)
            for _ in range(2):
                assert (await client.request("HEAD", server.target(), {}, b"", 5)).status == 200
            await client.close()

    run(loop, scenario)


def test_a_large_body_arrives_whole(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK)
            assert (await post(client, server, body=b"x" * 3_000_000)).status == 200
            await client.close()

    run(loop, scenario)


def test_the_deadline_includes_the_wait_for_a_connection(loop: str) -> None:
    async def silent(served: Served) -> None:
        await served.request()
        await served.request()

    async def scenario() -> None:
        async with serving(silent) as server:
            client = Client(LOOPBACK, max_connections=1)
            first, second = await asyncio.gather(failure(client, server, 0.5), failure(client, server, 0.1))
            assert (first.code, first.sent) == ("timeout", True)
            assert (second.code, second.sent) == ("timeout", False)
            await server.until_ended(1)
            await client.close()

    run(loop, scenario)


def test_a_cancelled_request_closes_its_connection_and_frees_its_place(loop: str) -> None:
    arrived = asyncio.Event()

    async def behave(served: Served) -> None:
        await served.request()
        arrived.set()
        if served.number == 1:
            await served.request()
        await served.answer(OK)

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK, max_connections=1)
            task = asyncio.create_task(post(client, server))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.until_ended(1)
            assert (await post(client, server)).status == 200
            await client.close()

    run(loop, scenario)


def test_closing_fails_what_is_under_way_and_what_comes_later(loop: str) -> None:
    arrived = asyncio.Event()

    async def behave(served: Served) -> None:
        await served.request()
        arrived.set()
        await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            under_way = asyncio.create_task(failure(client, server))
            await arrived.wait()
            await client.close()
            assert (await under_way).code == "closed"
            assert (await failure(client, server)).code == "closed"
            await server.until_ended(1)

    run(loop, scenario)


def test_a_connection_that_was_being_opened_is_closed_as_well(loop: str) -> None:
    resolving, closed = asyncio.Event(), asyncio.Event()

    async def slow(_: str, __: int) -> list[Address]:
        resolving.set()
        await closed.wait()
        return [ip_address("127.0.0.1")]

    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK, resolve=slow)
            under_way = asyncio.create_task(post(client, server))
            await resolving.wait()
            await client.close()
            closed.set()
            assert (await under_way).status == 200
            await server.until_ended(1)

    run(loop, scenario)

"""The delivery client against well-behaved servers: answers, connections, deadlines, addresses, TLS."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest

from connectors.addresses import Address
from connectors.client import Client
from connectors.target import SendFailed, Target
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


def test_a_large_body_arrives_whole(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK)
            assert (await post(client, server, body=b"x" * 3_000_000)).status == 200
            await client.close()

    run(loop, scenario)


def test_no_more_connections_are_opened_than_allowed_and_all_are_reused(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK, max_connections=3)
            await asyncio.gather(*(post(client, server) for _ in range(60)))
            assert server.connections == 3
            for _ in range(5):
                await post(client, server)
            assert server.connections == 3
            await client.close()
            await server.until_ended(3)

    run(loop, scenario)


def test_a_connection_unused_for_long_is_closed(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK, max_idle=0.05)
            await post(client, server)
            await server.until_ended(1)
            await post(client, server)
            assert server.connections == 2
            await client.close()

    run(loop, scenario)


def test_a_kept_connection_that_the_target_closed_costs_no_attempt(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(OK)
        if served.number == 1:
            await served.request()  # read the second request and close without a byte
            served.reset()
        else:
            await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            assert (await post(client, server)).status == 200
            assert (await post(client, server)).status == 200
            assert server.connections == 2
            await client.close()

    run(loop, scenario)


def test_a_kept_connection_that_answered_in_part_is_not_tried_again(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(OK)
        await served.request()
        await served.answer(b"HTTP/1.1 200")

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            await post(client, server)
            failed = await failure(client, server)
            assert (failed.code, failed.sent, server.connections) == ("reset", True, 1)
            await client.close()

    run(loop, scenario)


def test_a_fresh_connection_that_closes_without_an_answer_is_a_failure(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            failed = await failure(client, server)
            assert (failed.code, failed.sent, server.connections) == ("reset", True, 1)
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


def test_a_port_where_nobody_listens_is_a_failure_to_connect(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            pass
        failed = await failure(Client(LOOPBACK), server)
        assert (failed.code, failed.sent) == ("connect", False)

    run(loop, scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "::ffff:127.0.0.1", "0"])
def test_a_private_address_is_refused_however_it_is_spelled(loop: str, host: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            with pytest.raises(SendFailed) as failed:
                await Client().request("POST", Target("http", host, server.port), {}, b"", 5)
            assert (failed.value.code, failed.value.sent) == ("private_address", False)
            assert server.connections == 0

    run(loop, scenario)


def test_only_addresses_that_were_checked_are_dialled_and_the_name_is_resolved_once(loop: str) -> None:
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> list[Address]:
        asked.append(host)
        return [ip_address("169.254.169.254"), ip_address("127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    async def scenario() -> None:
        async with serving(once(OK)) as server:
            client = Client(LOOPBACK, resolve=rebinding)
            target = Target("http", "rebind.example", server.port)
            assert (await client.request("POST", target, {}, b"", 5)).status == 200
            assert asked == ["rebind.example"]

            await server.until_ended(1)
            with pytest.raises(SendFailed) as failed:
                await client.request("POST", target, {}, b"", 5)
            assert failed.value.code == "private_address"
            assert server.connections == 1
            await client.close()

    run(loop, scenario)


def test_the_next_address_is_tried_when_one_does_not_answer(loop: str) -> None:
    async def two(_: str, __: int) -> list[Address]:
        return [ip_address("127.0.0.2"), ip_address("127.0.0.1")]

    async def scenario() -> None:
        async with serving(always(OK)) as server:  # listens on 127.0.0.1 only
            client = Client(LOOPBACK, resolve=two)
            target = Target("http", "two.example", server.port)
            assert (await client.request("POST", target, {}, b"", 5)).status == 200
            await client.close()

    run(loop, scenario)


def test_a_name_that_does_not_resolve_in_time_or_at_all_is_a_failure(loop: str) -> None:
    async def never(_: str, __: int) -> list[Address]:
        await asyncio.Event().wait()
        return []

    async def unknown(_: str, __: int) -> list[Address]:
        raise socket.gaierror("unknown")

    async def scenario() -> None:
        for resolve, code in ((never, "timeout"), (unknown, "connect")):
            with pytest.raises(SendFailed) as failed:
                await Client(resolve=resolve).request("POST", Target("http", "x.example", 80), {}, b"", 0.05)
            assert (failed.value.code, failed.value.sent) == (code, False)

    run(loop, scenario)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


def test_tls_is_verified_against_the_name_and_not_the_address(loop: str, certificate: tuple[Path, Path]) -> None:
    async def scenario() -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
        async with serving(always(OK), tls) as server:
            named, numeric = (Target("https", host, server.port) for host in ("localhost", "127.0.0.1"))
            trusting = Client(LOOPBACK, ssl.create_default_context(cafile=certificate[0]))
            for _ in range(2):
                assert (await trusting.request("POST", named, {}, b"{}", 5)).body == b"ok"
            assert server.connections == 1

            for client, target in ((trusting, numeric), (Client(LOOPBACK), named)):
                with pytest.raises(SendFailed) as failed:
                    await client.request("POST", target, {}, b"{}", 5)
                assert (failed.value.code, failed.value.sent) == ("tls", False)
            await trusting.close()

    run(loop, scenario)

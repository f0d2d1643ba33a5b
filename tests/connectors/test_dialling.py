"""Whom the delivery client dials: resolved names, refused addresses, verified certificates."""

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
from tests.connectors.servers import LOOPBACK, LOOPS, OK, always, failure, once, run, serving

pytestmark = pytest.mark.parametrize("loop", list(LOOPS))


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
            trusting = Client(LOOPBACK, lambda: ssl.create_default_context(cafile=certificate[0]))
            for _ in range(2):
                assert (await trusting.request("POST", named, {}, b"{}", 5)).body == b"ok"
            assert server.connections == 1

            for client, target in ((trusting, numeric), (Client(LOOPBACK), named)):
                with pytest.raises(SendFailed) as failed:
                    await client.request("POST", target, {}, b"{}", 5)
                assert (failed.value.code, failed.value.sent) == ("tls", False)
            await trusting.close()

    run(loop, scenario)

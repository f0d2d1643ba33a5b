"""The console over TLS: what it serves, who trusts it, and a certificate that is renewed while it runs."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossdock.cli.app import app as commands
from crossdock.cli.remote import Remote
from crossdock.kernel import jsontext
from crossdock.kernel.accesssettings import Tls
from crossdock.kernel.pinned import pinned
from crossdock.kernel.settings import Console
from crossdock.supervisor import http
from crossdock.supervisor.certificate import Renewal
from tests.connectors.authority import Authority
from tests.console.accessmade import TOKEN, House

Run = Callable[..., Awaitable[Result]]


@asynccontextmanager
async def serving(tls: Tls) -> AsyncIterator[int]:
    """Serve the paths of access on a free port; yield the port."""
    made = House(Console(tls=tls))
    server = http.make_server(made.app, "127.0.0.1", 0, {}, tls=tls)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it no other way
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.handle_exit(signal.SIGTERM, None)
        await running


def scene(tmp_path: Path, steps: Callable[[int, Authority, Tls], Awaitable[Any]], *hosts: str) -> None:
    async def scenario() -> None:
        authority = Authority(tmp_path)
        cert, key = authority.issue("console", *hosts)
        tls = Tls(str(cert), str(key))
        async with asyncio.timeout(20), serving(tls) as port:
            await steps(port, authority, tls)

    asyncio.run(scenario())


async def get(port: int, trust: ssl.SSLContext | None) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    try:
        return await reader.read()
    finally:
        writer.close()


def serial(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port)) as plain:
        trust = ssl._create_unverified_context()
        with trust.wrap_socket(plain) as secure:
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(True) or b"")


def command(port: int, *words: str, host: str = "127.0.0.1") -> Awaitable[Result]:
    where = ["--ops", f"https://{host}:{port}", "--token", TOKEN]
    return asyncio.to_thread(lambda: CliRunner().invoke(commands, [*words, "user", "list", "--json", *where]))


def test_it_answers_over_tls_and_tells_browsers_to_stay_there(tmp_path: Path) -> None:
    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        answer = await get(port, pinned(tls.cert))
        assert answer.startswith(b"HTTP/1.1 ") and b"strict-transport-security: max-age=31536000" in answer

    scene(tmp_path, steps)


def test_http_is_no_answer_there(tmp_path: Path) -> None:
    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        with suppress(ConnectionError):
            assert await get(port, None) == b""

    scene(tmp_path, steps)


def test_the_own_certificate_is_trusted_by_any_name_and_no_other_is(tmp_path: Path) -> None:
    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        other, _ = authority.issue("other")
        with pytest.raises(ssl.SSLCertVerificationError):
            await get(port, pinned(str(other)))

    scene(tmp_path, steps)


def test_commands_ask_an_https_address_for_a_certificate_of_the_authority_that_is_named(tmp_path: Path) -> None:
    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        fine = await command(port, "--ca", str(authority.file))
        assert (fine.exit_code, jsontext.loads(fine.stdout.encode())) == (0, {"items": []})
        for refused in (await command(port), await command(port, "--ca", str(authority.file), host="localhost")):
            assert refused.exit_code == 1 and "certificate verify failed" in refused.stderr
        assert (await command(port, "--ca", str(tmp_path / "none.pem"))).exit_code == 2
        assert "cannot be used" in (await command(port, "--ca", tls.key)).stderr

    scene(tmp_path, steps, "127.0.0.1")


def test_a_command_finds_the_certificate_in_the_data_folder(tmp_path: Path) -> None:
    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        run = {"console": f"https://127.0.0.1:{port}", "ops_token": TOKEN, "cert": tls.cert}
        (tmp_path / "run.json").write_bytes(jsontext.dumps(run))
        words = ["user", "list", "--json", "--data", str(tmp_path)]
        assert (await asyncio.to_thread(lambda: CliRunner().invoke(commands, words))).exit_code == 0

    scene(tmp_path, steps)


def test_a_renewed_certificate_is_served_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_TICK", 0.02)

    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        first = await asyncio.to_thread(serial, port)
        authority.issue("console")  # into the same files
        while await asyncio.to_thread(serial, port) == first:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.02)
        assert await get(port, pinned(tls.cert))

    scene(tmp_path, steps)


def test_a_certificate_without_its_key_is_not_put_in_use(tmp_path: Path) -> None:
    # given
    authority = Authority(tmp_path)
    cert, key = authority.issue("console")
    renewal = Renewal(Tls(str(cert), str(key)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    # when
    other, _ = authority.issue("other")
    cert.write_bytes(other.read_bytes())
    renewal.look(context)
    cert.unlink()
    renewal.look(context)
    # then
    server, client = ssl.MemoryBIO(), ssl.MemoryBIO()
    assert context.wrap_bio(server, client, server_side=True)
    assert renewal._used != renewal._state()


def test_what_answers_in_lines_is_trusted_by_the_same_certificate(tmp_path: Path) -> None:
    async def steps(port: int, authority: Authority, tls: Tls) -> None:
        run = {"console": f"https://127.0.0.1:{port}", "ops_token": TOKEN, "cert": tls.cert}
        (tmp_path / "run.json").write_bytes(jsontext.dumps(run))
        remote = Remote("", "", tmp_path)
        (told,) = await asyncio.to_thread(lambda: list(remote.lines("/ops/v1/session")))
        assert told["person"] == "token"

    scene(tmp_path, steps)

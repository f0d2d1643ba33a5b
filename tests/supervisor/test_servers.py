"""The embedded servers: the real nats-server and Valkey, spoken to over plain sockets."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crossdock.supervisor import datafolder, probes, servers
from crossdock.supervisor.crew import Crew


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[Crew]:
    secrets, ports = datafolder.credentials(data), datafolder.ports(data)
    with datafolder.locked(data) as lock:
        crew = Crew(data, lock, changed=lambda pids: None)
        try:
            crew.start([servers.nats(data, ports["nats"], secrets).child])
            crew.start([servers.valkey(data, ports["valkey"], secrets).child])
            async with asyncio.timeout(10):
                assert await crew.ready()
            yield crew
        finally:
            await crew.stop()


def test_both_servers_work_within_two_seconds(tmp_path: Path) -> None:
    async def scenario() -> None:
        began = time.monotonic()
        async with running(tmp_path):
            assert time.monotonic() - began < 2.0

    asyncio.run(scenario())


def test_the_broker_is_told_to_write_before_it_acknowledges(tmp_path: Path) -> None:
    servers.nats(tmp_path, 20_000, datafolder.credentials(tmp_path))
    assert "sync_interval: always" in (tmp_path / "nats.conf").read_text()


@pytest.mark.parametrize(("interval", "told"), [("90s", "90s"), ("2d", "48h"), ("1w", "168h")])
def test_the_broker_takes_the_interval_of_the_settings(tmp_path: Path, interval: str, told: str) -> None:
    # given
    secrets, port = datafolder.credentials(tmp_path), datafolder.free_port()
    server = servers.nats(tmp_path, port, secrets, sync_interval=interval)
    # when
    checked = subprocess.run([*server.child.argv, "-t"], capture_output=True, text=True, check=False)
    # then
    assert f"sync_interval: {told}  #" in (tmp_path / "nats.conf").read_text()
    assert checked.returncode == 0, checked.stderr


def test_killed_servers_come_back_on_the_same_ports_with_what_they_held(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as crew:
            # given
            before = crew.pids()
            assert await valkey(tmp_path, "SET kept 1") == b"+OK"
            # when
            for name in ("nats", "valkey"):
                os.kill(before[name], signal.SIGKILL)

            # then
            async def both_new() -> bool:
                now = crew.pids()
                return now.keys() == before.keys() and not set(now.values()) & set(before.values())

            secrets, ports = datafolder.credentials(tmp_path), kept_ports(tmp_path)
            async with asyncio.timeout(10):
                await probes.until(both_new)
                await probes.until(probes.nats(ports["nats"], secrets.nats_user, secrets.nats_password))
                await probes.until(probes.valkey(ports["valkey"], secrets.valkey_password))
            assert await valkey(tmp_path, "GET kept") == b"$1"

    asyncio.run(scenario())


def test_credentials_and_ports_stay_over_restarts(tmp_path: Path) -> None:
    first = datafolder.credentials(tmp_path), datafolder.ports(tmp_path)
    assert (datafolder.credentials(tmp_path), datafolder.ports(tmp_path)) == first
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_a_port_that_somebody_else_took_is_chosen_anew(tmp_path: Path) -> None:
    # given
    before = datafolder.ports(tmp_path)
    with socket.create_server(("127.0.0.1", before["nats"])):
        # when
        after = datafolder.ports(tmp_path)
    # then
    assert after["nats"] != before["nats"] and after["valkey"] == before["valkey"]
    assert json.loads((tmp_path / "ports.json").read_bytes()) == after


def test_neither_server_lets_a_stranger_in(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path):
            ports = kept_ports(tmp_path)
            assert not await probes.nats(ports["nats"], "crossdock", "guessed")()
            assert not await probes.valkey(ports["valkey"], "guessed")()

    asyncio.run(scenario())


def kept_ports(data: Path) -> dict[str, int]:
    ports: dict[str, int] = json.loads((data / "ports.json").read_bytes())
    return ports


async def valkey(data: Path, command: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", kept_ports(data)["valkey"])
    writer.write(f"AUTH {datafolder.credentials(data).valkey_password}\r\n{command}\r\n".encode())
    await reader.readline()
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer.strip()

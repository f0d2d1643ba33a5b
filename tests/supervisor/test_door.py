"""The door of the gateway: sockets of the supervisor, accepted from by several."""

import asyncio
import os
import socket
from contextlib import closing

import pytest

from crossdock.kernel.problems import Refused
from crossdock.supervisor import door
from crossdock.supervisor.datafolder import free_port
from crossdock.supervisor.door import Doorkeeper

HOST = "127.0.0.1"


class Counted(asyncio.Protocol):
    """Says which doorkeeper let it in."""

    def __init__(self, name: bytes) -> None:
        self._name = name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(self._name)
        transport.close()


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    with closing(writer):
        return await reader.read()


def test_a_connection_waits_at_the_door_until_somebody_accepts() -> None:
    async def scenario() -> None:
        with door.listening(HOST, port := free_port()) as [listening]:
            # given
            waiting = asyncio.create_task(ask(port))
            reader, writer = await asyncio.open_connection(HOST, port)
            # when
            keeper = Doorkeeper(listening.dup(), lambda: Counted(b"one"))
            keeper.open()
            # then
            assert [await waiting, await reader.read()] == [b"one", b"one"]
            writer.close()
            keeper.close()
            await keeper.wait_closed()

    asyncio.run(scenario())


def test_two_doorkeepers_share_what_waits() -> None:
    async def scenario() -> None:
        with door.listening(HOST, port := free_port()) as [listening]:
            # given
            waiting = [asyncio.create_task(ask(port)) for _ in range(20)]
            keepers = [Doorkeeper(listening.dup(), lambda name=name: Counted(name)) for name in (b"one", b"two")]  # type: ignore[misc]
            # when
            for keeper in keepers:
                keeper.open()
            answers = await asyncio.gather(*waiting)
            # then
            assert min(answers.count(b"one"), answers.count(b"two")) >= 5
            for keeper in keepers:
                keeper.close()

    asyncio.run(scenario())


def test_after_the_last_has_closed_a_connection_is_refused() -> None:
    async def scenario() -> None:
        with door.listening(HOST, port := free_port()) as [listening]:
            keeper = Doorkeeper(listening.dup(), lambda: Counted(b"one"))
            keeper.open()
            # when
            keeper.close()
        # then
        with pytest.raises(ConnectionRefusedError):
            await ask(port)

    asyncio.run(scenario())


def test_a_doorkeeper_without_descriptors_looks_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        with door.listening(HOST, port := free_port()) as [listening]:
            # given
            keeper = Doorkeeper(Exhausted(fileno=os.dup(listening.fileno())), lambda: Counted(b"one"))
            keeper.open()
            # when, then
            assert await ask(port) == b"one"
            assert Exhausted.refused == 1
            keeper.close()

    monkeypatch.setattr(door, "_PAUSE", 0.01)
    asyncio.run(scenario())


class Exhausted(socket.socket):
    """Cannot accept the first time."""

    refused = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if not Exhausted.refused:
            Exhausted.refused += 1
            raise OSError(24, "Too many open files")
        return super().accept()


def test_a_port_that_somebody_listens_on_is_refused() -> None:
    with (
        socket.create_server((HOST, 0)) as taken,
        pytest.raises(Refused) as refused,
        door.listening(HOST, taken.getsockname()[1]),
    ):
        pass
    assert refused.value.problems[0].code == "port_taken"


def test_a_name_of_several_addresses_is_listened_on_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    port = free_port()
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", port)) for last in (1, 2)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    # when
    with door.listening("gateway.example", port) as found:
        # then
        assert [one.getsockname() for one in found] == [("127.0.0.1", port), ("127.0.0.2", port)]


def test_what_the_supervisor_tells_is_what_the_gateway_finds() -> None:
    with door.listening(HOST, free_port()) as [listening]:
        # when
        with listening.dup() as copy:
            [found] = door.inherited({door.VARIABLE: door.told([copy])})
            # then
            assert found.getsockname() == listening.getsockname()
            found.detach()
        assert door.inherited({}) == []

"""What only SFTP has: a server that proves who it is, a user who signs in, and a line that may break."""

import asyncio
import errno
import os
import signal
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from connectors.addresses import Address
from connectors.dropping import DropConnector
from connectors.folder import Folder
from connectors.folderspec import Server
from connectors.kinds import open_connector
from connectors.port import Fault, Result
from connectors.sftp import SftpFolder
from connectors.sshsession import Session
from crossdock.kernel.event import Event
from tests.connectors.files.places import LOOPBACK, PROGRAMS, Place, sshd
from tests.realservers import missing

Running = tuple[Server, "Popen[bytes]"]
SALE = Event("1", "/tills/7", "pos.sale", {"n": 1})


def deliver(server: Server, folder: Path, **changes: Any) -> Result:
    connector = Place(folder, "sftp", server).connector(**changes)
    return asyncio.run(once(connector))


async def once(connector: Any) -> Result:
    try:
        result: Result = await connector.deliver(SALE, "key-1")
        return result
    finally:
        await connector.close()


def test_a_server_with_another_key_gets_nothing_and_the_key_it_showed_is_told(running: Running, tmp_path: Path) -> None:
    server = replace(running[0], fingerprints=frozenset({"SHA256:" + "A" * 43}))

    result = deliver(server, tmp_path)

    assert result.outcome == "retry"
    shown = next(iter(running[0].fingerprints))
    assert result.detail == f"the key of 127.0.0.1 is not the one that is known: ssh-ed25519 {shown}"


def test_a_wrong_password_is_told_without_the_password(running: Running, tmp_path: Path) -> None:
    result = deliver(replace(running[0], secret="s3cret", by_key=False), tmp_path)

    assert result.outcome == "retry"
    assert result.detail.endswith("with the password: permission denied")


def test_a_wrong_key_is_told(running: Running, tmp_path: Path) -> None:
    import asyncssh  # noqa: PLC0415 - as the product does

    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()

    assert deliver(replace(running[0], secret=other), tmp_path).detail.endswith("with the key: permission denied")
    assert "private key cannot be read" in deliver(replace(running[0], secret="none"), tmp_path).detail


def test_a_private_address_is_refused_even_when_the_name_resolves_to_it_only_now(tmp_path: Path) -> None:
    answers = [["93.184.216.34"], ["127.0.0.1", "169.254.169.254"]]

    async def resolve(host: str, port: int) -> list[Address]:
        return [ip_address(text) for text in answers.pop()]

    session = Session(Server("sftp.example", 22, "u", frozenset(), "p"), (), 1.0, resolve)

    with pytest.raises(Fault, match=r"sftp.example is 127.0.0.1, 169.254.169.254: not public") as refused:
        asyncio.run(session.client())
    assert refused.value.outcome == "permanent"


def test_the_address_that_was_checked_is_the_one_that_is_dialled(running: Running, tmp_path: Path) -> None:
    asked = []

    async def resolve(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [IPv4Address("127.0.0.1")]

    async def scenario() -> list[str]:
        session = Session(replace(running[0], host="name.invalid"), LOOPBACK, 5.0, resolve)
        folder = SftpFolder(str(tmp_path), session)
        found = await folder.files()
        await folder.close()
        return [entry.name for entry in found]

    assert asyncio.run(scenario()) == []
    assert asked == ["name.invalid"]


def test_a_line_that_breaks_while_writing_leaves_nothing_that_others_see_and_the_next_attempt_succeeds(
    running: Running, tmp_path: Path
) -> None:
    # given
    connector = Place(tmp_path, "sftp", running[0]).connector()
    assert isinstance(connector, DropConnector)
    written = connector._folder.write

    async def cut(path: str, content: bytes) -> None:
        await written(path, content)
        end_sessions(running[1])
        with suppress(Fault):
            while True:
                await connector._folder.files()

    # when
    async def scenario() -> list[Result]:
        connector._folder.write = cut  # type: ignore[method-assign]
        first = await connector.deliver(SALE, "key-1")
        seen = [name for name in os.listdir(tmp_path) if not name.startswith(".")]
        connector._folder.write = written  # type: ignore[method-assign]
        assert seen == [] or first.outcome == "delivered"
        second = await connector.deliver(SALE, "key-1")
        await connector.close()
        return [first, second]

    # then
    _, second = asyncio.run(scenario())
    assert second.outcome == "delivered"
    assert [path.read_bytes() for path in tmp_path.glob("events-*")] == [b'{"n":1}\n']


def end_sessions(server: "Popen[bytes]") -> None:
    """Kill the processes of a server that hold its connections."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "outcome", "words"),
    [
        ("-P rename", "delivered", "8 bytes"),  # what overwrites is taken only where nothing is
        ("-P rename,posix-rename", "retry", "permission denied"),
        ("-R", "retry", "permission denied"),
    ],
)
def test_a_server_that_refuses_to_rename(options: str, outcome: str, words: str, tmp_path: Path) -> None:
    if not Path(PROGRAMS[0]).exists():
        missing("needs OpenSSH's server")
    for name in ("server", "drop"):
        (tmp_path / name).mkdir()
    with sshd(tmp_path / "server", *options.split()) as (server, _):
        result = deliver(server, tmp_path / "drop")

    assert (result.outcome, words in result.detail) == (outcome, True)
    assert len(list((tmp_path / "drop").iterdir())) == (outcome == "delivered")


def test_a_server_that_is_not_there_is_tried_again(running: Running, tmp_path: Path) -> None:
    result = deliver(replace(running[0], port=1), tmp_path)

    assert result.outcome == "retry"
    assert "Connect" in result.detail


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "permission denied"), (errno.EROFS, "can only be read")],
)
def test_what_a_folder_of_this_machine_refuses_is_told_in_words(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, "E")

    monkeypatch.setattr("os.fsync", refuse)

    result = asyncio.run(once(open_connector(Place(tmp_path, "file").spec(), object())))  # type: ignore[arg-type]

    assert result.outcome == "retry"
    assert words in result.detail
    assert list(tmp_path.iterdir()) == []


def test_no_link_within_the_folder_of_this_machine_leads_out_of_it(tmp_path: Path) -> None:
    from connectors.file import LocalFolder  # noqa: PLC0415 - the one test of it alone

    (tmp_path / "drop").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "drop" / "archive").symlink_to(tmp_path / "out")
    folder: Folder = LocalFolder(str(tmp_path / "drop"))

    for act in (folder.write("archive/a", b""), folder.make("archive/2026"), folder.files("archive")):
        with pytest.raises(Fault, match="link"):
            asyncio.run(act)
    assert list((tmp_path / "out").iterdir()) == []

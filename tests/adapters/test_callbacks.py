"""Callbacks on the real broker, told to receivers that misbehave."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from crossdock.adapters.consumers import CALLBACKS_CONSUMER
from crossdock.adapters.letters import NatsLetters
from dlq.record import replay
from tests.adapters.callbackscene import NAME, SECRET, SHORT, Site, content, delivered, site
from tests.connectors.servers import OK, Behaviour, Served, always, serving
from tests.realservers import until


class Receiver:
    """What a partner has at the other end: it believes only what the official client does."""

    def __init__(self, *before: Callable[[Served], Awaitable[None]]) -> None:
        self.messages: list[tuple[str, Any]] = []
        self.tries = 0
        self._before = list(before)

    async def __call__(self, served: Served) -> None:
        while True:
            head, _, body = (await served.request()).partition(b"\r\n\r\n")
            self.tries += 1
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            said = Webhook(SECRET).verify(body, headers)
            if self._before:
                await self._before.pop(0)(served)
            else:
                self.messages.append((headers["webhook-id"], said))
                await served.answer(OK)

    def ids(self) -> list[str]:
        return [said["data"]["id"] for _, said in self.messages]


async def broken(served: Served) -> None:
    await served.answer(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")


async def resets(served: Served) -> None:
    served.reset()


async def sleeps(served: Served) -> None:
    await asyncio.sleep(1)


async def redirects(served: Served) -> None:
    await served.answer(b"HTTP/1.1 307 There\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")


def against(url: str, root: Path, behaviour: Behaviour, act: Callable[[Site], Awaitable[None]], **given: Any) -> None:
    async def scenario() -> None:
        async with serving(behaviour) as server, site(url, content(root, server.port), **given) as made:
            await act(made)

    asyncio.run(scenario())


def test_a_receiver_that_fails_resets_and_sleeps_hears_it_in_the_end(nats_url: str, tmp_path: Path) -> None:
    receiver = Receiver(broken, resets, sleeps, broken)

    async def act(made: Site) -> None:
        await made.record(delivered(1))
        await made.becomes(matched=1, delivered=1)
        assert (receiver.tries, receiver.ids()) == (5, ["s-1"])

    against(nats_url, tmp_path, receiver, act)


def test_a_redirect_is_not_followed_and_a_replay_carries_the_same_message_id(nats_url: str, tmp_path: Path) -> None:
    seen: list[str] = []

    async def behave(served: Served) -> None:
        while True:
            head = (await served.request()).partition(b"\r\n\r\n")[0].decode()
            seen.extend(line for line in head.split("\r\n") if line.startswith("webhook-id"))
            await (redirects(served) if len(seen) == 1 else served.answer(OK))

    async def act(made: Site) -> None:
        # given
        await made.record(delivered(1))
        await made.becomes(matched=1, dead_lettered=1)
        letter = await NatsLetters(made.client).get(1)
        assert letter is not None
        assert (letter.route, letter.reason, letter.event_id) == (NAME, "refused", "s-1")
        # when
        await made.streams.append(replay(letter, "1"))
        # then
        await made.becomes(matched=1, delivered=1)
        assert len(seen) == 2
        assert len(set(seen)) == 1

    against(nats_url, tmp_path, behave, act)


def test_a_receiver_that_never_recovers_leaves_a_dead_letter_that_is_not_told(nats_url: str, tmp_path: Path) -> None:
    async def act(made: Site) -> None:
        await made.record(delivered(1))
        await made.becomes(matched=1, dead_lettered=1)
        await made.record(delivered(2))
        await made.becomes(matched=2, dead_lettered=2)

    against(nats_url, tmp_path, always(b"HTTP/1.1 503 Away\r\ncontent-length: 0\r\n\r\n"), act, retry=SHORT)


def test_a_receiver_with_a_certificate_of_its_own_making_is_told_nothing(nats_url: str, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command makes the certificate")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*words, *names, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*files)
    receiver = Receiver()

    async def scenario() -> None:
        async with (
            serving(receiver, tls) as server,
            site(nats_url, content(tmp_path / "project", server.port, "https"), SHORT) as made,
        ):
            await made.record(delivered(1))
            await made.becomes(matched=1, dead_lettered=1)
        assert receiver.tries == 0

    asyncio.run(scenario())


def test_what_happened_before_there_was_a_callback_is_not_told(nats_url: str, tmp_path: Path) -> None:
    receiver = Receiver()

    async def act(made: Site) -> None:
        # given a time without a callback
        await made.end()
        await made.watch.tell(False)
        await made.record(delivered(1))
        # when there is one again
        await made.watch.tell(True)
        await made.start()
        await made.record(delivered(2))
        # then
        await made.becomes(matched=1, delivered=1)
        assert receiver.ids() == ["s-2"]

    against(nats_url, tmp_path, receiver, act)


def test_a_consumer_that_the_broker_lost_goes_on_where_it_was(nats_url: str, tmp_path: Path) -> None:
    receiver = Receiver()

    async def act(made: Site) -> None:
        # given
        await made.record(delivered(1))
        await made.becomes(matched=1, delivered=1)
        await made.watch.watch(True, list)
        # when
        await made.client.jetstream().delete_consumer(CALLBACKS_CONSUMER.stream, CALLBACKS_CONSUMER.name)
        await made.record(delivered(2))
        assert await made.watch.watch(True, list) == [CALLBACKS_CONSUMER.name]
        # then
        await until(lambda: set(receiver.ids()) == {"s-1", "s-2"})
        assert len(receiver.ids()) == 2

    against(nats_url, tmp_path, receiver, act)

"""Notices reach a real webhook, signed, and a real mail server; what is wrong is told without a secret."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from alerts.notice import Notice, Point
from alerts.spec import Channel, load
from crossdock.kernel.problems import Unavailable
from crossdock.supervisor.alerting import Sending
from tests.alerts.mailbox import mailbox
from tests.connectors.authority import Authority

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
NOTICE = Notice(
    "an-1", "erp-lag", "firing", "page", 1_790_000_000_000, "Call the ERP team", (
        Point("route stock", "events wait for route stock: 250 events", 1_790_000_000_000, 0, 250.0, "https://o/routes/stock"),
    ),
)  # fmt: skip


@dataclass
class Hook:
    """A webhook; `status` is what it answers."""

    url: str = ""
    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    made = Hook()

    async def take(request: web.Request) -> web.Response:
        raw = await request.read()
        head = {name.lower(): value for name, value in request.headers.items()}
        made.bodies.append(Webhook(SECRET).verify(raw, head))
        made.heads.append(head)
        return web.Response(status=made.status, text=f"you said {SECRET}")

    app = web.Application()
    app.router.add_post("/ops", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ops"
    try:
        yield made
    finally:
        await runner.cleanup()


def channel(root: Path, said: str, **env: str) -> Channel:
    (root / "alerts").mkdir(exist_ok=True)
    (root / "alerts" / "a.yaml").write_text(f"channels:\n  - {{channel: ops, {said}}}\n")
    return load(root, env).channels["ops"]


def webhook(root: Path, url: str) -> Channel:
    return channel(root, 'kind: webhook, url: "${URL}", secret: "${S}", networks: [127.0.0.0/8]', URL=url, S=SECRET)


def mail(root: Path, port: int, more: str = "security: none", **env: str) -> Channel:
    known = f'kind: email, server: "127.0.0.1:{port}", from: c@shop.example, to: [a@shop.example, b@shop.example], '
    return channel(root, known + more, **env)


def test_a_webhook_gets_a_signed_message_with_the_id_that_it_always_has(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hook() as made:
            sending = Sending()
            for _ in range(2):
                assert await sending.send(webhook(tmp_path, made.url), NOTICE) == "HTTP 200"
            await sending.close()
        assert [head["webhook-id"] for head in made.heads] == ["an-1", "an-1"]
        body = made.bodies[0]
        assert (body["alert"], body["state"], body["at"]) == ("erp-lag", "firing", "2026-09-21T14:13:20Z")
        assert body["subjects"][0]["figure"] == 250
        assert "What to do: Call the ERP team" in body["text"]

    asyncio.run(scenario())


def test_a_webhook_that_refuses_is_told_with_its_status_and_without_the_secret_that_it_repeats(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hook() as made:
            made.status, sending = 410, Sending()
            with pytest.raises(Unavailable, match="HTTP 410") as caught:
                await sending.send(webhook(tmp_path, made.url), NOTICE)
            await sending.close()
        assert SECRET not in str(caught.value)

    asyncio.run(scenario())


def test_a_webhook_whose_address_changes_is_called_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hook() as first, hook() as second:
            sending = Sending()
            await sending.send(webhook(tmp_path, first.url), NOTICE)
            await sending.send(webhook(tmp_path, second.url), NOTICE)
            await sending.close()
        assert (len(first.bodies), len(second.bodies)) == (1, 1)

    asyncio.run(scenario())


def test_a_mail_goes_to_all_with_the_same_message_id_each_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with mailbox() as box:
            for _ in range(2):
                assert await Sending().send(mail(tmp_path, box.port), NOTICE) == "taken by 127.0.0.1"
        first, second = box.mails
        assert first["subject"] == "[page] erp-lag: events wait for route stock: 250 events"
        assert first["message-id"] == second["message-id"] == "<an-1@shop.example>"
        assert box.to[:2] == ["<a@shop.example>", "<b@shop.example>"]
        assert "https://o/routes/stock" in first.get_content()

    asyncio.run(scenario())


def test_a_mail_with_a_password_goes_only_after_starttls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.issue("mail", "127.0.0.1"))

    async def scenario() -> None:
        async with mailbox(tls, ("crossdock", "s3cret!")) as box:
            await Sending().send(mail(tmp_path, box.port, 'user: crossdock, password: "${P}"', P="s3cret!"), NOTICE)
            with pytest.raises(Unavailable) as caught:
                await Sending().send(mail(tmp_path, box.port, 'user: crossdock, password: "${P}"', P="wr0ng"), NOTICE)
        assert box.encrypted == [True]
        assert str(caught.value) == "the mail server refuses user or password (535)"
        async with mailbox() as plain:
            with pytest.raises(Unavailable, match="STARTTLS"):
                await Sending().send(mail(tmp_path, plain.port, 'user: crossdock, password: "${P}"', P="s"), NOTICE)
            assert plain.mails == []

    asyncio.run(scenario())


def test_a_mail_server_that_is_away_or_refuses_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with mailbox() as box:
            box.refuses = "451 try later"
            with pytest.raises(Unavailable, match="451"):
                await Sending().send(mail(tmp_path, box.port), NOTICE)
        with pytest.raises(Unavailable, match="refused"):
            await Sending().send(mail(tmp_path, box.port), NOTICE)

    asyncio.run(scenario())


def test_a_channel_whose_variables_are_not_set_is_closed_and_says_which(tmp_path: Path) -> None:
    made = channel(tmp_path, 'kind: webhook, url: "${URL}", secret: "${S}"')
    assert set(made.missing) == {"S", "URL"}


def test_the_log_gets_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "crossdock.alerts"):
        asyncio.run(Sending().send(Channel("log", "log"), NOTICE))
    assert caplog.messages == ["[page] erp-lag: events wait for route stock: 250 events"]

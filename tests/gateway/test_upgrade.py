"""An upgrade nobody asked us to make is no reason to lose a request; and who connects is told by the connection."""

from pathlib import Path

import pytest

from tests.gateway.wire import GET, Street, on_the_street

H2C = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in single bytes"])
def test_java_gets_its_answers_over_http_1_1(tmp_path: Path, at_once: bool) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        event = street.post("short", *H2C)
        batch = street.batch("long").replace(b"Host: here", ("Host: here\r\n" + "\r\n".join(H2C)).encode(), 1)
        get = GET.replace(b"Host: here", ("Host: here\r\n" + "\r\n".join(H2C)).encode(), 1)
        requests = event + batch + get + event.replace(b"short", b"again") + street.post("plain")
        for piece in [requests] if at_once else [requests[at : at + 1] for at in range(len(requests))]:
            client.send(piece)
            await client.writer.drain()
        answers = [await client.answer() for _ in range(5)]
        assert [answer.status for answer in answers] == [202, 202, 200, 202, 202]
        assert street.stored() == ["short", "long", "again", "plain"]

    on_the_street(tmp_path, scenario)


def test_a_chunked_body_behind_an_upgrade_is_taken(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        head, _, body = street.post("c", *H2C, "Transfer-Encoding: chunked", length=False).partition(b"\r\n\r\n")
        client.send(head, b"\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), street.post("after"))
        assert await client.ids(2) == ["c", "after"]

    on_the_street(tmp_path, scenario)


def test_a_tunnel_is_refused(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(b"CONNECT there:443 HTTP/1.1\r\nHost: there:443\r\n\r\n", GET)
        answer = await client.answer()
        assert (answer.status, answer.json()["type"]) == (400, "urn:crossdock:problem:bad_request")
        assert await client.closed()

    on_the_street(tmp_path, scenario)


def test_the_client_is_the_peer_whatever_it_says(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        seen = []
        app = street.server.config.loaded_app

        async def looking(scope: dict[str, object], receive: object, send: object) -> None:
            seen.append((scope["client"], scope["scheme"]))
            await app(scope, receive, send)

        street.server.config.loaded_app = looking
        client = await street.client()
        client.send(GET.replace(b"Host", b"X-Forwarded-For: 10.9.8.7\r\nX-Forwarded-Proto: https\r\nHost", 1))
        assert (await client.answer()).status == 200
        assert seen == [(client.writer.get_extra_info("sockname"), "http")]

    on_the_street(tmp_path, scenario)

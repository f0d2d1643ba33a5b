"""The kind http against a real server, aiohttp's: TLS with an authority of its own, mTLS, OAuth 2, polls, checks."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.http import HttpConnector, make_http
from connectors.httppoll import make_origin
from connectors.spec import ConnectorSpec
from tests.connectors.authority import Authority
from tests.connectors.httpcases import EVENT, at, read


class Erp:
    """An ERP that wants a token, takes each key once and gives out what it booked, two a page."""

    def __init__(self) -> None:
        self.tokens = 0
        self.booked: dict[str, Any] = {}
        self.clients: set[str] = set()

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/token", self.token)
        app.router.add_put("/api/orders/{id}", self.book)
        app.router.add_get("/api/orders", self.list)
        app.router.add_get("/api/ping", self.ping)
        return app

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form["client_id"], form["client_secret"]) != ("crossdock", "s3cret"):
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens += 1
        return web.json_response({"access_token": f"t{self.tokens}", "token_type": "Bearer", "expires_in": 600})

    def _known(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer t{self.tokens}"

    async def book(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return web.json_response({"error": "invalid_token"}, status=401)
        peer = request.transport.get_extra_info("peercert") if request.transport else None
        self.clients.add(str(peer["subject"]) if peer else "")
        key = request.headers["Idempotency-Key"]
        if key in self.booked:
            return web.json_response({"error": "known"}, status=409)
        self.booked[key] = (request.match_info["id"], await request.text())
        return web.json_response({"document": len(self.booked)}, status=201)

    async def list(self, request: web.Request) -> web.Response:
        page = int(request.query.get("page", "0"))
        rows = [{"id": id_} for id_, _ in self.booked.values()][2 * page : 2 * page + 2]
        more = {"Link": f'<{request.url.with_query(page=page + 1)}>; rel="next"'} if len(rows) == 2 else {}
        return web.json_response({"rows": rows}, headers=more)

    async def ping(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self._known(request) else 401)


FILE = """
url: https://localhost:1/api
networks: [127.0.0.0/8, '::1/128']
method: PUT
path: {expression: '"/orders/" & $encodeUrlComponent(id)'}
body: {xml: {root: Order}}
auth:
  oauth2: {token_url: 'https://localhost:1/token', client_id: crossdock, client_secret: '${SECRET}', client_auth: body}
tls: {ca: '${CA}', certificate: '${CERTIFICATE}', key: '${KEY}'}
answers: [{status: 409, is: delivered}]
check: {path: /ping}
reply: {type: order.booked@1, map: '{"document": body.document, "order": data.id}'}
poll: {path: /orders, items: body.rows, next: link}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def spec_of(root: Path, authority: Authority, **env: str) -> ConnectorSpec:
    certificate, key = authority.issue("crossdock")
    files = {"CA": str(authority.file), "CERTIFICATE": str(certificate), "KEY": str(key), "SECRET": "s3cret"}
    return read(root, FILE, files | env)


def served(
    erp: Erp, authority: Authority, spec: ConnectorSpec, act: Callable[[ConnectorSpec], Awaitable[Any]], *hosts: str
) -> Any:
    """Return what `act` returns while the server runs, which takes only clients of the authority."""

    async def scenario() -> Any:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_cert_chain(*authority.issue("server", *hosts or ("localhost",)))
        runner = web.AppRunner(erp.application())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        server = type("Here", (), {"port": runner.addresses[0][1]})
        try:
            return await act(at(spec, server))  # type: ignore[arg-type]
        finally:
            await runner.cleanup()

    return asyncio.run(scenario())


def delivering(act: Callable[[HttpConnector], Awaitable[Any]]) -> Callable[[ConnectorSpec], Awaitable[Any]]:
    async def run(spec: ConnectorSpec) -> Any:
        connector = make_http(spec)
        assert isinstance(connector, HttpConnector)
        try:
            return await act(connector)
        finally:
            await connector.close()

    return run


def test_an_event_is_booked_once_over_mtls_with_a_token_and_the_answer_comes_back(
    tmp_path: Path, authority: Authority
) -> None:
    erp = Erp()

    async def act(connector: HttpConnector) -> Any:
        return [await connector.probe(), *[await connector.deliver(EVENT, "key-1") for _ in range(2)]]

    probed, first, second = served(erp, authority, spec_of(tmp_path, authority), delivering(act))

    assert (probed.outcome, probed.status) == ("delivered", 200)
    assert (first.outcome, second.outcome, second.status) == ("delivered", "delivered", 409)
    assert (first.reply.type, first.reply.id) == ("order.booked", "key-1")
    assert first.reply.data == {"document": 1, "order": "a/b c"}
    assert erp.tokens == 1
    assert erp.clients == {"((('commonName', 'crossdock'),),)"}
    (booked,) = erp.booked.values()
    assert booked == (
        "a/b c",
        '<?xml version="1.0" encoding="UTF-8"?>'
        "<Order><id>a/b c</id><n>1152921504606846976</n><price>1.5</price></Order>",
    )


def test_what_was_booked_is_polled_page_by_page(tmp_path: Path, authority: Authority) -> None:
    erp = Erp()
    erp.booked = {str(n): (str(n), "") for n in range(5)}

    async def act(spec: ConnectorSpec) -> Any:
        origin, found, position = make_origin(spec), [], ""
        while lot := await origin.take(position):
            found += [item["id"] for item in lot.items]
            position = lot.position
        await origin.close()
        return found

    assert served(erp, authority, spec_of(tmp_path, authority), act) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("wrong", ["another authority", "a certificate of nobody", "another name", "wrong secret"])
def test_what_is_wrong_with_the_connection_is_said_in_words(tmp_path: Path, authority: Authority, wrong: str) -> None:
    # given
    stranger = Authority(tmp_path, "stranger")
    spec, hosts = spec_of(tmp_path, authority), ["localhost"]
    if wrong == "another authority":
        spec = spec_of(tmp_path, authority, CA=str(stranger.file))
    elif wrong == "a certificate of nobody":
        certificate, key = stranger.issue("unknown")
        spec = spec_of(tmp_path, authority, CERTIFICATE=str(certificate), KEY=str(key))
    elif wrong == "another name":
        hosts = ["erp.example"]
    else:
        spec = spec_of(tmp_path, authority, SECRET="wr0ng")

    # when
    probed = served(Erp(), authority, spec, delivering(lambda connector: connector.probe()), *hosts)

    # then
    said = {
        "another authority": "certificate verify failed",
        "a certificate of nobody": "it may not take our certificate",
        "another name": "Hostname mismatch",
        "wrong secret": "oauth2: the token endpoint answers 401 invalid_client",
    }
    assert probed.outcome == "retry"
    assert said[wrong] in probed.detail
    assert "wr0ng" not in probed.detail


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path, authority: Authority) -> None:
    erp, stranger = Erp(), Authority(tmp_path, "stranger")
    certificate, key = stranger.issue("renewed")
    spec = spec_of(tmp_path, authority, CERTIFICATE=str(certificate), KEY=str(key))
    good, good_key = authority.issue("good")

    async def act(connector: HttpConnector) -> Any:
        before = await connector.probe()
        certificate.write_bytes(good.read_bytes())
        key.write_bytes(good_key.read_bytes())
        return before.outcome, (await connector.probe()).outcome

    assert served(erp, authority, spec, delivering(act)) == ("retry", "delivered")

"""Secrets appear nowhere: an installation with canaries for secrets is driven, and all that it leaves is searched.

What is personal appears nowhere either, but in the event itself, for those who may read that.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from console.pages.places import PLACES
from tests.faults.installation import Site, running
from tests.faults.samples import sale

# Where the installation keeps its own credentials; only its owner may read them.
CREDENTIALS = {"credentials.json", "nats.conf", "valkey.conf", "run.json"}
READ = (
    "overview", "events", "dead-letters", "problems", "plans", "connectors", "sources", "partners", "keys", "users",
    "tokens", "audit?limit=1000", "audit/verify", "content", "content/files", "raw", "ledger", "alerts", "drift",
    "asyncapi.json",
)  # fmt: skip


class Canaries:
    """Secrets by what they are."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}

    def hatch(self, name: str, before: str = "canary-") -> str:
        return self.keep(name, before + secrets.token_hex(12))

    def keep(self, name: str, secret: str) -> str:
        self.by_name[name] = secret
        return secret

    def sung(self, raw: bytes) -> list[str]:
        return [name for name, secret in self.by_name.items() if secret.encode() in raw]


@asynccontextmanager
async def parrot(customer: str) -> AsyncIterator[str]:
    """Be a target that refuses every request, repeats all that was in it, and knows for whom it is."""

    async def repeat(request: web.Request) -> web.Response:
        said = {"no such customer": customer, "you sent": [*request.headers.items()], "to": str(request.url)}
        said["secret"] = request.headers["x-erp-key"]
        return web.json_response(said, status=400, headers={"x-echo": request.headers["authorization"]})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", repeat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def config(folder: Path, birds: Canaries, target: str) -> dict[str, list[tuple[str, str]]]:
    """Return the changes of the content that put secrets into it."""
    named = {}
    for name in ("bearer", "header", "query"):
        path = folder / name
        path.write_text(birds.hatch(f"{name} of the connector"))
        named[name] = f"${{file:{path}}}"
    secret = f'auth: {{bearer: "{named["bearer"]}"}}\nheaders: {{x-erp-key: "{named["header"]}"}}\n'
    erp = [
        ("${ERP_URL}/api/stock-movements", f"{target}/stock?key={named['query']}"),
        ("timeout: 15s\n", f"timeout: 15s\n{secret}"),
    ]
    oidc = "{issuer: https://id.invalid, client_id: x, client_secret: '${OIDC_SECRET}', roles: {map: {a: admin}}}"
    return {
        "connectors/erp.yaml": erp,
        "config.yaml": [("  port: 8081\n", f"  port: 8081\n  oidc: {oidc}\n")],
    }


def test_no_secret_is_in_a_log_a_dead_letter_an_answer_a_metric_or_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        birds, persons = Canaries(), Canaries()
        for variable in ("SHOPIFY_SECRET", "SHOPIFY_OLD_SECRET", "OIDC_SECRET"):
            monkeypatch.setenv(variable, birds.hatch(variable))
        async with (
            parrot(persons.hatch("customer")) as target,
            running(tmp_path / "site", config(tmp_path, birds, target)) as site,
        ):
            for partner, key in site.keys.items():
                birds.keep(f"key of {partner}", key.split("_", 2)[2])
            headers = await people(site, birds)
            await events(site, birds, persons)
            await dead(site)
            found = [line async for line in told(site, birds, persons, headers)]
            await revealed(site, persons)
            birds.keep("token of the installation", site.ready.ops_token)
            data = Path(site.ready.data)
            credentials = json.loads((data / "credentials.json").read_bytes())
            for name in ("nats_password", "valkey_password"):
                birds.keep(name, credentials[name])
            found += [line async for line in told(site, birds, persons, headers)]
        # then
        assert found == []
        assert [*left(data, birds, persons)] == []

    asyncio.run(scenario())


async def people(site: Site, birds: Canaries) -> dict[str, str]:
    """Add a user, sign in rightly and wrongly, make a token; return the headers of the session."""
    password = birds.hatch("password")
    user = {"name": "anna", "role": "admin", "password": password}
    assert (await site.ops("POST", "/ops/v1/users", user))[0] == 201
    status, made = await site.ops("POST", "/ops/v1/tokens", {"name": "kiosk", "role": "viewer"})
    assert status == 201
    birds.keep("API token", made["token"].split("_", 2)[2])
    wrong = [
        {"user": "anna", "password": birds.hatch("wrong password")},
        {"user": birds.hatch("password in the wrong field"), "password": "x"},
        {"user": [birds.hatch("password in a list")]},
        {"token": birds.hatch("wrong token")},
    ]
    address = f"{site.ready.console}/ops/v1/session"
    statuses = []
    for given in wrong:
        async with site.session.post(address, json=given) as answer:
            statuses.append(answer.status)
            assert birds.sung(await answer.read()) == []
    assert statuses == [401, 401, 422, 401]
    wrong_bearer = {"authorization": f"Bearer {birds.hatch('wrong bearer')}"}
    async with site.session.get(f"{site.ready.console}/metrics", headers=wrong_bearer) as answer:
        assert answer.status == 401
    async with (
        aiohttp.ClientSession() as browser,
        browser.post(address, json={"user": "anna", "password": password}) as answer,
    ):
        cookie, csrf = answer.cookies["crossdock_session"].value, (await answer.json())["csrf"]
    birds.keep("session", cookie)
    birds.keep("csrf", csrf)
    return {"cookie": f"crossdock_session={cookie}", "x-csrf-token": csrf, "origin": site.ready.console}


async def events(site: Site, birds: Canaries, persons: Canaries) -> None:
    """Send what the ERP refuses, and what the gateway refuses."""
    assert (await site.post(sale(1, customer=persons.by_name["customer"])))[0] == 202
    shop = f"{site.ready.gateway}/v1/sources/shopify"
    body = b'{"id": 1}'
    good = hmac.new(birds.by_name["SHOPIFY_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    for signature in (good, birds.by_name["SHOPIFY_OLD_SECRET"]):
        headers = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": "w"}
        async with site.session.post(shop, data=body, headers=headers) as answer:
            assert 400 <= answer.status < 500 and birds.sung(await answer.read()) == []
    wrong = {"X-API-Key": "cdk_000000000000_" + birds.hatch("wrong API key", "c" * 19)}
    async with site.session.post(f"{site.ready.gateway}/v1/events", json=sale(2), headers=wrong) as answer:
        assert answer.status == 401 and birds.sung(await answer.read()) == []


async def dead(site: Site) -> None:
    """Wait for the dead letter of the ERP."""
    while not (found := (await site.ops("GET", "/ops/v1/dead-letters?route=stock-to-erp"))[1]["items"]):  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    assert 'no such customer": "***"' in found[0]["detail"]


async def revealed(site: Site, persons: Canaries) -> None:
    """Look at the dead letter as somebody who says why: the event and the answer are there as they were."""
    (letter,) = (await site.ops("GET", "/ops/v1/dead-letters"))[1]["items"]
    _, shown = await site.ops("GET", f"/ops/v1/dead-letters/{letter['id']}?reveal=the+customer+asks")
    for part in ("original", "canonical", "answer"):
        assert persons.sung(json.dumps(shown[part]).encode()), part


async def told(site: Site, birds: Canaries, persons: Canaries, headers: dict[str, str]) -> AsyncIterator[str]:
    """Yield each answer, page and metric in which a secret stands, or what is personal."""
    _, found = await site.ops("GET", "/ops/v1/dead-letters")
    letters = [f"/ops/v1/dead-letters/{one['id']}" for one in found["items"]]
    assert letters
    pages = [place.path for place in PLACES if "{" not in place.path]
    own = {**headers, "accept": "text/html"}
    read = [f"/ops/v1/{name}" for name in (*READ, "events/sale-1")]
    for path in [*read, *letters, "/metrics", *pages]:
        raw = await full(site, path, own if path in pages else headers)
        for name in (*birds.sung(raw), *(persons.sung(raw) if path != "/ops/v1/raw" else ())):  # which is the event
            yield f"{name} in {path}"


async def full(site: Site, path: str, headers: dict[str, str]) -> bytes:
    """Return all of an answer, headers too; what is too busy to answer is asked again."""
    while True:
        async with site.session.get(site.ready.console + path, headers=headers) as answer:
            raw = await answer.read() + repr([*answer.headers.items()]).encode()
            if answer.status != 503:
                assert answer.status in (200, 422), (path, answer.status)
                return raw


def left(data: Path, birds: Canaries, persons: Canaries) -> Iterator[str]:
    """Yield each file of the installation in which a secret stands, or what is personal beside the streams."""
    files: list[Any] = [path for path in data.rglob("*") if path.is_file() and path.name not in CREDENTIALS]
    assert {"ops.log", "gateway.log", "journal.db"} <= {path.name for path in files}
    for path in files:
        beside = path.suffix == ".log" or path.name.startswith("journal.db")
        for name in (*birds.sung(path.read_bytes()), *(persons.sung(path.read_bytes()) if beside else ())):
            yield f"{name} in {path.relative_to(data)}"

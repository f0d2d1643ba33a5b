"""Senders that others wrote are taken as they are: CloudEvents SDKs, the Standard Webhooks client, Java's HTTP."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from tests import npm as npm_packages
from tests.faults.installation import Site
from tests.faults.samples import sale
from tests.interop.conftest import Act
from tests.interop.sources import OLD_WHSEC, WHSEC, Told, ids_at, post, sales

HERE = Path(__file__).parent
NPM = "cloudevents@10.0.0"


async def delivered(site: Site, name: str, ids: set[str]) -> None:
    """Demand that just these events of a name had an effect at the ERP, each once."""
    await site.settled()
    found = ids_at(site, "erp", name)
    assert set(found) == ids and len(found) == len(ids)


@pytest.mark.parametrize("mode", [http.to_structured, http.to_binary])
def test_events_of_the_python_sdk_are_taken_in_both_modes_and_arrive_as_they_were(
    act: Act, mode: Callable[[Any, Any], http.HTTPMessage]
) -> None:
    async def scenario(site: Site) -> None:
        # given
        name, shown = f"python {mode.__name__}", {"subject": '"Größe" 100%', "customer": "ü"}
        given = {**sale(1), "id": f"{name} 1 €", "time": datetime.now(UTC), "datacontenttype": "application/json"}
        data = given.pop("data")
        event = CloudEvent({**given, **shown}, data)
        # when
        message = mode(event, JSONFormat())
        async with httpx.AsyncClient() as client:
            headers = {**message.headers, "X-API-Key": site.keys["vans"]}
            sent = [
                await client.post(f"{site.ready.gateway}/v1/events", headers=headers, content=message.body)
                for _ in range(2)
            ]
        # then
        assert [answer.status_code for answer in sent] == [202, 202], sent[0].text
        assert [answer.json() for answer in sent] == [
            {"id": event.get_id(), "status": word} for word in ("accepted", "duplicate")
        ]
        await delivered(site, name, {event.get_id()})

    act(scenario)


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the npm SDK."""
    folder = tmp_path_factory.mktemp("npm")
    npm_packages.install(folder, NPM)
    return folder


async def output(*words: str) -> str:
    """Return what a program prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    return out.decode()


def test_events_of_the_npm_sdk_are_taken_in_all_modes(act: Act, npm: Path) -> None:
    async def scenario(site: Site) -> None:
        # given
        events = [{**event, "subject": "Euro %E2%82%AC"} for event in sales("npm", range(4))]
        # when
        structured, binary, batch = await sent_by_npm(site, npm, events)
        # then
        assert structured == {"status": 202, "body": {"id": "npm-0", "status": "accepted"}}
        assert binary == {"status": 202, "body": {"id": "npm-1", "status": "accepted"}}
        assert (batch["status"], [item["id"] for item in batch["body"]["items"]]) == (202, ["npm-2", "npm-3"])
        await delivered(site, "npm", {event["id"] for event in events})

    act(scenario)


def test_the_npm_sdk_does_not_encode_attributes_and_hears_which_one_is_not_utf_8(act: Act, npm: Path) -> None:
    async def scenario(site: Site) -> None:
        # given
        events = [{**event, "subject": "Größe"} for event in sales("latin", range(3))]
        # when
        _, binary, _ = await sent_by_npm(site, npm, events)
        # then
        assert (binary["status"], binary["body"]["errors"][0]["pointer"]) == (400, "/subject")

    act(scenario)


async def sent_by_npm(site: Site, npm: Path, events: list[dict[str, Any]]) -> Any:
    """Return the answers to an event in structured mode, one in binary mode, and a batch of the others."""
    url, program = f"{site.ready.gateway}/v1/events", str(HERE / "cloudevents.mjs")
    return json.loads(await output("node", program, str(npm), url, site.keys["vans"], json.dumps(events)))


def test_javas_client_that_asks_for_http_2_is_served_in_http_1(act: Act) -> None:
    if not shutil.which("java"):
        pytest.skip("java is not installed")

    async def scenario(site: Site) -> None:
        # given
        events = sales("java", range(3))
        # when
        words = (f"{site.ready.gateway}/v1/events", site.keys["vans"], *map(json.dumps, events))
        lines = (await output("java", str(HERE / "Sender.java"), *words)).splitlines()
        # then
        assert lines == [f'HTTP_1_1 202 {{"id":"java-{n}","status":"accepted"}}' for n in range(3)]
        await delivered(site, "java", {event["id"] for event in events})

    act(scenario)


def signed(secret: str, name: str, body: str, at: datetime) -> Mapping[str, str]:
    signature = Webhook(secret).sign(msg_id=name, timestamp=at, data=body)
    stamp = str(int(at.timestamp()))
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


async def hook(site: Site, headers: Mapping[str, str], body: str) -> Told:
    return await post(site, body, "", "application/json", "/v1/sources/kiosk", **headers)


@pytest.mark.parametrize("secret", [WHSEC, OLD_WHSEC])
def test_the_standard_webhooks_client_is_taken_with_either_secret_and_a_repeat_is_known(act: Act, secret: str) -> None:
    async def scenario(site: Site) -> None:
        # given
        name, body = f"hook-{secret[6:9]}", json.dumps(sale(1)["data"])
        now = datetime.now(UTC)
        # when
        first = await hook(site, signed(secret, name, body, now), body)
        again = await hook(site, signed(secret, name, body, now + timedelta(seconds=1)), body)
        # then
        assert (first.status, first.body) == (202, {"id": name, "status": "accepted"})
        assert (again.status, again.body) == (202, {"id": name, "status": "duplicate"})
        await delivered(site, name, {name})

    act(scenario)


def test_a_wrong_secret_a_changed_body_and_an_old_time_are_refused_alike(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        body, now = json.dumps(sale(1)["data"]), datetime.fromtimestamp(time.time(), UTC)
        good = signed(WHSEC, "hook-bad", body, now)
        other = signed("whsec_" + "A" * 32, "hook-bad", body, now)
        old = signed(WHSEC, "hook-bad", body, now - timedelta(minutes=10))
        # when
        told = [
            await hook(site, other, body),
            await hook(site, good, body.replace("6.89", "6.88")),
            await hook(site, {**good, "webhook-id": "hook-other"}, body),
            await hook(site, old, body),
            await hook(site, {}, body),
        ]
        # then
        assert [answer.status for answer in told] == [401] * 5
        assert {json.dumps(answer.body) for answer in told} == {json.dumps(told[0].body)}
        assert (await hook(site, good, body)).status == 202

    act(scenario)

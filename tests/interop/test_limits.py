"""Limits and Idempotency-Key on a real installation: two gateway processes that share them through a real Valkey."""

import asyncio
import json
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.installation import Site, running
from tests.faults.samples import sale
from tests.interop.sources import BATCH, Told, post, sales

TWO = {"config.yaml": [("processes: 1 ", "processes: 2 ")]}
RATE, BURST = 10, 40


def source(name: str, limits: str) -> dict[str, str]:
    head = f"source: {name}\npartner: {name}\naccept: cloudevents\ntypes: [pos.sale]\nverify: {{api_key: true}}\n"
    return {f"gateway/{name}.yaml": f"{head}limits: {limits}\n"}


MORE = {
    **source("rated", f"{{rate: {RATE}/s, burst: {BURST}}}"),
    **source("daily", "{quota: 30/d}"),
    **source("narrow", "{concurrent: 1}"),
    **source("free", "{batch: 1000}"),
}


async def anew(site: Site, event: dict[str, Any], key: str) -> Told:
    """Post over a connection of its own, so that either gateway may take it."""
    headers = {"X-API-Key": key, "Content-Type": "application/cloudevents+json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{site.ready.gateway}/v1/events", json=event, headers=headers) as answer,
    ):
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Told(answer.status, lower, json.loads(await answer.read()))


async def flood(site: Site, name: str, key: str, events: int) -> tuple[list[Told], float]:
    began = time.monotonic()
    told = [await anew(site, event, key) for event in sales(name, range(events))]
    return told, time.monotonic() - began


def accepted(told: list[Told]) -> int:
    statuses = Counter(answer.status for answer in told)
    assert statuses.keys() <= {202, 429}
    return statuses[202]


def test_two_gateways_share_a_rate_and_a_quota_tell_it_and_go_on_alone_while_valkey_is_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, TWO, events=4000, more=MORE) as site:
            await rate_is_shared(site)
            await quota_is_shared(site)
            await keys_have_a_rate(site)
            await valkey_goes_and_comes(site)
            await idempotency(site)
            assert (await site.settled())["balanced"]

    asyncio.run(scenario())


async def rate_is_shared(site: Site) -> None:
    key = await site.make_key("rated")
    # when
    told, took = await flood(site, "rated", key, 200)
    # then
    assert BURST <= accepted(told) <= BURST + RATE * (took + 1) + BURST / 4
    for answer in told:
        assert answer.headers["ratelimit-policy"] == f'"rate";q={BURST};w={BURST // RATE}'
        left, wait = map(int, re.fullmatch(r'"rate";r=(\d+);t=(\d+)', answer.headers["ratelimit"]).groups())  # type: ignore[union-attr]
        assert 0 <= left < BURST and wait >= 1
        if answer.status == 429:
            assert left == 0 and int(answer.headers["retry-after"]) >= wait
            assert answer.body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
            assert answer.body["violated-policies"] == ["rate"]


async def quota_is_shared(site: Site) -> None:
    key = await site.make_key("daily")
    # when
    told, _ = await flood(site, "daily", key, 60)
    # then
    assert 30 <= accepted(told) <= 40
    assert told[-1].body["violated-policies"] == ["quota"]
    assert told[-1].headers["ratelimit-policy"] == '"quota";q=30;w=86400'


async def keys_have_a_rate(site: Site) -> None:
    key, other = await site.make_key("free", rate="5/s"), await site.make_key("free")
    # when
    told, took = await flood(site, "keyed", key, 60)
    # then
    assert 5 <= accepted(told) <= 5 + 5 * (took + 1) + 5
    assert told[-1].status == 429 and told[-1].body["violated-policies"] == ["key"]
    assert (await anew(site, {**sale(1), "id": "other-key"}, other)).status == 202


async def valkey_goes_and_comes(site: Site) -> None:
    key = await site.make_key("rated")
    await asyncio.sleep(BURST / RATE)  # the bucket is full again: what is tested is time itself
    # when
    site.kill("valkey", signal.SIGSTOP)
    told, took = await flood(site, "away", key, 200)
    site.kill("valkey", signal.SIGCONT)
    # then
    assert BURST <= accepted(told) <= 2 * (BURST + RATE * (took + 1))
    # and when
    old = site.kill("valkey")
    await site.replaced("valkey", old)
    told, took = await flood(site, "back", key, 100)
    # then
    assert accepted(told) <= BURST + RATE * (took + 2) + BURST / 2


async def idempotency(site: Site) -> None:
    key, events = await site.make_key("free"), sales("once", range(600))
    one, many = (json.dumps(part).encode() for part in (events[0], events[1:]))
    for name, body, media in (("one", one, "application/cloudevents+json"), ("many", many, BATCH)):
        # when
        at_once = await asyncio.gather(*(post(site, body, key, media, Idempotency_Key=f'"{name}"') for _ in range(4)))
        again = await post(site, body, key, media, Idempotency_Key=f'"{name}"')
        other = await post(site, body.replace(b"6.89", b"6.88"), key, media, Idempotency_Key=f'"{name}"')
        # then
        first = [answer for answer in at_once if answer.status == 202]
        busy = [answer for answer in at_once if answer.status != 202]
        assert len({json.dumps(answer.body) for answer in (*first, again)}) == 1
        assert {(answer.status, answer.body["type"].rpartition(":")[2]) for answer in busy} <= {
            (409, "idempotency_in_flight")
        }
        assert (again.status, again.headers["idempotency-replayed"]) == (202, "true")
        assert (other.status, other.body["type"].rpartition(":")[2]) == (422, "idempotency_mismatch")
        assert again.body.get("status") == "accepted" or again.body["accepted"] == 599

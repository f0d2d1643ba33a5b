"""Those who only ask: how many at a time, what is seen of sources that are gone, and that every refusal is counted."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crossdock.kernel.apikeys import make_key
from gateway.app import ASKS
from journal import entry
from journal.entry import Entry
from tests.asgi import call
from tests.gateway.door import STRUCTURED, Door, door
from tests.gateway.test_bad_input import problem_of

SET = {"SET": "44782def547aaa06c910c43932b1eb0c71fc68d9d0c057550c48ec2acf6ba056"}  # hex, as Adyen wants it
SOURCES = {"open": "SET", "shut": "UNSET"}
WRONG = f"cdk_{'0' * 12}_{'x' * 43}"
WEBHOOK = """\
source: {name}
partner: {name}
accept: webhook
types: [pos.sale]
verify: {{{scheme}: {{{needs}secret: "${{{variable}}}"}}}}
event: {{id: body.receipt, type: '"pos.sale"'}}
"""


def at_the_door(root: Path, act: Callable[[Door], Awaitable[None]], **files: str) -> None:
    async def scenario() -> None:
        await act(await door(root, changes={f"gateway/{name}.yaml": text for name, text in files.items()}, env=SET))

    asyncio.run(scenario())


def unverified(made: Door) -> dict[tuple[str, str], float]:
    """Return how often who did not prove to be the sender, by source and reason."""
    (metric,) = made.metrics.unverified.collect()
    return {
        (sample.labels["source"], sample.labels["reason"]): sample.value
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


def test_a_partner_asks_for_so_many_events_at_a_time_and_others_go_on(tmp_path: Path) -> None:
    async def act(made: Door) -> None:
        async def ask(key: str) -> int:
            answer = await made.get("/v1/events/none", key)
            if answer.status == 429:
                found = answer.json()
                assert (found["violated-policies"], answer.headers["retry-after"]) == (["concurrent"], "1")
            return answer.status

        # when
        asked = [made.key] * (3 * ASKS) + [made.other_key]
        *statuses, other = await asyncio.gather(*map(ask, asked))
        # then
        assert Counter(statuses) == {404: ASKS, 429: 2 * ASKS}
        assert other == 404
        assert await ask(made.key) == 404
        assert made.metrics.rejected.labels("quota_exceeded", "")._value.get() == 2 * ASKS

    at_the_door(tmp_path, act)


def test_every_credential_that_proves_nothing_is_counted(tmp_path: Path) -> None:
    async def act(made: Door) -> None:
        for path in ("/v1/catalog", "/v1/events", "/openapi.json"):
            problem_of(await made.get(path, WRONG), 401, "unauthorized")
        problem_of(await call(made.app, "GET", "/v1/catalog"), 401, "unauthorized")
        for key in (WRONG, made.other_key, ""):
            given = {"x-api-key": key, "content-type": STRUCTURED}
            problem_of(await call(made.app, "POST", "/v1/sources/tills", given, b"{}"), 401, "unauthorized")
        basic = {"authorization": "Basic dTp4", "content-type": STRUCTURED}
        problem_of(await call(made.app, "POST", "/v1/events", basic, b"{}"), 401, "unauthorized")
        assert unverified(made) == {
            ("", "unknown_key"): 3, ("", "missing"): 1, ("", "mismatch"): 1,
            ("tills", "unknown_key"): 1, ("tills", "mismatch"): 1, ("tills", "missing"): 1,
        }  # fmt: skip
        assert made.metrics.rejected.labels("unauthorized", "")._value.get() == 8

    at_the_door(tmp_path, act, desk=WEBHOOK.format(name="desk", scheme="basic", needs="user: u, ", variable="SET"))


@pytest.mark.parametrize(
    ("sources", "status"), [((), 200), (("old",), 200), (("tills",), 404)], ids=["whole", "its own", "another's"]
)
def test_the_events_of_a_source_that_is_gone_stay_with_its_partner(
    tmp_path: Path, sources: tuple[str, ...], status: int
) -> None:
    async def act(made: Door) -> None:
        line = Entry(9, entry.GATEWAY, entry.ACCEPTED, "stores", "old", "e-1", "/o", "pos.sale", raw=5)
        made.journal.project([line], 1)
        key, record = make_key("stores", 1)
        await made.keys.put(replace(record, sources=sources))
        assert (await made.get("/v1/events/e-1", key)).status == status
        assert len((await made.get("/v1/events", key)).json()["items"]) == (status == 200)
        assert (await made.get("/v1/events/e-1", made.other_key)).status == 404

    at_the_door(tmp_path, act)


@pytest.mark.parametrize(
    ("scheme", "needs"),
    [("woocommerce", ""), ("shopify", ""), ("adyen", ""), ("basic", "user: u, "), ("square", 'url: "https://a.b/c", ')],
)
def test_who_proves_nothing_cannot_tell_a_closed_source_from_an_open_one(
    tmp_path: Path, scheme: str, needs: str
) -> None:
    async def act(made: Door) -> None:
        async def heard(name: str, body: bytes) -> tuple[int, bytes]:
            answer = await call(made.app, "POST", f"/v1/sources/{name}", {"content-type": "application/json"}, body)
            return answer.status, answer.body

        for body in (b"{}", b"webhook_id=1", b"no JSON", b"x" * 30_000):
            assert await heard("shut", body) == await heard("open", body)

    given = {"scheme": scheme, "needs": needs}
    texts = {name: WEBHOOK.format(name=name, variable=variable, **given) for name, variable in SOURCES.items()}
    at_the_door(tmp_path, act, **texts)

"""The description of the gateway is valid, exact, and names only what its reader may send."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from crossdock.kernel.problems import Refused
from gateway import answers
from gateway.head import MAX_QUERY
from gateway.idempotency import idempotency_key
from gateway.openapi import document
from tests.asgi import call
from tests.gateway.asking import Desk, desk
from tests.gateway.door import door
from tests.smallproject import sale


@pytest.fixture
def made(tmp_path: Path) -> Desk:
    return desk(tmp_path)


def described(made: Desk) -> dict[str, Any]:
    return document(made.project, made.callers["stores"])


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_valid_for_strangers_and_for_callers(made: Desk) -> None:
    validate(document(made.project, None))
    validate(described(made))


def examples(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each schema that stands beside an example, with the example."""
    if isinstance(node, dict):
        if "schema" in node:
            shown = [one["value"] for one in node.get("examples", {}).values()]
            yield from (
                (node["schema"], value) for value in [*shown, *([node["example"]] if "example" in node else [])]
            )
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from examples(child)


def test_every_example_fits_its_schema(made: Desk) -> None:
    found = described(made)
    checked = 0
    for schema, value in examples(found["paths"]):
        checker = Draft202012Validator({**schema, "components": found["components"]})
        assert [error.message for error in checker.iter_errors(value)] == [], value
        checked += 1
    assert checked > len(answers._TITLES)


def test_every_refusal_of_the_gateway_is_described_with_an_example(made: Desk) -> None:
    shown = {
        code
        for _, _, operation in operations(described(made))
        for answer in operation["responses"].values()
        for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", ())
    }
    assert shown >= set(answers._TITLES) - {"method_not_allowed"}  # only of a method that is not described


def test_every_path_of_the_application_is_described_and_no_other(made: Desk) -> None:
    served = {getattr(route, "path", "") for route in made.app.routes}
    plain = {path.replace("{event_id:path}", "{id}").replace("{type_}", "{type}") for path in served}
    assert plain == set(described(made)["paths"])
    for path, method, operation in operations(described(made)):
        assert operation["responses"], (path, method)


def test_every_method_of_a_handler_is_described(made: Desk) -> None:
    for route in made.app.routes:
        if isinstance(route, APIRoute):
            path = route.path.replace("{event_id:path}", "{id}").replace("{type_}", "{type}")
            assert {method.lower() for method in route.methods or ()} <= described(made)["paths"][path].keys()


def test_an_event_of_ours_fits_the_schema_that_is_described(made: Desk) -> None:
    found = described(made)
    schema = found["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/cloudevents+json"]["schema"]
    checker = Draft202012Validator({**schema, "components": found["components"]})
    event = {"specversion": "1.0", "id": "1", "source": "/till/1", "type": "pos.sale", "data": sale("1").data}
    assert checker.is_valid(event)
    assert not checker.is_valid({**event, "type": "inventory.sold"})
    assert not checker.is_valid({**event, "data": {"store": "42"}})


def test_strangers_see_nobodys_types_and_a_wrong_key_is_refused(made: Desk) -> None:
    async def scenario() -> None:
        found = await call(made.app, "GET", "/openapi.json")
        assert (found.status, "pos.sale-1.0" in found.json()["components"]["schemas"]) == (200, False)
        assert "pos.sale-1.0" in (await made.get("/openapi.json")).json()["components"]["schemas"]
        assert (await made.get("/openapi.json", "wrong")).status == 401

    asyncio.run(scenario())


HOOK = """\
source: {name}
partner: stores
accept: webhook
types: [pos.sale]
verify: {{api_key: true}}
event: {{{event}id: body.receipt, type: '"pos.sale"'}}
"""


def test_a_partner_sees_what_its_webhooks_take(tmp_path: Path) -> None:
    hooks = {"plain": HOOK.format(name="plain", event=""), "inner": HOOK.format(name="inner", event="each: body.a, ")}
    made = desk(tmp_path, {f"gateway/{name}.yaml": text for name, text in hooks.items()})
    found = described(made)
    validate(found)
    media = {
        name: found["paths"][f"/v1/sources/{name}"]["post"]["requestBody"]["content"]["application/json"]
        for name in hooks
    }
    checker = Draft202012Validator({**media["plain"]["schema"], "components": found["components"]})
    data = sale("1").data
    assert checker.is_valid(data) and checker.is_valid([data, {"store": "42"}])  # answered item by item
    assert not checker.is_valid({"store": "42"})
    assert media["plain"]["examples"] and "pos.sale" in media["inner"]["schema"]["description"]
    assert "/v1/sources/plain" not in document(made.project, made.callers["acme"])["paths"]


def test_what_may_be_answered_to_any_request_is_described_everywhere(made: Desk) -> None:
    found = described(made)
    for path, _, operation in operations(found):
        assert {"400", "408", "431", "503"} <= operation["responses"].keys(), path
        if "200" in operation["responses"] and {"bearer": []} in operation.get("security", found["security"]):
            assert {"401", "429"} <= operation["responses"].keys(), path


@pytest.mark.parametrize("given", ["a long query", "a header twice"])
def test_a_head_that_is_refused_is_answered_as_described(tmp_path: Path, given: str) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        asked = 0
        for path, method, operation in operations(document(made.project, None)):
            if method == "post" or path.startswith("/livez") or path.startswith("/readyz"):
                continue
            target = path.replace("{source}", "tills").replace("{", "").replace("}", "")
            target += f"?{'a' * (MAX_QUERY + 1)}" if given == "a long query" else ""
            headers = [("x-api-key", made.key)] * (1 if given == "a long query" else 2)
            answer = await call(made.app, method.upper(), target, headers)
            assert answer.status == (431 if given == "a long query" else 400), path
            assert str(answer.status) in operation["responses"]
            asked += 1
        assert asked == 8

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "given",
    ['"a b"', "8e03978e", f'"{"x" * 255}"', f'"{"x" * 256}"', r'"\"\\"', r'"\x"', '""', "a,b", "ä", "x" * 256, '"x'],
)
def test_the_described_idempotency_key_is_the_one_that_is_taken(made: Desk, given: str) -> None:
    parameters = described(made)["paths"]["/v1/events"]["post"]["parameters"]
    (schema,) = [one["schema"] for one in parameters if one["name"] == "Idempotency-Key"]
    try:
        taken = bool(idempotency_key({"idempotency-key": given}))
    except Refused:
        taken = False
    assert Draft202012Validator(schema).is_valid(given) == taken

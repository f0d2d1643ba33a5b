"""What I may send, and how: sources, types, schemas, examples, limits, and when a source ends."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import notices
from gateway.examples import example
from tests.gateway.asking import desk
from tests.smallproject import SALE, TILLS, edited, project, write, write_schema

LIMITED = edited(
    TILLS,
    "accept: cloudevents\n",
    "accept: cloudevents\nmatch: /till/\ndescription: All tills\n"
    "limits: {body: 2KiB, batch: 5, rate: 10/s, quota: 900/d}\n"
    'deprecated: "2026-12-01"\nsunset: "2027-06-30"\nlink: https://example.com/move\n',
)
DATA = {"store": "0042", "receipt": "7", "lines": [{"gtin": "1", "qty": 2}]}


def test_the_catalog_tells_all_that_a_sender_needs_and_no_secret(tmp_path: Path) -> None:
    async def scenario() -> None:
        answer = (await desk(tmp_path, LIMITED).get("/v1/catalog")).json()
        assert answer["partner"] == "stores"
        tills = next(one for one in answer["sources"] if one["source"] == "tills")
        assert tills == {
            "source": "tills", "description": "All tills", "accept": "cloudevents", "path": "/v1/events",
            "content_types": ["application/cloudevents+json", "application/cloudevents-batch+json",
                              "application/x-ndjson", "application/json"],
            "verify": "api_key", "match": "/till/", "on_invalid": "reject",
            "types": [
                {"type": "pos.sale", "versions": ["1.0"], "default": "1.0", "title": "pos.sale",
                 "description": "for a test", "schemas": {"1.0": "/v1/schemas/pos.sale/1.0"}, "example": DATA}
            ],
            "limits": {"body": 2048, "batch": 5, "concurrent": 512, "rate": 10.0, "burst": 10, "quota": 900},
            "deprecated": "2026-12-01", "sunset": "2027-06-30", "link": "https://example.com/move",
        }  # fmt: skip

    asyncio.run(scenario())


def test_the_catalog_tells_which_versions_should_not_be_sent_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        about = {"schemas/pos.sale/schema.yaml": 'deprecated: {"1.0": send 1.1}\n'}
        answer = (await desk(tmp_path, about).get("/v1/catalog")).json()
        assert answer["sources"][0]["types"][0]["deprecated"] == {"1.0": "send 1.1"}

    asyncio.run(scenario())


def test_a_partner_and_a_limited_key_see_their_own_sources(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)

        async def sources(who: str = "stores") -> list[str]:
            return [one["source"] for one in (await made.get("/v1/catalog", who)).json()["sources"]]

        assert (await sources(), await sources("acme")) == (["kiosks", "tills"], ["acme"])
        made.callers["stores"] = made.callers["stores"]._replace(sees=frozenset({"tills"}))
        assert await sources() == ["tills"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/schemas/pos.sale/1.0", True),
        ("/v1/schemas/pos.sale/2.0", False),
        ("/v1/schemas/inventory.sold/1.0", False),
        ("/v1/schemas/..%2f..%2fgateway/tills.yaml", False),
        ("/v1/schemas/pos.sale/..%2f1.0", False),
    ],
)
def test_the_schemas_of_what_may_be_sent_are_served_and_no_others(tmp_path: Path, path: str, found: bool) -> None:
    async def scenario() -> None:
        answer = await desk(tmp_path).get(path)
        if found:
            assert answer.headers["content-type"] == "application/schema+json"
            assert answer.json()["properties"] == SALE["properties"]
        else:
            assert (answer.status, answer.json()["type"]) == (404, "urn:crossdock:problem:not_found")

    asyncio.run(scenario())


def test_the_end_of_a_source_is_announced_in_headers(tmp_path: Path) -> None:
    made = project(tmp_path, LIMITED)
    assert notices(made.sources["tills"]) == (
        (b"deprecation", b"@1796083200"),
        (b"sunset", b"Wed, 30 Jun 2027 00:00:00 GMT"),
        (b"link", b'<https://example.com/move>; rel="deprecation"'),
    )
    assert notices(project(write(tmp_path / "other")).sources["tills"]) == ()


OBJECT = {"type": "object", "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"examples": [{"store": 1}, {"store": "x"}], "properties": {"store": {"type": "string"}}}, {"store": "x"}),
        ({**OBJECT, "properties": {"a": {"enum": ["x", "y"]}}}, {"a": "x"}),
        ({**OBJECT, "properties": {"a": {"type": "string", "minLength": 6}}}, {"a": "textxx"}),
        ({**OBJECT, "properties": {"a": {"type": "integer", "exclusiveMinimum": 3}}}, {"a": 4}),
        ({**OBJECT, "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/d"}, "minItems": 2}},
          "$defs": {"d": {"type": "string", "format": "date"}}}, {"a": ["2026-11-21", "2026-11-21"]}),
        ({**OBJECT, "properties": {"a": {"type": "string", "pattern": "^[0-9]{13}$"}}}, None),
        ({**OBJECT, "properties": {"a": {"$ref": "#"}}}, None),
    ],
)  # fmt: skip
def test_an_example_is_the_schemas_own_or_made_by_its_rules_and_always_fits(
    tmp_path: Path, schema: dict[str, Any], expected: Any
) -> None:
    write_schema(tmp_path, "pos.void", "1.0", schema)
    assert example(project(tmp_path), "pos.void", "1.0") == expected

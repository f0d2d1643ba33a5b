"""The description of what travels over the broker keeps the rules of AsyncAPI 3.0 that tools trip over."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from crossdock.adapters.asyncapi import document
from crossdock.kernel import jsontext
from crossdock.kernel.stream import STREAMS
from dlq.record import DeadLetter, record
from journal.entry import Entry, pack
from tests.smallproject import project

REFERENCE = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"type": "string"}}}
RULES = {
    "type": "object",
    "required": ["asyncapi", "info", "channels", "operations", "components"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "defaultContentType": {"type": "string"},
        "servers": {"additionalProperties": {"type": "object", "required": ["host", "protocol"]}},
        "channels": {
            "propertyNames": {"pattern": r"^[A-Za-z0-9._-]+$"},
            "additionalProperties": {
                "type": "object",
                "required": ["address", "messages"],
                "additionalProperties": False,
                "properties": {
                    "address": {"type": "string", "minLength": 1},
                    "description": {"type": "string"},
                    "messages": {"minProperties": 1, "additionalProperties": REFERENCE},
                    "parameters": {"additionalProperties": {"type": "object", "additionalProperties": False,
                                   "properties": {"enum": {"type": "array"}, "description": {"type": "string"}}}},
                },
            },
        },
        "operations": {
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel"],
                "additionalProperties": False,
                "properties": {
                    "action": {"enum": ["send", "receive"]}, "channel": REFERENCE, "summary": {"type": "string"}},
            }
        },
        "components": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"schemas": {"type": "object"}, "messages": {
                "additionalProperties": {"type": "object", "required": ["payload"], "additionalProperties": False,
                    "properties": {"title": {}, "headers": {"properties": {"type": {"const": "object"}}},
                                   "payload": {"type": "object"}, "contentType": {"type": "string"}}}}},
        },
    },
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Any]:
    return document(project(tmp_path))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def resolve(made: Any, reference: str) -> Any:
    assert reference.startswith("#/"), reference
    found = made
    for part in reference[2:].split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_document_keeps_the_rules(made: dict[str, Any]) -> None:
    assert [error.message for error in Draft202012Validator(RULES).iter_errors(made)] == []


def test_every_reference_leads_to_something(made: dict[str, Any]) -> None:
    assert all(resolve(made, reference) is not None for reference in references(made))


def test_addresses_are_unique_and_their_parameters_declared(made: dict[str, Any]) -> None:
    addresses = [channel["address"] for channel in made["channels"].values()]
    assert len(set(addresses)) == len(addresses)
    for channel in made["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel.get("parameters", ()))


def test_every_subject_of_every_stream_has_a_channel_and_every_channel_an_operation(made: dict[str, Any]) -> None:
    addresses = [channel["address"] for channel in made["channels"].values()]
    for subjects in STREAMS.values():
        for subject in subjects:
            assert any(address.startswith(subject.removesuffix(">")) for address in addresses), subject
    used = {operation["channel"]["$ref"] for operation in made["operations"].values()}
    assert used == {f"#/channels/{name}" for name in made["channels"]}


def test_every_schema_is_a_schema(made: dict[str, Any]) -> None:
    for schema in made["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_what_is_really_stored_fits_its_schema(made: dict[str, Any]) -> None:
    letter = DeadLetter("dl-1", "process", "p", "s", "", "e", "t", "r", "d", ({"code": "x"},), 1, 2, 3, 4, 5, "raw.p.s",
                        {"a": "b"}, b"\xff")  # fmt: skip
    stored = {"deadLetter": record(letter).payload, "journalEntries": pack([Entry(1, "s", "o"), Entry(2, "s", "o")])}
    for name, payload in stored.items():
        schema = made["components"]["schemas"][name] | {"components": made["components"]}
        assert [error.message for error in Draft202012Validator(schema).iter_errors(jsontext.loads(payload))] == []
        assert jsontext.loads(payload).keys() <= schema["properties"].keys()


def test_canonical_events_are_described_by_their_schemas(made: dict[str, Any]) -> None:
    payload = made["components"]["messages"]["event.inventory.sold"]["payload"] | {"components": made["components"]}
    event: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/x", "type": "inventory.sold"}
    fitting = event | {"data": {"location": "L", "lines": [1]}}
    assert [Draft202012Validator(payload).is_valid(one) for one in (fitting, event | {"data": {}})] == [True, False]

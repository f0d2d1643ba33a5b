"""Forms of targets: what a route's target gets in place of the canonical data, checked by the target's own schema."""

import json
from pathlib import Path

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.project import load
from tests.smallproject import ENV, STOCK, edited, only, project, refused, source, write, write_schema

FORM, SCHEMA = "transforms/targets/erp_movement.yaml", "transforms/targets/erp_movement.json"
MAP = """\
description: A movement as the ERP books it
lookups: {item: lookups/items.csv}
schema: erp_movement.json
map: |
  {
    "plant": $substringAfter(location, "-"),
    "by": $source.name,
    "lines": lines.{"text": $lookup("item", gtin).name, "qty": qty}[]
  }
"""
TARGET = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["plant"],
    "properties": {"plant": {"type": "string", "maxLength": 4}},
}


def changes(form: str | None = MAP, schema: object = TARGET) -> dict[str, str | None]:
    """Return the route with a map, its form and the schema."""
    schemas = {SCHEMA: json.dumps(schema, indent=1)} if schema is not None else {}
    return {**edited(STOCK, "    to: erp\n", "    to: erp\n    map: erp_movement\n"), FORM: form, **schemas}


def sold(location: str = "STORE-0042", gtin: str = "1") -> Event:
    data = {"location": location, "lines": [{"gtin": gtin, "qty": 9007199254740993}]}
    return Event("e-1", "/till", "inventory.sold", data, dataschema="crossdock:/inventory.sold/1.0", exact=True)


def sent(root: Path, event: Event, form: str = MAP) -> Event:
    loaded = project(root, changes(form))
    make = loaded.form_of(loaded.routes["stock"])
    assert make is not None
    return make(event, "tills")


def test_a_target_gets_its_form_in_the_same_envelope_but_for_the_schema_of_the_data(tmp_path: Path) -> None:
    made = sent(tmp_path, sold())
    lines = [{"text": "Coffee 1 kg", "qty": 9007199254740993}]
    assert made == sold()._replace(data={"plant": "0042", "by": "tills", "lines": lines}, dataschema="")


def test_a_route_without_a_map_sends_the_data_as_it_is(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    assert loaded.form_of(loaded.routes["stock"]) is None


@pytest.mark.parametrize(
    ("event", "form", "code", "pointer"),
    [
        (sold("STORE-00042"), MAP, "target_invalid", "/plant"),
        (sold(gtin="9"), MAP, "lookup_missing", ""),
        (sold(), "map: gone\n", "map_failed", ""),
        (sold(), "map: lines.qty + {}\n", "map_failed", ""),
    ],
)
def test_what_does_not_become_the_form_is_refused(
    tmp_path: Path, event: Event, form: str, code: str, pointer: str
) -> None:
    with pytest.raises(Refused) as caught:
        sent(tmp_path, event, form)
    (found,) = caught.value.problems
    assert (found.code, found.pointer) == (code, pointer)
    assert "the form erp_movement" in found.hint


def test_a_form_is_part_of_the_revision(tmp_path: Path) -> None:
    before = project(tmp_path, changes()).revision
    assert project(tmp_path, {SCHEMA: "{}"}).revision != before


def test_a_form_that_is_not_there_is_placed_in_the_route(tmp_path: Path) -> None:
    found = only(tmp_path, {**changes(None, None), "transforms/targets/erp_movements.yaml": "map: location\n"})
    assert (found.code, found.file, found.line, found.column) == ("unknown_form", STOCK, 5, 5)
    assert found.hint == "did you mean erp_movements?"


@pytest.mark.parametrize(
    ("form", "schema", "code", "file", "line"),
    [
        ("map: '$count('\n", None, "bad_expression", FORM, 1),
        ("maps: x\nmap: y\n", None, "unknown_key", FORM, 1),
        ("schema: other.json\nmap: y\n", None, "missing_file", FORM, 1),
        ("schema: ../a.json\nmap: y\n", None, "bad_value", FORM, 1),
        ("map: $lookup('item', gtin)\n", None, "unknown_lookup", FORM, 1),
        (MAP, {"type": "objekt"}, "bad_schema", SCHEMA, 2),
        (MAP, {"properties": {"a": {"$ref": "https://erp.example/a.json"}}}, "remote_ref", SCHEMA, 4),
    ],
)
def test_a_mistake_in_a_form_is_placed(
    tmp_path: Path, form: str, schema: object, code: str, file: str, line: int
) -> None:
    found = refused(tmp_path, changes(form, schema))
    assert [(p.code, p.file, p.line) for p in found] == [(code, file, line)]


def test_a_schema_that_is_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    root = write(tmp_path / "shop", changes(schema=None))
    (root / SCHEMA).symlink_to(tmp_path / "secret.json")
    with pytest.raises(Refused) as caught:
        load(root, ENV)
    assert [(p.code, p.file) for p in caught.value.problems] == [("outside", SCHEMA), ("outside", FORM)]


def test_an_unknown_connector_of_several_is_placed_at_its_name(tmp_path: Path) -> None:
    found = only(tmp_path, edited(STOCK, "to: erp", "to: [erp, wsm]"))
    assert (found.code, found.line, found.column) == ("unknown_connector", 4, 15)


def test_a_form_cannot_park_an_event_that_is_being_delivered(tmp_path: Path) -> None:
    form = MAP.replace("lookups/items.csv", "{csv: lookups/items.csv, unresolved: park}")
    problem = only(tmp_path, changes(form))
    assert (problem.code, problem.file, problem.line, problem.column) == ("bad_lookup", FORM, 2, 42)


def test_a_type_that_only_a_form_looks_up_in_is_canonical(tmp_path: Path) -> None:
    form = MAP.replace("item: lookups/items.csv", "item: {events: item.updated, key: gtin}")
    write_schema(tmp_path, "item.updated", "1.0", {"type": "object"})
    master = source("master", "erp").replace("pos.sale", "item.updated")
    loaded = project(tmp_path, {**changes(form), "gateway/master.yaml": master})
    event = Event("i-1", "/erp", "item.updated", {"gtin": "1"})
    assert loaded.canonical(event, loaded.check(event)) is event

"""Texts about an event do not quote what its schema calls personal, however it stands there."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.personal import Cover, text_without
from tests.smallproject import SALE, project

LONG = "12 Rue de la Paix, 75002 Paris"
CONTACT = {"type": "object", "properties": {"phone": {"type": "string", "x-crossdock-personal": True}}}


def cover(root: Path) -> Cover:
    head = {"$id": "crossdock:/pos.sale/1.1", "title": "pos.sale", "description": "for a test"}
    properties: Any = {**SALE["properties"], "contact": CONTACT}  # type: ignore[dict-item]
    schema = json.dumps({**head, **SALE, "properties": properties})
    return Cover(project(root, {"schemas/pos.sale/1.1.json": schema}))


def sale(version: str = "1.1", **data: Any) -> Event:
    return Event("s-1", "/till/1", "pos.sale", data, dataschema=f"crossdock:/pos.sale/{version}")


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("Ada", "no card of Ada here", "no card of *** here"),
        ("Ada", "Adam is no city of Canada", "Adam is no city of Canada"),
        ("422", "HTTP 422: house 422", "HTTP 422: house ***"),
        ("-5", "got -5, at least 0", "got ***, at least 0"),
        ('O"Hara\\', 'no "O\\"Hara\\\\" is known', 'no "***" is known'),
        ("Müller", 'HTTP 400: {"name": "M\\u00fcller"}', 'HTTP 400: {"name": "***"}'),
        ('d\'Arc "x"', "'d\\'Arc \"x\"' fits not", "'***' fits not"),
        (LONG, f"no way to {LONG}", "no way to ***"),
        (LONG, f"item has no {LONG[:20]!r}", "item has no '***'"),
        (LONG, f'got "{LONG[:17]}...', 'got "***...'),
        (LONG, f"HTTP 422: unknown {LONG[:25]}", "HTTP 422: unknown ***"),
        (LONG, "12 Rue de Rivoli is another one", "12 Rue de Rivoli is another one"),
    ],
)
def test_a_value_is_covered_as_it_stands_in_the_text_and_nothing_else_is(value: str, text: str, shown: str) -> None:
    assert text_without(text, {value}) == shown


@pytest.mark.parametrize("value", ["+49 170 1234567", 7.25, True, {"deep": ["x" * 200]}])
@pytest.mark.parametrize("pointer", ["/contact/phone", "/contact", ""])
def test_a_schema_tells_place_and_rule_of_a_personal_value_and_not_the_value(
    tmp_path: Path, value: Any, pointer: str
) -> None:
    # given
    shown = json.dumps(value)[:117] + "..."
    problem = Problem("schema_violation", f"is no phone, got {shown}", pointer=pointer, rule="pattern")
    # when
    (told,) = cover(tmp_path).problems({}, sale(contact={"phone": value}), [problem])
    # then
    assert (told.message, told.pointer, told.rule) == ("is no phone, got ***", pointer, "pattern")


def test_other_places_are_told_as_they_are(tmp_path: Path) -> None:
    problem = Problem("schema_violation", "is too short, got 7", pointer="/lines/0/qty", rule="minimum")
    assert cover(tmp_path).problems({}, sale(contact={"phone": "+49 170 1"}), [problem]) == (problem,)


def test_a_value_where_only_its_form_is_wrong_is_covered_too(tmp_path: Path) -> None:
    problem = Problem("schema_violation", 'is no object, got "Ada Lovelace"', pointer="/contact", rule="type")
    (told,) = cover(tmp_path).problems({}, sale(contact="Ada Lovelace"), [problem])
    assert told.message == "is no object, got ***"


def test_of_an_event_that_no_schema_describes_every_value_is_covered(tmp_path: Path) -> None:
    event = sale("9.9", who="Ada Lovelace", store="0042")
    said = "HTTP 404: Ada Lovelace is not known in 0042"
    assert cover(tmp_path).text({}, event, said) == "HTTP 404: *** is not known in ***"


def test_bytes_that_nobody_can_read_are_quoted_by_nothing(tmp_path: Path) -> None:
    event = sale("1.1")._replace(data=b"\xff")
    assert cover(tmp_path).text({}, event, "HTTP 400: \\xff") == "HTTP 400: \\xff"
    assert cover(tmp_path).problems({}, None, [Problem("bad_json", "no")]) == (Problem("bad_json", "no"),)

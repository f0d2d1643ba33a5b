"""Texts about an event do not quote what its schema calls personal, however it stands there."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote, quote_plus

import pytest

from crossdock import covering, personal
from crossdock.covering import MOST, Covering
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.personal import Cover
from schemas.annotations import found
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
        (LONG, f"GET /a?q={quote(LONG)}&x=1", "GET /a?q=***&x=1"),
        (LONG, f"GET /a?q={quote_plus(LONG)}&x=1", "GET /a?q=***&x=1"),
        ("+49 170", "tel=%2B49%20170 or %2B49+170", "tel=*** or ***"),
        ("Jürgen", "unknown: J%C3%BCrgen, JÜRGEN, J&uuml;rgen, J&#252;rgen", "unknown: ***, ***, ***, ***"),
        ("d'Arc & <Söhne>", "<p>d&#x27;Arc &amp; &lt;S\u00f6hne&gt;</p>", "<p>***</p>"),
        ("Straße 5", "no STRASSE 5 here", "no *** here"),
        ("\U0001f600 Ada", "\"\\ud83d\\ude00 Ada\" and '\\U0001f600 Ada'", "\"***\" and '***'"),
        ("C:\\new", "C:\\new or 'C:\\\\new'", "*** or '***'"),
        ("Müller Lüdenscheid", '"M\\u00fcller L\\u00fcd\\u00...', '"***\\u00...'),
        ("1.1", "got 1.10, 1.1e0 or 11e-1, not 1.11 or 1.1.1", "got ***, *** or ***, not 1.11 or 1.1.1"),
        ("0042", "42 of 0042", "42 of ***"),
        ("HTTP", "HTTP 422: HTTP is no name", "HTTP 422: *** is no name"),
        ("HTTP 422", "HTTP 422: no HTTP 42", "HTTP 422: no HTTP 42"),
        ("Meier", "Meierhof is not Obermeier, MEIER is", "Meierhof is not Obermeier, *** is"),
        ("小明", "客户王小明不存在", "客户王***不存在"),
        (" ", "a b", "a b"),
        ("&#1;" * 30 + "Ada", "&#1;&#1;", "&#1;&#1;"),
        ("&#1;" * 23 + "&#1" + "Ada", "&#1;", "&#1;"),
    ],
)
def test_a_value_is_covered_as_it_stands_in_the_text_and_nothing_else_is(value: str, text: str, shown: str) -> None:
    assert Covering([value]).text(text) == shown


def test_values_that_touch_or_hold_each_other_are_covered_once() -> None:
    told = Covering(["Ada", "Ada Lovelace", "Lovelace", "King"]).text("Ada Lovelace King, Lovelace")
    assert told == "*** ***, ***"


def test_a_text_about_more_values_than_are_looked_for_tells_only_the_status() -> None:
    assert Covering(f"value {n}" for n in range(MOST)).text("HTTP 422: no") == "HTTP 422: no"
    assert Covering(["the same"] * 2 * MOST).text("HTTP 422: no") == "HTTP 422: no"
    assert Covering(f"value {n}" for n in range(MOST + 1)).text("HTTP 422: no") == "HTTP 422***"


def test_no_more_values_are_read_than_are_looked_for() -> None:
    values = iter([str(n) for n in range(10 * MOST)])
    Covering(values)
    assert len([*values]) == 9 * MOST - 1


@pytest.mark.parametrize("text", ["!" * 1000, "!" * 1000 + "?"])
def test_a_text_made_to_be_compared_for_long_is_covered_whole(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    counted = Mock(wraps=covering._end)
    monkeypatch.setattr(covering, "_end", counted)
    assert Covering("!" * n for n in range(8, 1000)).text(text) == "***"
    assert counted.call_count <= covering.MOST_LOOKS


def test_nothing_is_looked_for_where_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    told = cover(tmp_path)
    monkeypatch.setattr(told, "_covering", None)
    # then
    assert (told.text({}, sale(), ""), told.problems({}, sale(), ())) == ("", ())


def test_the_values_of_an_event_are_read_once_for_all_of_its_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    counted = Mock(wraps=found)
    monkeypatch.setattr(personal, "found", counted)
    problems = [Problem("lookup_missing", f"no {n} for +49 170", "+49 170 is new") for n in range(5)]
    # when
    told = cover(tmp_path).problems({}, sale(contact={"phone": "+49 170"}), problems)
    # then
    assert ([(one.message, one.hint) for one in told][4], counted.call_count) == (("no 4 for ***", "*** is new"), 1)


@pytest.mark.parametrize(
    ("count", "sign"), [(MOST - 1, "é"), (MOST - 1, "&amp;"), (4, "&amp;" * 25_000), (14_000, "+")]
)
def test_an_event_full_of_personal_values_costs_no_more_than_to_write_it_a_few_times(
    tmp_path: Path, count: int, sign: str
) -> None:
    # given
    phones = [f"sécrèt {sign} {n} {'x' * (500_000 // count - 30 - len(sign))}" for n in range(count)]
    event, told = sale(contact={"phone": phones}), cover(tmp_path)
    problems = [
        Problem("lookup_missing", f"no {phones[n][:900]}... in a list " + "of 100 " * 20, "look") for n in range(3)
    ]

    def cost(act: Callable[[], object]) -> float:
        def once() -> float:
            began = time.process_time()
            act()
            return time.process_time() - began

        return min(once() for _ in range(5))

    # when
    ratio = cost(lambda: told.problems({}, event, problems)) / cost(lambda: json.dumps(event.data))
    # then
    assert not any("sécrèt" in one.message for one in told.problems({}, event, problems))
    assert ratio < 40  # where all values begin alike; it was 150 and more


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

"""A dry run of dead letters: a mistake in a mapping and its fix differ in what was meant, and nothing is sent."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import STRUCTURED, Event, encode_structured
from crossdock.plan.resending import resend
from dlq.record import DeadLetter
from tests.smallproject import SALE_MAP, SOLD, STOCK, edited, project

FORM = {"transforms/targets/erp.yaml": 'map: \'{"at": location, "pieces": $sum(lines.quantity)}\'\n'}
WRONG_FORM = {"transforms/targets/erp.yaml": 'map: \'{"at": location, "pieces": $count(lines)}\'\n'}
TO_FORM = edited(STOCK, "to: erp", "to: erp\n    map: erp")
MISTAKE = edited(SALE_MAP, '"location":', '"lokation":')
LINES = [{"gtin": "1", "qty": 2}, {"gtin": "2", "qty": 1}]


def failed_raw(number: int, lines: list[dict[str, Any]] = LINES) -> DeadLetter:
    event = Event(f"s-{number}", "/till/1", "pos.sale", {"store": "0042", "receipt": str(number), "lines": lines})
    headers = {"content-type": STRUCTURED}
    return DeadLetter(
        f"dl-{number}", "process", "stores", "tills", "", event.id, event.type, "canonical_invalid", "", (), 1, 1, 2,
        number, number, "raw.stores.tills", headers, encode_structured(event),
    )  # fmt: skip


def failed_delivery(number: int, route: str = "stock") -> DeadLetter:
    data = {"location": f"STORE-{number}", "lines": [{"item": "TEA", "quantity": 2}, {"item": "MILK", "quantity": 3}]}
    event = Event(f"s-{number}", "/till/1", "inventory.sold", data, dataschema="crossdock:/inventory.sold/1.0")
    letter = replace(failed_raw(number), stage="deliver", route=route, payload=encode_structured(event), headers={})
    return replace(letter, type=event.type, reason="refused", subject="event.inventory.sold")


def test_a_fixed_transform_lets_those_pass_that_it_was_the_cause_of(tmp_path: Path) -> None:
    wrong, fixed = project(tmp_path / "wrong", MISTAKE), project(tmp_path / "fixed")
    unknown = failed_raw(3, [{"gtin": "99", "qty": 1}])
    found = resend(wrong, fixed, [failed_raw(1), failed_raw(2), unknown])
    assert (found["passes"], found["revision"], found["compared_with"]) == (2, fixed.revision, wrong.revision)
    (why,) = found["fails"]
    assert (why["count"], "lookup_missing" in why["why"]) == (1, True)
    assert found["targets"] == [{"route": "stock", "connector": "erp", "count": 2}]
    assert found["effects"]["newly_passing"] == 2
    assert resend(wrong, wrong, [failed_raw(1)])["passes"] == 0


def test_a_fixed_form_differs_in_what_was_meant_and_in_nothing_else(tmp_path: Path) -> None:
    wrong = project(tmp_path / "wrong", {**WRONG_FORM, **TO_FORM})
    fixed = project(tmp_path / "fixed", {**FORM, **TO_FORM})
    found = resend(wrong, fixed, [failed_delivery(1), failed_delivery(2)])
    assert (found["passes"], found["fails"], found["effects"]) == (2, [], {"different": 2})
    (example,) = found["examples"]
    assert (example["id"], example["effect"]) == ("s-1", "different")
    assert example["changes"] == ["body of stock /pieces: 2 became 5"]
    json.dumps(found)


@pytest.mark.parametrize("told", ["wrong", "fixed", "present"])
def test_a_personal_value_is_covered_whole_before_it_is_told_in_short(tmp_path: Path, told: str) -> None:
    # given
    note = "Ada Lovelace, " * 20
    forms = {"wrong": "note", "fixed": '$uppercase("to: ") & note', "present": "note"}
    head = {"$id": "crossdock:/inventory.sold/1.1", "title": "inventory.sold", "description": "for a test"}
    schema: Any = {**head, **SOLD, "properties": {**SOLD["properties"], "note": {"type": "string"}}}  # type: ignore[dict-item]
    projects = {}
    for name, form in forms.items():
        schema["properties"]["note"]["x-crossdock-personal"] = name == told
        files = {"transforms/targets/erp.yaml": f"map: '{{\"text\": {form}}}'\n"}
        files["schemas/inventory.sold/1.1.json"] = json.dumps(schema)
        projects[name] = project(tmp_path / name, {**files, **TO_FORM})
    letter = failed_delivery(1)
    data = {"location": "x", "lines": [1, 2], "note": note}
    event = Event("s-1", "/till/1", "inventory.sold", data, dataschema="crossdock:/inventory.sold/1.1")
    letter = replace(letter, payload=encode_structured(event))
    # when
    found = resend(projects["wrong"], projects["fixed"], [letter], present=projects["present"])
    # then
    (example,) = found["examples"]
    assert example["changes"] == ['body of stock /text: "***" became "***"']
    assert "Ada" not in json.dumps(found)


def test_why_one_fails_quotes_no_personal_value(tmp_path: Path) -> None:
    form = "lookups: {item: lookups/items.csv}\nmap: '$lookup(\"item\", note).sku'\n"
    head = {"$id": "crossdock:/inventory.sold/1.1", "title": "inventory.sold", "description": "for a test"}
    note = {"type": "string", "x-crossdock-personal": True}
    schema: Any = {**head, **SOLD, "properties": {**SOLD["properties"], "note": note}}  # type: ignore[dict-item]
    present = project(
        tmp_path,
        {"transforms/targets/erp.yaml": form, **TO_FORM, "schemas/inventory.sold/1.1.json": json.dumps(schema)},
    )
    data = {"location": "x", "lines": [1, 2], "note": "Ada Lovelace"}
    event = Event("s-1", "/till/1", "inventory.sold", data, dataschema="crossdock:/inventory.sold/1.1")
    found = resend(present, present, [replace(failed_delivery(1), payload=encode_structured(event))])
    (why,) = found["fails"]
    assert "lookup_missing" in why["why"] and "***" in why["why"] and "Ada" not in json.dumps(found)


def test_what_has_no_route_any_more_fails_and_the_same_revision_differs_in_nothing(tmp_path: Path) -> None:
    present = project(tmp_path)
    found = resend(present, present, [failed_delivery(1), failed_delivery(2, "gone")])
    assert (found["passes"], found["effects"], found["examples"]) == (1, {"same": 2}, [])
    assert [(one["count"], "unknown_route" in one["why"]) for one in found["fails"]] == [(1, True)]

"""Drift: what was planted is found, and nothing in events that fit."""

import copy
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.drift import AWAY, Origin, findings
from schemas.outline import Outline
from schemas.profile import LEARNT, MOST_PLACES, Profile
from schemas.profiletext import dump, load
from schemas.registry import load as load_schemas
from schemas.spec import uri
from tests.schemas.watch import AT, PLANTED, Watch, sale, used

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", ROOT.parent / "shared")) / "corpora"

CONFORMING = st.fixed_dictionaries(
    {"store": st.text(max_size=9), "lines": st.lists(st.fixed_dictionaries({"gtin": st.text(max_size=9)}), max_size=3)},
    optional={
        "note": st.none() | st.text(max_size=60), "payment": st.sampled_from(["cash", "card"]),
        "customer": st.sampled_from(["ann", "bob"]), "extra": st.dictionaries(st.text(), st.integers(), max_size=3),
    },
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(CONFORMING, max_size=30), st.sampled_from(sorted(PLANTED)), st.integers(0, 30))
def test_what_is_planted_is_found_at_its_first_event_and_nothing_else(
    events: list[dict[str, Any]], case: str, place: int
) -> None:
    """Given events that fit, nothing is found; given one more that drifts, that is found and nothing else."""
    change, expected = PLANTED[case]
    assert Watch().show(*events).told() == set()
    mixed = [*events[:place], sale(**change), *events[place:]]
    assert Watch().show(*mixed).told() == {expected}


def test_a_finding_tells_how_often_since_when_and_in_which_event() -> None:
    watch = used(10).show(sale(loyalty=1), sale(loyalty="a"), sale())
    (found,) = watch.found()
    assert (found.count, found.of, found.breaks, found.usual) == (2, 13, True, ("number", "string"))
    assert (found.first_seen, found.last_seen, found.sample) == (AT + 11_000, AT + 12_000, "e11")


def test_a_value_that_never_came_in_a_field_of_few_values_is_found_though_the_schema_allows_it() -> None:
    watch = used().show(sale(currency="USD"))
    (found,) = watch.found()
    assert (found.kind, found.pointer, found.values, found.usual) == ("new_value", "/currency", ('"USD"',), ('"EUR"',))
    assert not found.breaks


def test_a_null_and_another_kind_that_the_schema_allows_are_found_when_they_never_came_before() -> None:
    watch = used().show(sale(note=None, lines=[{"gtin": "1", "qty": "2"}]))
    assert watch.told() == {("null", "/note"), ("type", "/lines/*/qty")}
    assert not any(one.breaks for one in watch.found())


def test_business_keys_days_and_fields_of_many_values_have_new_values_every_day() -> None:
    days = [f"2026-11-{1 + index // 30:02}" for index in range(300)]
    watch = Watch().show(*(sale(store=f"s{i}", note=day, lines=[{"gtin": f"{i % 9}"}]) for i, day in enumerate(days)))
    assert watch.show(sale(store="new", note="2027-01-01", lines=[{"gtin": "new"}])).told() == set()


def test_a_field_that_stopped_coming_is_found_after_a_while_and_not_by_chance() -> None:
    watch, without = used(400), sale()
    del without["payment"]
    watch.show(*[without] * 60)
    assert watch.told() == set()  # a minute is not long
    watch.show(without, at=watch.at + AWAY)
    assert watch.told() == {("missing", "/payment"), ("missing", "/note")}
    assert watch.show(sale(note="x")).told() == set()  # it closes by itself


def test_a_rule_that_is_broken_otherwise_is_told_with_its_place() -> None:
    without = sale()
    del without["store"]
    (found,) = used(5).show(without).found()
    assert (found.kind, found.rule, found.pointer, found.count) == ("rule", "required", "/store", 1)


def test_personal_values_are_neither_kept_nor_shown() -> None:
    watch = used(5).show(sale(customer="Eve Adams"))
    (found,) = watch.found()
    assert (found.kind, found.values) == ("new_value", ('"(personal)"',))
    assert b"Eve" not in dump(watch.profile)


def test_values_of_unknown_fields_are_not_kept_as_nobody_has_said_whether_they_are_personal() -> None:
    assert b"Eve" not in dump(used(5).show(sale(name="Eve", people=[{"name": "Eve"}])).profile)


def test_what_an_open_schema_has_always_left_out_is_one_finding_and_what_comes_later_another() -> None:
    part = {"type": "object", "properties": {"id": {"type": "integer"}}}
    event = {"id": 1} | {f"field_{number}": "x" for number in range(30)}
    watch = Watch(part).show(*[event] * (LEARNT + 1))
    (found,) = watch.found()
    assert (found.pointer, len(found.values), found.early, found.breaks) == ("/*", 30, True, False)
    later = [one for one in watch.show(event | {"new": 1}).found() if not one.early]
    assert [one.pointer for one in later] == ["/new"]


def test_a_profile_goes_on_where_it_was_stored() -> None:
    watch = used().show(sale(loyalty=1, payment="voucher"))
    before = watch.found()
    watch.profile = load(dump(watch.profile))
    assert watch.found() == before
    assert ("null", "/note") in watch.show(sale(note=None)).told()


def test_a_recursive_schema_and_alternatives_are_looked_through() -> None:
    node = {
        "$id": uri("shop.sale", "1.0"),
        "type": "object",
        "properties": {"name": {"type": "string"}, "child": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "oneOf": [{"required": ["a"], "properties": {"a": True}}, {"properties": {"b": {}}}],
    }
    watch = Watch(node).show({"name": "x", "b": 1, "child": {"name": "y", "child": {"zz": 1}}})
    assert watch.told() == {("unknown_field", "/child/child/zz")}


def deep(levels: int) -> Any:
    return {"child": deep(levels - 1)} if levels else {"end": 1}


HOSTILE: dict[str, Any] = {
    "wide": lambda number: {f"name-{number}-{index}": index for index in range(2000)},
    "long names": lambda number: {f"{number}" + "x" * 5000: 1},
    "long values": lambda number: sale(currency=f"{number}" * 2000, payment=f"{number}" * 2000),
    "many values": lambda number: sale(currency=f"{number}", payment=f"{number}"),
    "deep": lambda number: sale(extra=deep(60), note=f"{number}"),
    "many items": lambda number: sale(lines=[{"gtin": "1", f"f{number}-{index}": 1} for index in range(300)]),
    "no object": lambda number: [number] * 100,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_events_take_bounded_memory_and_findings(case: str) -> None:
    watch = Watch()
    watch.show(*(HOSTILE[case](number) for number in range(20)))
    size = len(dump(watch.profile))
    tracemalloc.start()
    watch.show(*(HOSTILE[case](number) for number in range(20, 40)))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert watch.profile.places <= MOST_PLACES
    assert size < 200_000 and len(dump(watch.profile)) < 200_000
    assert grown < 300_000
    assert len(watch.found()) <= 100 and len(json.dumps([one.values for one in watch.found()])) < 20_000


def test_looking_changes_no_event() -> None:
    data = sale(loyalty={"a": [1, None]}, note=None)
    same = copy.deepcopy(data)
    Watch().show(data)
    assert data == same


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: set CROSSDOCK_SHARED to the folder above")
def test_shipped_schemas_find_little_in_the_events_of_real_shops() -> None:
    """Given the example events of two shops, whose schemas name some fields only, all that is found is these."""
    known = load_schemas(ROOT)
    profiles: dict[str, Profile] = {}
    for path in sorted((*CORPORA.glob("shopify/*.json"), *CORPORA.glob("woocommerce/*.json"))):
        document = json.loads(path.read_bytes())
        type_ = f"{path.parent.name}.{document['topic'].replace('/', '.').partition('.')[0]}"
        version = known.newest(type_)
        place = Outline(known.schema(type_, version)).top
        problems = known.problems(type_, version, document["body"])
        profiles.setdefault(type_, Profile()).look(place, document["body"], AT, path.stem, problems)
    for type_, profile in profiles.items():
        outline = Outline(known.schema(type_, known.newest(type_)))
        found = findings(Origin("shop", "shop", type_, known.newest(type_)), profile, outline)
        assert {one.kind for one in found} <= {"unknown_field"}
        assert all(one.early for one in found) and len(found) <= 12, type_
    assert len(profiles) > 10

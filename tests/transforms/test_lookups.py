"""What a map looks up: the row of a key that is valid, and what is done about one that is not there."""

from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.moments import microseconds
from crossdock.kernel.problems import Refused
from tests.smallproject import sale, write
from transforms.engine import Transform
from transforms.lookups import Columns, Fed, Sql, Wait, Waiting, given, tables
from transforms.spec import load, reader

FIRST = Columns()
DATED = Columns("gtin", "from", "to")
PRICES = """\
gtin,from,to,price
1,2026-01-01,2026-02-01,1.00
1,2026-02-01,,1.10
2,,2026-03-01T00:00:00+02:00,5.00
"""
MAP = """\
transform: t
from: pos.sale@1
to: inventory.sold@1
lookups:
  %s
map: |
  %s
"""


def transform(root: Path, lookups: str, expression: str, **files: str) -> Transform:
    text = MAP % ("\n  ".join(lookups.splitlines()), expression)
    given = {f"transforms/lookups/{name}.csv": content for name, content in files.items()}
    (one,) = load(root, reader(write(root, {"transforms/sale.yaml": text, **given}), {"MASTER": "sqlite:///m.db"}))
    return one


def price(root: Path, event: Event, unresolved: str = "fail", at: str = "") -> Any:
    lookup = f"price: {{csv: lookups/prices.csv, valid_from: from, valid_to: to, unresolved: {unresolved}}}"
    expression = f'{{"p": $lookup("price", lines[0].gtin{at}).price}}'
    return transform(root, lookup, expression, prices=PRICES).apply(event, "s").data


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-31T23:59:59.999999Z", "1.00"),
        ("2026-02-01T00:00:00Z", "1.10"),
        ("2026-02-01T00:30:00+01:00", "1.00"),
        ("2099-12-31T23:59:60Z", "1.10"),
    ],
)
def test_the_row_that_is_valid_at_the_time_of_the_event_is_taken(tmp_path: Path, time: str, expected: str) -> None:
    assert price(tmp_path, sale("1", time=time)) == {"p": expected}


def test_valid_to_is_exclusive_and_keeps_its_offset(tmp_path: Path) -> None:
    assert price(tmp_path, sale("2", time="2026-02-28T21:59:59Z")) == {"p": "5.00"}
    with pytest.raises(Refused, match="lookup price has no row '2' that is valid then"):
        price(tmp_path, sale("2", time="2026-02-28T22:00:00Z"))


def test_a_third_argument_is_the_time_and_nothing_stands_for_that_of_the_event(tmp_path: Path) -> None:
    event = sale("1", time="2026-01-05T00:00:00Z")
    assert price(tmp_path, event, at=', "2026-03-01"') == {"p": "1.10"}
    assert price(tmp_path, event, at=", nope") == {"p": "1.00"}


@pytest.mark.parametrize(
    ("event", "at", "code"), [(sale("1"), "", "bad_arguments"), (sale("1"), ', "soon"', "bad_time")]
)
def test_a_dated_lookup_without_a_time_is_refused(tmp_path: Path, event: Event, at: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        price(tmp_path, event, at=at)
    assert caught.value.problems[0].code == code


def test_a_lookup_without_validity_takes_no_time(tmp_path: Path) -> None:
    one = transform(tmp_path, "item: lookups/items.csv", '{"x": $lookup("item", "1", "2026-01-01").sku}')
    with pytest.raises(Refused, match="has no validity"):
        one.apply(sale(), "s")


def test_a_default_row_stands_for_every_key_that_is_not_there(tmp_path: Path) -> None:
    lookups = "item: {csv: lookups/items.csv, unresolved: {default: {sku: NONE, n: 9007199254740993}}}"
    one = transform(tmp_path, lookups, '{"x": ["1", "99"].$lookup("item", $).sku, "n": $lookup("item", "99").n}')
    missed: list[str] = []
    one.lookups.by_name["item"].missed = lambda: missed.append("item")
    assert one.apply(sale(), "s").data == {"x": ["COFFEE", "NONE"], "n": "9007199254740993"}
    assert missed == ["item", "item"]


def test_a_parked_event_says_which_row_it_waits_for(tmp_path: Path) -> None:
    one = transform(tmp_path, "item: {csv: lookups/items.csv, unresolved: park}", '{"x": $lookup("item", 99).sku}')
    with pytest.raises(Waiting) as caught:
        one.apply(sale(), "s")
    assert caught.value.wait == Wait(one.lookups.by_name["item"].table.id, "99", None)
    assert caught.value.problems[0].code == "lookup_waiting"


def test_a_parked_event_waits_for_a_row_that_is_valid_when_it_happened(tmp_path: Path) -> None:
    with pytest.raises(Waiting) as caught:
        price(tmp_path, sale("1", time="2025-06-01T00:00:00Z"), "park")
    assert caught.value.wait.at == microseconds("2025-06-01")


@pytest.mark.parametrize("key", ["nope", "null", "true", "1.5"])
def test_what_is_no_key_is_not_waited_for(tmp_path: Path, key: str) -> None:
    one = transform(tmp_path, "item: {csv: lookups/items.csv, unresolved: park}", f'{{"x": $lookup("item", {key}).s}}')
    with pytest.raises(Refused) as caught:
        one.apply(sale(), "s")
    assert caught.value.problems[0].code == "lookup_missing"


def test_a_failure_after_a_wait_is_not_a_wait(tmp_path: Path) -> None:
    one = transform(tmp_path, "item: {csv: lookups/items.csv, unresolved: park}", '{"x": $lookup("item", store).sku}')
    for store, kind in (("99", Waiting), (None, Refused)):
        with pytest.raises(Refused) as caught:
            one.apply(sale(data={"store": store}), "s")
        assert type(caught.value) is kind


def test_transforms_that_ask_for_the_same_share_one_table(tmp_path: Path) -> None:
    text = MAP % ("item: lookups/items.csv", '{"x": 1}')
    other = text.replace("transform: t", "transform: u").replace(
        "item: lookups/items.csv", "i: {csv: lookups/items.csv}"
    )
    found = load(write(tmp_path, {"transforms/sale.yaml": text, "transforms/other.yaml": other}))
    assert len(tables(one.lookups for one in found)) == 1


def test_the_address_of_a_database_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    one = transform(tmp_path, 'store: {sql: {url: "${MASTER}", query: "select 1 as k"}}', '{"x": 1}')
    origin = one.lookups.by_name["store"].table.origin
    assert isinstance(origin, Sql)
    assert (origin.url, origin.refresh) == ("sqlite:///m.db", 300)
    assert "m.db" not in repr(origin)


def test_a_table_of_events_has_a_key_expression(tmp_path: Path) -> None:
    one = transform(tmp_path, "item: {events: item.updated, key: gtin}", '{"x": 1}')
    origin = one.lookups.by_name["item"].table.origin
    assert isinstance(origin, Fed)
    assert (origin.type, origin.key.text) == ("item.updated", "gtin")


@pytest.mark.parametrize(
    ("lookup", "code", "line", "column"),
    [
        ("item: {key: gtin}", "bad_lookup", 5, 3),
        ("item: {csv: lookups/items.csv, events: item.updated, key: x}", "bad_lookup", 5, 3),
        ("item: {events: item.updated}", "bad_lookup", 5, 3),
        ("item: {events: item.updated, key: gtin, valid_to: x}", "bad_lookup", 5, 43),
        ("item: {events: item.updated, key: 'gtin &'}", "bad_expression", 5, 3),
        ('item: {sql: {url: "${NOPE}", query: "select 1 as k"}}', "missing_variable", 5, 3),
        ('item: {sql: {url: "mysql://x/y", query: "select 1 as k"}}', "bad_url", 5, 3),
        ('item: {sql: {url: "${MASTER}", query: "delete from items"}}', "bad_lookup", 5, 34),
        ('item: {sql: {url: "${MASTER}", query: "select 1; drop table x"}}', "bad_lookup", 5, 34),
        ("item: {csv: lookups/items.csv, unresolved: wait}", "bad_value", 5, 34),
        ("item: {csv: lookups/items.csv, unresolved: {default: 1}}", "bad_value", 5, 47),
        ("item: {csv: lookups/items.txt}", "bad_value", 5, 10),
        ("item: {csv: lookups/items.csv, keys: gtin}", "unknown_key", 5, 34),
    ],
)
def test_a_lookup_that_does_not_go_together_is_placed(
    tmp_path: Path, lookup: str, code: str, line: int, column: int
) -> None:
    with pytest.raises(Refused) as caught:
        transform(tmp_path, lookup, '{"x": 1}')
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.line, problem.column) == (code, "transforms/sale.yaml", line, column)


def test_a_field_that_is_missing_finds_no_row_even_where_a_test_gives_one_without_a_key(tmp_path: Path) -> None:
    one = transform(tmp_path, "item: lookups/items.csv", '{"v": $lookup("item", nothing).v}', items="k,v\n1,a\n")
    with given([one.lookups], {"item": {"": {"v": "x"}}}), pytest.raises(Refused, match="lookup item has no row"):
        one.apply(sale("1"), "s")

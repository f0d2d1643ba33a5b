"""Transforms: what becomes of an event, and what is said when a map fails."""

from pathlib import Path

import pytest

from crossdock.kernel.event import Event, decode_structured
from crossdock.kernel.problems import Problem, Refused
from tests.smallproject import edited, sale, write
from transforms.engine import Transform
from transforms.spec import load

MAP = """\
transform: t
from: pos.sale@1
to: inventory.sold@1
lookups: {item: lookups/items.csv}
map: |
  %s
"""


def transform(root: Path, expression: str, business_key: str = "") -> Transform:
    text = MAP % expression + (f"business_key: {business_key}\n" if business_key else "")
    (one,) = load(write(root, {"transforms/sale.yaml": text}))
    return one


def apply(root: Path, expression: str, event: Event, business_key: str = "") -> Event:
    return transform(root, expression, business_key).apply(event, "crossdock:/inventory.sold/1.0")


def failure(root: Path, expression: str, event: Event, business_key: str = "") -> Problem:
    with pytest.raises(Refused) as caught:
        apply(root, expression, event, business_key)
    (problem,) = caught.value.problems
    return problem


def refused(root: Path, changes: dict[str, str | None]) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        load(write(root, changes))
    return list(caught.value.problems)


def test_the_envelope_stays_and_type_schema_data_and_key_are_new(tmp_path: Path) -> None:
    (one,) = load(write(tmp_path))
    raw = sale("1", time="2026-01-02T03:04:05Z", subject="x", extensions={"partner": "stores"})
    made = one.apply(raw, "crossdock:/inventory.sold/1.0")
    assert made == Event(
        id="s-1",
        source="/till/1",
        type="inventory.sold",
        data={"location": "STORE-0042", "lines": [{"item": "COFFEE", "quantity": 1}]},
        time="2026-01-02T03:04:05Z",
        subject="x",
        dataschema="crossdock:/inventory.sold/1.0",
        extensions={"partner": "stores", "businesskey": "0042/7"},
    )


def test_a_map_sees_the_envelope(tmp_path: Path) -> None:
    made = apply(tmp_path, '{"who": $event.partner, "id": $event.id}', sale(extensions={"partner": "stores"}))
    assert made.data == {"who": "stores", "id": "s-1"}


def test_integers_beyond_doubles_stay_exact(tmp_path: Path) -> None:
    raw = b'{"specversion":"1.0","id":"1","source":"/s","type":"pos.sale","data":{"n":9007199254740993}}'
    made = apply(tmp_path, '{"n": n, "text": "no " & n}', decode_structured(raw), 'n & "K"')
    assert made.data == {"n": 9007199254740993, "text": "no 9007199254740993"}
    assert made.extensions["businesskey"] == "9007199254740993K"


def test_a_lookup_finds_integer_keys_too(tmp_path: Path) -> None:
    assert apply(tmp_path, '{"item": $lookup("item", 2).sku}', sale()).data == {"item": "TEA"}


def test_a_lookup_in_an_object_is_still_jsonata(tmp_path: Path) -> None:
    assert apply(tmp_path, '{"r": $lookup($, "receipt")}', sale()).data == {"r": "7"}


def test_decimals_are_computed_exactly_on_text(tmp_path: Path) -> None:
    made = apply(
        tmp_path,
        '{"sum": $decsum(x.$decmul(p, q)), "back": $decneg("1.10")}',
        sale(data={"x": [{"p": "0.10", "q": 3}, {"p": "0.20", "q": 1}]}),
    )
    assert made.data == {"sum": "0.50", "back": "-1.10"}


def test_a_missing_row_names_table_and_key(tmp_path: Path) -> None:
    problem = failure(tmp_path, '{"item": $lookup("item", lines[0].gtin).sku}', sale("99"))
    assert (problem.code, problem.message) == ("lookup_missing", "lookup item has no row '99'")
    assert problem.hint == "see map of the transform t"


@pytest.mark.parametrize("key", ["nope", "null", "true", "1.5", "[1]"])
def test_what_is_no_key_is_missing_too(tmp_path: Path, key: str) -> None:
    assert failure(tmp_path, f'{{"item": $lookup("item", {key}).sku}}', sale()).code == "lookup_missing"


def test_a_value_that_is_no_number_is_named(tmp_path: Path) -> None:
    problem = failure(tmp_path, '{"x": $decadd("1", "many")}', sale())
    assert (problem.code, problem.message) == ("not_decimal", "'many' is not a decimal number")


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("nope", "transform_failed"),
        ('{"x": 1/0}', "transform_failed"),
        ('{"x": receipt + 1}', "expression_failed"),
        ('$error("no")', "expression_failed"),
        ("($f := function($n) { $f($n + 1) + 1 }; $f(0))", "expression_failed"),
        ("[1..9999999]", "expression_failed"),
    ],
)
def test_a_map_that_fails_is_refused_with_its_name(tmp_path: Path, expression: str, code: str) -> None:
    problem = failure(tmp_path, expression, sale())
    assert (problem.code, problem.hint) == (code, "see map of the transform t")


@pytest.mark.parametrize("key", ["nope", "1 = 1", "'\"\"'", "lines", "$pad('x', 2000)", "'\"a\\nb\"'"])
def test_a_business_key_must_be_short_printable_text(tmp_path: Path, key: str) -> None:
    problem = failure(tmp_path, '{"x": 1}', sale("1"), key)
    assert (problem.code, problem.hint) == ("transform_failed", "see business_key of the transform t")


def test_an_expression_that_does_not_compile_is_placed(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, edited("transforms/sale.yaml", 'store & "/" & receipt', "store &"))
    assert (problem.code, problem.file, problem.line) == ("bad_expression", "transforms/sale.yaml", 7)


def test_a_lookup_that_is_not_declared_is_found_before_it_runs(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, edited("transforms/sale.yaml", '$lookup("item"', '$lookup("itm"'))
    assert (problem.code, problem.hint) == ("unknown_lookup", "did you mean item?")


def test_problems_of_all_files_and_of_their_tables_come_at_once(tmp_path: Path) -> None:
    changes = {
        **edited("transforms/sale.yaml", "lookups/items.csv", "lookups/itms.csv"),
        "transforms/other.yaml": MAP % "1" + "colour: red\n",
        "transforms/third.yaml": MAP % "1",
        "transforms/lookups/items.csv": "k,v\n1\n",
    }
    found = {(p.code, p.file, p.line) for p in refused(tmp_path, changes)}
    assert found == {
        ("missing_file", "transforms/sale.yaml", 4),
        ("unknown_key", "transforms/other.yaml", 7),
        ("bad_lookup", "transforms/lookups/items.csv", 2),
    }

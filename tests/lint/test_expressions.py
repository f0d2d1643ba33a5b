"""Types of expressions: what is surely wrong is told, and what cannot be known is let be."""

from pathlib import Path
from typing import Any

import pytest

from crossdock.checking import check
from tests.smallproject import FILES, SALE, SALE_MAP, SOLD, STOCK, edited, write, write_schema

LINES = {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {"item": {"type": "string"},
         "quantity": {"type": "integer"}, "unit": {"enum": ["each", "case"]}}}}  # fmt: skip


def found(root: Path, changes: dict[str, str | None] | None = None, **sold: Any) -> list[tuple[str, str]]:
    write(root, changes)
    write_schema(root, "inventory.sold", "1.0", {**SOLD, "additionalProperties": False, **sold})
    return [(problem.code, problem.hint) for problem in check(root, {}, strict_env=False).problems]


def mapped(text: str) -> dict[str, str | None]:
    given = FILES[SALE_MAP]
    return {SALE_MAP: given[: given.index("map:")] + "map: |\n  " + text + "\n"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"location": stores, "lines": [1]}', "unknown_field"),
        ('{"location": $$.stores, "lines": [1]}', "unknown_field"),
        ('{"location": store.name, "lines": [1]}', "unknown_field"),
        ('{"location": store, "lines": lines[qtty > 1].gtin[]}', "unknown_field"),
        ('{"location": store, "lines": $map(lines, function($l) {$l.qtty})}', "unknown_field"),
        ('{"location": store, "lines": ($l := lines; $l.qtty)}', "unknown_field"),
        ('{"location": store, "lines": lines^(qtty)}', "unknown_field"),
        ('{"location": $lookup("item", "1").sku2, "lines": [1]}', "unknown_field"),
        ('{"location": store, "lines": [1], "more": 1}', "unknown_field"),
        ('{"location": store}', "missing_field"),
        ('{"location": 7, "lines": [1]}', "type_mismatch"),
        ('{"location": store = 7 ? "a" : "b", "lines": [1]}', "type_mismatch"),
        ('{"location": store, "lines": lines.(qty * gtin)[]}', "type_mismatch"),
        ('{"location": store, "lines": lines.{"x": qty}}', "single_or_list"),
        ('{"location": store, "lines": $map(lines, function($l) {{"x": $l.qty}})}', "single_or_list"),
        ('{"location": store, "lines": $event.anything.{"x": 1}}', "single_or_list"),
        ('{"location": store = "1" ? "a" : $gtin_ok(store), "lines": [1]}', "type_mismatch"),
        ('{"location": $units(1, store = "1" ? "kg" : "l", "each"), "lines": [1]}', "bad_unit"),
        ('{"location": ($zone := "Nowhere"; $local_time($event.time, $zone)), "lines": [1]}', "unknown_zone"),
        ('{"location": $decdiv(store, 0, 2), "lines": [1]}', "not_decimal"),
        ('{"location": $instant("2026-03-29T02:30:00", "Europe/Berlin"), "lines": [1]}', "ambiguous_time"),
        ('{"location": $stor, "lines": [1]}', "unknown_variable"),
    ],
)
def test_what_never_fits_is_told(tmp_path: Path, text: str, code: str) -> None:
    assert [problem for problem, _ in found(tmp_path, mapped(text))] == [code]


@pytest.mark.parametrize(
    "text",
    [
        '{"location": *[0], "lines": [1]}',
        '{"location": **.anything, "lines": [1]}',
        '{"location": $eval("x").y, "lines": [1]}',
        '{"location": ($f := function($x) {$x.any}; $f(lines)), "lines": [1]}',
        '{"location": $sift($, function($v, $k) {$k = "x"}).y, "lines": [1]}',
        '{"location": lines@$l.store[$l.any = 1].x, "lines": [1]}',
        '{"location": store, "lines": lines ~> |$|{"x": any}|}',
        '$merge([{"location": store}, {"lines": [1]}])',
        '{"location": store, "lines": lines{gtin: $sum(qty)}.x[]}',
        '{"location": store & 7, "lines": lines[0].gtin ? [1] : [2]}',
        '{"location": store, "lines": [lines.(qty > 1 ? gtin)]}',
        '{"location": store, $string("lines"): [1]}',
        '{"location": $event.anything, "lines": [1]}',
        '{"location": lines.%.store, "lines": [1]}',
        '{"location": store /* $lookup("old", x), $nix() */, "lines": [1]}',
        '{"location": "$lookup(\\"old\\", x)", "lines": [1]}',
        '{"location": "item" ~> $lookup("1") ~> $string(), "lines": [1]}',
        '{"location": $units(1, "case", store), "lines": [1]}',
        '{"location": $units(1, "case", "each", $lookup("item", store)), "lines": [1]}',
        '{"location": $units(1, store = "1" ? "kg" : "no unit", "kg"), "lines": [1]}',
        '{"location": $parse_date(store, "DD.MM.YYYY"), "lines": [1]}',
        '{"location": $instant($event.time, "Europe/Berlin", store), "lines": [1]}',
        '{"location": $lookup("item", store, "1") ? "a" : "b", "lines": [1]}',
    ],
)
def test_what_cannot_be_known_is_let_be(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, mapped(text)) == []


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ('$count(lines[unit = "cas"]) > 0', "impossible_value"),
        ('lines.unit in ["each", "cas"]', "impossible_value"),
        ('$event.type = "inventory.solt"', "impossible_value"),
        ("location > 5", "type_mismatch"),
        ("location", "when_not_boolean"),
        ("1 > 2", "dead_route"),
        ("false", "dead_route"),
    ],
)
def test_a_condition_that_never_holds_is_told(tmp_path: Path, when: str, code: str) -> None:
    changes = edited(STOCK, "when: $count(lines) > 1", f"when: '{when}'")
    properties = {"location": {"type": "string"}, "lines": LINES}
    assert [problem for problem, _ in found(tmp_path, changes, properties=properties)] == [code]


def test_a_field_of_any_of_several_versions_or_types_is_known(tmp_path: Path) -> None:
    known: Any = SALE["properties"]
    newer = {**SALE, "properties": {**known, "till": {"type": "string"}}}
    write_schema(tmp_path, "pos.sale", "1.1", newer)
    assert found(tmp_path, mapped('{"location": till, "lines": [1]}')) == []


def test_an_open_schema_is_only_asked_about_what_is_very_like_a_field_of_it(tmp_path: Path) -> None:
    write(tmp_path, mapped('{"location": recept & other, "lines": [1]}'))
    write_schema(tmp_path, "pos.sale", "1.0", {**SALE, "additionalProperties": True})
    told = check(tmp_path, {}, strict_env=False)
    assert [problem.code for problem in told.problems] == ["undeclared_field"]
    assert told.obstacles == ()


def test_a_schema_that_refers_to_itself_is_followed(tmp_path: Path) -> None:
    tree = {"type": "object", "properties": {"part": {"$ref": "#/$defs/t"}}, "additionalProperties": False}
    write(tmp_path, mapped('{"location": part.part.part.prt, "lines": [1]}'))
    write_schema(tmp_path, "pos.sale", "1.0", {**tree, "$defs": {"t": tree}})
    told = [problem.code for problem in check(tmp_path, {}, strict_env=False).problems]
    assert "unknown_field" in told


@pytest.mark.parametrize("text", ['$lookup(/* the old one */ "old", store)', '"old" ~> $lookup(store)'])
def test_a_lookup_that_does_not_exist_is_told_however_it_is_called(tmp_path: Path, text: str) -> None:
    told = found(tmp_path, mapped(f'{{"location": ({text}).sku, "lines": [1]}}'))
    assert [problem for problem, _ in told] == ["unknown_lookup"]


def test_a_field_that_is_required_without_a_schema_of_its_own_is_known(tmp_path: Path) -> None:
    write(tmp_path, mapped('{"location": till.name & receipt, "lines": [1]}'))
    given: Any = {key: value for key, value in SALE.items() if key != "additionalProperties"}
    write_schema(tmp_path, "pos.sale", "1.0", {**given, "required": [*given["required"], "till"]})
    assert check(tmp_path, {}, strict_env=False).problems == ()


@pytest.mark.parametrize(
    ("least", "lines", "codes"),
    [
        (2, "lines.{'item': gtin}", []),
        (2, "($l := lines; $l.{'item': gtin})", []),
        (1, "lines.{'item': gtin}", ["single_or_list"]),
        (2, "lines[qty > 1].{'item': gtin}", ["single_or_list"]),
    ],
)
def test_a_list_that_never_has_just_one_item_needs_no_brackets(
    tmp_path: Path, least: int, lines: str, codes: list[str]
) -> None:
    write(tmp_path, mapped(f'{{"location": store, "lines": {lines}}}'))
    known: Any = SALE["properties"]
    many = {**SALE, "properties": {**known, "lines": {**known["lines"], "minItems": least}}}
    write_schema(tmp_path, "pos.sale", "1.0", many)
    assert [problem.code for problem in check(tmp_path, {}, strict_env=False).problems] == codes


def test_an_expression_of_very_many_terms_is_checked_without_harm(tmp_path: Path) -> None:
    text = '{"location": ' + " & ".join(["store"] * 400) + ', "lines": [1]}'
    assert found(tmp_path, mapped(text)) == []
    told = found(tmp_path, mapped(text.replace("[1]", '$lookup("itme", store)')))
    assert told == [("unknown_lookup", "did you mean item?")]


FORM, TARGET = "transforms/targets/erp_stock.yaml", "transforms/targets/erp_stock.json"
WANTED = """{"type": "object", "properties": {"plant": {"type": "string"}, "rows": {"type": "array"}},
 "required": ["plant"], "additionalProperties": false}"""


@pytest.mark.parametrize(
    ("form", "codes"),
    [
        ('{"plant": locaton}', ["unknown_field"]),
        ('{"plant": location, "row": lines}', ["unknown_field"]),
        ('{"plant": location * 2}', ["type_mismatch", "type_mismatch"]),
        ('{"rows": lines}', ["missing_field"]),
        ('{"plant": $lookup("item", location).nmae}', ["unknown_field"]),
        ('{"plant": location & $source.name & $event.id, "rows": lines.{"q": quantity}[]}', []),
    ],
)
def test_the_form_of_a_target_is_checked_against_what_it_gets_and_what_the_target_wants(
    tmp_path: Path, form: str, codes: list[str]
) -> None:
    # given
    route = edited(STOCK, "to: erp\n", "to: erp\n    map: erp_stock\n")
    changes = {
        **route,
        TARGET: WANTED,
        FORM: f"lookups: {{item: lookups/items.csv}}\nschema: erp_stock.json\nmap: '{form}'\n",
    }
    properties = {"location": {"type": "string"}, "lines": LINES}
    # when
    told = found(tmp_path, changes, properties=properties)
    # then
    assert [problem for problem, _ in told] == codes


def test_a_form_is_checked_against_the_version_that_its_route_asks_for(tmp_path: Path) -> None:
    # given
    route = edited(
        STOCK, "from: [inventory.sold]\n    to: erp\n", "from: [inventory.sold@2]\n    to: erp\n    map: f\n"
    )
    cast = """map: '{"location": location, "lines": lines, "at": "x"}'\n"""
    for field, codes in (("at", []), ("gone", ["unknown_field"])):
        form = f"map: '{{\"x\": {field}}}'\n"
        root = write(
            tmp_path, {**route, "transforms/targets/f.yaml": form, "transforms/inventory.sold/1-to-2.yaml": cast}
        )
        older: Any = SOLD["properties"]
        newer = {"location": {"type": "string"}, "lines": LINES, "at": {"type": "string"}}
        write_schema(root, "inventory.sold", "1.0", {**SOLD, "properties": {**older, "gone": {}}})
        write_schema(root, "inventory.sold", "2.0", {**SOLD, "properties": newer, "additionalProperties": False})
        # when
        told = check(root, {}, strict_env=False).problems
        # then
        assert [problem.code for problem in told if problem.file == "transforms/targets/f.yaml"] == codes


def test_an_empty_list_that_is_lost_on_the_way_is_told_where_both_ends_take_it(tmp_path: Path) -> None:
    # given
    write(tmp_path, mapped('{"location": store, "lines": lines.{"x": qty}[]}'))
    sold = {"location": {"type": "string"}, "lines": {"type": "array"}}
    # when
    write_schema(tmp_path, "inventory.sold", "1.0", {**SOLD, "properties": sold})
    lost = check(tmp_path, {}, strict_env=False)
    write_schema(tmp_path, "inventory.sold", "1.0", {**SOLD, "properties": sold, "required": ["location"]})
    optional = check(tmp_path, {}, strict_env=False)
    # then
    assert [(one.code, one.hint) for one in lost.problems] == [("empty_list", "put [ and ] around it")]
    assert lost.obstacles == () and optional.problems == ()

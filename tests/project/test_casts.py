"""Casts: old versions of a type are lifted step by step to what a transform takes, and lowered for targets that lag."""

from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import Project, load
from tests.smallproject import ENV, SALE, SALE_MAP, SOLD, STOCK, edited, sale, write, write_schema

TAKES_3 = edited(SALE_MAP, "pos.sale@1", "pos.sale@3")[SALE_MAP].replace("& receipt", "& bill")  # type: ignore[union-attr]
THIRD: dict[str, Any] = {
    **SALE,
    "properties": {"store": {"type": "string"}, "bill": {"type": "string"}, "lines": {"type": "array"}},
    "required": ["store", "bill", "lines"],
}
CHAIN: dict[str, str | None] = {
    SALE_MAP: TAKES_3,
    "transforms/pos.sale/1-to-2.yaml": """map: '$'\n""",
    "transforms/pos.sale/2-to-3.yaml": """map: '{"store": store, "bill": receipt, "lines": lines}'\n""",
}


def content(root: Path, changes: dict[str, str | None]) -> Path:
    """Write the small project with sales of three majors and stock sold of two."""
    write(root, {**CHAIN, **changes})
    write_schema(root, "pos.sale", "2.0", SALE)
    write_schema(root, "pos.sale", "3.0", THIRD)
    write_schema(root, "inventory.sold", "2.0", {**SOLD, "required": ["location", "lines", "unit"]})
    return root


def project(root: Path, changes: dict[str, str | None] | None = None) -> Project:
    return load(content(root, changes or {}), ENV)


def problems(root: Path, changes: dict[str, str | None]) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        project(root, changes)
    return list(caught.value.problems)


def failure(act: Any) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        act()
    return list(caught.value.problems)


def test_an_old_version_is_cast_up_to_the_one_that_the_transform_takes(tmp_path: Path) -> None:
    made = project(tmp_path).canonical(sale("1", extensions={"partner": "stores"}), "1.0")
    assert (made.type, made.dataschema) == ("inventory.sold", "crossdock:/inventory.sold/1.0")
    assert made.data == {"location": "STORE-0042", "lines": [{"item": "COFFEE", "quantity": 1}]}
    assert made.extensions == {"partner": "stores", "businesskey": "0042/7"}


def test_a_direct_transform_wins(tmp_path: Path) -> None:
    direct = 'transform: old\nfrom: pos.sale@2\nto: inventory.sold@1\nmap: \'{"location": "OLD", "lines": [1]}\'\n'
    loaded = project(tmp_path, {"transforms/old.yaml": direct, "transforms/pos.sale/2-to-3.yaml": None})
    assert loaded.canonical(sale("1"), "1.0").data["location"] == "OLD"
    assert loaded.canonical(sale("1"), "2.0").data["location"] == "OLD"


def test_each_step_is_checked_against_the_newest_schema_of_its_major(tmp_path: Path) -> None:
    loaded = project(tmp_path, {"transforms/pos.sale/1-to-2.yaml": """map: '{"store": store, "lines": lines}'\n"""})
    (problem,) = failure(lambda: loaded.canonical(sale("1"), "1.0"))
    assert (problem.code, problem.pointer) == ("upcast_invalid", "/receipt")
    assert problem.hint == "see the cast pos.sale/1-to-2"


def test_a_canonical_type_that_is_sent_is_cast_up_to_its_newest_major(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        SALE_MAP: None,
        "transforms/sale.test.yaml": None,
        "routes/stock.test.yaml": None,
        STOCK: edited(STOCK, "inventory.sold", "pos.sale")[STOCK],
    }
    root = content(tmp_path, changes)
    loaded = load(root, ENV)
    assert loaded.canonical(sale("1"), "1.0").data == {"store": "0042", "bill": "7", "lines": [{"gtin": "1", "qty": 1}]}
    newest = sale("1", data={"store": "1", "bill": "2", "lines": []})
    assert loaded.canonical(newest, "3.0") is newest


DOWN = {
    SALE_MAP: TAKES_3.replace("inventory.sold@1", "inventory.sold@2").replace(
        '"location":', '"unit": "each", "location":'
    ),
    STOCK: edited(STOCK, "[inventory.sold]", "[inventory.sold@1]")[STOCK],
    "transforms/inventory.sold/2-to-1.yaml": """map: '{"location": location, "lines": lines}'\n""",
    "transforms/sale.test.yaml": None,
    "routes/stock.test.yaml": None,
}


def test_a_canonical_event_is_cast_down_for_a_target_that_lags(tmp_path: Path) -> None:
    # given
    loaded = project(tmp_path, DOWN)
    canonical = loaded.canonical(sale("1"), "1.0")
    # when
    old = loaded.downcast(canonical, 1)
    # then
    assert canonical.data == {"unit": "each", "location": "STORE-0042", "lines": [{"item": "COFFEE", "quantity": 1}]}
    assert (old.data, old.dataschema) == (
        {"location": "STORE-0042", "lines": [{"item": "COFFEE", "quantity": 1}]},
        "crossdock:/inventory.sold/1.0",
    )
    assert loaded.downcast(canonical, 2) is canonical
    assert [problem.code for problem in failure(lambda: loaded.downcast(old, 2))] == ["no_cast"]


def test_what_does_not_fit_the_older_version_is_refused(tmp_path: Path) -> None:
    loaded = project(tmp_path, DOWN | {"transforms/inventory.sold/2-to-1.yaml": """map: '{"lines": []}'\n"""})
    canonical = loaded.canonical(sale("1"), "1.0")
    found = failure(lambda: loaded.downcast(canonical, 1))
    assert {(problem.code, problem.hint) for problem in found} == {
        ("downcast_invalid", "see the cast inventory.sold/2-to-1")
    }
    assert "/lines" in {problem.pointer for problem in found}


@pytest.mark.parametrize(
    ("changes", "code", "file", "hint"),
    [
        (
            {"transforms/pos.sale/3-to-4.yaml": "map: $\n"},
            "unknown_version",
            "transforms/pos.sale/3-to-4.yaml",
            "known: 1, 2, 3",
        ),
        (
            {"transforms/pos.sal/1-to-2.yaml": "map: $\n"},
            "unknown_version",
            "transforms/pos.sal/1-to-2.yaml",
            "known: none",
        ),
        (
            {"transforms/pos.sale/1-to-3.yaml": "map: $\n"},
            "bad_cast",
            "transforms/pos.sale/1-to-3.yaml",
            "casts are chained: 1-to-2 and 2-to-3",
        ),
        (
            {"transforms/pos.sale/2-to-2.yaml": "map: $\n"},
            "bad_cast",
            "transforms/pos.sale/2-to-2.yaml",
            "casts are chained: 1-to-2 and 2-to-3",
        ),
        (
            {"transforms/pos.sale/2-to-3.yaml": None},
            "unreachable_cast",
            "transforms/pos.sale/1-to-2.yaml",
            "write the next one: pos.sale/2-to-3.yaml",
        ),
        (
            {SALE_MAP: edited(SALE_MAP, "pos.sale@1", "pos.sale@2")[SALE_MAP]},
            "unreachable_cast",
            "transforms/pos.sale/2-to-3.yaml",
            "remove one of the two",
        ),
        (
            {"transforms/pos.sale/2-to-1.yaml": "map: $\n"},
            "unreachable_cast",
            "transforms/pos.sale/2-to-1.yaml",
            "from: [pos.sale@1]",
        ),
        (
            {STOCK: edited(STOCK, "[inventory.sold]", "[inventory.sold@2]")[STOCK]},
            "no_cast",
            STOCK,
            "write transforms/inventory.sold/1-to-2.yaml",
        ),
        ({STOCK: edited(STOCK, "[inventory.sold]", "[inventory.sold@9]")[STOCK]}, "unknown_version", STOCK, ""),
        (
            {"transforms/pos.sale/upcast.yaml": "map: $\n"},
            "wrong_name",
            "transforms/pos.sale/upcast.yaml",
            "transforms/<type>/1-to-2.yaml",
        ),
        (
            {"transforms/pos.sale/1-to-2.yaml": "map: store &\n"},
            "bad_expression",
            "transforms/pos.sale/1-to-2.yaml",
            None,
        ),
        (
            {"transforms/pos.sale/1-to-2.yaml": "map: $\nto: x\n"},
            "unknown_key",
            "transforms/pos.sale/1-to-2.yaml",
            None,
        ),
    ],
)
def test_a_cast_that_cannot_work_is_placed(
    tmp_path: Path, changes: dict[str, str | None], code: str, file: str, hint: str | None
) -> None:
    root = content(tmp_path, changes)
    for name, text in changes.items():
        if text is None:
            (root / name).unlink(missing_ok=True)
    with pytest.raises(Refused) as caught:
        load(root, ENV)
    found = [problem for problem in caught.value.problems if (problem.code, problem.file) == (code, file)]
    assert found, caught.value
    assert hint is None or hint in {problem.hint for problem in found}


def test_a_version_that_nothing_lifts_is_still_found(tmp_path: Path) -> None:
    found = problems(tmp_path, {"transforms/pos.sale/1-to-2.yaml": None})
    assert [(problem.code, problem.file) for problem in found] == [("no_transform", "gateway/tills.yaml")]


def test_an_event_is_cast_with_its_envelope(tmp_path: Path) -> None:
    loaded = project(tmp_path, {"transforms/pos.sale/1-to-2.yaml": """map: '$merge([$, {"receipt": $event.id}])'\n"""})
    made = loaded.transform(Event("e-9", "/till", "pos.sale", sale("1").data), "1.0")
    assert made.extensions["businesskey"] == "0042/e-9"


PARKS = "lookups: {item: {csv: lookups/items.csv, unresolved: park}}\nmap: $\n"
AHEAD = {
    STOCK: edited(STOCK, "[inventory.sold]", "[inventory.sold@2]")[STOCK],
    "transforms/inventory.sold/1-to-2.yaml": PARKS,
}


def test_a_cast_up_for_a_target_that_is_ahead_cannot_park_an_event(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, AHEAD)
    assert (problem.code, problem.file) == ("bad_lookup", "transforms/inventory.sold/1-to-2.yaml")
    assert problem.hint == "say fail or a default"


def test_a_cast_up_that_only_processing_uses_may_park_an_event(tmp_path: Path) -> None:
    assert len(project(tmp_path, {"transforms/pos.sale/1-to-2.yaml": PARKS}).casts) == 2


def test_a_cast_up_that_only_a_route_uses_is_not_useless(tmp_path: Path) -> None:
    root = content(tmp_path, {**AHEAD, "transforms/inventory.sold/1-to-2.yaml": "map: $\n"})
    write_schema(root, "inventory.sold", "3.0", SOLD)
    assert len(load(root, ENV).casts) == 3

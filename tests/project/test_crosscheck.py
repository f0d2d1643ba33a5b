"""What does not fit together between the content folders is found when the project is loaded."""

from pathlib import Path

import pytest

from crossdock.kernel.problems import Problem, Refused
from crossdock.project import load
from tests.smallproject import (
    ENV,
    SALE,
    SALE_MAP,
    STOCK,
    TILLS,
    edited,
    only,
    project,
    refused,
    source,
    write,
    write_schema,
)


def place(problem: Problem) -> tuple[str, str, int, int]:
    return problem.code, problem.file, problem.line, problem.column


def test_an_unknown_connector_is_placed_with_a_near_name(tmp_path: Path) -> None:
    problem = only(tmp_path, edited(STOCK, "to: erp", "to: epr"))
    assert (place(problem), problem.hint) == (("unknown_connector", STOCK, 4, 5), "did you mean erp?")


def test_a_type_nobody_makes_is_placed_with_a_near_name(tmp_path: Path) -> None:
    problem = only(tmp_path, edited(STOCK, "[inventory.sold]", "[inventory.sold, inventory.solt]"))
    assert (place(problem), problem.hint) == (("unknown_type", STOCK, 3, 28), "did you mean inventory.sold?")


def test_a_route_that_names_the_raw_type_is_told_what_becomes_of_it(tmp_path: Path) -> None:
    problem = only(tmp_path, edited(STOCK, "[inventory.sold]", "[pos.sale]"))
    assert (problem.code, problem.hint) == ("unknown_type", "pos.sale becomes inventory.sold in transform sale")


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("from: pos.sale@1", "from: pos.sail@1", "unknown_type", 2),
        ("from: pos.sale@1", "from: pos.sale@2", "unknown_version", 2),
        ("to: inventory.sold@1", "to: inventory.sold@3", "unknown_version", 3),
    ],
)
def test_a_transform_between_unknown_schemas_is_placed(
    tmp_path: Path, old: str, new: str, code: str, line: int
) -> None:
    found = [(p.code, p.file, p.line) for p in refused(tmp_path, edited(SALE_MAP, old, new))]
    assert (code, SALE_MAP, line) in found


def test_a_source_of_an_unknown_type_or_version_is_placed(tmp_path: Path) -> None:
    found = [place(p) for p in refused(tmp_path, edited(TILLS, "[pos.sale]", "[pos.sale@1.4, pos.void]"))]
    assert found == [("unknown_version", TILLS, 4, 9), ("unknown_type", TILLS, 4, 23)]


def test_a_source_type_that_nothing_takes_is_a_problem(tmp_path: Path) -> None:
    write_schema(tmp_path, "pos.void", "1.0", SALE)
    problem = only(tmp_path, edited(TILLS, "[pos.sale]", "[pos.sale, pos.void]"))
    assert (problem.code, problem.message) == ("no_transform", "no transform takes pos.void@1 and no route names it")


def test_a_new_major_version_needs_its_own_transform_unless_the_source_is_pinned(tmp_path: Path) -> None:
    write_schema(tmp_path, "pos.sale", "2.0", SALE)
    assert [p.code for p in refused(tmp_path)] == ["no_transform"]
    assert project(tmp_path, edited(TILLS, "[pos.sale]", "[pos.sale@1.0]")).revision


@pytest.mark.parametrize(("one", "two"), [("", ""), ("", "/a/"), ("/a/", "/a/b"), ("/a/b", "/a/")])
def test_overlapping_sources_of_a_partner_are_ambiguous(tmp_path: Path, one: str, two: str) -> None:
    more = [[f"match: {text}"] if text else [] for text in (one, two)]
    changes = {f"gateway/{name}.yaml": source(name, "p", *more[i]) for i, name in enumerate("ab")}
    problem = only(tmp_path, dict(changes))
    assert (problem.code, problem.file) == ("ambiguous_source", "gateway/b.yaml")


def test_two_partners_may_send_the_same_type(tmp_path: Path) -> None:
    assert len(project(tmp_path, {"gateway/a.yaml": source("a", "p")}).sources) == 2


def test_names_are_unique_in_the_project(tmp_path: Path) -> None:
    first = write(tmp_path)
    changes: dict[str, str | None] = {
        "gateway/zz.yaml": source("tills", "other"),
        "routes/zz.yaml": (first / STOCK).read_text(),
        "transforms/zz.yaml": (first / SALE_MAP).read_text(),
    }
    found = [(p.code, p.file, p.hint) for p in refused(tmp_path, changes)]
    assert found == [
        ("duplicate_name", "gateway/zz.yaml", "the other one is at gateway/tills.yaml:1"),
        ("duplicate_name", "routes/zz.yaml", "the other one is at routes/stock.yaml:2"),
        ("duplicate_name", "transforms/zz.yaml", "the other one is at transforms/sale.yaml:1"),
        ("duplicate_transform", "transforms/zz.yaml", "it is at transforms/sale.yaml:1"),
    ]


def test_problems_of_all_folders_come_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        **edited(TILLS, "types:", "tipes:"),
        **edited(SALE_MAP, "map:", "maps:"),
        **edited(STOCK, "to: erp", "to: 7"),
        **edited("connectors/erp.yaml", "kind: http", "kind: pigeon"),
        **edited("routes/stock.test.yaml", "expect", "except"),
    }
    write_schema(write(tmp_path, changes), "pos.sale", "1.0", {"type": "x"})
    with pytest.raises(Refused) as caught:
        load(tmp_path, ENV)
    files = list(dict.fromkeys(problem.file for problem in caught.value.problems))
    assert files == sorted(
        [TILLS, SALE_MAP, STOCK, "connectors/erp.yaml", "routes/stock.test.yaml", "schemas/pos.sale/1.0.json"]
    )


def test_a_broken_folder_does_not_make_the_others_look_broken(tmp_path: Path) -> None:
    assert [p.file for p in refused(tmp_path, edited(SALE_MAP, "from: pos.sale@1", "from: [pos.sale@1]"))] == [SALE_MAP]


def test_a_broken_file_does_not_keep_the_others_of_its_folder_from_being_compared(tmp_path: Path) -> None:
    # given
    changes: dict[str, str | None] = {
        "connectors/wms.yaml": "connector: wms\nkind: [\n",
        "routes/more.yaml": "routes:\n"
        "  - {route: a, from: [inventory.sold], to: wms}\n  - {route: b, from: [x.y], to: wsm}\n",
    }
    # when
    found = [place(problem)[:3] for problem in refused(tmp_path, changes)]
    # then
    assert found == [
        ("bad_yaml", "connectors/wms.yaml", 3),
        ("unknown_type", "routes/more.yaml", 3),
        ("unknown_connector", "routes/more.yaml", 3),
    ]


def test_a_missing_variable_does_not_hide_what_else_is_wrong_with_its_file(tmp_path: Path) -> None:
    text = "connector: erp\nkind: http\nurl: ${GONE}/x\nnetworks: [10.0.0.0/99]\ntimeout: ${WAIT}\n"
    codes = [(problem.code, problem.line) for problem in refused(tmp_path, {"connectors/erp.yaml": text})]
    assert codes == [("missing_variable", 3), ("bad_network", 4), ("missing_variable", 5)]


def test_several_slips_of_one_file_are_told_together(tmp_path: Path) -> None:
    changes = edited(SALE_MAP, "business_key: store", "busines_key: $stor(")
    changes[SALE_MAP] = str(changes[SALE_MAP]).replace('$lookup("item"', '$lookup("itm"')
    assert {problem.code for problem in refused(tmp_path, changes)} == {
        "unknown_key",
        "bad_expression",
        "unknown_lookup",
    }

"""The project: everything loaded at once, compared with each other, and asked by the pipeline."""

from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.project import load, revision_of
from tests.smallproject import SALE_MAP, STOCK, TILLS, edited, only, project, sale, source, write


def test_a_project_holds_all_content_by_name(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    assert (list(loaded.sources), list(loaded.routes), list(loaded.connectors)) == (["tills"], ["stock"], ["erp"])
    assert list(loaded.transforms) == [("pos.sale", 1)]
    assert [test.name for test in loaded.tests] == ["A sale becomes a movement", "A sale of two lines is booked"]


def test_a_source_has_careful_defaults(tmp_path: Path) -> None:
    tills = project(tmp_path).sources["tills"]
    assert (tills.partner, tills.accept, tills.types, tills.match) == ("stores", "cloudevents", (("pos.sale", ""),), "")
    assert (tills.limits.body, tills.limits.batch, tills.dedupe_window) == (262144, 1000, 604800)


def test_limits_and_pins_of_a_source_are_read(tmp_path: Path) -> None:
    more = "limits: {body: 128KiB, batch: 10}\ndedupe: {window: 2h}\nmatch: /till/\n"
    changes = edited(TILLS, "[pos.sale]\n", "[pos.sale@1.0]\n" + more)
    tills = project(tmp_path, changes).sources["tills"]
    assert (tills.limits.body, tills.limits.batch, tills.dedupe_window, tills.match) == (131072, 10, 7200, "/till/")
    assert (tills.pin("pos.sale"), tills.pin("pos.return")) == ("1.0", "")


def test_a_source_may_not_take_more_than_the_broker_holds(tmp_path: Path) -> None:
    more = "limits: {body: 9MiB}\n"
    with pytest.raises(Refused) as caught:
        project(tmp_path, edited(TILLS, "[pos.sale]\n", "[pos.sale]\n" + more))
    assert [(p.code, p.line) for p in caught.value.problems] == [("bad_value", 5)]


def test_a_transform_is_found_by_major_version(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    found = loaded.transform_for("pos.sale", "1.7")
    assert found is not None and found.name == "sale"
    assert loaded.transform_for("pos.sale", "2.0") is None


def test_an_event_belongs_to_the_source_that_accepts_its_type(tmp_path: Path) -> None:
    assert project(tmp_path).source_for("stores", "pos.sale", "/anything").name == "tills"


def test_of_two_sources_the_one_whose_prefix_fits_is_taken(tmp_path: Path) -> None:
    changes = {"gateway/a.yaml": source("a", "p", "match: /a/"), "gateway/b.yaml": source("b", "p", "match: /b/")}
    loaded = project(tmp_path, changes)
    assert [loaded.source_for("p", "pos.sale", at).name for at in ("/b/1", "/a/1")] == ["b", "a"]
    with pytest.raises(Refused) as caught:
        loaded.source_for("p", "pos.sale", "/c/1")
    assert "source must begin with /a/ or /b/" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("partner", "type_", "hint"), [("stores", "pos.void", "accepted: pos.sale"), ("other", "pos.sale", "ask for")]
)
def test_a_type_that_is_not_accepted_is_refused_without_naming_other_partners(
    tmp_path: Path, partner: str, type_: str, hint: str
) -> None:
    with pytest.raises(Refused) as caught:
        project(tmp_path).source_for(partner, type_, "/s")
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == ("type_not_accepted", "/type")
    assert problem.hint.startswith(hint)


def test_a_raw_event_becomes_canonical_and_finds_its_routes(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    made = loaded.canonical(sale("1", "2"), loaded.check(sale("1", "2")))
    assert (made.type, made.dataschema) == ("inventory.sold", "crossdock:/inventory.sold/1.0")
    assert [route.name for route in loaded.matching(made)] == ["stock"]
    assert loaded.matching(loaded.canonical(sale("1"), "1.0")) == ()


def test_data_that_breaks_its_schema_is_the_senders_mistake(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        project(tmp_path).check(sale("1", data={"store": "x"}))
    assert {problem.code for problem in caught.value.problems} == {"schema_violation"}


def test_a_canonical_form_that_breaks_its_schema_is_the_transforms_mistake(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        project(tmp_path).canonical(sale(), "1.0")
    assert [(p.code, p.pointer) for p in caught.value.problems] == [("canonical_invalid", "/lines")]


def test_a_type_without_transform_passes_unchanged_when_a_route_names_it(tmp_path: Path) -> None:
    changes = {
        **edited(TILLS, "[pos.sale]", "[pos.sale, inventory.sold]"),
        SALE_MAP: None,
        "transforms/sale.test.yaml": None,
    }
    changes |= {**edited(STOCK, "[inventory.sold]", "[inventory.sold, pos.sale]"), "routes/stock.test.yaml": None}
    loaded = project(tmp_path, changes)
    sold = Event(id="1", source="/s", type="inventory.sold", data={"location": "A", "lines": [1]})
    assert loaded.canonical(sold, "1.0") is sold


def test_a_type_that_nothing_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        project(tmp_path).canonical(Event(id="1", source="/s", type="pos.sale"), "2.0")
    assert caught.value.problems[0].code == "no_transform"


def test_variables_must_be_set_only_where_they_are_used(tmp_path: Path) -> None:
    write(tmp_path)
    assert load(tmp_path, {}, strict_env=False).connectors
    with pytest.raises(Refused) as caught:
        load(tmp_path, {})
    assert caught.value.problems[0].code == "missing_variable"


def test_the_revision_follows_content_and_names_but_not_tests(tmp_path: Path) -> None:
    before = revision_of(write(tmp_path))
    assert len(before) == 12 and int(before, 16) >= 0
    (tmp_path / "routes/stock.test.yaml").write_text("tests: []")
    assert revision_of(tmp_path) == before
    (tmp_path / "transforms/lookups/items.csv").write_text("gtin,sku\n")
    after = revision_of(tmp_path)
    (tmp_path / STOCK).rename(tmp_path / "routes/other.yaml")
    assert len({before, after, revision_of(tmp_path)}) == 3


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("{type: pos.sale, data: {}, colour: red}", "unknown_key"),
        ("{type: pos.sale}", "missing_key"),
        ("{type: pos.sale, version: 1.0, data: {}}", "bad_value"),
        ("{type: pos.sale, data: {}, time: noon}", "invalid_envelope"),
        ("{type: pos.sale, data: 99999999999999999999999}", "bad_value"),
    ],
)
def test_a_content_test_with_a_mistake_is_placed(tmp_path: Path, given: str, code: str) -> None:
    text = f"tests:\n  - name: x\n    given: {given}\n    expect: {{routes: []}}\n"
    problem = only(tmp_path, {"routes/stock.test.yaml": text})
    assert (problem.code, problem.file, problem.line) == (code, "routes/stock.test.yaml", 3)


def test_a_given_event_is_decoded_as_the_gateway_does(tmp_path: Path) -> None:
    given: dict[str, Any] = {"n": 2**53 + 1}
    test = f"{{name: x, given: {{type: pos.sale, version: '1.0', data: {given}}}, expect: {{routes: []}}}}"
    (event,) = project(tmp_path, {"routes/stock.test.yaml": f"tests: [{test}]"}).tests[-1].events
    assert (event.dataschema, event.data, event.exact) == ("crossdock:/pos.sale/1.0", given, True)


def test_a_file_that_would_be_passed_over_is_a_problem(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / STOCK).rename((tmp_path / STOCK).with_suffix(".yml"))
    with pytest.raises(Refused) as caught:
        load(tmp_path, {}, strict_env=False)
    assert ("wrong_suffix", "routes/stock.yml") in [(p.code, p.file) for p in caught.value.problems]

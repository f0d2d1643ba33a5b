"""What connectors read of events, against what routes bring them."""

from pathlib import Path

import pytest

from crossdock.checking import check
from tests.lint.test_expressions import found
from tests.smallproject import FILES, STOCK, write


def connector(more: str) -> dict[str, str | None]:
    return {"connectors/erp.yaml": FILES["connectors/erp.yaml"] + more}


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ("path: {expression: '\"/\" & locaton'}\n", "did you mean location?"),
        ("query: {at: {expression: locaton}}\n", "did you mean location?"),
        ("headers: {X-At: {expression: $$.locaton}}\n", "did you mean location?"),
        ("body: {expression: $string(locaton)}\n", "did you mean location?"),
    ],
)
def test_what_a_connector_reads_of_events_that_lack_it_is_told_at_its_place(
    tmp_path: Path, more: str, hint: str
) -> None:
    assert found(tmp_path, connector(more)) == [("unknown_field", hint)]
    assert found(tmp_path, connector(more.replace("locaton", "location"))) == []


def test_a_column_is_checked_against_what_the_form_of_the_route_makes(tmp_path: Path) -> None:
    # given
    sql = "connector: erp\nkind: sql\nurl: ${DB}\ntable: t\ncolumns: {at: at, was: location}\nkey: [at]\n"
    form = {
        "connectors/erp.yaml": sql,
        STOCK: FILES[STOCK].replace("to: erp", "to: erp\n    map: erp"),
        "transforms/targets/erp.yaml": "map: '{\"at\": location}'\n",
    }
    # when
    write(tmp_path, form)
    (problem,) = check(tmp_path, {}, strict_env=False).problems
    # then
    assert (problem.file, problem.line, problem.column) == ("connectors/erp.yaml", 5, 24)
    assert problem.code == "unknown_field"


def test_where_many_events_go_as_one_the_expressions_see_them_all(tmp_path: Path) -> None:
    more = "headers: {X-Many: {expression: $count(items)}}\nbatch: {wrap: '{\"all\": items.data[]}'}\n"
    assert found(tmp_path, connector(more)) == []

"""Content tests that say the rows of lookups: in the place of those of their tables, for one test."""

from pathlib import Path

from crossdock import checking
from crossdock.trial import testrun
from crossdock.trial.rehearsal import Rehearsal
from tests.smallproject import ENV, project, write

SALE = '{type: pos.sale, data: {store: "0042", receipt: "7", lines: [{gtin: "99", qty: 1}, {gtin: "1", qty: 1}]}}'
TESTS = """\
tests:
  - name: With the rows of the test
    lookups: {%s: {"99": {sku: CAKE}, "1": {sku: OTHER}}}
    given: %s
    expect: {data: {location: STORE-0042, lines: [{item: CAKE, quantity: 1}, {item: OTHER, quantity: 1}]}}
  - name: With those of the table
    given: %s
    expect: {error: lookup_missing}
"""


def differences(root: Path, lookup: str = "lookups/items.csv", name: str = "item") -> list[str]:
    text = TESTS % (name, SALE, SALE)
    sale = f"""\
transform: sale
from: pos.sale@1
to: inventory.sold@1
lookups: {{item: {lookup}}}
map: |
  {{"location": "STORE-" & store, "lines": lines.{{"item": $lookup("item", gtin).sku, "quantity": qty}}[]}}
"""
    files = {"transforms/sale.yaml": sale, "transforms/sale.test.yaml": text, "routes/stock.test.yaml": None}
    loaded = project(root, files)
    return [str(found) for test in loaded.tests for found in testrun.run(Rehearsal(loaded), test).differences]


def test_the_rows_hold_for_their_test_and_no_other(tmp_path: Path) -> None:
    assert differences(tmp_path) == []


def test_rows_of_a_query_and_of_a_dated_table_are_given_alike(tmp_path: Path) -> None:
    query = '{sql: {url: "sqlite:///none.db", query: select 1 as gtin}, valid_from: since}'
    assert differences(tmp_path, query) == []


def test_a_lookup_that_is_not_there_is_found_by_check(tmp_path: Path) -> None:
    text = TESTS % ("itm", SALE, SALE)
    found = checking.check(write(tmp_path, {"transforms/sale.test.yaml": text}), ENV)
    (problem,) = [p for p in found.problems if p.code == "unknown_lookup"]
    assert (problem.file, problem.line, problem.column) == ("transforms/sale.test.yaml", 3, 15)
    assert problem.hint == "did you mean item?"

"""Rows of CSV: by key, by validity, and refused with line numbers when they are not clean."""

from pathlib import Path

import pytest

from crossdock.kernel.moments import microseconds
from crossdock.kernel.problems import Problem, Refused
from transforms.lookuprows import parse, read
from transforms.lookups import Columns, Period

FIRST = Columns()
DATED = Columns("gtin", "from", "to")
PRICES = """\
gtin,from,to,price
1,2026-01-01,2026-02-01,1.00
1,2026-02-01,,1.10
2,,2026-03-01T00:00:00+02:00,5.00
"""


def refused(raw: bytes, columns: Columns = FIRST) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        parse(raw, "t.csv", columns)
    return list(caught.value.problems)


def test_rows_are_found_by_the_first_column() -> None:
    rows = parse('﻿gtin,name\r\n1,Café\r\n\r\n2,"Tea, ""green"""\r\n'.encode(), "t.csv", FIRST)
    assert rows == {"1": {"gtin": "1", "name": "Café"}, "2": {"gtin": "2", "name": 'Tea, "green"'}}


def test_rows_are_found_by_the_column_that_is_the_key() -> None:
    assert parse(b"name,gtin\nTea,1\n", "t.csv", Columns("gtin")) == {"1": {"name": "Tea", "gtin": "1"}}


def test_every_ragged_row_and_repeated_key_has_its_line() -> None:
    problems = refused(b"k,v\n1,a\n2\n1,b\n3,c,d\n1,c\n")
    assert [(p.line, p.code) for p in problems] == [(line, "bad_lookup") for line in (3, 4, 5, 6)]
    assert problems[1].message == "the key '1' stands already in line 2"


@pytest.mark.parametrize("columns", [FIRST, Columns("k", "v")])
def test_an_empty_key_is_refused_with_its_line(columns: Columns) -> None:
    problems = refused(b"k,v\n1,2026-01-01\n,2026-01-01\n,2026-02-01\n", columns)
    assert [(p.line, p.message) for p in problems] == [(3, "the key is empty"), (4, "the key is empty")]


@pytest.mark.parametrize("raw", [b"", b"k,k\n", b"k,\n", b'k,v\n"1,a\n', b"k,v\n\xff,a\n"])
def test_a_file_that_is_no_table_is_refused(raw: bytes) -> None:
    assert [p.code for p in refused(raw)] == ["bad_lookup"]


def test_a_table_without_rows_is_fine() -> None:
    assert parse(b"k,v\n", "t.csv", FIRST) == {}


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "lookups/../../secret.csv", "link.csv"])
def test_a_path_does_not_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "transforms"
    (folder / "lookups").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("k,v\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(Refused) as caught:
        read(folder, path, tmp_path, FIRST)
    assert [p.code for p in caught.value.problems] == ["outside"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, "none.csv", tmp_path, FIRST)
    assert caught.value.problems[0].code == "missing_file"


def test_a_dated_table_has_the_periods_of_a_key_in_their_order() -> None:
    swapped = PRICES.replace("1,2026-02-01,,1.10\n", "") + "1,2026-02-01,,1.10\n"
    first, second = parse(swapped.encode(), "t.csv", DATED)["1"]
    assert isinstance(first, Period)
    assert (first.since, first.until, first.row["price"]) == (*map(microseconds, ("2026-01-01", "2026-02-01")), "1.00")
    assert second.since == first.until


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ("1,2026-01-01,,a\n1,2026-05-01,2026-06-01,b", 3, "the key '1' is valid in line 2 at the same time"),
        ("1,2026-05-01,2026-06-01,b\n2,,,x\n1,,2026-05-02,a", 4, "the key '1' is valid in line 2 at the same time"),
        ("1,,2026-09-01,a\n1,2026-01-01,2026-02-01,b\n1,2026-03-01,2026-04-01,c", 3, "the key '1' is valid in line 2"),
        ("1,2026-01-01,,a\n1,2026-01-01,,a", 3, "the key '1' is valid in line 2 at the same time"),
        ("1,2026-02-01,2026-02-01,a", 2, "to is not after from"),
        ("1,yesterday,,a", 2, "'yesterday' is neither a date nor a time"),
        ("1,2026-02-30,,a", 2, "day"),
        ("1,20260201,,a", 2, "'20260201' is neither a date nor a time"),
    ],
)
def test_periods_that_overlap_and_bad_dates_have_their_line(rows: str, line: int, message: str) -> None:
    problem = refused(f"gtin,from,to,price\n{rows}\n".encode(), DATED)[0]
    assert (problem.code, problem.file, problem.line) == ("bad_lookup", "t.csv", line)
    assert message in problem.message


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    problems = refused(b"k,v\n1,2\n", DATED)
    assert [p.message for p in problems] == [f"there is no column {name!r}" for name in ("gtin", "from", "to")]
    assert problems[0].hint == "columns: k, v"


def test_of_very_many_repeats_the_first_hundred_are_named() -> None:
    problems = refused(b"k,v\n" + b"1,a\n" * 20_000)
    assert [problem.line for problem in problems] == list(range(3, 103))

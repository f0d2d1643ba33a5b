"""Lookup tables: CSV with a key column, refused with line numbers when it is not clean."""

from pathlib import Path

import pytest

from crossdock.kernel.problems import Problem, Refused
from transforms.lookups import parse, read


def refused(raw: bytes) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        parse(raw, "t.csv")
    return list(caught.value.problems)


def test_rows_are_found_by_the_first_column() -> None:
    rows = parse('﻿gtin,name\r\n1,Café\r\n\r\n2,"Tea, ""green"""\r\n'.encode(), "t.csv")
    assert rows == {"1": {"gtin": "1", "name": "Café"}, "2": {"gtin": "2", "name": 'Tea, "green"'}}


def test_every_ragged_row_and_repeated_key_has_its_line() -> None:
    problems = refused(b"k,v\n1,a\n2\n1,b\n3,c,d\n")
    assert [(p.line, p.code) for p in problems] == [(3, "bad_lookup"), (4, "bad_lookup"), (5, "bad_lookup")]
    assert problems[1].message == "the key '1' stands already in line 2"


@pytest.mark.parametrize("raw", [b"", b"k,k\n", b"k,\n", b'k,v\n"1,a\n', b"k,v\n\xff,a\n"])
def test_a_file_that_is_no_table_is_refused(raw: bytes) -> None:
    assert [p.code for p in refused(raw)] == ["bad_lookup"]


def test_a_table_without_rows_is_fine() -> None:
    assert parse(b"k,v\n", "t.csv") == {}


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "lookups/../../secret.csv", "link.csv"])
def test_a_path_does_not_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "transforms"
    (folder / "lookups").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("k,v\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(Refused) as caught:
        read(folder, path, tmp_path)
    assert [p.code for p in caught.value.problems] == ["outside"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, "none.csv", tmp_path)
    assert caught.value.problems[0].code == "missing_file"

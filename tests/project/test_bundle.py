"""The files of a revision in one piece: the same as the folder, and nothing that others could smuggle in."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from crossdock import contentfiles
from crossdock.bundle import Bundle, decode, pack
from crossdock.checking import check
from crossdock.contentfiles import placeholders, revision_of
from crossdock.kernel.problems import Refused
from tests.smallproject import ENV, edited, project, write


def test_it_has_the_revision_of_the_folder_and_loads_the_same(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    packed = decode(pack(tmp_path).encode())
    assert packed.revision == revision_of(tmp_path) == loaded.revision
    made = packed.load(ENV)
    assert (made.routes.keys(), made.sources.keys()) == (loaded.routes.keys(), loaded.sources.keys())
    assert made.connectors == loaded.connectors


def test_a_test_beside_the_content_changes_no_revision(tmp_path: Path) -> None:
    before = pack(write(tmp_path))
    (tmp_path / "routes/more.test.yaml").write_text("tests: []\n")
    after = pack(tmp_path)
    assert "routes/more.test.yaml" in after.files
    assert after.revision == before.revision


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    assert pack(write(tmp_path)).encode() == pack(tmp_path).encode()


def test_a_file_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n")
    root = write(tmp_path / "shop")
    (root / "transforms/lookups/secret.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(Refused) as caught:
        pack(root)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("outside", "transforms/lookups/secret.csv")


@pytest.mark.parametrize(
    "name",
    [
        "routes",
        "routes/",
        "routes//x.yaml",
        "routes/" + "x" * 256,
        "../gateway/x.yaml",
        "/etc/x.yaml",
        "gateway/../../x.yaml",
        "config.yaml",
        "gateway\\..\\x.yaml",
        "",
    ],
)
def test_a_name_outside_of_the_content_is_refused(name: str) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(Refused, match="bad_bundle"):
        decode(held.getvalue())


def test_a_name_that_is_a_file_and_a_folder_at_once_is_refused() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("routes/a", "routes/a/b.yaml"):
            archive.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(Refused, match="bad_bundle"):
        decode(held.getvalue())


def test_what_is_too_large_to_be_applied_is_told_by_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(contentfiles, "MOST_BYTES", 1000)
    assert "too_large" in {problem.code for problem in check(tmp_path, ENV).problems}


def test_no_more_of_a_huge_file_is_read_than_is_needed_to_refuse_it(tmp_path: Path) -> None:
    # given a table and a module of 1 GiB, which take no room on the disk
    write(tmp_path, edited("transforms/sale.yaml", "business_key:", "# python:huge.f\nbusiness_key:"))
    for name in ("transforms/huge.py", "transforms/huge.yaml", "transforms/huge.csv"):
        with (tmp_path / name).open("wb") as opened:
            opened.truncate(1 << 30)
    tracemalloc.start()
    # when
    with pytest.raises(Refused) as caught:
        pack(tmp_path)
    placeholders(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # then
    assert [problem.code for problem in caught.value.problems] == ["too_large"]
    assert peak < 200 << 20


@pytest.mark.parametrize("name", ["lookups/_items.csv", "lookups/items.txt", "./../transforms/lookups/items.csv"])
def test_a_table_that_would_not_go_along_is_no_table(tmp_path: Path, name: str) -> None:
    changes = edited("transforms/sale.yaml", "lookups/items.csv", name)
    write(tmp_path, changes)
    (tmp_path / "transforms/lookups/_items.csv").write_text("gtin,sku\n1,COFFEE\n")
    (tmp_path / "transforms/lookups/items.txt").write_text("gtin,sku\n1,COFFEE\n")
    found = [problem for problem in check(tmp_path, ENV).problems if problem.file == "transforms/sale.yaml"]
    assert found and not {problem.code for problem in found} - {"bad_lookup", "bad_value", "no_match"}


def test_what_is_no_archive_is_refused() -> None:
    for raw in (b"", b"PK\x03\x04", b"{}" * 100, Bundle({"gateway/a.yaml": b"a: 1"}).encode()[:-5]):
        with pytest.raises(Refused, match="bad_bundle"):
            decode(raw)


def test_a_bomb_is_refused_by_what_it_would_become(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contentfiles, "MOST_BYTES", 1000)
    with pytest.raises(Refused, match="too_large"):
        decode(Bundle({"gateway/a.yaml": b"a" * 5000}).encode())


def test_an_archive_that_lies_about_a_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = Bundle({"gateway/a.yaml": b"a" * 5000}).encode()
    lied = raw.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(Refused, match="bad_bundle"):
        decode(lied)

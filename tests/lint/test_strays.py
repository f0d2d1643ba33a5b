"""What `check` advises of names that nobody reads, and of versions that nobody named."""

from pathlib import Path

import pytest

from crossdock.checking import check
from tests.smallproject import FILES, OLDER, SALE, TILLS, write, write_schema


def advised(root: Path) -> list[tuple[str, str, str]]:
    checked = check(root, {}, strict_env=False)
    assert checked.obstacles == ()
    return [(problem.code, problem.file, problem.hint) for problem in checked.problems]


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("routes/more/late.yaml", "routes are routes/<name>.yaml"),
        ("routes/late.YAML", "routes are routes/<name>.yaml"),
        ("connectors/wms.json", "connectors are connectors/<name>.yaml"),
        ("schemas/pos.sale.json", "schemas are schemas/<type>/<major>.<minor>.json, and schemas/<type>/schema.yaml is"),
        ("schemas/pos.sale/about.yaml", "schemas are schemas/<type>/<major>.<minor>.json, and"),
        ("transforms/a/b/1-to-2.yaml", "transforms are transforms/<name>.yaml, casts and forms one folder below"),
        ("gateways/tills.yaml", "did you mean gateway/?"),
    ],
)
def test_a_name_that_fits_nothing_is_told_with_what_would(tmp_path: Path, file: str, hint: str) -> None:
    write(tmp_path, {file: "{}"})
    ((code, place, said),) = advised(tmp_path)
    assert (code, place) == ("unread_file", file) and said.startswith(hint)


def test_a_linked_folder_is_told_whatever_is_in_it(tmp_path: Path) -> None:
    root = write(tmp_path / "shop")
    (tmp_path / "shared").mkdir()
    (root / "routes/more").symlink_to(tmp_path / "shared")
    assert advised(root) == [("unread_file", "routes/more", "copy it there")]


def test_what_is_read_and_what_is_no_content_is_let_be(tmp_path: Path) -> None:
    names = ("gateway/acme.jwks.json", "connectors/packs/a/b.yaml", "notes/a.yaml", "routes/_draft.yaml", "routes/a.md")
    write(tmp_path, {**OLDER, **dict.fromkeys(names, "{}")})
    assert advised(tmp_path) == []


def test_a_source_that_names_no_version_is_told_when_there_is_a_new_major(tmp_path: Path) -> None:
    write(tmp_path, {**OLDER, TILLS: FILES[TILLS]})
    assert advised(tmp_path) == [
        ("unpinned_type", TILLS, "say what they are written in: pos.sale@1.0 or pos.sale@2.0"),
    ]


def test_a_slip_in_what_is_said_of_a_type_makes_no_other_problem(tmp_path: Path) -> None:
    # given
    write(tmp_path, {"schemas/pos.sale/schema.yaml": "compatibilty: none\n"})
    write_schema(tmp_path, "pos.sale", "1.1", {**SALE, "required": [*SALE["required"], "till"]})  # type: ignore[misc]
    # when
    found = check(tmp_path, {}, strict_env=False).problems
    # then
    assert [problem.code for problem in found] == ["unknown_key"]

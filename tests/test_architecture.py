"""Budgets and habits that a reader relies on; the layers themselves are checked by import-linter in `make check`."""

import ast
import re
import statistics
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = [*tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]]
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PRODUCT = [path for path in FILES if not path.is_relative_to(ROOT / "tests")]
TEXTS = sorted(
    path for folder in FOLDERS for kind in ("py", "yaml", "json") for path in (ROOT / folder).rglob(f"*.{kind}")
)

MOST_LINES = 250
MOST_IN_A_FUNCTION = 40
MEDIAN_FUNCTION = 10
LONGER: set[str] = set()  # `folder/file.py:function`, each with its reason here

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
GRAB_BAGS = {"common", "utils", "util", "helpers", "misc", "shared", "lib"}
SERVER_CLIENTS = {"nats", "faststream", "redis", "sqlalchemy"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# One test for a rule, not for each file too: what is wrong is named all the same, and 6,000 tests are a minute of CPU.
@dataclass(frozen=True)
class Read:
    doc: str
    functions: list[tuple[str, int]]
    imports: set[str]  # top-level names


@cache
def read(path: Path) -> Read:
    """Return what the rules look at; the trees of all files would fill the memory and keep the collector busy."""
    tree, found = ast.parse(path.read_text()), Read("", [], set())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found.functions.append((f"{name(path)}:{node.name}", lines))
        elif isinstance(node, ast.Import):
            found.imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.imports.add((node.module or "").partition(".")[0])
    return replace(found, doc=ast.get_docstring(tree) or "")


def those(paths: list[Path], wrong: Callable[[Path], object]) -> str:
    """Return the names of what is wrong, one a line, as pytest shortens a list."""
    return "\n".join(name(path) for path in paths if wrong(path))


def test_there_is_something_to_look_at() -> None:
    assert len(TEXTS) > len(FILES) > len(PRODUCT) > len(FOLDERS)


def test_a_file_ends_before_one_gets_lost_in_it() -> None:
    assert those(FILES, lambda path: len(path.read_text().splitlines()) > MOST_LINES) == ""


def test_a_function_fits_on_a_screen() -> None:
    long = [one for path in FILES for one in read(path).functions if one[1] > MOST_IN_A_FUNCTION]
    assert [(where, lines) for where, lines in long if where not in LONGER] == []


def test_every_exception_is_still_needed() -> None:
    long = {where for path in FILES for where, lines in read(path).functions if lines > MOST_IN_A_FUNCTION}
    assert LONGER - long == set()


def test_most_functions_are_short() -> None:
    assert statistics.median(lines for path in PRODUCT for _, lines in read(path).functions) < MEDIAN_FUNCTION


def test_a_file_begins_by_saying_what_it_is() -> None:
    assert those(FILES, lambda path: not 0 < len(read(path).doc.splitlines()) <= 6) == ""


def test_nothing_is_marked_as_unfinished() -> None:
    assert those(TEXTS, lambda path: UNFINISHED.findall(path.read_text())) == ""


def test_no_file_or_folder_is_a_grab_bag() -> None:
    assert those(PRODUCT, lambda path: GRAB_BAGS & {*path.relative_to(ROOT).with_suffix("").parts}) == ""


def test_only_the_adapters_import_the_clients_of_servers() -> None:
    # What is written plainly for comparison is no part of the product.
    allowed = [ROOT / folder for folder in ("crossdock/adapters", "bench/handwritten")]
    others = [path for path in PRODUCT if not any(path.is_relative_to(folder) for folder in allowed)]
    assert (
        those(others, lambda path: SERVER_CLIENTS & {module.partition(".")[0] for module in read(path).imports}) == ""
    )

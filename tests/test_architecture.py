"""Budgets and habits that a reader relies on; the layers themselves are checked by import-linter in `make check`."""

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_ends_before_one_gets_lost_in_it(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    assert [
        (where, lines) for where, lines in functions(path) if lines > MOST_IN_A_FUNCTION and where not in LONGER
    ] == []


def test_every_exception_is_still_needed() -> None:
    long = {where for path in FILES for where, lines in functions(path) if lines > MOST_IN_A_FUNCTION}
    assert LONGER - long == set()


def test_most_functions_are_short() -> None:
    assert statistics.median(lines for path in PRODUCT for _, lines in functions(path)) < MEDIAN_FUNCTION


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_begins_by_saying_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring and len(docstring.splitlines()) <= 6


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_nothing_is_marked_as_unfinished(path: Path) -> None:
    assert UNFINISHED.findall(path.read_text()) == []


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_no_file_or_folder_is_a_grab_bag(path: Path) -> None:
    assert not GRAB_BAGS & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_only_the_adapters_import_the_clients_of_servers(path: Path) -> None:
    # What is written plainly for comparison is no part of the product.
    allowed = any(path.is_relative_to(ROOT / folder) for folder in ("crossdock/adapters", "bench/handwritten"))
    assert allowed or not SERVER_CLIENTS & {module.partition(".")[0] for module in imports(path)}

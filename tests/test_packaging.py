"""The folders of the checkout are the packages: nobody else may own their names, and what we need is pinned."""

import importlib.util
import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [*PYPROJECT["tool"]["importlinter"]["root_packages"], "simulators", "bench"]
LOCK = (ROOT / "requirements.lock").read_text().splitlines()
PINNED = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in LOCK)}
NEEDED = [
    *PYPROJECT["project"]["dependencies"],
    *(item for extra in PYPROJECT["project"]["optional-dependencies"].values() for item in extra),
]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_top_level_name_is_the_folder_of_this_checkout(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec
    assert [Path(place) for place in spec.submodule_search_locations or []] == [ROOT / name]


def test_no_installed_distribution_brings_one_of_our_names() -> None:
    installed = metadata.packages_distributions()
    clashes = {name: installed[name] for name in PACKAGES if installed.get(name, ["crossdock"]) != ["crossdock"]}
    assert clashes == {}


def test_it_is_not_uploaded_and_ships_no_wheel_by_accident() -> None:
    assert "Private :: Do Not Upload" in PYPROJECT["project"]["classifiers"]
    assert PYPROJECT["tool"]["setuptools"]["packages"] == []


def test_the_lock_holds_one_exact_version_a_line_and_no_address() -> None:
    assert [line for line in LOCK if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert len(PINNED) == len(LOCK)


@pytest.mark.parametrize("needed", NEEDED)
def test_what_we_need_is_pinned_to_a_version_that_will_do(needed: str) -> None:
    requirement = Requirement(needed)
    assert PINNED[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize("name", PINNED)
def test_what_is_pinned_is_what_these_tests_run_with(name: str) -> None:
    assert metadata.version(name) == PINNED[canonicalize_name(name)]


@pytest.mark.parametrize("name", PINNED)
def test_everything_that_a_pinned_package_needs_is_pinned(name: str) -> None:
    needed = [Requirement(item) for item in metadata.requires(name) or []]
    here = [item for item in needed if item.marker is None or item.marker.evaluate({"extra": ""})]
    assert [str(item) for item in here if canonicalize_name(item.name) not in PINNED] == []

"""The seeded mistakes: each is found where it is, with a hint, and all of one run stand in one report."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossdock.checking import check
from crossdock.kernel import yamlfile
from crossdock.kernel.problems import Problem

HERE = Path(__file__).parent / "mistakes"
SHOP = HERE / "shop"


@dataclass(frozen=True)
class Mistake:
    file: str
    new: str
    at: list[int]
    code: str
    hint: str
    old: str = ""
    together: bool = False

    def make(self, root: Path) -> None:
        path = root / self.file
        text = path.read_text() if self.old else ""
        assert self.old in text
        path.write_text(text.replace(self.old, self.new, 1))

    def is_told(self, problem: Problem) -> bool:
        place = [problem.line, problem.column]
        return (problem.file, place, problem.code) == (self.file, self.at, self.code) and self.hint in problem.hint


LISTED: list[dict[str, Any]] = yamlfile.read(HERE / "mistakes.yaml", HERE).value
MISTAKES = [Mistake(**given) for given in LISTED]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shutil.copytree(SHOP, tmp_path / "shop")


def problems(root: Path) -> tuple[Problem, ...]:
    return check(root, {}, strict_env=False).problems


def test_the_project_in_which_the_mistakes_are_made_has_none(shop: Path) -> None:
    assert problems(shop) == ()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.file}-{one.code}-{one.new[:20]!r}")
def test_a_mistake_is_told_with_its_place_and_a_hint(shop: Path, mistake: Mistake) -> None:
    # when
    mistake.make(shop)
    found = problems(shop)
    # then
    assert [problem for problem in found if mistake.is_told(problem)], found
    assert [problem for problem in found if not problem.hint] == []
    assert {problem.file for problem in found} == {mistake.file}, "sound files look wrong"


def test_every_kind_of_file_has_its_mistakes() -> None:
    kinds = {(Path(one.file).parts[0], Path(one.file).suffix) for one in MISTAKES}
    folders = {"gateway", "schemas", "transforms", "routes", "connectors", "config.yaml"}
    assert {kind[0] for kind in kinds} == folders and ("transforms", ".csv") in kinds
    assert len(MISTAKES) >= 60 and sum(one.file.endswith(".test.yaml") for one in MISTAKES) >= 4


def test_all_mistakes_of_one_run_stand_in_one_report(shop: Path) -> None:
    # given
    several = [one for one in MISTAKES if one.together]
    for mistake in several:
        mistake.make(shop)
    # when
    found = problems(shop)
    # then
    assert [one for one in several if not any(map(one.is_told, found))] == []
    assert len(several) >= 40 and len({one.file for one in several}) >= 11

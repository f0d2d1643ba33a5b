"""How a pack comes into a project, tried on a copy of it first; used by `crossdock pack add`."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossdock import checking
from crossdock.contentfiles import FOLDERS
from crossdock.kernel.problems import Problem
from crossdock.project import Project, read
from crossdock.trial import testrun
from crossdock.trial.rehearsal import Rehearsal

_SENDING = ("routes/", "connectors/")  # a connector to which no route leads is a problem of its own
_FEED = """\
# Takes these types as they are; take one out when a transform makes it.
source: {name}
partner: {name}
accept: cloudevents
types: [{types}]
verify: {{api_key: true}}
"""


@dataclass(frozen=True, slots=True)
class Addition:
    """The files of a pack and those that come along, by their names in a project, and the types its routes take."""

    name: str
    own: Mapping[str, Path]
    along: Mapping[str, Path]
    needs: tuple[str, ...]

    def without_routes(self) -> "Addition":
        """Return the same with routes and connectors as examples that nothing reads."""
        own = {f"{file}.example" if file.startswith(_SENDING) else file: path for file, path in self.own.items()}
        return Addition(self.name, own, self.along, ())

    def differing(self, project: Path) -> list[str]:
        """Return the files that a project has with another content."""
        return [file for file, path in self.own.items() if _differs(project / file, path)]

    def kept(self, project: Path) -> list[str]:
        """Return the shipped files of which a project has its own, or another version of their type."""
        return sorted(file for file in self.along if _has(project, file))

    def place(self, project: Path) -> list[str]:
        """Copy the files into a project, with a source for types that nothing there sends; return what was written."""
        written = [*_copy({**self.along, **self.own}, project, {*self.kept(project)}), *self._feed(project)]
        return sorted(written)

    def _feed(self, project: Path) -> Iterator[str]:
        loaded = read(project, {}, strict_env=False, tests=False).project
        sent = {transform.to_type for transform in loaded.transforms.values()}
        sent |= {type_ for source in loaded.sources.values() for type_, _ in source.types}
        missing = [type_ for type_ in self.needs if type_ not in sent]
        file = f"gateway/{self.name}-events.yaml"
        if missing and not (project / file).exists():
            (project / file).parent.mkdir(parents=True, exist_ok=True)
            (project / file).write_text(_FEED.format(name=f"{self.name}-events", types=", ".join(missing)))
            yield file


@dataclass(frozen=True, slots=True)
class Effect:
    """What a project has to say of a pack: new problems of `check`, and by test what differs that did not before."""

    problems: tuple[Problem, ...]
    touched: Mapping[str, str]


def effect(addition: Addition, project: Path) -> Effect:
    """Add a pack to a copy of a project, and compare what `check` and `test` say before and after."""
    with tempfile.TemporaryDirectory(prefix="crossdock-pack-") as folder:
        copy = Path(folder)
        _copy_content(project, copy)
        before = checking.check(copy, {}, strict_env=False)
        failing = {} if before.problems else _failing(before.project)
        addition.place(copy)
        after = checking.check(copy, {}, strict_env=False)
    known = {(problem.file, problem.code, problem.message) for problem in before.problems}
    problems = tuple(one for one in after.problems if (one.file, one.code, one.message) not in known)
    fails = {} if after.problems else _failing(after.project)
    return Effect(problems, {test: why for test, why in fails.items() if test not in failing})


def _copy_content(project: Path, to: Path) -> None:
    for folder in FOLDERS:
        if (project / folder).is_dir():
            shutil.copytree(project / folder, to / folder, ignore=shutil.ignore_patterns("packs", "__pycache__"))
    if (project / "config.yaml").exists():
        shutil.copyfile(project / "config.yaml", to / "config.yaml")


def _failing(project: Project) -> dict[str, str]:
    """Return the tests that fail, as `file:line  name`, with the first thing that differs."""
    rehearsal = Rehearsal(project)
    results = [testrun.run(rehearsal, test) for test in project.tests]
    return {f"{one.file}:{one.line}  {one.name}": str(one.differences[0]) for one in results if one.differences}


def _differs(there: Path, path: Path) -> bool:
    return there.exists() and there.read_bytes() != path.read_bytes()


def _has(project: Path, file: str) -> bool:
    path = project / file
    return path.exists() or (file.startswith("schemas/") and path.parent.is_dir())


def _copy(files: Mapping[str, Path], project: Path, kept: set[str]) -> Iterator[str]:
    for file, path in files.items():
        if file not in kept and not (project / file).exists():
            (project / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, project / file)
            yield file

"""The schemas of a project by type and version; the gateway and the pipeline validate with it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import jsonschema_rs

from crossdock.kernel.content import beginning, did_you_mean
from crossdock.kernel.problems import Incomplete, Problem, Refused, refuse
from schemas import about
from schemas.about import About
from schemas.differences import differences
from schemas.spec import read

FOLDER = "schemas"
_TYPE = re.compile(r"(?!crossdock\.)[a-z0-9_]+(\.[a-z0-9_]+)*\Z")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\Z")
_UNSAID = About()
_UNREAD = About(compatibility="none")  # what it demands is not known: nothing is said against new versions
_DATASCHEMA = re.compile(r"/([^/?#]+)/([^/?#]+)\Z")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Compiled:
    """One version of one type: the schema as written and its validator."""

    schema: Mapping[str, Any]
    validator: jsonschema_rs.Draft202012Validator


# Those in use now, by name and hash of the file: most schemas of other content are those of the content before.
_PRESENT: WeakValueDictionary[tuple[str, bytes], Compiled] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Registry:
    """All schemas; the versions of each type are ordered, oldest first."""

    by_type: Mapping[str, Mapping[str, Compiled]]
    abouts: Mapping[str, About] = field(default_factory=dict)

    def about(self, type_: str) -> About:
        """Return what the `schema.yaml` of a type says, or the defaults."""
        return self.abouts.get(type_, _UNSAID)

    def types(self) -> tuple[str, ...]:
        """Return every event type in alphabetical order."""
        return tuple(self.by_type)

    def versions(self, type_: str) -> tuple[str, ...]:
        """Return the versions of a type, oldest first; none for an unknown type."""
        return tuple(self.by_type.get(type_, ()))

    def newest(self, type_: str, major: int | None = None) -> str:
        """Return the newest version of a type, or of one major of it.

        Raises:
            Refused: `unknown_type`, `unknown_version`.
        """
        known = self._known(type_)
        fitting = [v for v in known if major is None or major_of(v) == major]
        if not fitting:
            raise _unknown_version(type_, str(major), known)
        return fitting[-1]

    def version(self, type_: str, dataschema: str, pin: str = "") -> str:
        """Return the version an event is written in: what `dataschema` says, else the pin, else the newest.

        Raises:
            Refused: `unknown_type`, `unknown_version`.
        """
        known = self._known(type_)
        named_type, named = _named(dataschema)
        version = named if named_type == type_ else pin or [*known][-1]
        if version not in known:
            raise _unknown_version(type_, version[:40], known)
        return version

    def schema(self, type_: str, version: str) -> Mapping[str, Any]:
        """Return a schema as written.

        Raises:
            Refused: `unknown_type`, `unknown_version`.
        """
        return self._compiled(type_, version).schema

    def problems(self, type_: str, version: str, data: Any) -> list[Problem]:
        """Compare data with its schema; at most 100 differences, none when it is valid.

        Raises:
            Refused: `unknown_type`, `unknown_version`.
        """
        validator = self._compiled(type_, version).validator
        if isinstance(data, bytes):
            return [Problem("schema_violation", "the data is not JSON", "send Content-Type: application/json")]
        return [] if validator.is_valid(data) else differences(validator, data)

    def _known(self, type_: str) -> Mapping[str, Compiled]:
        known = self.by_type.get(type_)
        if known is None:
            raise refuse("unknown_type", f"no schema for the type {type_[:80]}", did_you_mean(type_, self.by_type))
        return known

    def _compiled(self, type_: str, version: str) -> Compiled:
        known = self._known(type_)
        if version not in known:
            raise _unknown_version(type_, version, known)
        return known[version]


def load(root: Path) -> Registry:
    """Read every `schemas/<type>/<major>.<minor>.json` of a project.

    Raises:
        Refused: with every problem of every file.
    """
    problems: list[Problem] = []
    found: dict[str, dict[str, Compiled]] = {}
    for path in sorted((root / FOLDER).glob("*/*.json"), key=_order):
        if not is_name(path.parent.name, path.stem):
            problems.append(_misnamed(path.relative_to(root).as_posix()))
            continue
        try:
            found.setdefault(path.parent.name, {})[path.stem] = _compile(path, root)
        except Refused as error:
            problems.extend(error.problems)
    abouts: dict[str, About] = {}
    for path in sorted((root / FOLDER).glob(f"*/{about.FILE}")):
        try:
            abouts[path.parent.name] = about.read(path, root, found.get(path.parent.name, {}))
        except Refused as error:
            problems.extend(error.problems)
            abouts[path.parent.name] = _UNREAD
    if problems:
        raise Incomplete(problems, Registry(found, abouts))
    return Registry(found, abouts)


def _compile(path: Path, root: Path) -> Compiled:
    named = _hashed(path, root)
    if (present := _PRESENT.get(named)) is None:
        present = Compiled(*read(path, root))
        if _hashed(path, root) == named:  # else it was written between the two looks
            _PRESENT[named] = present
    return present


def _hashed(path: Path, root: Path) -> tuple[str, bytes]:
    return path.relative_to(root).as_posix(), hashlib.sha256(beginning(path)).digest()


def is_name(type_: str, version: str) -> bool:
    """Tell whether a schema may be of this type and version."""
    return bool(_TYPE.match(type_) and _VERSION.match(version))


@lru_cache(maxsize=1024)
def major_of(version: str) -> int:
    """Return the major number of `<major>.<minor>`."""
    return int(version.split(".", 1)[0])


@lru_cache(maxsize=1024)  # every event of a type has the same one
def _named(dataschema: str) -> tuple[str, str]:
    found = _DATASCHEMA.search(dataschema)
    return (found[1], found[2]) if found else ("", "")


def _order(path: Path) -> tuple[str, tuple[int, ...], str]:
    number = tuple(map(int, path.stem.split("."))) if _VERSION.match(path.stem) else ()
    return path.parent.name, number, path.name


def _misnamed(file: str) -> Problem:
    hint = "schemas/<type>/<major>.<minor>.json, the type in a-z, 0-9, _ and dots, not below crossdock"
    return Problem("wrong_name", "not the name of a schema file", hint).at(file)


def _unknown_version(type_: str, version: str, known: Mapping[str, Compiled]) -> Refused:
    return refuse("unknown_version", f"{type_} has no version {version}", f"known: {', '.join(known)}")

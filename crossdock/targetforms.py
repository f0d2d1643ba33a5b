"""The forms in which targets want events, `transforms/targets/<name>.yaml`; called when a project is loaded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema_rs

from crossdock.kernel.content import Spot, did_you_mean, is_test, read_all, read_schema
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Incomplete, Problem, Refused
from routes.spec import Route
from schemas.differences import differences
from schemas.spec import read_foreign
from transforms import engine
from transforms import spec as transform_spec
from transforms.lookupspec import Reader

_TRANSFORM = read_schema(Path(transform_spec.__file__).parent)
_SCHEMA: dict[str, Any] = {
    **_TRANSFORM,
    "title": "A form of a target",
    "description": "What a target gets of the events of the routes that name it: transforms/targets/<name>.yaml",
    "properties": {
        **{key: _TRANSFORM["properties"][key] for key in ("description", "map", "lookups", "codes")},
        "schema": {
            "description": "the JSON Schema of the target, a .json file beside this one: what does not fit is not sent",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\\.json$",
        },
    },
    "required": ["map"],
}
_OF_THE_MAP = {"expression_failed", "transform_failed"}


@dataclass(frozen=True, slots=True)
class TargetForm:
    """A map from canonical data to what a target takes, and the target's own schema if it is known."""

    name: str
    mapping: engine.Mapping
    validator: jsonschema_rs.Draft202012Validator | None = field(repr=False, compare=False)
    spot: Spot = field(repr=False, compare=False)
    schema: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    def apply(self, event: Event, source: str) -> Event:
        """Return the event as the target gets it: the same envelope, but for `dataschema`, around other data.

        Raises:
            Refused: `map_failed`, `target_invalid`, or what a function of the map refuses, as `lookup_missing`.
        """
        try:
            data = self.mapping.data(self.mapping.begin(event, source))
        except Refused as error:
            raise Refused(_coded(problem) for problem in error.problems) from None
        if self.validator is not None and not self.validator.is_valid(data):
            hint = f"see {self.mapping.owner}"
            found = differences(self.validator, data)
            raise Refused(replace(problem, code="target_invalid", hint=hint) for problem in found)
        return event._replace(data=data, dataschema="")


def load(root: Path, tables: Reader) -> dict[str, TargetForm]:
    """Return the forms of a project by name.

    Raises:
        Incomplete: with every problem of every file, and the forms that could be read.
    """
    paths = sorted((root / transform_spec.FOLDER / transform_spec.TARGETS).glob("*.yaml"))
    documents, problems = read_all((path for path in paths if not is_test(path)), root, _SCHEMA)
    forms: dict[str, TargetForm] = {}
    for document in documents:
        try:
            form = _form(Spot(document), root, tables)
            forms[form.name] = form
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Incomplete(problems, forms)
    return forms


def compare(routes: Iterable[Route], forms: Mapping[str, TargetForm], root: Path) -> Iterator[Problem]:
    """Find the forms that routes name and nobody wrote."""
    folder = root / transform_spec.FOLDER / transform_spec.TARGETS
    for route in routes:
        if route.map and not (folder / f"{route.map}.yaml").is_file():
            message = f"there is no {transform_spec.FOLDER}/{transform_spec.TARGETS}/{route.map}.yaml"
            yield route.spot.problem(("map",), "unknown_form", message, did_you_mean(route.map, forms))


def _form(spot: Spot, root: Path, tables: Reader) -> TargetForm:
    path = root / spot.document.file
    mapping, _ = transform_spec.mapping(spot, root, tables, f"the form {path.stem}")
    schema, validator = _schema(spot, path.parent, root)
    return TargetForm(path.stem, mapping, validator, spot, schema)


def _schema(
    spot: Spot, folder: Path, root: Path
) -> tuple[dict[str, Any] | None, jsonschema_rs.Draft202012Validator | None]:
    name = spot.document.value.get("schema")
    if name is None:
        return None, None
    path = folder / name
    if not path.is_file():
        raise Refused([spot.problem(("schema",), "missing_file", f"there is no {name} beside this file")])
    if not path.resolve().is_relative_to(root.resolve()):
        raise Refused([spot.problem(("schema",), "outside", "it leads out of the project", "copy the file there")])
    return read_foreign(path, root)


def _coded(problem: Problem) -> Problem:
    return replace(problem, code="map_failed") if problem.code in _OF_THE_MAP else problem

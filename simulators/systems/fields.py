"""Which fields a document of a system has, as JSON Schema, and the first one that is wrong; used by the systems."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import jsonschema

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"enum": [0, 1]}
TRUTH: Schema = {"type": "boolean"}
DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
CLOCK: Schema = {"type": "string", "pattern": r"^\d\d:\d\d:\d\d$"}
DECIMAL: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}


class Fault(NamedTuple):
    """A field that is missing, that nobody knows, or whose value does not fit; `path` leads to what holds it."""

    kind: Literal["missing", "unknown", "wrong"]
    name: str
    path: tuple[str | int, ...]

    @property
    def place(self) -> str:
        """The path to the field with dots."""
        return ".".join(map(str, (*self.path, self.name)))


def text(longest: int) -> Schema:
    """Return a text of at most so many characters."""
    return {**TEXT, "maxLength": longest}


def one_of(*values: Any) -> Schema:
    """Return one of some values."""
    return {"enum": list(values)}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] = {}) -> Schema:
    """Return an object of these fields and no other."""
    properties = {**required, **optional}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def listed(of: Schema, most: int = 1000) -> Schema:
    """Return a list of at least one."""
    return {"type": "array", "items": of, "minItems": 1, "maxItems": most}


def fault(schema: Schema, document: Any) -> Fault | None:
    """Return the first field that is wrong, None when all are right."""
    return next(_faults(schema, document), None)


def _faults(schema: Schema, document: Any) -> Iterator[Fault]:
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        path = tuple(error.absolute_path)
        if error.validator == "required":
            yield Fault("missing", next(name for name in error.validator_value if name not in error.instance), path)
        elif error.validator == "additionalProperties":
            known = error.schema["properties"]
            yield Fault("unknown", next(name for name in error.instance if name not in known), path)
        else:
            yield Fault("wrong", str(path[-1]) if path else "", path[:-1])

"""What makes a witness a proof, said once for all tests: one version accepts it and the other does not."""

from typing import Any

import jsonschema_rs

from schemas.compatibility import Comparison

_KINDS = {"draft-07": jsonschema_rs.Draft7Validator, "draft-04": jsonschema_rs.Draft7Validator}


def accepts(schema: Any, document: Any) -> bool:
    named = str(schema.get("$schema", "")) if isinstance(schema, dict) else ""
    kind = next((made for name, made in _KINDS.items() if name in named), jsonschema_rs.Draft202012Validator)
    return kind(schema, validate_formats=True).is_valid(document)


def assert_proven(found: Comparison, old: Any, new: Any) -> None:
    """Validate every witness against both versions, and the verdicts against the changes."""
    for change in found.changes:
        for direction in change.breaks if change.proven else ():
            writer, reader = (old, new) if direction == "backward" else (new, old)
            assert accepts(writer, change.witness)
            assert not accepts(reader, change.witness)
    assert found.backward == (not found.breaking("backward"))
    assert found.forward == (not found.breaking("forward"))

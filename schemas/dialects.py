"""Schemas written in older dialects of JSON Schema, as `schema diff` may be given them; a project's are 2020-12."""

from typing import Any

from crossdock.kernel.problems import refuse

NEWEST = 20
_DRAFTS = {"draft-04": 7, "draft-05": 7, "draft-06": 7, "draft-07": 7, "2019-09": 19, "2020-12": 20}
_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
_LITERALS = ("const", "enum", "default", "examples")


def draft_of(schema: Any) -> int:
    """Return the dialect of a schema: 20 for 2020-12 and without `$schema`, 19 for 2019-09, 7 for draft-07 and before.

    Raises:
        Refused: `unknown_dialect`.
    """
    named = schema.get("$schema", "2020-12") if isinstance(schema, dict) else "2020-12"
    for name, draft in _DRAFTS.items():
        if name in str(named):
            return draft
    raise refuse("unknown_dialect", f"$schema is {str(named)[:80]}", f"known: {', '.join(_DRAFTS)}")


def modern_bounds(node: Any) -> Any:
    """Return a schema in which draft-04's `exclusiveMinimum: true` is the number it goes with."""
    if isinstance(node, list):
        return [modern_bounds(child) for child in node]
    if not isinstance(node, dict):
        return node
    made = {key: child if key in _LITERALS else modern_bounds(child) for key, child in node.items()}
    for exclusive, inclusive in _BOUNDS:
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and inclusive in made:
            made[exclusive] = made.pop(inclusive)
    return made


def upgraded(node: Any) -> Any:
    """Return a schema of draft-07 or 2019-09 in the words of 2020-12."""
    if isinstance(node, list):
        return [upgraded(child) for child in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {key: child for key, child in node.items() if key in ("$ref", "$defs", "definitions")} | {
            key: upgraded(node[key]) for key in ("$defs", "definitions") if key in node
        }
    made = {key: child if key in _LITERALS else upgraded(child) for key, child in node.items() if key != "$schema"}
    if isinstance(made.get("items"), list):
        rest = made.pop("additionalItems", True)
        made |= {"prefixItems": made["items"], "items": rest}
    made.pop("additionalItems", None)
    if str(made.get("$id", "")).startswith("#"):
        made["$anchor"] = made.pop("$id")[1:]
    dependencies = made.pop("dependencies", None)
    for name, needed in dependencies.items() if isinstance(dependencies, dict) else ():
        made.setdefault("dependentRequired" if isinstance(needed, list) else "dependentSchemas", {})[name] = needed
    return made

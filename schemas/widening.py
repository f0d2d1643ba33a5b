"""The next minor version of a schema that takes what drifted, checked to be compatible; `drift propose` shows it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crossdock.kernel.problems import Problem, Refused, refuse
from schemas import evolution
from schemas.compatibility import Change
from schemas.drift import MISSING, NEW_VALUE, NULL, RULE, TYPE, UNKNOWN_FIELD, Finding, settled
from schemas.edits import applied, edits
from schemas.outline import EVERY, Node, Outline, Path, Place, as_json, steps_of
from schemas.profile import PERSONAL
from schemas.registry import Compiled, Registry, major_of
from schemas.spec import compile_schema, uri

_MEANING = "Came without being in the schema: say what it means, and whether it is personal."
_WIDEN_BY_HAND = "decide what it should be and write the version by hand"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version of a type that takes what drifted, and how it differs from `base`, the newest one before it."""

    type: str
    base: str
    version: str
    schema: Mapping[str, Any]
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `drift propose --json`."""
        return {
            "type": self.type,
            "base": self.base,
            "version": self.version,
            "file": f"schemas/{self.type}/{self.version}.json",
            "changes": [{"pointer": one.pointer, "change": one.change, "why": one.why} for one in self.changes],
            "schema": self.schema,
        }


def propose(registry: Registry, found: Sequence[Finding]) -> Proposal:
    """Return the next minor version that allows some findings of one type and major.

    It keeps what `schema.yaml` of the type demands of all its versions. Where a field of a known kind would break that,
    as the schema let it through with any content, the field is named and its content left open.

    Raises:
        Refused: `nothing_to_widen`, `personal_value`, `no_compatible_schema`, or what `compare_within` refuses.
    """
    type_, major = _one_type(found)
    base = registry.newest(type_, major)
    version = f"{major}.{int(base.partition('.')[2]) + 1}"
    old = registry.schema(type_, base)
    wanted = [one for one in found if not settled(one, Outline(old))]
    if not wanted:
        raise refuse(
            "nothing_to_widen", f"{type_} {base} allows that already", "make sure that senders say this version"
        )
    broken: list[str] = []
    for is_open in (False, True):
        new = dict(_widened(old, wanted, is_open)) | {"$id": uri(type_, version)}
        outline = Outline(new)
        if left := [one for one in wanted if not settled(one, outline)]:
            raise refuse("no_compatible_schema", f"no simple change allows {left[0].pointer or 'it'}", _WIDEN_BY_HAND)
        verdicts = [one for one in _verdicts(registry, type_, version, new) if one.broken()]
        if not verdicts:
            told = tuple(Change(edit.pointer, str(edit)) for edit in edits(old, new))
            return Proposal(type_, base, version, new, told)
        first = verdicts[0]
        broken = [change.why for direction in first.broken() for change in first.comparison.breaking(direction)]
    why = (broken or ["it could not be compared"])[0]
    raise refuse("no_compatible_schema", f"every version that allows it breaks what {type_} promises: {why}"[:500])


def _one_type(found: Sequence[Finding]) -> tuple[str, int]:
    types = {(one.origin.type, major_of(one.origin.version)) for one in found}
    if len(types) != 1:
        raise refuse("bad_value", "findings of one type and major version at a time")
    for one in found:
        if one.kind in (MISSING, RULE) or (not one.breaks and one.kind != UNKNOWN_FIELD):
            raise refuse("nothing_to_widen", f"{one.id}: {_NOTHING.get(one.kind, _ALLOWED)}", _WIDEN_BY_HAND)
        if PERSONAL in one.values:
            raise refuse("personal_value", f"{one.id}: its values are personal and were not kept", _WIDEN_BY_HAND)
        if one.kind == UNKNOWN_FIELD and one.pointer.endswith(f"/{EVERY}") and not one.values:
            raise refuse("nothing_to_widen", f"{one.id}: names that come by the dozen are no fields", _WIDEN_BY_HAND)
    ((type_, major),) = types
    return type_, major


_NOTHING = {
    MISSING: "a field that may be left out is left out; its schema says so already",
    RULE: "a rule of its schema is broken; whether it is too strict, nobody but you can tell",
}
_ALLOWED = "its schema allows that already; only the past was different"


def _verdicts(registry: Registry, type_: str, version: str, schema: Mapping[str, Any]) -> Iterator[evolution.Verdict]:
    try:
        made = Compiled(schema, compile_schema(schema))
    except ValueError as error:
        raise Refused([Problem("bad_schema", str(error).split("\n", 1)[0])]) from None
    with_it = {**registry.by_type, type_: {**registry.by_type[type_], version: made}}
    for verdict in evolution.verdicts(replace(registry, by_type=with_it), (type_,)):
        if verdict.new == version:
            yield verdict


def _widened(schema: Mapping[str, Any], wanted: Sequence[Finding], is_open: bool) -> Mapping[str, Any]:
    for one in wanted:
        for step in _STEPS[one.kind](schema, one, is_open):
            schema = applied(schema, *step)
    return schema


Step = tuple[Path, Any]  # the path of a part of the schema and what shall stand there


def _fields(schema: Mapping[str, Any], found: Finding, is_open: bool) -> Iterator[Step]:
    parent, _, last = found.pointer.rpartition("/")
    names: dict[str, Sequence[str]] = dict.fromkeys(found.values, ())
    names = names or {steps_of(f"/{last}")[0]: found.usual}
    place = Outline(schema).at(parent)
    homes = [node for node in place.nodes if "properties" in node[1]] if place else []
    if not homes:
        return
    shut = [node for node in homes if node[1].get("additionalProperties") is False]
    for path, node in shut or homes[:1]:
        added = {name: _field(kinds, is_open) for name, kinds in names.items()}
        yield (*path, "properties"), {**node["properties"], **added}


def _field(kinds: Sequence[str], is_open: bool) -> dict[str, Any]:
    if is_open or not kinds:
        return {"description": _MEANING}
    return {"type": kinds[0] if len(kinds) == 1 else sorted(kinds), "description": _MEANING}


def _kinds(schema: Mapping[str, Any], found: Finding, _: bool) -> Iterator[Step]:
    for path, node in _heads(schema, found.pointer):
        if isinstance(node.get("type"), str | list) and not node.keys() & _MORE:
            said = node["type"] if isinstance(node["type"], list) else [node["type"]]
            yield (*path, "type"), [*said, *found.values]
        else:
            kept = {key: node[key] for key in node if key.startswith("x-crossdock-") or key == "description"}
            inner = {key: value for key, value in node.items() if key not in kept}
            yield path, {**kept, "anyOf": [inner, *({"type": kind} for kind in found.values)]}


_MORE = {"$ref", "enum", "const", "allOf", "anyOf", "oneOf", "not", "if"}  # with which a type is not all that is said


def _values(schema: Mapping[str, Any], found: Finding, _: bool) -> Iterator[Step]:
    """Add to the list that stands nearest: further inside of it others may use the same one."""
    place = Outline(schema).at(found.pointer)
    lists = [node for node in place.nodes if "enum" in node[1] or "const" in node[1]] if place else []
    for path, node in lists[:1]:
        more = [json.loads(text) for text in found.values]
        if "enum" in node:
            known = set(map(as_json, node["enum"]))
            yield (*path, "enum"), [*node["enum"], *(value for value in more if as_json(value) not in known)]
        else:
            kept = {key: value for key, value in node.items() if key != "const"}
            yield path, {**kept, "enum": [node["const"], *more]}


def _heads(schema: Mapping[str, Any], pointer: str) -> Sequence[Node]:
    place: Place | None = Outline(schema).at(pointer)
    return place.heads if place else ()


_STEPS = {UNKNOWN_FIELD: _fields, NULL: _kinds, TYPE: _kinds, NEW_VALUE: _values}

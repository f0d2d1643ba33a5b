"""What differs between two revisions of content, piece by piece, and what lies before and behind it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from crossdock.drawing.hops import Node, hops, reach
from crossdock.kernel import yamlfile
from crossdock.kernel.content import names
from crossdock.project import Project
from crossdock.source import SourceSpec
from crossdock.targetforms import TargetForm
from crossdock.trial.differences import Difference, compare
from journal.entry import CALLBACK
from schemas.bounded import compare_within
from schemas.compatibility import Comparison
from schemas.registry import major_of
from transforms.python import PREFIX, modules

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


class Piece(NamedTuple):
    """One piece of content: its kind, one of `_KINDS`, and its name; a `type` is what its `schema.yaml` says."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one piece; the differences are those of a changed one.

    A schema that is changed or new is compared with the version `against`: what it was, or the one before it.
    """

    piece: Piece
    what: str
    differences: tuple[Difference, ...] = ()
    against: str = ""
    comparison: Comparison | None = None


def changes(base: Project, candidate: Project) -> list[Change]:
    """Return what was added, removed and changed, by kind and name."""
    before, after = _pieces(base), _pieces(candidate)
    found = []
    for piece in sorted(before.keys() | after.keys(), key=lambda piece: (_KINDS.index(piece.kind), piece.name)):
        if piece not in before:
            found.append(Change(piece, ADDED, (), *_compared(piece, base, candidate)))
        elif piece not in after:
            found.append(Change(piece, REMOVED))
        elif differences := tuple(compare("", before[piece], after[piece])):
            found.append(Change(piece, CHANGED, differences, *_compared(piece, base, candidate)))
    return found


def _compared(piece: Piece, base: Project, candidate: Project) -> tuple[str, Comparison | None]:
    """Return which version a new form of a schema follows, and how they relate; none for the first of a major."""
    if piece.kind != "schema":
        return "", None
    type_, _, version = piece.name.partition("@")
    minors = [one for one in candidate.registry.versions(type_) if major_of(one) == major_of(version)]
    there = version in base.registry.versions(type_)
    against = version if there else "".join(minors[: minors.index(version)][-1:])
    if not against:
        return "", None
    old, new = (base if there else candidate).registry.schema(type_, against), candidate.registry.schema(type_, version)
    return against, compare_within(old, new, candidate.registry.about(type_).content_model)


def affected(found: Iterable[Change], base: Project, candidate: Project) -> dict[str, list[str]]:
    """Return the partners, sources, types, transforms, routes and connectors that events touch before or after."""
    nodes = {node for change in found for project in (base, candidate) for node in _nodes(change.piece, project)}
    reached = reach(nodes, [*hops(base), *hops(candidate)])
    sources = {**base.sources, **candidate.sources}
    kinds = {kind: sorted({node.name for node in reached if node.kind in of}) for kind, of in _NODES.items()}
    partners = sorted({sources[name].partner for name in kinds["source"] if name in sources})
    return {"partners": partners, **{f"{kind}s": names_ for kind, names_ in kinds.items()}}


_KINDS = ("source", "type", "schema", "lookup", "module", "cast", "transform", "form", "route", "connector")
_NODES = {kind: (kind,) for kind in ("source", "type", "transform", "route")} | {"connector": ("connector", "origin")}


def _pieces(project: Project) -> dict[Piece, Any]:
    """Return every piece as it is written; of bytes that nobody reads, their hash."""
    made: dict[Piece, Any] = {Piece("source", one.name): _source(one) for one in project.sources.values()}
    made |= {Piece("transform", one.name): one.spot.value() for one in project.transforms.values()}
    made |= {Piece("cast", one.name): one.spot.value() for one in project.casts}
    made |= {Piece("form", one.name): _form(project.root, one) for one in project.forms.values()}
    made |= {
        Piece("route", one.name): one.spot.value()
        for one in project.routes.values()
        if not one.name.startswith(CALLBACK)
    }
    for path in names(project.root, "connectors"):
        value = yamlfile.read(path, project.root).value
        made[Piece("connector", value["connector"])] = value
    made |= {Piece("type", type_): asdict(about) for type_, about in project.registry.abouts.items()}
    for type_ in project.registry.types():
        for version in project.registry.versions(type_):
            made[Piece("schema", f"{type_}@{version}")] = project.registry.schema(type_, version)
    transforms = project.root / "transforms"
    for path in sorted(filter(Path.is_file, transforms.rglob("*.csv"))):
        made[Piece("lookup", path.relative_to(transforms).as_posix())] = _rows(path)
    return made | {Piece("module", path.stem): _hash(path.read_bytes()) for path in modules(transforms)}


def _source(source: SourceSpec) -> Any:
    keys = source.verify.keys
    return source.spot.value() if keys is None else {**source.spot.value(), "keys": _hash(keys)}


def _form(root: Path, form: TargetForm) -> Any:
    value = form.spot.value()
    if "schema" not in value:
        return value
    schema = (root / form.spot.document.file).parent / value["schema"]
    return {**value, "schema": json.loads(schema.read_bytes())}


def _hash(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()[:12]}"


def _rows(path: Path) -> Mapping[str, str]:
    """Return the rows of a lookup by their first column."""
    lines = path.read_text("utf-8", "replace").splitlines()
    return {key: rest for key, _, rest in (line.partition(",") for line in lines)}


def _nodes(piece: Piece, project: Project) -> list[Node]:
    if piece.kind == "schema":
        return [Node("type", piece.name.partition("@")[0])]
    if piece.kind == "cast":
        return [Node("type", piece.name.partition("/")[0])]
    if piece.kind == "form":
        return _of_form(piece.name, project)
    if piece.kind == "lookup":
        return [node for value, nodes in _maps(project) if piece.name in str(value.get("lookups")) for node in nodes]
    if piece.kind == "module":
        begin = f"{PREFIX}{piece.name}."
        return [node for value, nodes in _maps(project) if value["map"].startswith(begin) for node in nodes]
    return [Node(kind, piece.name) for kind in _NODES.get(piece.kind, (piece.kind,))]


def _maps(project: Project) -> Iterator[tuple[Mapping[str, Any], list[Node]]]:
    """Yield what has a map, as it is written, and where events come by it."""
    for transform in project.transforms.values():
        yield transform.spot.value(), [Node("transform", transform.name)]
    for cast in project.casts:
        yield cast.spot.value(), [Node("type", cast.type)]
    for form in project.forms.values():
        yield form.spot.value(), _of_form(form.name, project)


def _of_form(name: str, project: Project) -> list[Node]:
    return [Node("route", route.name) for route in project.routes.values() if route.map == name]

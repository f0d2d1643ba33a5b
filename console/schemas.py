"""`/ops/v1/schemas`: event types, their versions, how these differ, and who uses them; called by `console.api`."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.desk import Desk
from crossdock.kernel.content import did_you_mean
from crossdock.kernel.problems import Refused
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.rhythm import DAY
from crossdock.project import Project
from journal import figures
from schemas.annotations import EACH, KEY, PERSONAL, Path, annotated
from schemas.bounded import compare_within
from schemas.compatibility import Change
from schemas.evolution import Verdict
from schemas.outline import EVERY
from schemas.registry import Registry, major_of

Version = Annotated[str, Query(max_length=20)]


def add_schemas(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""
    turns = asyncio.Semaphore(1)  # a comparison may take a process of its own, for up to two seconds

    @app.get("/ops/v1/schemas", dependencies=[gate(Role.VIEWER)])
    async def schemas() -> Response:
        return json_answer({"items": await show_schemas(desk)})

    @app.get("/ops/v1/schemas/{type}", dependencies=[gate(Role.VIEWER)])
    async def schema(type: str, version: Version = "") -> Response:  # noqa: A002  the word of the design
        registry = desk.project.registry
        wanted = version or _versions(registry, type)[-1]
        (summary,) = [one for one in await show_schemas(desk) if one["type"] == type]
        return json_answer(summary | _one(registry, type, _known(registry, type, wanted)) | _uses(desk.project, type))

    @app.get("/ops/v1/schemas/{type}/diff", dependencies=[gate(Role.VIEWER)])
    async def diff(
        type: str,  # noqa: A002
        old: Annotated[str, Query(alias="from", max_length=20)],
        new: Annotated[str, Query(alias="to", max_length=20)],
    ) -> Response:
        registry = desk.project.registry
        for version in (old, new):
            _known(registry, type, version)
        async with turns:
            return json_answer(_told(await asyncio.to_thread(_compared, registry, type, old, new)))


async def show_schemas(desk: Desk) -> list[dict[str, Any]]:
    """Return every event type with its versions, who sends it or wants it, and when it came last."""
    now = now_ms()
    found = await asyncio.to_thread(desk.processes.cells, now - DAY, now, figures.TYPE, (figures.PROCESS,))
    made = Counter[str]()
    for cell in found:
        made[cell.value] += cell.spread.n
    seen = _seen(desk)
    return [_summary(desk.project, type_, made[type_], seen[type_]) for type_ in desk.project.registry.types()]


def _seen(desk: Desk) -> Mapping[str, list[dict[str, Any]]]:
    """Return by type which sources were seen to send which version, and when last."""
    seen = defaultdict[str, list[dict[str, Any]]](list)
    for source in desk.drifts.watched():
        for one in source["versions"]:
            named = {name: one[name] for name in ("version", "looked_at", "last_seen")}
            seen[one["type"]].append({"source": source["source"], **named})
    return seen


def _summary(project: Project, type_: str, made: int, seen: list[dict[str, Any]]) -> dict[str, Any]:
    about, newest = project.registry.about(type_), project.registry.newest(type_)
    schema = project.registry.schema(type_, newest)
    return {
        "type": type_,
        "title": str(schema.get("title", "")),
        "description": about.description or str(schema.get("description", "")),
        "owner": about.owner,
        "compatibility": about.compatibility,
        "content_model": about.content_model.value,
        "newest": newest,
        "versions": [
            {"version": version, "deprecated": about.deprecated.get(version, "")}
            for version in project.registry.versions(type_)
        ],
        "sources": [
            {"source": spec.name, "partner": spec.partner, "pin": spec.pin(type_)}
            for spec in project.sources.values()
            if type_ in dict(spec.types)
        ],
        "routes": [
            {"route": route.name, "connector": route.connector, "major": route.majors.get(type_)}
            for route in project.routes.values()
            if type_ in route.types
        ],
        "made": made,
        "seen": seen,
        "last_seen": max((one["last_seen"] for one in seen), default=0),
    }


def _one(registry: Registry, type_: str, version: str) -> dict[str, Any]:
    """Return one version: the schema as written, and what it annotates, `*` standing for every item of a list."""
    schema = registry.schema(type_, version)
    keys, personal = annotated(schema, KEY), annotated(schema, PERSONAL)
    return {
        "version": version,
        "schema": schema,
        "keys": [{"pointer": _pointer(path), "kind": str(kind)} for path, kind in keys.items()],
        "personal": [_pointer(path) for path, said in personal.items() if said is not False],
    }


def _uses(project: Project, type_: str) -> dict[str, Any]:
    return {
        "transforms": [
            {
                "transform": one.name,
                "from": f"{one.from_type}@{one.from_major}",
                "to": f"{one.to_type}@{one.to_major}",
            }
            for one in project.transforms.values()
            if type_ in (one.from_type, one.to_type)
        ],
        "casts": [one.name for one in project.casts if one.type == type_],
    }


def _compared(registry: Registry, type_: str, old: str, new: str) -> Verdict:
    about = registry.about(type_)
    try:
        found = compare_within(registry.schema(type_, old), registry.schema(type_, new), about.content_model)
    except Refused as error:
        raise HTTPException(422, str(error)) from None
    return Verdict(type_, old, new, about, found)


def _told(verdict: Verdict) -> dict[str, Any]:
    about, found = verdict.about, verdict.comparison
    promised = major_of(verdict.old) == major_of(verdict.new)  # a new major may break
    return {
        "type": verdict.type,
        "from": verdict.old,
        "to": verdict.new,
        "compatibility": about.compatibility,
        "content_model": about.content_model.value,
        "backward": found.backward,
        "forward": found.forward,
        "broken": list(verdict.broken()) if promised else [],
        "changes": [_change(one) for one in found.changes],
    }


def _change(one: Change) -> dict[str, Any]:
    """Return a change; its witness is text, as a witness may have numbers that readers of JSON would change."""
    witness = json.dumps(one.witness) if one.breaks and one.proven else ""
    told = {"pointer": one.pointer, "change": one.change, "breaks": list(one.breaks), "why": one.why}
    return told | {"proven": one.proven, "witness": witness}


def _versions(registry: Registry, type_: str) -> tuple[str, ...]:
    if not (known := registry.versions(type_)):
        hint = did_you_mean(type_, registry.types())
        raise HTTPException(404, f"no schema for the type {type_[:80]}; {hint}".rstrip("; "))
    return known


def _known(registry: Registry, type_: str, version: str) -> str:
    if version not in (known := _versions(registry, type_)):
        raise HTTPException(404, f"{type_} has no version {version[:20]}; known: {', '.join(known)}")
    return version


def _pointer(path: Path) -> str:
    return "".join(f"/{EVERY if step == EACH else step.replace('~', '~0').replace('/', '~1')}" for step in path)

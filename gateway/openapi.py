"""`GET /openapi.json`: the exact description of the gateway, with the caller's own event types when it shows a key."""

from typing import Any

from fastapi import FastAPI, Request, Response

from crossdock import VERSION
from crossdock.project import Project
from gateway.caller import Caller
from gateway.catalog import path_of, sources_of, types_of
from gateway.examples import example
from gateway.openapi_operations import HEADERS, PATHS, SECURITY, at_source, send
from gateway.openapi_parts import MANY, SCHEMAS, Json, ref
from gateway.pages import Who, json_answer
from schemas.spec import embedded

Types = dict[str, tuple[str, Json, Any]]

_CREDENTIALS = {"authorization", "x-api-key"}
_EVENT: Json = {
    "specversion": "1.0", "id": "till-4/000123", "source": "/stores/0007/till-4", "type": "pos.sale",
    "time": "2026-11-21T09:30:00+01:00", "data": {"store": "0007", "receipt": "R-1"},
}  # fmt: skip


def add(app: FastAPI, project: Project, who: Who) -> None:
    """Add the document."""

    strangers = document(project, None)

    @app.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        if _CREDENTIALS.isdisjoint(request.headers.keys()):
            return json_answer(strangers)
        async with who(request) as caller:
            return json_answer(document(project, caller))


def document(project: Project, caller: Caller | None) -> Json:
    """Return the OpenAPI 3.1 document; without a caller it names nobody's event types."""
    types = _types(project, caller, "cloudevents") if caller else {}
    hooks = _types(project, caller, "webhook") if caller else {}
    called = _webhooks(project, caller, hooks) if caller else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Crossdock gateway",
            "version": VERSION,
            "description": "Send events, and ask what became of them. Shown a key, this tells your event types.",
            "license": {"name": "see LICENSE", "identifier": "LicenseRef-Crossdock"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apiKey": []}, {"basic": []}],
        "paths": PATHS | {"/v1/events": PATHS["/v1/events"] | {"post": send(_event(types), _examples(types))}} | called,
        "components": {
            "schemas": SCHEMAS | _data_schemas(types) | _data_schemas(hooks),
            "securitySchemes": SECURITY,
            "headers": HEADERS,
        },
    }


def _types(project: Project, caller: Caller, accept: str) -> Types:
    """Return of each type the caller may send in a way: default version, schema and an example of its data."""
    found: Types = {}
    for source in sources_of(project, caller):
        for kind in types_of(source, caller) if source.accept == accept else ():
            version = source.pin(kind) or project.registry.newest(kind)
            schema = dict(project.registry.schema(kind, version))
            found[kind] = version, schema, example(project, kind, version)
    return found


def _data_schemas(types: Types) -> Json:
    """Return the schema of each type's data, with references that lead to where it now is."""
    named = {f"{kind}-{version}": schema for kind, (version, schema, _) in types.items()}
    return {name: embedded(schema, f"#/components/schemas/{name}") for name, schema in named.items()}


def _webhooks(project: Project, caller: Caller, types: Types) -> Json:
    """Return the addresses of the caller's webhooks, with what each takes."""
    found: Json = {}
    for source in sources_of(project, caller):
        sent = {kind: types[kind] for kind in types_of(source, caller)} if source.accept == "webhook" else {}
        if sent:
            data = {"anyOf": [ref(f"{kind}-{version}") for kind, (version, _, _) in sent.items()]}
            told = f"rules of the source find in it events with data of: {', '.join(sent)}"
            schema = {"description": told} if "each" in source.event else {"anyOf": [data, MANY]}
            shown = {kind: {"value": value} for kind, (_, _, value) in sent.items() if value is not None}
            examples = {} if "each" in source.event else {"examples": shown}
            body = {"application/json": {"schema": schema, **examples}}
            found[path_of(source)] = at_source(f"_{source.name}", [], body)
    return found


def _event(types: Types) -> Json:
    """Return the schema of an event the caller may send."""
    if not types:
        return ref("Event")
    return {
        "oneOf": [
            {
                "title": kind,
                "allOf": [ref("Event")],
                "type": "object",
                "required": ["type", "data"],
                "properties": {"type": {"const": kind}, "data": ref(f"{kind}-{version}")},
            }
            for kind, (version, _, _) in types.items()
        ]
    }


def _examples(types: Types) -> Json:
    shown = {kind: _EVENT | {"type": kind, "data": data} for kind, (_, _, data) in types.items() if data is not None}
    return {name: {"value": value} for name, value in (shown or {"pos.sale": _EVENT}).items()}

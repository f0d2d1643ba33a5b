"""`GET /v1/catalog` and `GET /v1/schemas/{type}/{version}`: what the caller may send, and how."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from crossdock.kernel.event import BATCH, NDJSON, STRUCTURED
from crossdock.kernel.problems import Refused
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway.caller import Caller
from gateway.examples import example
from gateway.pages import NOT_FOUND, Who, json_answer, parameters

SCHEMA = "application/schema+json"
_DAY = "%Y-%m-%d"
_MEDIA = {"cloudevents": [STRUCTURED, BATCH, NDJSON, "application/json"], "webhook": ["application/json"]}


def add(app: FastAPI, project: Project, who: Who) -> None:
    """Add the catalog and the schemas."""

    @app.get("/v1/catalog")
    async def catalog(request: Request) -> Response:
        async with who(request) as caller:
            parameters(request, ())
            return json_answer({"partner": caller.partner, "sources": list(offers(project, caller))})

    @app.get("/v1/schemas/{type_}/{version}")
    async def schema(type_: str, version: str, request: Request) -> Response:
        async with who(request) as caller:
            parameters(request, ())
            allowed = any(type_ in types_of(source, caller) for source in sources_of(project, caller))
            if not allowed or version not in project.registry.versions(type_):
                raise Refused([NOT_FOUND])
            return json_answer(project.registry.schema(type_, version), SCHEMA)


def sources_of(project: Project, caller: Caller) -> Iterator[SourceSpec]:
    """Return the sources a caller may know of."""
    return (source for source in project.sources.values() if caller.may_see(source))


def types_of(source: SourceSpec, caller: Caller) -> list[str]:
    """Return the types a caller may send through a source."""
    return [kind for kind, _ in source.types if not caller.types or kind in caller.types]


def offers(project: Project, caller: Caller) -> Iterator[dict[str, Any]]:
    """Return what a caller may send, by source."""
    for source in sources_of(project, caller):
        if source.poll:
            continue
        types = [_type(project, source, kind) for kind in types_of(source, caller)]
        yield {
            "source": source.name,
            **_given(description=source.spot.value().get("description")),
            "accept": source.accept,
            "path": path_of(source),
            "content_types": _MEDIA[source.accept],
            "verify": source.verify.scheme,
            **_given(match=source.match),
            "on_invalid": source.on_invalid,
            "types": types,
            "limits": _limits(source),
            **_retirement(source),
        }


def path_of(source: SourceSpec) -> str:
    """Return where a source's events are sent to."""
    return f"/v1/sources/{source.name}" if source.at_own_address else "/v1/events"


def notices(source: SourceSpec) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that announce the end of a source (RFC 9745; RFC 8594)."""
    ends = source.retirement
    headers: list[tuple[bytes, bytes]] = []
    if ends.deprecated:
        headers.append((b"deprecation", b"@%d" % ends.deprecated))
    if ends.sunset:
        at = datetime.fromtimestamp(ends.sunset, UTC)
        headers.append((b"sunset", format_datetime(at, usegmt=True).encode()))
    if ends.link and headers:
        relation = b"deprecation" if ends.deprecated else b"sunset"
        headers.append((b"link", b'<%b>; rel="%b"' % (ends.link.encode(), relation)))
    return tuple(headers)


def _type(project: Project, source: SourceSpec, kind: str) -> dict[str, Any]:
    registry = project.registry
    default = source.pin(kind) or registry.newest(kind)
    schema = registry.schema(kind, default)
    return {
        "type": kind,
        "versions": registry.versions(kind),
        "default": default,
        **_given(title=schema.get("title"), description=schema.get("description")),
        "schemas": {version: f"/v1/schemas/{kind}/{version}" for version in registry.versions(kind)},
        **_given(deprecated=dict(registry.about(kind).deprecated)),
        **_given(example=example(project, kind, default)),
    }


def _limits(source: SourceSpec) -> dict[str, Any]:
    limits = source.limits
    told = {"body": limits.body, "batch": limits.batch, "concurrent": limits.concurrent}
    return told | (_given(rate=limits.rate, burst=limits.burst) if limits.rate else {}) | _given(quota=limits.quota)


def _retirement(source: SourceSpec) -> dict[str, str]:
    ends = source.retirement
    days = {"deprecated": ends.deprecated, "sunset": ends.sunset}
    told = {name: datetime.fromtimestamp(at, UTC).strftime(_DAY) for name, at in days.items() if at}
    return told | _given(link=ends.link)


def _given(**members: Any) -> dict[str, Any]:
    """Return the members that say something."""
    return {name: value for name, value in members.items() if value}

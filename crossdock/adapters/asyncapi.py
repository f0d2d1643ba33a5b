"""The AsyncAPI 3 document of what travels over the broker: streams, subjects, headers and payloads."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from crossdock import VERSION
from crossdock.adapters.reports import SUBJECT as REPORTS
from crossdock.adapters.topology import CONTROL_SUBJECT
from crossdock.callbackroutes import RESERVED, status_type
from crossdock.kernel.stream import (
    ACT,
    AGAIN,
    DEAD_LETTER,
    DEDUPE,
    DIGEST,
    EDIT,
    EVENT_ID,
    ORIGIN,
    QUARANTINED,
    RAW_SEQ,
    SOURCE,
)
from crossdock.kernel.stream import (
    VERSION as SCHEMA_VERSION,
)
from crossdock.project import Project
from dlq.record import DELIVER, PROCESS, DeadLetter
from journal.entry import SUBJECT, Entry
from schemas.spec import embedded

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "integer"}
_HEADERS = {
    "Nats-Msg-Id": "makes a second append within the stream's window a repeat",
    "Content-Type": "of a raw event: as it was sent",
    ORIGIN: "sequence of the first message of which this one is a replay",
    DEAD_LETTER: "id of the dead letter that a replay should bring home",
    AGAIN: "of a raw event that went through before: which plan sends it again, for which routes",
    ACT: "name of the plan, edit or act of a person that sent a replay",
    EDIT: "id of the edit by which a replay differs from its original",
    SCHEMA_VERSION: "schema version the gateway checked a raw event against",
    DIGEST: "of what a raw event says",
    EVENT_ID: "id of a raw event, percent-encoded",
    QUARANTINED: "the raw event broke its schema and may not go on before it fits",
    DEDUPE: "what a source's own expression says a raw event is known by, percent-encoded",
    SOURCE: "source a canonical event came from",
    RAW_SEQ: "sequence in RAW a canonical event came from",
}
_OF_REPLAYS = (ORIGIN, DEAD_LETTER, ACT, EDIT)
_RAW = ("Nats-Msg-Id", "Content-Type", SCHEMA_VERSION, EVENT_ID, DIGEST, DEDUPE, QUARANTINED, AGAIN, *_OF_REPLAYS)
_CANONICAL = ("Nats-Msg-Id", SOURCE, RAW_SEQ, *_OF_REPLAYS)
_STATUS = "Stream EVENTS: what a callback tells of an event of its source"
_OBJECT: Json = {"type": "object"}
_KINDS: dict[Any, Json] = {
    int: _NUMBER, str: _TEXT, bytes: _TEXT, Mapping[str, str]: _OBJECT, Mapping[str, Any]: _OBJECT,
}  # fmt: skip


def document(project: Project) -> Json:
    """Return the document; canonical events are described by the newest schema of each type."""
    made = {transform.to_type for transform in project.transforms.values()}
    routed = {type_ for route in project.routes.values() for type_ in route.types if not type_.startswith(RESERVED)}
    events = {type_: project.registry.newest(type_) for type_ in sorted(made | routed)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Crossdock on NATS",
            "version": VERSION,
            "description": f"Raw events in, canonical events out. Content revision {project.revision}.",
        },
        "defaultContentType": "application/json",
        "servers": {"nats": {"host": "broker", "protocol": "nats", "description": "NATS 2.12 or later, JetStream"}},
        "channels": _channels(project, list(events)),
        "operations": _operations(list(events)),
        "components": {
            "messages": _messages(events),
            "schemas": {
                "cloudevent": _CLOUDEVENT,
                "deadLetter": _dead_letter(),
                "journalEntries": _journal(),
                **{
                    f"{type_}-{version}": embedded(
                        dict(project.registry.schema(type_, version)), f"#/components/schemas/{type_}-{version}"
                    )
                    for type_, version in events.items()
                },
            },
        },
    }


def _channels(project: Project, types: list[str]) -> Json:
    partners = sorted({source.partner for source in project.sources.values()})
    names = sorted(project.sources)
    of_route = {"route": {"enum": sorted(project.routes)}} if project.routes else {"route": {}}
    stages = {"stage": {"enum": [PROCESS, DELIVER]}, "name": {"description": "the source, or the route"}}
    raw = {"partner": {"enum": partners}, "source": {"enum": names}}
    made = {
        "raw": _channel("raw.{partner}.{source}", "Stream RAW: events as they were sent", ["raw"], raw),
        "replay": _channel("replay.{route}", "Stream EVENTS: one route's replays", map(_name, types), of_route),
        "deadLetters": _channel("dlq.{stage}.{name}", "Stream DLQ: what was given up", ["deadLetter"], stages),
        "journal": _channel(SUBJECT, "Stream JOURNAL: what happened to every event", ["journal"]),
        "status": _channel(f"event.{status_type('{source}')}", _STATUS, ["status"], {"source": raw["source"]}),
        "control": _channel(CONTROL_SUBJECT, "A pause, a resume: look at the control bucket", ["control"]),
        "reports": _channel(REPORTS, "What every process says of itself", ["report"]),
    }
    return made | {
        _name(type_): _channel(f"event.{type_}", "Stream EVENTS: canonical events", [_name(type_)]) for type_ in types
    }


def _channel(address: str, description: str, messages: Any, parameters: Json | None = None) -> Json:
    known = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    made: Json = {"address": address, "description": description, "messages": known}
    return made | ({"parameters": parameters} if parameters else {})


def _operations(types: list[str]) -> Json:
    return {
        "takeRaw": _operation("send", "raw", "The gateway stores what it accepts."),
        "processRaw": _operation("receive", "raw", "Workers check, transform and store it in canonical form."),
        "replayEvent": _operation("send", "replay", "An operator sends a delivery through again."),
        "deliverReplay": _operation("receive", "replay", "Workers deliver it."),
        "giveUp": _operation("send", "deadLetters", "Workers store what they cannot process or deliver."),
        "note": _operation("send", "journal", "Every process notes what happened."),
        "projectJournal": _operation("receive", "journal", "The operations role makes it searchable."),
        "tellStatus": _operation("send", "status", "A worker read in the journal what a source wants to hear of."),
        "deliverStatus": _operation("receive", "status", "Workers deliver it to the partner."),
        "tellWorkers": _operation("send", "control", "The operations role paused or resumed a route."),
        "hearControl": _operation("receive", "control", "Workers look at the control bucket."),
        "report": _operation("send", "reports", "Every process, every other second."),
        "hearReports": _operation("receive", "reports", "The operations role listens."),
        **{f"deliver.{type_}": _operation("receive", _name(type_), "Workers deliver it.") for type_ in types},
    }


def _operation(action: str, channel: str, summary: str) -> Json:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _messages(events: dict[str, str]) -> Json:
    raw = {"description": "data of binary mode, or a whole CloudEvent; Content-Type says which"}
    control = {"type": "object", "properties": {"look": {"const": "paused"}}}
    report = {"type": "object", "properties": {"name": _TEXT, "state": {"type": "object"}, "metrics": _TEXT}}
    return {
        "raw": _message("Raw event", raw, _RAW),
        "deadLetter": _message("Dead letter", _ref("deadLetter"), ("Nats-Msg-Id",)),
        "journal": _message("Journal entries", _ref("journalEntries"), ("Nats-Msg-Id",)),
        "status": _message("Status", _ref("cloudevent"), _CANONICAL),
        "control": _message("Control", control, ("Content-Type",)),
        "report": _message("Report", report, ()),
        **{_name(type_): _canonical(type_, version) for type_, version in events.items()},
    }


def _canonical(type_: str, version: str) -> Json:
    told = {"type": {"const": type_}, "data": _ref(f"{type_}-{version}")}
    payload = {"allOf": [_ref("cloudevent"), {"type": "object", "properties": told}]}
    return _message(type_, payload, _CANONICAL) | {"contentType": "application/cloudevents+json"}


def _message(title: str, payload: Json, headers: tuple[str, ...]) -> Json:
    described = {name: {**_TEXT, "description": _HEADERS[name]} for name in headers}
    return {"title": title, "headers": {"type": "object", "properties": described}, "payload": payload}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _name(type_: str) -> str:
    return f"event.{type_}"


def _dead_letter() -> Json:
    """Describe the stored form: a payload that is no text, or costs more as text, is in base64."""
    known = {field.name: _KINDS.get(field.type, {"type": "array"}) for field in fields(DeadLetter)}
    return {"type": "object", "required": ["id", "stage"], "properties": {**known, "payload_base64": _TEXT}}


def _journal() -> Json:
    """Describe the columns; one value stands for a column of equals, a column of blanks is left out."""
    kinds = {name: _NUMBER if kind is int else _TEXT for name, kind in Entry.__annotations__.items()}
    columns = {name: {"anyOf": [kind, {"type": "array", "items": kind}]} for name, kind in kinds.items()}
    told = {"count": _NUMBER, "columns": {"type": "object", "properties": columns}}
    return {"type": "object", "required": ["count", "columns"], "properties": told}


_CLOUDEVENT: Json = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        **dict.fromkeys(("id", "source", "type", "time", "subject", "dataschema", "datacontenttype"), _TEXT),
        "partner": {**_TEXT, "description": "whose event it is"},
        "businesskey": {**_TEXT, "description": "what people search it by"},
        "data": {},
        "data_base64": _TEXT,
    },
}

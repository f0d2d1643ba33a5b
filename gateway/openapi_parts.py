"""The schemas of the gateway's answers and requests in its OpenAPI document."""

from typing import Any

from gateway.journey import STATUSES

Json = dict[str, Any]

MANY: Json = {"type": "array", "items": {}, "description": "each member is judged alone"}
TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
TIME: Json = {"type": "string", "format": "date-time"}
NAME: Json = {"type": "string", "minLength": 1, "maxLength": 1024}


def object_of(required: Json, optional: Json | None = None, **more: Any) -> Json:
    """Return the schema of an object: its members that are always there, and those that may be."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}, **more}


def ref(name: str) -> Json:
    """Return a reference to one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Json) -> Json:
    """Return the schema of an array."""
    return {"type": "array", "items": items}


_OUTCOMES = ("accepted", "duplicate", "quarantined")
_PROBLEM = {"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT, "errors": list_of(ref("Error"))}
_TOLD = {"index": COUNT, "status": {"enum": [*_OUTCOMES, "refused", "limited", "unavailable"]}}
_WHY = {"id": TEXT, "type": TEXT, "title": TEXT, "code": COUNT, "detail": TEXT, "errors": list_of(ref("Error"))}
_HOP = {
    "route": {**TEXT, "description": "which target"},
    "type": {**TEXT, "description": "what the event was turned into"},
    "attempts": COUNT,
    "next": {"anyOf": [TIME, {"type": "null"}], "description": "by when the next attempt is due"},
    "reason": {**TEXT, "description": "a stable code"},
    "detail": TEXT,
    "of": {"anyOf": [ref("First"), {"type": "null"}], "description": "the event that this one repeats"},
}
_OFFER = {
    "source": TEXT,
    "accept": {"enum": ["cloudevents", "webhook"]},
    "path": TEXT,
    "content_types": list_of(TEXT),
    "verify": {**TEXT, "description": "how the sender proves who it is"},
    "on_invalid": {"enum": ["reject", "quarantine", "warn"]},
    "types": list_of(ref("Type")),
    "limits": ref("Limits"),
}
_DAY = {"type": "string", "format": "date"}
_LIMITS = {
    "body": {**COUNT, "description": "bytes of an event"},
    "batch": {**COUNT, "description": "events in a request"},
    "concurrent": {**COUNT, "description": "requests at a time"},
}
_PACE = {
    "rate": {"type": "number", "description": "events a second"},
    "burst": {**COUNT, "description": "events at once"},
    "quota": {**COUNT, "description": "events a day of UTC"},
}
_ATTRIBUTES = {
    "specversion": {"const": "1.0"},
    "id": {**NAME, "description": "your own; keep it when you send the event again"},
    "source": {**NAME, "description": "which till, shop or handheld; with id it identifies the event"},
    "type": NAME,
}
_MORE = {
    "time": TIME,
    "subject": NAME,
    "dataschema": {**NAME, "description": "`.../<type>/<version>` when it is not the default version"},
    "datacontenttype": {"const": "application/json"},
    "data": {},
}
SCHEMAS: Json = {
    "Problem": object_of(_PROBLEM, description="RFC 9457; `type` is urn:crossdock:problem: and a stable code"),
    "Error": object_of({"pointer": TEXT, "rule": TEXT, "message": TEXT}),
    "Event": object_of(_ATTRIBUTES, _MORE, description="A CloudEvents 1.0 event"),
    "Stored": object_of({"id": TEXT, "status": {"enum": list(_OUTCOMES)}}, {"warnings": list_of(ref("Error"))}),
    "Batch": object_of(
        {"accepted": COUNT, "duplicate": COUNT, "refused": COUNT, "items": list_of(ref("Item"))},
        {"quarantined": COUNT, "limited": COUNT, "unavailable": COUNT},
    ),
    "Item": object_of(_TOLD, {**_WHY, "warnings": list_of(ref("Error"))}),
    "Journey": object_of(
        {"id": TEXT, "source": TEXT, "type": TEXT, "accepted": TIME, "status": {"enum": list(STATUSES)},
         "hops": list_of(ref("Hop"))}
    ),
    "Hop": object_of({"at": TIME, "stage": TEXT, "outcome": TEXT}, _HOP),
    "First": object_of({"id": TEXT, "source": TEXT, "accepted": TIME}),
    "Page": object_of({"items": list_of(ref("Line")), "next": {"type": ["string", "null"]}}),
    "Line": object_of(
        {"id": TEXT, "source": TEXT, "type": TEXT, "accepted": TIME, "status": {"enum": list(STATUSES)}}
    ),
    "Catalog": object_of({"partner": TEXT, "sources": list_of(ref("Source"))}),
    "Source": object_of(
        _OFFER, {"description": TEXT, "match": TEXT, "deprecated": _DAY, "sunset": _DAY, "link": TEXT}
    ),
    "Type": object_of(
        {"type": TEXT, "versions": list_of(TEXT), "default": TEXT, "schemas": {"type": "object"}},
        {"title": TEXT, "description": TEXT, "deprecated": {"type": "object"}, "example": {}},
    ),
    "Limits": object_of(_LIMITS, _PACE),
}  # fmt: skip

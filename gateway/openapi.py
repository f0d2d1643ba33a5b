"""The OpenAPI description of the hot path, which FastAPI cannot see as it is a plain ASGI route."""

from typing import Any

from fastapi import FastAPI

from crossdock.kernel.event import BATCH, STRUCTURED

_PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_STATUSES = {
    "400": "Not JSON or not a CloudEvent",
    "401": "No valid API key",
    "403": "The partner may not send this type",
    "413": "Body or batch too large",
    "415": "Content type not supported",
    "431": "Attributes too large",
    "422": "Unknown type or version, or data that breaks its schema",
    "503": "Not stored; send it again after Retry-After with the same id",
}
_EXAMPLE = {
    "specversion": "1.0",
    "id": "till-4/000123",
    "source": "stores/0007/till-4",
    "type": "pos.sale",
    "time": "2026-11-21T09:30:00+01:00",
    "data": {"store": "0007", "receipt": "R-1"},
}


def describe_ingest(app: FastAPI) -> None:
    """Add `POST /v1/events` and the problem schema to the document FastAPI makes."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document["paths"]["/v1/events"] = {"post": _operation()}
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _problem_schema()
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _operation() -> dict[str, Any]:
    event = {"type": "object", "required": ["specversion", "id", "source", "type"]}
    return {
        "summary": "Send events",
        "description": "One CloudEvents 1.0 event in structured or binary mode, or a batch of them.",
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": event, "example": _EXAMPLE},
                BATCH: {"schema": {"type": "array", "items": event}},
                "application/json": {"schema": {}, "example": _EXAMPLE["data"]},
            },
        },
        "responses": {
            "202": {"description": "Stored; a batch is answered item by item"},
            **{status: {"description": text, **_PROBLEM} for status, text in _STATUSES.items()},
        },
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    error = {"type": "object", "properties": {"pointer": text, "rule": text, "message": text}}
    return {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {"type": "array", "items": error},
        },
    }

"""What gateway and router share: the schema of an event and where the servers are."""

import json
import os
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_FOLDER = Path(__file__).parents[1] / "project" / "schemas" / "pos.sale"

NATS_URL = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
TARGETS = {name: os.environ.get(f"{name.upper()}_URL", "http://127.0.0.1:9") for name in ("erp", "wms", "oms")}


def event_schema() -> dict[str, Any]:
    """Return the schema of the measures for the data, inside one for the envelope."""
    data: dict[str, Any] = json.loads((_FOLDER / "1.0.json").read_text())
    definitions = data.pop("$defs")
    data.pop("$id")
    data["properties"]["currency"] = {"enum": ["EUR", "GBP", "USD"]}  # Crossdock's canonical schema demands it
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    names = ("specversion", "id", "source", "time", "datacontenttype")
    return {
        "$schema": data.pop("$schema"),
        "$defs": definitions,
        "type": "object",
        "required": ["id", "type", "source", "time", "data"],
        "additionalProperties": False,
        "properties": {**dict.fromkeys(names, text), "type": {"const": "pos.sale"}, "data": data},
    }


VALIDATOR = Draft202012Validator(event_schema())


def fault(event: object) -> str:
    """Return what is wrong with an event first, or nothing."""
    for error in VALIDATOR.iter_errors(event):
        return f"{error.json_path}: {error.message}"[:200]
    return ""

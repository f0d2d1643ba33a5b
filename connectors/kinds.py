"""The list of all connector kinds."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from connectors.http import make_http
from connectors.httpspec import read_http
from connectors.port import Connector, Outside
from connectors.spec import ConnectorSpec, Kind

KINDS: dict[str, Kind] = {"http": Kind(read_http, lambda spec, _: make_http(spec))}


def open_connector(spec: ConnectorSpec, outside: Outside) -> Connector:
    """Return the open connector of a spec; it dials on its first delivery."""
    return KINDS[spec.kind].open(spec, outside)


def schema_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema that a connector file must fit, by the kind that it names; `http` where it names none."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    return schema(kind if isinstance(kind, str) and kind in KINDS else "http")


@cache
def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind: what every connector has and what the kind adds."""
    whole, own = _read("_schema.json"), _read(f"_{kind}_schema.json")
    whole["required"] += own.get("required", [])
    whole["properties"] |= own["properties"]
    whole["$defs"] |= own.get("$defs", {})
    return whole


def editor_schema() -> dict[str, Any]:
    """Return one JSON Schema for the files of all kinds, flat, as editors offer what they find in `properties`."""
    whole = _read("_schema.json")
    common = set(whole["properties"])
    for kind in KINDS:
        own = schema(kind)
        for key in own["properties"].keys() - common:
            before = whole["properties"].get(key)
            said = own["properties"][key]
            whole["properties"][key] = said if before in (None, said) else {"anyOf": [before, said]}
        whole["$defs"] |= own["$defs"]
        only = {"required": own["required"], "propertyNames": {"enum": list(own["properties"])}}
        named = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        whole.setdefault("allOf", []).append({"if": named, "then": only})
    return whole


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_bytes())
    return found

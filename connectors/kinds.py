"""The list of all connector kinds."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from connectors.dropping import rehearse_folder
from connectors.file import make_file, poll_file
from connectors.folderspec import read_file, read_sftp
from connectors.http import make_http
from connectors.httppoll import make_origin
from connectors.httpreading import read_http
from connectors.nats import make_nats, poll_nats, rehearse_nats
from connectors.natsspec import read_nats
from connectors.port import Connector, Origin, Outside
from connectors.sftp import make_sftp, poll_sftp
from connectors.spec import ConnectorSpec, Kind
from connectors.sql import make_sql, poll_sql, rehearse_sql
from connectors.sqlspec import read_sql
from crossdock.formats.kinds import definitions
from crossdock.kernel.nearest import near

KINDS: dict[str, Kind] = {
    "file": Kind(read_file, lambda spec, _: make_file(spec), lambda spec, _: poll_file(spec), "name", rehearse_folder),
    "http": Kind(read_http, lambda spec, _: make_http(spec), lambda spec, _: make_origin(spec)),
    "nats": Kind(read_nats, make_nats, poll_nats, destination="subject", rehearse=rehearse_nats),
    "sftp": Kind(read_sftp, lambda spec, _: make_sftp(spec), lambda spec, _: poll_sftp(spec), "name", rehearse_folder),
    "sql": Kind(read_sql, make_sql, poll_sql, destination="table", rehearse=rehearse_sql),
}


def open_connector(spec: ConnectorSpec, outside: Outside) -> Connector:
    """Return the open connector of a spec; it dials on its first delivery."""
    return KINDS[spec.kind].open(spec, outside)


def open_origin(spec: ConnectorSpec, outside: Outside) -> Origin:
    """Return the open origin of a spec that has `poll`; it dials when it is first asked."""
    origin = KINDS[spec.kind].origin
    assert origin is not None  # only kinds that have one take `poll`
    return origin(spec, outside)


def schema_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema that a connector file must fit, by the kind that it names or means, else `http`."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    meant = near(kind, KINDS) if isinstance(kind, str) else []
    return schema(meant[0] if meant else "http")


@cache
def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind: what every connector has and what the kind adds."""
    whole, own = _read("_schema.json"), _read(f"_{kind}_schema.json")
    whole["required"] += own.get("required", [])
    whole["properties"] |= own["properties"]
    whole["$defs"] |= own.get("$defs", {}) | (definitions() if "format" in own["properties"] else {})
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
            whole["properties"][key] = said if before in (None, said) else {}  # what it means is said by kind
        whole["$defs"] |= own["$defs"]
        theirs = {key: own["properties"][key] for key in own["properties"].keys() - common}
        only = {"required": own["required"], "properties": theirs, "propertyNames": {"enum": list(own["properties"])}}
        named: dict[str, Any] = {"properties": {"kind": {"const": kind}}}
        named |= {} if kind == "http" else {"required": ["kind"]}  # which a file that is being written may lack
        whole.setdefault("allOf", []).append({"if": named, "then": only})
    return whole


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_bytes())
    return found

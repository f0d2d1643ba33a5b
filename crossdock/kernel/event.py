"""The event envelope: CloudEvents 1.0, decoded leniently and encoded strictly.

Modes are those of the HTTP protocol binding; the same two (binary, structured) are used on NATS.
"""

import base64
import re
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from crossdock.kernel import attribute_rules, jsontext
from crossdock.kernel.problems import Problem, Refused, refuse

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"

_PLAIN = re.compile(r"[!#$&-~]*\Z")  # needs no percent-encoding: visible ASCII but for the quote and the percent sign
_GUARD = re.compile(rb"\xef\xb7[\x90\x91]|\\u[Ff][Dd][Dd][01]")


class Event(NamedTuple):
    """One fact in a CloudEvents 1.0 envelope; `data` is parsed JSON, or bytes when the content is not JSON.

    `exact` says that `data` may hold integers beyond 2^53, which the mapping language must not touch as doubles.
    """

    id: str
    source: str
    type: str
    data: Any = None
    time: str = ""
    subject: str = ""
    dataschema: str = ""
    datacontenttype: str = "application/json"
    extensions: Mapping[str, str | int | bool] = MappingProxyType({})
    exact: bool = False

    def attributes(self) -> dict[str, str | int | bool]:
        """Return every attribute that is set, `specversion` first, without the data."""
        made: dict[str, str | int | bool] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
        }
        if self.time:
            made["time"] = self.time
        if self.subject:
            made["subject"] = self.subject
        if self.dataschema:
            made["dataschema"] = self.dataschema
        if self.datacontenttype:
            made["datacontenttype"] = self.datacontenttype
        made.update(self.extensions)
        return made

    def extended(self, **extensions: str | int | bool) -> "Event":
        """Return the event with these extension attributes added; empty strings are left out."""
        return self._replace(extensions={**self.extensions, **{k: v for k, v in extensions.items() if v != ""}})


def is_json(content_type: str) -> bool:
    """Tell whether a media type is JSON: `application/json`, `text/json` or a `+json` suffix."""
    media = content_type.split(";", 1)[0].strip().lower()
    return media in {"application/json", "text/json"} or media.endswith("+json")


def decode(headers: Mapping[str, str], body: bytes) -> Event:
    """Read one event in binary or structured mode; header names in lower case.

    Raises:
        Refused: with every problem of the envelope.
    """
    content_type = headers.get("content-type", "")
    if content_type.lower().startswith("application/cloudevents"):
        return decode_structured(body)
    return _decode_binary(headers, content_type, body)


def decode_structured(body: bytes) -> Event:
    """Read one event in structured JSON mode (CloudEvents JSON format, section 3).

    Raises:
        Refused: with every problem of the envelope.
    """
    document = jsontext.loads(body)
    if not isinstance(document, dict):
        raise refuse("invalid_envelope", "a structured event is a JSON object")
    problems = []
    if "data" in document and "data_base64" in document:
        problems.append(Problem("invalid_envelope", "data and data_base64 exclude each other", pointer="/data_base64"))
    data = document.get("data")
    if "data_base64" in document:
        data = _base64(document["data_base64"], problems)
    attributes = {k: v for k, v in document.items() if k not in ("data", "data_base64") and v is not None}
    return _make(attributes, data, holds_long_numbers(body, problems), problems)


def restore(body: bytes, **extensions: str | int | bool) -> Event:
    """Read an event that was stored in structured mode after it had been checked, and add extension attributes."""
    document = jsontext.own_loads(body)
    take = document.pop
    take("specversion")
    data = take("data", None)
    if "data_base64" in document:
        data = base64.b64decode(take("data_base64"))
    return Event(
        take("id"),
        take("source"),
        take("type"),
        data,
        take("time", None) or "",
        take("subject", None) or "",
        take("dataschema", None) or "",
        take("datacontenttype", None) or "application/json",
        {**{name: value for name, value in document.items() if value is not None}, **extensions},
        jsontext.has_long_number(body),
    )


def _decode_binary(headers: Mapping[str, str], content_type: str, body: bytes) -> Event:
    problems: list[Problem] = []
    attributes: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            attributes[name[3:]] = _decode_header(name, value, problems)
    if "datacontenttype" in attributes:
        problems.append(
            Problem("invalid_envelope", "send Content-Type, not ce-datacontenttype", pointer="/datacontenttype")
        )
    attributes["datacontenttype"] = content_type or "application/json"
    data: Any = body
    if is_json(attributes["datacontenttype"]):
        try:
            data = jsontext.loads(body) if body else None
        except Refused as error:
            problems.extend(error.problems)
    return _make(attributes, data, holds_long_numbers(body, problems), problems)


def holds_long_numbers(body: bytes, problems: list[Problem]) -> bool:
    """Tell whether big integers must be guarded; the guard's own characters (see expression.py) are then refused."""
    exact = jsontext.has_long_number(body)
    if exact and _GUARD.search(body):
        problems.append(Problem("reserved_character", "text holds the noncharacter U+FDD0 or U+FDD1", "leave it out"))
    return exact


def _wrong_version(message: str, rule: str = "") -> Problem:
    return Problem("invalid_envelope", message, 'add specversion: "1.0"', pointer="/specversion", rule=rule)


def _make(attributes: dict[str, Any], data: Any, exact: bool, problems: list[Problem]) -> Event:
    if "specversion" not in attributes:
        problems.append(_wrong_version("specversion is required", rule="required"))
    elif (version := attributes.pop("specversion")) != "1.0":
        problems.append(_wrong_version(f'specversion must be "1.0", not {jsontext.dumps(version).decode()}'[:200]))
    if not attribute_rules.clearly_fine(attributes):
        problems.extend(islice(attribute_rules.problems(attributes), attribute_rules.MAX_PROBLEMS))
    if problems:
        raise Refused(problems)
    take = attributes.pop
    return Event(
        take("id"), take("source"), take("type"), data,
        take("time", ""), take("subject", ""), take("dataschema", ""), take("datacontenttype", "application/json"),
        attributes, exact,
    )  # fmt: skip


def _base64(text: Any, problems: list[Problem]) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        problems.append(Problem("invalid_envelope", "data_base64 is not base64", pointer="/data_base64"))
        return b""


def _decode_header(name: str, value: str, problems: list[Problem]) -> str:
    """Undo the header encoding: unquote, one round of percent-decoding (HTTP binding, section 3.1.3.2)."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    if "%" not in value and value.isascii():
        return value
    try:
        raw = value.encode("latin-1") if not value.isascii() else value.encode()
        decoded = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), raw)
        return decoded.decode()
    except UnicodeError:
        problems.append(Problem("invalid_envelope", f"{name} is not valid UTF-8", pointer=f"/{name[3:]}"[:80]))
        return "?"


def encode_structured(event: Event) -> bytes:
    """Write the event in structured JSON mode."""
    document: dict[str, Any] = event.attributes()
    if isinstance(event.data, bytes):
        document["data_base64"] = base64.b64encode(event.data).decode()
    elif event.data is not None:
        document["data"] = event.data
    return jsontext.dumps(document)


def encode_headers(event: Event) -> dict[str, str]:
    """Return the headers of binary mode: `ce-*` and `content-type`."""
    attributes = event.attributes()
    attributes.pop("datacontenttype", None)
    headers = {f"ce-{name}": value for name, value in attributes.items() if type(value) is str}
    if len(headers) < len(attributes) or not _PLAIN.match("".join(headers.values())):
        headers = {f"ce-{name}": header_value(value) for name, value in attributes.items()}
    headers["content-type"] = event.datacontenttype
    return headers


def encode_binary(event: Event) -> tuple[dict[str, str], bytes]:
    """Write the event in binary mode: `ce-*` and `content-type` headers, and the body."""
    headers = encode_headers(event)
    if isinstance(event.data, bytes):
        return headers, event.data
    return headers, b"" if event.data is None else jsontext.dumps(event.data)


def header_value(value: str | int | bool) -> str:
    """Return an attribute as a header value, percent-encoded (HTTP binding, section 3.1.3.2)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if _PLAIN.match(text) else quote(text, safe="!#$&'()*+,-./:;<=>?@[\\]^_`{|}~")

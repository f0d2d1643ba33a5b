"""Drives an ASGI application in this process: one request in, one answer out."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    app: Any,
    method: str,
    target: str,
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: bytes | list[bytes] = b"",
) -> Answer:
    """Send one request; a list of headers may repeat one, a list of bytes is a body in several pieces."""
    parts = urlsplit(target)
    pieces = body if isinstance(body, list) else [body]
    given = headers if isinstance(headers, list) else (headers or {}).items()
    listed = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
        "root_path": "", "headers": listed, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    left, sent = list(pieces), list[MutableMapping[str, Any]]()

    async def receive() -> MutableMapping[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(part.get("body", b"") for part in rest))

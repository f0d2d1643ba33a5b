"""A collector of traces: takes OTLP over HTTP, in a thread of its own, and keeps what came."""

import gzip
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """Serves while it is entered; with `hold` no request is answered before that is set."""

    def __init__(self, hold: threading.Event | None = None) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes] = []
        self.arrived = threading.Event()
        self._hold = hold
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        if self._hold:
            self._hold.wait(10)
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        self.headers.append(headers)
        self.bodies.append(plain)
        self.requests.append(ExportTraceServiceRequest.FromString(plain))
        self.arrived.set()

    def spans(self) -> list[Span]:
        """Return every span that came."""
        scopes = [scope for one in self.requests for part in one.resource_spans for scope in part.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def resources(self) -> list[dict[str, str]]:
        """Return who sent spans."""
        parts = [part for one in self.requests for part in one.resource_spans]
        return [{pair.key: pair.value.string_value for pair in part.resource.attributes} for part in parts]


def attributes(span: Span) -> dict[str, Any]:
    """Return what a span says."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in span.attributes}


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take({name.lower(): text for name, text in self.headers.items()}, body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    return Handler

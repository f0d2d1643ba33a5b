"""The head of a request on the long way."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from crossdock.kernel.problems import refuse
from gateway.ingest import PLAIN
from gateway.proof import Request

MAX_QUERY = 8 << 10  # bytes; decoding takes 180 times as many
_ONCE = PLAIN | {"content-encoding", "idempotency-key"}


class Head(NamedTuple):
    """Method, path and query as they came; header names in lower case, of repeated ones the values with commas."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    client: str

    def request(self, body: bytes = b"") -> Request:
        """Return what a verification scheme looks at."""
        return Request(self.method, self.path, self.query, self.headers, body, self.client)


def read_head(scope: Mapping[str, Any]) -> Head:
    """Return the head of an ASGI request.

    Raises:
        Refused: `invalid_envelope`, a header that says something of the event is given twice; `headers_too_large`, the
            query is.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name not in headers:
            headers[name] = value
        elif name.startswith("ce-") or name in _ONCE:
            raise refuse("invalid_envelope", f"the header {name[:80]} is given twice", "keep one of the two")
        else:
            headers[name] += f", {value}"  # RFC 9110, section 5.2
    path = scope.get("raw_path") or scope["path"].encode()
    client = scope.get("client")
    query = scope.get("query_string", b"").decode("latin-1")
    if len(query) > MAX_QUERY:
        raise refuse("headers_too_large", f"the query is longer than {MAX_QUERY >> 10} KiB")
    return Head(scope["method"], path.decode("latin-1"), query, headers, client[0] if client else "")

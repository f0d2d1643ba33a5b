"""URLs and request heads of the delivery client: parsed and checked once, written in one piece."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import quote, urlsplit

from crossdock.kernel.problems import refuse

PORTS = {"http": 80, "https": 443}
OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "expect", "te", "trailer", "upgrade")

_URL = re.compile(r"[!-~]{1,8000}\Z")
_HOST = re.compile(r"([A-Za-z0-9_.-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?)\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class SendFailed(Exception):
    """No answer came back; `sent` says that the target may have seen the request.

    Codes: `connect`, `tls`, `timeout`, `reset`, `protocol`, `private_address`, `bad_header`, `oauth2`, `csrf` and
    `closed`.
    """

    def __init__(self, code: str, detail: str, sent: bool) -> None:
        self.code = code
        self.detail = detail
        self.sent = sent
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go; the path includes the query, which may hold a secret."""

    scheme: str
    host: str
    port: int
    path: str = field(default="/", repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        """What connections are shared by."""
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """Parse the URL of a connector; the problem never shows the URL itself.

    Raises:
        Refused: `bad_url`.
    """
    if not _URL.match(url):
        raise refuse("bad_url", "a url is at most 8000 printable ASCII characters", "percent-encode all others")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refuse(
            "bad_url", "the host or port of the url is malformed", "such as https://erp.example:8443/api"
        ) from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise refuse("bad_url", "the url is not http:// or https:// with a host", "such as https://erp.example/api")
    if not _HOST.match(parts.hostname):
        raise refuse("bad_url", "the host of the url is neither a name nor an address", "such as erp.example")
    if "@" in parts.netloc:
        raise refuse("bad_url", "the url holds a user or password", "give them as auth: {basic: {user, password}}")
    if parts.fragment:
        raise refuse("bad_url", "the url has a #fragment, which is never sent", "leave it out")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port, path)


def header_fault(headers: Mapping[str, str]) -> str:
    """Return why the headers may not be sent: one could change the framing, or the client writes it itself."""
    values = "".join(headers.values())
    if not _names_fit(tuple(headers)):
        return "a header name is not a token, or is one that the client writes itself"
    if not (values.isascii() and values.isprintable()):  # no CR, LF, NUL or other control character
        return "a header value is not printable ASCII"
    return ""


@lru_cache(maxsize=256)  # every event of a route has the same names
def _names_fit(names: tuple[str, ...]) -> bool:
    return all(_TOKEN.match(name) and name.lower() not in OWN_HEADERS for name in names)


def joined(target: Target, path: str, query: Mapping[str, str]) -> Target:
    """Return the target with a path and query parameters added to its own."""
    base, _, own = target.path.partition("?")
    added = [f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in query.items()]
    whole = "&".join(filter(None, [own, *added]))
    at = base.removesuffix("/") + path if path else base
    return replace(target, path=f"{at}?{whole}" if whole else at)


def start_line(method: str, target: Target, path: str = "") -> str:
    """Return how a request head for a target, or another path there, begins: the request line and the Host header."""
    return f"{method} {path or target.path} HTTP/1.1\r\nhost: {target.authority}\r\n"


def write_head(start: str, headers: Mapping[str, str], length: int) -> bytes:
    """Return the request head that begins with `start`.

    Raises:
        SendFailed: `bad_header`.
    """
    if fault := header_fault(headers):
        raise SendFailed("bad_header", fault, sent=False)
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"{start}{lines}content-length: {length}\r\n\r\n".encode("ascii")

"""HMAC signatures in a header: each vendor's style is a row of `STYLES`; what a row cannot say is beside it."""

import base64
import hmac
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossdock.kernel.problems import refuse
from crossdock.kernel.units import seconds
from gateway.proof import Request, Unverified, header, octets

MAX_SIGNATURES = 16  # of one header; what stands behind them is not looked at
TOLERANCE = "5m"

Clock = Callable[[], float]
_FIELD = re.compile(r"\{(\w+)\}")
_FIELDS = ("body", "timestamp", "id", "url", "method", "path")
_STAMP = re.compile(r"[0-9]{1,12}\Z", re.ASCII)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.6.2


def utf8(secret: str) -> bytes:
    """Return a secret that is used as it is written."""
    return secret.encode()


def nfkd(secret: str) -> bytes:
    """Return a secret as EasyPost's own clients use it: in Unicode's normal form KD."""
    return unicodedata.normalize("NFKD", secret).encode()


@dataclass(frozen=True, slots=True)
class Style:
    """Where a signature stands, how it is written and what it is made of.

    `timestamp` and `id` name further headers; `signed` joins texts and `{body}`, `{timestamp}`, `{id}`, `{url}`,
    `{method}`, `{path}` (with its query); `tolerance` is in seconds.
    """

    header: str
    signed: str = "{body}"
    algorithm: str = "sha256"
    encoding: str = "base64"
    prefix: str = ""
    timestamp: str = ""
    id: str = ""
    url: str = ""
    tolerance: float = 0.0
    key: Callable[[str], bytes] = utf8


STYLES: Mapping[str, Style] = {
    "shopify": Style("x-shopify-hmac-sha256"),
    "woocommerce": Style("x-wc-webhook-signature"),
    "square": Style("x-square-hmacsha256-signature", signed="{url}{body}"),
    "github": Style("x-hub-signature-256", encoding="hex", prefix="sha256="),
    "easypost": Style("x-hmac-signature", encoding="hex", prefix="hmac-sha256-hex=", key=nfkd),
    "stripe": Style("stripe-signature", signed="{timestamp}.{body}", encoding="hex"),
    "aftership tracking": Style("aftership-hmac-sha256"),
    "aftership shipping": Style("am-webhook-signature"),
    "aftership returns": Style("as-signature-hmac-sha256"),
}


class Signed:
    """Verifies requests that carry one signature of a style, made with any of the secrets."""

    reads_body = True

    def __init__(self, style: Style, secrets: Sequence[str], clock: Clock = time.time) -> None:
        self._style = style
        self._keys = tuple(style.key(secret) for secret in secrets)
        self._clock = clock
        self._parts = _FIELD.split(style.signed)  # texts at even places, names of fields at odd ones
        self._timed = "timestamp" in self._parts[1::2]

    async def verify(self, request: Request) -> None:
        """See `Verifier`."""
        style = self._style
        given, stamp = self.given(request)
        event_id = octets(header(request, style.id)) if style.id else b""
        content = self._content(request, stamp, event_id)
        macs = (hmac.digest(key, content, style.algorithm) for key in self._keys)
        if not any_equal((write(mac, style.encoding, style.prefix) for mac in macs), given):
            raise Unverified("mismatch")
        if self._timed:
            check_fresh(stamp, style.tolerance, self._clock())

    def given(self, request: Request) -> tuple[list[bytes], str]:
        """Return the signatures that a request carries, and its timestamp if the style has one."""
        stamp = header(request, self._style.timestamp) if self._style.timestamp else ""
        return [octets(header(request, self._style.header))], stamp

    def _content(self, request: Request, stamp: str, event_id: bytes) -> bytes:
        if self._style.signed == "{body}":
            return request.body
        target = f"{request.path}?{request.query}" if request.query else request.path
        fields = {
            "body": request.body,
            "timestamp": octets(stamp),
            "id": event_id,
            "url": self._style.url.encode(),
            "method": octets(request.method),
            "path": octets(target),
        }
        return b"".join(fields[part] if i % 2 else part.encode() for i, part in enumerate(self._parts))


class Stripe(Signed):
    """Stripe's header holds a timestamp and several signatures: `t=1492774577,v1=...,v1=...`."""

    def given(self, request: Request) -> tuple[list[bytes], str]:
        """Return the signatures of version 1 and the timestamp."""
        items = header(request, self._style.header).split(",", MAX_SIGNATURES)[:MAX_SIGNATURES]
        pairs = [item.partition("=") for item in items]
        stamps = [text for name, _, text in pairs if name == "t"]
        given = [octets(text) for name, _, text in pairs if name == "v1"]
        if len(stamps) != 1 or not given:
            raise Unverified("malformed")
        return given, stamps[0]


def any_equal(expected: Iterable[bytes], given: Sequence[bytes]) -> bool:
    """Tell whether one of the signatures is one of those expected, in a time that does not depend on which.

    The texts are compared, not what they decode to: so there is one way to write each, and nothing to go wrong.
    """
    found = False
    for text in expected:
        for candidate in given:
            found |= hmac.compare_digest(text, candidate)
    return found


def write(mac: bytes, encoding: str, prefix: str = "") -> bytes:
    """Return a signature as a sender writes it; hex is in lower case."""
    return prefix.encode() + (mac.hex().encode() if encoding == "hex" else base64.b64encode(mac))


def check_fresh(stamp: str, tolerance: float, now: float) -> None:
    """Refuse a timestamp in Unix seconds that is further from now than the tolerance, either way.

    Raises:
        Unverified: `stale`, or `malformed` for anything but digits.
    """
    if not _STAMP.match(stamp):
        raise Unverified("malformed")
    if abs(now - int(stamp)) > tolerance:
        raise Unverified("stale")


def custom_style(options: Mapping[str, Any]) -> Style:
    """Return the style that a source describes itself, under `hmac`.

    Raises:
        Refused: `bad_value`.
    """
    style = Style(
        header=options["header"].lower(),
        signed=options.get("signed", "{body}"),
        algorithm=options.get("algorithm", "sha256"),
        encoding=options.get("encoding", "hex"),
        prefix=options.get("prefix", ""),
        timestamp=options.get("timestamp", "").lower(),
        id=options.get("id", "").lower(),
        url=options.get("url", ""),
        tolerance=seconds(options.get("tolerance", TOLERANCE)),
    )
    _check_template(style)
    for name in (style.header, style.timestamp, style.id):
        if name and not _HEADER.match(name):
            raise refuse("bad_value", f"{name!r} is not the name of a header")
    if not style.prefix.isascii():
        raise refuse("bad_value", "`prefix` is not ASCII")
    return style


def _check_template(style: Style) -> None:
    parts = _FIELD.split(style.signed)
    fields, texts = parts[1::2], parts[::2]
    if any("{" in text or "}" in text for text in texts) or not set(fields) <= set(_FIELDS):
        known = " ".join(f"{{{name}}}" for name in _FIELDS)
        raise refuse("bad_value", f"`signed` is {style.signed!r}", f"it may hold {known} and any text between them")
    if "body" not in fields:
        raise refuse("bad_value", "`signed` leaves out {body}: anybody could change it")
    for name in ("timestamp", "id", "url"):
        if bool(getattr(style, name)) != (name in fields):
            hint = "what is not signed proves nothing"
            raise refuse("bad_value", f"`{name}` and {{{name}}} in `signed` need each other", hint)

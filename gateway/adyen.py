"""Adyen: each item of a payment notification holds its own signature; other webhooks have one in a header.

The rules are those of Adyen's library for Python, `Adyen/util.py`: fields joined by colons, nothing escaped.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused, refuse
from gateway.proof import Request, Unverified, octets
from gateway.signatures import any_equal, write

MAX_BODY = 512 << 10  # bytes that are parsed before they are proven, which no other scheme needs
MAX_ITEMS = 100
_HEADER = "hmacsignature"  # of banking and management webhooks, over the raw body
_BEFORE_AMOUNT = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
_AFTER_AMOUNT = ("eventCode", "success")


class Adyen:
    """Verifies Adyen's webhooks; the secrets are the HMAC keys in hex, as its Customer Area shows them."""

    reads_body = True

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [_key(secret) for secret in secrets]

    async def verify(self, request: Request) -> None:
        """See `Verifier`."""
        given = request.headers.get(_HEADER)
        pairs = _items(request.body) if given is None else [(octets(given), request.body)]
        if not all(self._proven(signature, content) for signature, content in pairs):
            raise Unverified("mismatch")

    def _proven(self, signature: bytes, content: bytes) -> bool:
        return any_equal([write(hmac.digest(key, content, "sha256"), "base64") for key in self._keys], [signature])


def signed_text(item: Mapping[str, Any]) -> str:
    """Return what the signature of a NotificationRequestItem is made of.

    Raises:
        TypeError, KeyError: the amount is missing, or a field is of another type than Adyen sends.
    """
    amount = item["amount"]
    parts = [*map(item.get, _BEFORE_AMOUNT), amount["value"], amount["currency"], *map(item.get, _AFTER_AMOUNT)]
    return ":".join(map(_text, parts))


def _items(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return signature and signed bytes of each item of a notification."""
    if len(body) > MAX_BODY:
        raise Unverified("malformed")
    try:
        found = [member["NotificationRequestItem"] for member in jsontext.loads(body)["notificationItems"]]
        signatures = [_text(item.get("additionalData", {}).get("hmacSignature")).encode() for item in found]
        contents = [signed_text(item).encode() for item in found]
    except (Refused, TypeError, KeyError, AttributeError, RecursionError):
        raise Unverified("malformed") from None
    if not 0 < len(found) <= MAX_ITEMS:  # nothing signed is nothing proven
        raise Unverified("malformed")
    if not all(signatures):
        raise Unverified("missing")
    return list(zip(signatures, contents, strict=True))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise TypeError
    return str(value)


def _key(secret: str) -> bytes:
    try:
        key = bytes.fromhex(secret)
    except ValueError:
        key = b""
    if len(key) * 2 != len(secret) or not key:  # fromhex passes over blanks
        raise refuse("bad_secret", "the secret is not hex", "copy the HMAC key from Adyen's Customer Area")
    return key

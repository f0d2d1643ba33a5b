"""Signatures of deliveries: Standard Webhooks (HMAC-SHA256, v1), and an HMAC of the body in a header of its own."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import refuse

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64  # bytes of a key


def decode_key(secret: str) -> bytes:
    """Return the key that a secret is, with or without its prefix.

    Raises:
        Refused: `bad_secret`.
    """
    text = secret.removeprefix(_PREFIX)
    if UNSET in text:
        return b""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _LEAST <= len(key) <= _MOST:
        hint = "such as whsec_ and what `openssl rand -base64 32` prints"
        raise refuse("bad_secret", f"a secret is {_LEAST} to {_MOST} bytes in base64, with whsec_ before it", hint)
    return key


def signed(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove a message to who has one of the keys; `timestamp` is that of this attempt."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


@dataclass(frozen=True, slots=True)
class Hmac:
    """How a target wants the body signed: the header, and the digest written as hex or base64 behind a prefix."""

    key: bytes = field(repr=False)
    header: str = "x-signature"
    algorithm: str = "sha256"
    in_base64: bool = False
    prefix: str = ""

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the header that proves a body."""
        digest = hmac.digest(self.key, body, self.algorithm)
        return {self.header: self.prefix + (base64.b64encode(digest).decode() if self.in_base64 else digest.hex())}

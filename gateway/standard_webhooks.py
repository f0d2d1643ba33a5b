"""Standard Webhooks: HMAC signatures (v1) and ed25519 signatures (v1a), several in one header."""

import base64
import binascii
import hmac
import time
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crossdock.kernel.problems import refuse
from gateway.proof import Request, Unverified, header, octets
from gateway.signatures import MAX_SIGNATURES, Clock, any_equal, check_fresh, write

_SYMMETRIC, _PUBLIC, _PRIVATE = "whsec_", "whpk_", "whsk_"
_ED25519_KEY, _ED25519_SIGNATURE = 32, 64  # bytes, RFC 8032


class StandardWebhooks:
    """Verifies requests signed as the Standard Webhooks specification says; `tolerance` is in seconds."""

    reads_body = True

    def __init__(self, secrets: Sequence[str], tolerance: float, clock: Clock = time.time) -> None:
        self._keys = [_decode(secret.removeprefix(_SYMMETRIC)) for secret in secrets if not secret.startswith(_PUBLIC)]
        self._public = [_public_key(secret) for secret in secrets if secret.startswith(_PUBLIC)]
        self._tolerance = tolerance
        self._clock = clock

    async def verify(self, request: Request) -> None:
        """See `Verifier`."""
        event_id = octets(header(request, "webhook-id"))
        stamp = header(request, "webhook-timestamp")
        given = header(request, "webhook-signature").split(" ", MAX_SIGNATURES)[:MAX_SIGNATURES]
        if b"." in event_id:  # a dot could move from the id into the timestamp; the specification forbids it
            raise Unverified("malformed")
        content = b"%b.%b.%b" % (event_id, octets(stamp), request.body)
        expected = (write(hmac.digest(key, content, "sha256"), "base64", "v1,") for key in self._keys)
        proven = any_equal(expected, [octets(text) for text in given])
        if not (proven or any(self._ed25519(text, content) for text in given)):
            raise Unverified("mismatch")
        check_fresh(stamp, self._tolerance, self._clock())

    def _ed25519(self, text: str, content: bytes) -> bool:
        version, _, written = text.partition(",")
        signature = _canonical(written) if version == "v1a" else b""
        return len(signature) == _ED25519_SIGNATURE and any(_signed(key, signature, content) for key in self._public)


def _signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _canonical(text: str) -> bytes:
    """Return the bytes of base64 that is written in its only right way, else none."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return value if base64.b64encode(value) == text.encode() else b""


def _decode(text: str) -> bytes:
    key = _canonical(text + "=" * (-len(text) % 4))
    if text.startswith(_PRIVATE):
        raise refuse("bad_secret", "the secret is the sender's private key", "give its public key, whpk_...")
    if not key:
        raise refuse("bad_secret", "the secret is not base64", "a secret looks like whsec_..., a public key whpk_...")
    return key


def _public_key(secret: str) -> Ed25519PublicKey:
    key = _decode(secret.removeprefix(_PUBLIC))
    if len(key) != _ED25519_KEY:
        raise refuse("bad_secret", f"an ed25519 key has {_ED25519_KEY} bytes, not {len(key)}")
    return Ed25519PublicKey.from_public_bytes(key)

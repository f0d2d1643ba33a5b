"""Requests, and what a verifier says to them, for the tests of the verification schemes."""

import asyncio
from collections.abc import Mapping
from typing import Any

from crossdock.sourceparts import Verify
from gateway.proof import UNAUTHORIZED, Reason, Request, Unverified, Verifier
from gateway.verify import make_verifier

NOW = 1_614_265_330.0  # the moment of the published vector of Standard Webhooks


def scheme(name: str, *secrets: str, now: Any = NOW, **options: Any) -> Verifier:
    return make_verifier(Verify(name, options, secrets), clock=lambda: now)


def request(headers: Mapping[str, str], body: bytes = b"", **fields: str) -> Request:
    parts = {"method": "POST", "path": "/v1/sources/shop", "query": "", "client": "192.0.2.7"} | fields
    return Request(headers=headers, body=body, **parts)


def refusal(verifier: Verifier, given: Request) -> Reason | None:
    """Return why a request is refused, None if it is not; the sender is told the same each time."""
    try:
        asyncio.run(verifier.verify(given))
    except Unverified as refused:
        assert refused.problems == (UNAUTHORIZED,)
        return refused.reason
    return None


def changes(text: bytes) -> list[bytes]:
    """Return the text with each of its bytes changed: in its lowest bit, its case, its highest bit, and by one.

    One more than a last character of base64 differs in bits that a lenient reader passes over.
    """
    return [
        text[:i] + bytes([other]) + text[i + 1 :]
        for i, byte in enumerate(text)
        for other in {byte ^ 0x01, byte ^ 0x20, byte ^ 0x80, (byte + 1) & 0xFF}
    ]


def shortened_and_lengthened(text: bytes) -> list[bytes]:
    return [text[:-1], text[1:], text + b"0", b"0" + text, text + b"=", text + b" ", text * 2, b""]

"""What is read of a request's head and query, and every proof of a sender, as functions that end normally or refuse."""

import base64
import contextlib
import json
from collections.abc import Iterable
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519
from fastapi import Request

from crossdock.jwks import FileKeys, parse_keys
from crossdock.sourceparts import Handshake
from gateway import handshakes
from gateway.encodings import coding
from gateway.head import read_head
from gateway.idempotency import idempotency_key
from gateway.proof import Unverified, Verifier
from gateway.status import read_query
from gateway.tokens import ALGORITHMS, Bearer, Claims
from tests.gateway.fuzzground import drive, fields, request_parts
from tests.gateway.proving import request

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))


def head(raw: bytes) -> None:
    """Headers of any kind, and what reads them before the body is looked at."""
    scope = {"method": "POST", "path": "/v1/events", "query_string": raw[:99], "headers": fields(raw)}
    headers = read_head(scope).headers
    handshakes.options(headers, None)
    coding(headers.get("content-encoding", ""))
    idempotency_key(headers)


def key_header(raw: bytes) -> None:
    key = idempotency_key({"idempotency-key": raw.decode("latin-1")})
    assert 0 < len(key) <= 255 and key.isascii() and key.isprintable()


def list_query(raw: bytes) -> None:
    """Filters and cursor of the list of events."""
    read_head({"method": "GET", "path": "/v1/events", "query_string": raw, "headers": []})
    read_query(Request({"type": "http", "query_string": raw, "headers": []}))


def challenge(raw: bytes) -> None:
    """The question of a sender, in a query."""
    query = read_head({"method": "GET", "path": "/v1/sources/hook", "query_string": raw, "headers": []}).query
    answer = handshakes.challenge(Handshake("challenge", "token", ("s",)), dict(parse_qsl(query)))
    assert answer.body.isalnum() or not set(answer.body) & set(b"<>\"'& \r\n"), "a browser could take it for a page"


def key_set(raw: bytes) -> None:
    """What a partner's identity provider gives as its keys."""
    parse_keys(raw, ALGORITHMS)


def signed(verifiers: Iterable[Verifier], raw: bytes) -> None:
    """Every scheme of `verify` looks at it, and says yes or the one no."""
    headers, body = request_parts(raw)
    given = request(headers, body, query=headers.get(":query", ""), client=headers.get(":client", "192.0.2.7"))
    for verifier in verifiers:
        with contextlib.suppress(Unverified):
            drive(verifier.verify(given))


def claims(bearer: Bearer, raw: bytes) -> None:
    """Head and claims of any kind, under a sound signature."""
    first, _, second = raw.partition(b"\x1d")
    text = b".".join(map(_segment, (first, second)))
    token = text + b"." + _segment(KEY.sign(text))
    drive(bearer.verify(request({"authorization": f"Bearer {token.decode()}"})))


def _segment(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def bearer() -> Bearer:
    """Return what takes tokens of `KEY`."""
    rules = jwt.get_algorithm_by_name("EdDSA")
    jwks = {"keys": [rules.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "k"}]}
    keys = FileKeys(parse_keys(json.dumps(jwks).encode(), ALGORITHMS))
    return Bearer(Claims("https://id.example", "crossdock", "", 60.0, ALGORITHMS), keys)

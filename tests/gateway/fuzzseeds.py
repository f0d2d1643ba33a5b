"""Sound inputs to bend: what senders really send, the gateway's own examples, and envelopes around both."""

import base64
import gzip
import json
import os
import time
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

import jwt
import zstandard

from crossdock.project import load
from gateway.examples import example
from tests.gateway import mutation
from tests.gateway.fuzzground import message
from tests.gateway.fuzzheads import KEY
from tests.gateway.vectors import STAMP, VECTORS

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", ROOT.parent / "shared")) / "corpora"
_MOST = 12 << 10  # bytes of a file that is taken: longer ones would take the time of many
_CE = {"content-type": "application/cloudevents+json"}
_STRUCTURED, _HOOK = "application/cloudevents+json; charset=utf-8", {"content-type": "application/json", "x-id": "w-1"}

Fresh = Callable[[Random], bytes]


@cache
def texts() -> tuple[bytes, ...]:
    """Return what the corpora hold, if they are there, and an example of each type of the shipped content."""
    paths = sorted(path for path in CORPORA.rglob("*") if path.is_file() and path.stat().st_size <= _MOST)
    project = load(ROOT, {}, strict_env=False)
    made = [example(project, kind, project.registry.newest(kind)) for kind in sorted(project.registry.by_type)]
    return (*(path.read_bytes() for path in paths), *(json.dumps(data).encode() for data in made if data is not None))


def text(rng: Random) -> bytes:
    """Return JSON, from the stock or made."""
    return rng.choice(texts()) if rng.random() < 0.2 else mutation.text(rng)


def payload(rng: Random) -> bytes:
    """Return what an event may carry, some of it a sale, good or with many faults."""
    if rng.random() < 0.8:
        return text(rng)
    lines = [{"gtin": "1", "qty": rng.randrange(2)}] * rng.choice((1, 1, 1, 1, 1, 1, 1, 1, 1, 2000))
    return json.dumps({"store": "0042", "receipt": "7", "lines": lines}).encode()


def envelope(rng: Random) -> bytes:
    """Return an event in structured mode."""
    members = b",".join(f"{json.dumps(name)}:{json.dumps(value)}".encode() for name, value in _attributes(rng).items())
    data = b',"data_base64":"AP8="' if rng.random() < 0.05 else b',"data":' + payload(rng)
    return b"{" + members + data + b"}"


def binary(rng: Random) -> bytes:
    """Return an event in binary mode."""
    attributes = {f"ce-{name}": str(value) for name, value in _attributes(rng).items()}
    media = attributes.pop("ce-datacontenttype", "application/json")
    made = {name: value.encode("ascii", "ignore").decode() for name, value in attributes.items()}
    return message({"content-type": media, **made}, payload(rng))


def posted(rng: Random) -> bytes:
    """Return an event as it is posted, in either mode."""
    return binary(rng) if rng.random() < 0.4 else message({**_CE, "x-id": "1"}, envelope(rng))


def hook(rng: Random) -> bytes:
    """Return a webhook of one event."""
    media = rng.choice(("application/json", "application/json", "text/json; a=b", "application/cloudevents+json"))
    body = text(rng)
    if rng.random() < 0.5:
        body = b'{"id":%b,"subject":"s","at":"2026-11-21T09:30:00Z","x":%b}' % (mutation.text(rng), body)
    headers = {**_HOOK, "content-type": media, ":query": rng.choice(("topic=orders", "topic=%EF%B7%901%EF%B7%91", ""))}
    return message(headers, body)


def hooks(rng: Random) -> bytes:
    """Return a webhook of several events."""
    items = b",".join(b'{"id":"%d","good":true,"x":%b}' % (number, mutation.text(rng)) for number in range(4))
    return message(_HOOK, b'{"items":[' + items + b"]}")


def array(rng: Random) -> bytes:
    """Return a JSON array."""
    blank = rng.choice((b"", b" ", b"\r\n"))
    return b"[" + blank + (b"," + blank).join(mutation.text(rng) for _ in range(rng.randrange(5))) + b"]" + blank


def ndjson(rng: Random) -> bytes:
    """Return lines with every kind of end."""
    return b"".join(mutation.text(rng)[:250] + rng.choice((b"\n", b"\r\n", b"\n\n", b"\r")) for _ in range(6))


def compressed(rng: Random) -> bytes:
    """Return a body of one to three members; the first byte names the coding, as the target reads it."""
    which, plain = rng.randrange(3), text(rng) * rng.choice((1, 1, 1, 50))
    pack = (partial(gzip.compress, mtime=0), zlib.compress, zstandard.ZstdCompressor(level=1).compress)[which]
    return bytes([which]) + b"".join(pack(plain) for _ in range(rng.choice((1, 1, 2, 3))))


def claims(rng: Random) -> bytes:
    """Return head and claims of a token."""
    head = {"alg": "EdDSA", "kid": "k"} | ({"crit": ["b64"], "b64": False} if rng.random() < 0.1 else {})
    said = {"iss": "https://id.example", "aud": ["crossdock"], "exp": 4_000_000_000, "nbf": 1, "iat": 1.5, "sub": "t"}
    return json.dumps(head).encode() + b"\x1d" + json.dumps(said).encode()


def signed(rng: Random) -> bytes:
    """Return a request with a credential of one of the schemes."""
    vector = rng.choice(VECTORS)
    headers = {vector.header: vector.signature, **vector.others, ":query": "shop=7"}
    return rng.choice((message(headers, vector.body), *_credentials()))


@cache
def _credentials() -> tuple[bytes, ...]:
    said = {"iss": "https://id.example", "aud": "crossdock", "exp": int(time.time()) + 86_400}
    token = jwt.encode(said, KEY, algorithm="EdDSA", headers={"kid": "k"})
    webhook = {"webhook-id": "msg_1", "webhook-timestamp": STAMP, "webhook-signature": "v1,AAAA v1a," + "A" * 86 + "=="}
    item = {"pspReference": "1", "amount": {"value": 1, "currency": "EUR"}, "additionalData": {"hmacSignature": "AA=="}}
    notice = {"notificationItems": [{"NotificationRequestItem": item}]}
    return (
        message({"authorization": f"Bearer {token}"}),
        message({"authorization": "Basic " + base64.b64encode(b"till:secret").decode()}),
        message({"x-client": "till-1", ":client": "::ffff:10.0.0.1"}),
        message(webhook, b"{}"),
        message({}, json.dumps(notice).encode()),
        message({"hmacsignature": "AAAA"}, b"{}"),
    )


def key_set(rng: Random) -> bytes:
    """Return a JWKS."""
    rules = jwt.get_algorithm_by_name("EdDSA")
    members = [rules.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "k"}, {"kty": "EC", "crv": "P-256", "x": "AQ"}]
    return json.dumps({"keys": [*members, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}).encode()


def heads(rng: Random) -> bytes:
    """Return headers that the gateway reads before a body."""
    known = {
        "content-type": "application/json", "content-encoding": rng.choice(("gzip", "identity", "br", "")),
        "idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "webhook-request-origin": "shop.example",
        "ce-id": "1", "x-forwarded-for": "a, b",
    }  # fmt: skip
    return message({name: value for name, value in known.items() if rng.random() < 0.7})


def queries(rng: Random) -> bytes:
    """Return the query of a list."""
    pairs = (b"since=2026-11-21T09:30:00Z", b"until=0001-01-01T00:00:00%2B14:00", b"status=delivered", b"limit=10",
             b"source=/till/1", b"cursor=MTc2MzcxODI5MDAwMC40Mg", b"limit=01", b"cursor=MC4w")  # fmt: skip
    return b"&".join(rng.sample(pairs, rng.randrange(1, 4)))


def idempotency(rng: Random) -> bytes:
    return rng.choice((b'"8e03978e-40d5-43dd-bc93-6894a57f9324"', b"order-17", b'"a\\"b\\\\c"'))


def questions(rng: Random) -> bytes:
    return rng.choice((b"challenge=abc123&token=s", b"challenge=%41&token=%73", b"token=s&challenge="))


def _attributes(rng: Random) -> dict[str, str | int | bool]:
    made: dict[str, str | int | bool] = {
        "specversion": "1.0", "id": rng.choice(("s-1", "é 1", "a/../b", "1" * 60)),
        "source": rng.choice(("/till/1", "/kiosk/7", "/kiosk/\u20ac")),
        "type": rng.choice(("any.thing", "any.thing", "pos.sale", "nope")),
    }  # fmt: skip
    more: dict[str, str | int | bool] = {
        "time": "2026-11-21T09:30:00.123Z", "subject": "x y%41", "dataschema": "crossdock:/any.thing/1.0",
        "datacontenttype": rng.choice(("application/json", "text/plain", _STRUCTURED)), "sequence": 7, "partner": "p",
        "flag": True, "empty": "", "traceparent": "00-1-2-01", "quoted": '"a\\"b"',
    }  # fmt: skip
    return made | {name: value for name, value in more.items() if rng.random() < 0.15}

"""Hostile bytes: texts made at random, and real ones that are bent, cut, spliced, blown up and salted."""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

MOST = 64 << 10  # bytes of one input
_LITTLE = 4 << 10  # bytes: most inputs stay below, a few are blown up to the most
NUMBERS = (
    b"9007199254740993", b"9223372036854775807", b"-9223372036854775809", b"18446744073709551615",
    b"18446744073709551616", b"36893488147419103232", b"1e400", b"-1e400", b"1e-400", b"-0", b"-0.0", b"0e-0", b"NaN",
    b"Infinity", b"-Infinity", b"1e-99999999999999999999", b"0E-99999999999999999999", b"1e99999999999999999999",
    b"0.1234567890123456789", b"4.9e-324", b"4.94e-324", b"2.2250738585072011e-308", b"1.7976931348623159e308", b"01",
    b"1.", b".5", b"+1", b"0x10", b"1_000", b"1E+2", b"100000000000000000000000", b"12.50", b"1" * 400, b"9" * 5000,
    b"0." + b"0" * 400 + b"1", b"123456789012345.6", b"1e15", b"1e16", b"-2147483649", b"4294967296",
)  # fmt: skip
SALT = (
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\\ud800", b"\\udc00\\ud800", b"\\ud83d\\ude00",
    b"\x00", b"\\u0000", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf8\x88\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xef\xbf\xbf",
    b"\xef\xb7\x90" + b"1" * 5000 + b"\xef\xb7\x91", b"\xef\xb7\x90", b"\\ufdd0", b"\\uFDD1", b"%EF%B7%901%EF%B7%91",
    b"\xe2\x80\xa8", b"\xc2\x85", b"\xc2\xa0", b"\xa0", b"\x85", b"\x7f", b"\x9b", b"\r\n", b"\n", b"\r", b"\t", b" ",
    b"\r\nNats-Msg-Id: 1", b"Nats-Expected-Stream", b"nats-rollup", b"../", b"..%2f", b"%2e%2e", b"%00", b"%", b"%zz",
    b'"', b"\\", b'\\"', b"\\u0022", b"\\u003a", b'":', b'" :', b"[", b"]", b"{", b"}", b",", b":", b"null", b"true",
    b"{}", b"[]", b'""', b"=", b"==", b"v1,", b"v1a,", b"t=", b"t=1,v1=", b"sha256=", b"Bearer ", b"Basic ", b".",
    b"application/cloudevents+json", b"application/cloudevents-batch+json", b"application/json", b"text/plain",
    b"application/x-ndjson", b"; charset=utf-16", b"gzip", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x9c", b"\x1e",
    b"data_base64", b"specversion", b"1.0", b"pos.sale", b"any.thing", b"$", b"`", b"*", b"'", b"<script>", b"a" * 1025,
)  # fmt: skip
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MEMBER = re.compile(rb'"([^"\\]{1,30})"(\s*:\s*)("[^"\\]*"|[0-9.]+|true|null)')

Change = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mutated(rng: Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Return a text with one to six changes, sometimes blown up."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        raw = rng.choice(CHANGES)(rng, raw, others)[:MOST]
    return blown_up(rng, raw) if rng.random() < 0.01 else raw


def blown_up(rng: Random, raw: bytes) -> bytes:
    """Return as many copies of a piece in its place as an input may have."""
    start, end = _piece(rng, raw, rng.choice((2, 8, 64, 512)))
    piece = raw[start:end] or rng.choice(SALT)
    return (raw[:start] + piece * (MOST // len(piece)))[: MOST - len(raw) + end] + raw[end:]


def text(rng: Random) -> bytes:
    """Return JSON of some depth, written now with blanks and now without, mostly sound."""
    value = _value(rng, rng.choice((1, 2, 3, 5)))
    made = json.dumps(value, indent=rng.choice((None, None, 1)), ensure_ascii=rng.random() < 0.5).encode()
    return _number(rng, made, ()) if rng.random() < 0.3 else made


def _value(rng: Random, depth: int) -> Any:
    kind = rng.random()
    if depth and kind < 0.35:
        return {_word(rng): _value(rng, depth - 1) for _ in range(rng.randrange(5))}
    if depth and kind < 0.6:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(5))]
    if kind < 0.8:
        return _word(rng)
    return rng.choice((None, True, False, 0, -1, 1.5, 0.1, 1e22, 2**53 + 1, -(2**63), 2**64 - 1, rng.random(), 10**15))


def _word(rng: Random) -> str:
    return "".join(rng.choices('abc:"\\{}[]/ é€😀\x01\x7f\u2028\ufdd0', k=rng.randrange(9)))


def _piece(rng: Random, raw: bytes, most: int) -> tuple[int, int]:
    start = rng.randrange(len(raw) + 1)
    return start, min(len(raw), start + rng.randrange(1, most + 1))


def _bit(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    if not raw:
        return raw
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << rng.randrange(8))]) + raw[at + 1 :]


def _salt(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _piece(rng, raw, 4)
    return raw[:start] + rng.choice(SALT) + raw[rng.choice((start, end)) :]


def _cut(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _piece(rng, raw, 32)
    return raw[:start] + raw[end:]


def _truncate(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    return raw[: rng.randrange(len(raw) + 1)]


def _repeat(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _piece(rng, raw, 64)
    return raw[:start] + raw[start:end] * min(rng.choice((2, 3, 20, 200)), 1 + _LITTLE // (end - start + 1)) + raw[end:]


def _splice(rng: Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else raw
    start, end = _piece(rng, other, 256)
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + other[start:end] + raw[rng.choice((at, min(len(raw), at + end - start))) :]


def _number(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    found = _NUMBER.search(raw, rng.randrange(len(raw) + 1))
    return raw[: found.start()] + rng.choice(NUMBERS) + raw[found.end() :] if found else raw + rng.choice(NUMBERS)


def _swap(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    first = _NUMBER.search(raw, rng.randrange(len(raw) + 1))
    second = _NUMBER.search(raw, first.end()) if first else None
    if not first or not second:
        return raw
    return raw[: first.start()] + second[0] + raw[first.end() : second.start()] + first[0] + raw[second.end() :]


def _nest(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")))
    depth = rng.choice((1, 8, 30, 63, 64, 65, 300, 1100, 5000))
    start, end = (0, len(raw)) if rng.random() < 0.5 else _piece(rng, raw, 64)
    return raw[:start] + opening * depth + (raw[start:end] or b"1") + closing * depth + raw[end:]


def _twice(rng: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Give a member a second time, its key as it is or with one character escaped."""
    found = _MEMBER.search(raw, rng.randrange(len(raw) + 1)) or _MEMBER.search(raw)
    if not found:
        return raw
    key, at = found[1], rng.randrange(len(found[1]))
    if rng.random() < 0.5:
        key = key[:at] + b"\\u%04x" % key[at] + key[at + 1 :]
    return raw[: found.end()] + b',"' + key + b'"' + found[2] + rng.choice((found[3], b"1")) + raw[found.end() :]


CHANGES: tuple[Change, ...] = (
    _bit, _bit, _salt, _salt, _salt, _cut, _truncate, _repeat, _splice, _number, _number, _swap, _nest, _twice,
)  # fmt: skip

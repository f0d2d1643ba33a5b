"""`Content-Encoding` of requests (RFC 9110 section 8.4), inflated within bounds, whole or as it comes."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import zstandard

from crossdock.kernel.problems import Refused, refuse

ACCEPTED = "gzip, deflate, zstd"
MEMBERS = 1000  # gzip members or zstd frames of one body, as each may be empty and still costs
WINDOW = 8 << 20  # bytes, what RFC 9659 allows for zstd
MEMORY = {"gzip": 64 << 10, "deflate": 64 << 10, "zstd": WINDOW}  # bytes that an `Inflater` may hold beside its output
_CHUNK = 64 << 10
# Input is inflated in steps: zlib bounds what it returns, zstandard does not and makes up to 128 KiB of every 4 bytes.
_STEP = {"gzip": _CHUNK, "deflate": _CHUNK, "zstd": 64}
_NAMES = {"": "", "identity": "", "gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "zstd": "zstd"}


def coding(header: str) -> str:
    """Return the coding that a header names, nothing for identity.

    Raises:
        Refused: `unsupported_encoding`, several codings or one not known here.
    """
    name = header.strip().lower()
    if name not in _NAMES:
        raise refuse("unsupported_encoding", f"content encoding {header[:80]}", f"send one of {ACCEPTED}, or none")
    return _NAMES[name]


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Return a whole body as it was before a coding of `coding`; at most `limit` bytes and one chunk are made.

    Raises:
        Refused: `body_too_large` or `bad_encoding`.
    """
    if not encoding:
        return body
    inflater, whole = Inflater(encoding, limit), bytearray()
    for chunk in inflater.feed(body):
        whole += chunk
    inflater.close()
    return bytes(whole)


async def inflated(chunks: AsyncIterator[bytes], encoding: str, limit: int, turn: asyncio.Lock) -> AsyncIterator[bytes]:
    """Yield a stream as it was before a coding of `coding`; it has the `turn` of its sender while a chunk is inflated.

    Raises:
        Refused: `body_too_large` or `bad_encoding`.
    """
    inflater, taken = Inflater(encoding, limit) if encoding else None, 0
    async for chunk in chunks:
        if inflater is None:
            taken += len(chunk)
            if taken > limit:
                raise refuse("body_too_large", f"more than {limit} bytes", "begin another stream")
            yield chunk
        else:
            async with turn:
                for piece in inflater.feed(chunk):
                    yield piece
                    await asyncio.sleep(0)
    if inflater is not None:
        inflater.close()


class Inflater:
    """Inflates a body of one coding as it comes; all its chunks together have at most `limit` bytes."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding
        self._limit = self._left = limit
        self._members = MEMBERS
        self._member: Any = None
        self._begun = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what more bytes inflate to, chunk by chunk.

        Raises:
            Refused: `body_too_large` or `bad_encoding`.
        """
        data, self._begun = self._begun + data, b""
        if self._member is None and len(data) < len(_ZLIB):  # too little to tell what begins
            self._begun = data
            return
        view, step = memoryview(data), _STEP[self._encoding]
        for start in range(0, len(view), step):
            yield from self._inflate(bytes(view[start : start + step]))

    def close(self) -> None:
        """Check that the body has come to its end.

        Raises:
            Refused: `bad_encoding`, it is cut off.
        """
        if self._begun or self._member is None or not self._member.eof:
            raise _bad(self._encoding, "it is cut off")

    def _inflate(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            if self._member is None or self._member.eof:
                self._member = self._next(piece)
            chunk = self._decompress(piece)
            while chunk:
                yield self._counted(chunk)
                chunk = b"" if self._member.eof else self._decompress(self._tail())
            piece = self._member.unused_data

    def _counted(self, chunk: bytes) -> bytes:
        self._left -= len(chunk)
        if self._left < 0:
            raise refuse("body_too_large", f"more than {self._limit} bytes when inflated", "send smaller batches")
        return chunk

    def _next(self, piece: bytes) -> Any:
        if self._member is not None and self._encoding == "deflate":
            raise _bad(self._encoding, "something follows its end")
        self._members -= 1
        if self._members < 0:
            raise _bad(self._encoding, f"more than {MEMBERS} members")
        return _MAKERS[self._encoding](piece)

    def _tail(self) -> bytes:
        """Return what zlib has left of a piece; it may hold output even when that is nothing."""
        tail: bytes = getattr(self._member, "unconsumed_tail", b"")
        return tail

    def _decompress(self, piece: bytes) -> bytes:
        try:
            if self._encoding == "zstd":
                return bytes(self._member.decompress(piece)) if piece else b""
            return bytes(self._member.decompress(piece, _CHUNK))
        except (zlib.error, zstandard.ZstdError) as error:
            raise _bad(self._encoding, "it is broken") from error


_ZLIB = b"\x78\x9c"  # as long as the header of RFC 1950


def _deflate(begin: bytes) -> Any:
    """Return a decompressor of zlib, or of bare deflate, which many senders mean by the name."""
    is_zlib = begin[0] & 0x0F == zlib.DEFLATED and begin[0] >> 4 <= 7 and (begin[0] << 8 | begin[1]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


_MAKERS: dict[str, Callable[[bytes], Any]] = {
    "gzip": lambda _: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "zstd": lambda _: zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj(write_size=16 << 10),
}


def _bad(encoding: str, why: str) -> Refused:
    return refuse("bad_encoding", f"the body is not {encoding}: {why}")

"""NDJSON: one JSON text a line, read as it comes."""

import re
from collections.abc import AsyncIterator

from crossdock.kernel.problems import Refused, refuse

_EMPTY = re.compile(rb"(?:\r?\n)*+")  # a bomb may hold millions of empty lines


async def lines(chunks: AsyncIterator[bytes], most_bytes: int, most_lines: int) -> AsyncIterator[bytes]:
    """Yield the lines that are not blank, without their LF or CRLF; the last one needs no end.

    Raises:
        Refused: `body_too_large`, a line is longer than `most_bytes`, and no more than that is held of it;
            `batch_too_large`, there are more lines; empty ones do not count.
    """
    rest, left = bytearray(), most_lines
    async for chunk in chunks:
        start = 0 if rest else _begin(chunk, 0)
        while (end := chunk.find(b"\n", start)) >= 0:
            _add(rest, chunk, start, end, most_bytes)
            start, left = _begin(chunk, end + 1), left - 1
            if left < 0:
                raise refuse("batch_too_large", f"a stream has at most {most_lines} lines", "begin another one")
            if line := _line(rest, most_bytes):
                yield line
            rest.clear()
        _add(rest, chunk, start, len(chunk), most_bytes)
    if line := _line(rest, most_bytes):
        yield line


def _begin(chunk: bytes, start: int) -> int:
    empty = _EMPTY.match(chunk, start)
    return empty.end() if empty else start


def _add(rest: bytearray, chunk: bytes, start: int, end: int, most: int) -> None:
    if len(rest) + end - start > most + 1:  # its CR does not count
        raise _too_long(most)
    rest += memoryview(chunk)[start:end]


def _line(raw: bytearray, most: int) -> bytes:
    line = bytes(raw.removesuffix(b"\r"))
    if len(line) > most:
        raise _too_long(most)
    return b"" if line.isspace() else line


def _too_long(most: int) -> Refused:
    return refuse("body_too_large", f"a line has more than {most} bytes", "one event a line")

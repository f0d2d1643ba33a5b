"""The lines of a text file, read within bounds."""

from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from crossdock.formats.port import MAX_LINE
from crossdock.kernel.problems import Problem, Refused, refuse


def lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Yield the lines with their ends, which are LF, CR LF or CR; a byte order mark is left out.

    Raises:
        Refused: `too_long`, `bad_encoding`.
    """
    text = TextIOWrapper(stream, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")
    try:
        while line := text.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise refuse("too_long", f"a line of more than {MAX_LINE} characters")
            yield line
    except UnicodeError as error:
        raise refuse("bad_encoding", f"not {encoding}: {error}", "name the encoding of the file") from None
    finally:
        text.detach()  # else it would close the stream


def encoded(text: str, encoding: str) -> bytes:
    """Return the bytes of a text.

    Raises:
        Refused: `bad_item`, for a character that the encoding does not have.
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        wrong = text[error.start : error.start + 1]
        raise refuse("bad_item", f"{encoding} has no {wrong!r}", "write utf-8, or let `map` replace it") from None


def faults(error: Exception, line: int) -> Iterator[Problem]:
    """Yield what is wrong, at a line."""
    for problem in error.problems if isinstance(error, Refused) else [Problem("bad_row", str(error))]:
        yield problem.at("", line)

"""The format `jsonl`: one JSON value a line (jsonlines.org), in UTF-8."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from crossdock.formats.lines import faults, lines
from crossdock.formats.port import Options, Row
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused


@dataclass(frozen=True, slots=True)
class JsonLines:
    """See `crossdock.formats.port.Format`."""

    suffix: ClassVar[str] = ".jsonl"

    def encode(self, items: Sequence[Any]) -> bytes:
        """Return one line an item."""
        return b"".join(jsontext.dumps(item) + b"\n" for item in items)

    def decode(self, stream: BinaryIO) -> Iterator[Row | Problem]:
        """Yield the value of each line that is not blank."""
        number = 0
        try:
            for line in lines(stream, "utf-8"):
                number += 1
                if not line.isspace():
                    yield from _value(line, number)
        except Refused as error:
            yield from faults(error, number + 1)


def make_jsonl(_: Options) -> JsonLines:
    """Return the format; it has no options."""
    return JsonLines()


def _value(line: str, number: int) -> Iterator[Row | Problem]:
    try:
        yield Row(jsontext.loads(line.encode()), number)
    except Refused as error:
        yield from faults(error, number)

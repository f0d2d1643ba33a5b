"""What every format looks like to the connectors, and the bounds of what is read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, ClassVar, NamedTuple, Protocol

from crossdock.kernel.problems import Problem, refuse

MAX_LINE = 1 << 20  # characters of a line, of an EDI segment and of one text in XML
MAX_COLUMNS = 2000
MAX_DEPTH = 64

Options = Mapping[str, Any]


class Row(NamedTuple):
    """One value of a file and the line where it begins, from 1."""

    value: Any
    line: int


class Format(Protocol):
    """How a file is written and read; equal when its options are."""

    suffix: ClassVar[str]

    def encode(self, items: Sequence[Any]) -> bytes:
        """Return a whole file.

        Raises:
            Refused: `bad_item`, for what the format cannot hold.
        """

    def decode(self, stream: BinaryIO) -> Iterator[Row | Problem]:
        """Yield what a file holds, in order and bounded in memory; a problem has a line."""


def rows_of(items: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that are the lines of a table: each item is one or a list of them.

    Raises:
        Refused: `bad_item`.
    """
    for item in items:
        for row in item if isinstance(item, list) else [item]:
            if not isinstance(row, Mapping):
                raise refuse("bad_item", "a line is made of an object, or lines of a list of objects")
            yield row

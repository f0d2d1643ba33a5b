"""The format `fixed`: lines whose columns stand at fixed places, counted in characters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO, ClassVar, Literal

from crossdock.formats.cells import Type, read_cell, write_cell
from crossdock.formats.lines import encoded, faults, lines
from crossdock.formats.port import Options, Row, rows_of
from crossdock.kernel.problems import Problem, Refused, refuse

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Column:
    """Where a value stands: from character `at`, from 1, `width` characters, filled up with `fill`."""

    name: str
    at: int
    width: int
    align: Literal["left", "right"] = "left"
    fill: str = " "
    type: Type = "text"

    @property
    def end(self) -> int:
        """How many characters a line has up to its last one."""
        return self.at - 1 + self.width

    def write(self, value: Any) -> str:
        """Return the value with its filling.

        Raises:
            Refused: `bad_item`, as nothing is cut.
        """
        text = write_cell(value, self.name)
        if len(text) > self.width:
            raise refuse("bad_item", f"{self.name!r} has {len(text)} characters, its column {self.width}")
        if _CONTROL.search(text):
            raise refuse("bad_item", f"{self.name!r} holds a line break or another control character")
        if self.fill == "0" and text[:1] in ("-", "+"):
            raise refuse("bad_item", f"{self.name!r} has a sign, which zeros would stand before", "fill with blanks")
        return text.ljust(self.width, self.fill) if self.align == "left" else text.rjust(self.width, self.fill)

    def read(self, line: str) -> Any:
        """Return the value without its filling, of which one character stays when it is no blank."""
        cell = line[self.at - 1 : self.end]
        text = cell.rstrip(self.fill) if self.align == "left" else cell.lstrip(self.fill)
        return read_cell(text or (self.fill if cell and self.fill != " " else ""), self.type)


@dataclass(frozen=True, slots=True)
class Fixed:
    """See `crossdock.formats.port.Format`; the columns are in the order of their places."""

    columns: tuple[Column, ...]
    encoding: str = "utf-8"
    suffix: ClassVar[str] = ".txt"

    def encode(self, items: Sequence[Any]) -> bytes:
        """Return one line a row, ended by CR LF; what lies between columns is blank."""
        return encoded("".join(self._line(row) for row in rows_of(items)), self.encoding)

    def decode(self, stream: BinaryIO) -> Iterator[Row | Problem]:
        """Yield an object a line that is not blank; a line that is too short or too long is a problem."""
        number = 0
        try:
            for line in lines(stream, self.encoding):
                number += 1
                if not line.isspace():
                    yield from self._row(line.rstrip("\r\n"), number)
        except Refused as error:
            yield from faults(error, number + 1)

    def _line(self, row: Mapping[str, Any]) -> str:
        line = ""
        for column in self.columns:
            line = line.ljust(column.at - 1) + column.write(row.get(column.name))
        return f"{line}\r\n"

    def _row(self, line: str, number: int) -> Iterator[Row | Problem]:
        last = self.columns[-1]
        trimmed = last.align == "left" and last.fill == " "  # as many programs do with the end of a line
        if len(line) < (last.at - 1 if trimmed else last.end):
            yield Problem("bad_row", f"{len(line)} characters, {last.name!r} ends at {last.end}").at("", number)
        elif line[last.end :].strip():
            yield Problem("bad_row", f"text after {last.name!r}, which ends at {last.end}").at("", number)
        else:
            try:
                yield Row({column.name: column.read(line) for column in self.columns}, number)
            except Refused as error:
                yield from faults(error, number)


def make_fixed(options: Options) -> Fixed:
    """Return the format of options that fit the JSON Schema.

    Raises:
        Refused: `bad_format`.
    """
    columns = sorted((Column(**column) for column in options["columns"]), key=lambda column: column.at)
    if len({column.name for column in columns}) < len(columns):
        raise refuse("bad_format", "two columns have the same name")
    for before, after in pairwise(columns):
        if after.at <= before.end:
            raise refuse("bad_format", f"{after.name!r} begins at {after.at}, where {before.name!r} still stands")
    return Fixed(tuple(columns), options.get("encoding", "utf-8"))

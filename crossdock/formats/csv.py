"""The format `csv`: RFC 4180 with any delimiter; cells stay texts unless a column names another type."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

from crossdock.formats.cells import Type, read_cell, write_cell
from crossdock.formats.lines import encoded, faults, lines
from crossdock.formats.port import MAX_COLUMNS, Options, Row, rows_of
from crossdock.kernel.problems import Problem, Refused, refuse


@dataclass(frozen=True, slots=True)
class Csv:
    """See `crossdock.formats.port.Format`; `columns` are names to types, without a `quote` nothing is quoted."""

    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: Mapping[str, Type] = field(default_factory=dict)
    encoding: str = "utf-8"
    suffix: ClassVar[str] = ".csv"

    def encode(self, items: Sequence[Any]) -> bytes:
        """Return a header, if there is one, and one line a row; without `columns` those are all keys of the rows."""
        rows = list(rows_of(items))
        names = list(self.columns or dict.fromkeys(key for row in rows for key in row))
        if len(names) > MAX_COLUMNS:
            raise refuse("bad_item", f"more than {MAX_COLUMNS} columns")
        made = io.StringIO()
        writer = csv.writer(made, **self._dialect())
        try:
            writer.writerows([names] if self.header else [])
            writer.writerows([write_cell(row.get(name), name) for name in names] for row in rows)
        except csv.Error:
            message = f"a cell holds {self.delimiter!r} or a line break, and nothing is quoted"
            raise refuse("bad_item", message, "give a `quote`") from None
        return encoded(made.getvalue(), self.encoding)

    def decode(self, stream: BinaryIO) -> Iterator[Row | Problem]:
        """Yield an object a row; a row of another length than the header is a problem."""
        reader = csv.reader(lines(stream, self.encoding), strict=True, **self._dialect())
        start = 1
        try:
            names = [] if self.header else list(self.columns)
            for cells in reader:
                if not cells:
                    pass  # a blank line
                elif not names:
                    names = self._names(cells)
                else:
                    yield from self._row(names, cells, start)
                start = reader.line_num + 1
        except (Refused, csv.Error) as error:
            yield from faults(error, start)

    def _dialect(self) -> dict[str, Any]:
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {"delimiter": self.delimiter, "quotechar": self.quote or None, "quoting": quoting}

    def _names(self, cells: list[str]) -> list[str]:
        if len(cells) > MAX_COLUMNS:
            raise refuse("bad_header", f"more than {MAX_COLUMNS} columns")
        if twice := {name for name in cells if cells.count(name) > 1}:
            raise refuse("bad_header", f"the header names {min(twice)[:80]!r} twice")
        if missing := [name for name in self.columns if name not in cells]:
            raise refuse("bad_header", f"the header has no {missing[0]!r}", f"it has {', '.join(cells)[:200]}")
        return cells

    def _row(self, names: list[str], cells: list[str], line: int) -> Iterator[Row | Problem]:
        if len(cells) != len(names):
            yield Problem("bad_row", f"{len(cells)} cells where there are {len(names)} columns").at("", line)
            return
        try:
            types = self.columns
            yield Row({n: read_cell(c, types.get(n, "text")) for n, c in zip(names, cells, strict=True)}, line)
        except Refused as error:
            yield from faults(error, line)


def make_csv(options: Options) -> Csv:
    """Return the format of options that fit the JSON Schema.

    Raises:
        Refused: `bad_format`.
    """
    said: list[dict[str, Any]] = [
        {"name": column} if isinstance(column, str) else column for column in options.get("columns", [])
    ]
    columns = {column["name"]: column.get("type", "text") for column in said}
    if len(columns) < len(said):
        raise refuse("bad_format", "two columns have the same name")
    made = Csv(**{**options, "columns": columns})
    if not made.header and not columns:
        raise refuse("bad_format", "a file without a header needs `columns`", "columns: [sku, quantity]")
    if made.delimiter == made.quote:
        raise refuse("bad_format", "delimiter and quote are the same character")
    return made

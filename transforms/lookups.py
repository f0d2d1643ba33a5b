"""Lookup tables: CSV files under transforms/ whose first column is the key; read by the spec, used in maps."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossdock.kernel.problems import Problem, Refused

MAX_BYTES = 32 << 20

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table by key; `file` is its name in messages."""

    file: str
    rows: Mapping[str, Row] = field(repr=False)


def read(folder: Path, path: str, root: Path) -> Table:
    """Read `folder/path`, which must not lead out of the folder.

    Raises:
        Refused: `outside`, `missing_file`, `too_large`, `bad_lookup`, with line numbers.
    """
    target = folder / path
    if Path(path).is_absolute() or not target.resolve().is_relative_to(folder.resolve()):
        raise Refused([Problem("outside", f"{path} is not inside {folder.name}/", "copy the file there")])
    if not target.is_file():
        raise Refused([Problem("missing_file", f"there is no {folder.name}/{path}")])
    name = target.relative_to(root).as_posix()
    if target.stat().st_size > MAX_BYTES:
        raise Refused([Problem("too_large", f"larger than {MAX_BYTES >> 20} MiB").at(name)])
    return Table(name, parse(target.read_bytes(), name))


def parse(raw: bytes, name: str) -> dict[str, Row]:
    """Parse CSV (RFC 4180, UTF-8, header row) into rows by the value of their first column.

    Raises:
        Refused: `bad_lookup` with every line that is wrong.
    """
    try:
        numbered = _numbered(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused([Problem("bad_lookup", f"not UTF-8: {error.reason}").at(name, line)]) from None
    except csv.Error as error:
        raise Refused([Problem("bad_lookup", f"not CSV: {error}").at(name)]) from None
    (_, header), *lines = numbered or [(1, [])]
    if not header or not all(header) or len(set(header)) < len(header):
        raise Refused([Problem("bad_lookup", "the header needs a name for each column, each one once").at(name)])
    problems = [Problem("bad_lookup", text).at(name, line) for line, text in _faults(header, lines)]
    if problems:
        raise Refused(problems)
    return {row[0]: dict(zip(header, row, strict=True)) for _, row in lines}


def _numbered(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows with the number of the line each one ends on; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [(reader.line_num, row) for row in reader if row]


def _faults(header: list[str], lines: list[tuple[int, list[str]]]) -> Iterator[tuple[int, str]]:
    first: dict[str, int] = {}
    for line, row in lines:
        if len(row) != len(header):
            yield line, f"{len(row)} fields where the header has {len(header)}"
        elif row[0] in first:
            yield line, f"the key {row[0][:80]!r} stands already in line {first[row[0]]}"
        first.setdefault(row[0], line)

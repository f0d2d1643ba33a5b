"""Makes the rows of a lookup table of CSV or of a query's answer; what is not clean is refused with its line."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crossdock.kernel.content import goes_along
from crossdock.kernel.moments import microseconds
from crossdock.kernel.problems import Problem, Refused
from transforms.lookups import Columns, Period

_HEAD = "the first line names the columns, such as gtin,sku,name"
MAX_BYTES = 32 << 20
MOST = 100  # problems that are told of one table
_BEGIN, _END = -(2**62), 2**62

Line = tuple[int, Sequence[Any]]  # the number of a row and its values


class _Dated(NamedTuple):
    period: Period
    line: int


def read(folder: Path, path: str, root: Path, columns: Columns) -> dict[str, Any]:
    """Read the rows of `folder/path`, which must not lead out of the folder.

    Raises:
        Refused: `outside`, `missing_file`, `too_large`, `bad_lookup`, with line numbers.
    """
    target = folder / path
    if Path(path).is_absolute() or not target.resolve().is_relative_to(folder.resolve()):
        raise Refused([Problem("outside", f"{path} is not inside {folder.name}/", "copy the file there")])
    if not goes_along(root, f"{folder.name}/{path}", ".csv"):
        hint = "such as lookups/items.csv; names that begin with _ are passed over"
        raise Refused([Problem("bad_lookup", f"{path} is not applied with the content", hint)])
    if not target.is_file():
        raise Refused([Problem("missing_file", f"there is no {folder.name}/{path}", "add the file")])
    name = target.relative_to(root).as_posix()
    if target.stat().st_size > MAX_BYTES:
        raise Refused([Problem("too_large", f"larger than {MAX_BYTES >> 20} MiB").at(name)])
    return parse(target.read_bytes(), name, columns)


def parse(raw: bytes, name: str, columns: Columns) -> dict[str, Any]:
    """Parse CSV (RFC 4180, UTF-8, header row) into what `index` makes of it.

    Raises:
        Refused: `bad_lookup` with every line that is wrong.
    """
    try:
        numbered = _numbered(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused(
            [Problem("bad_lookup", f"not UTF-8: {error.reason}", "save it in UTF-8").at(name, line)]
        ) from None
    except csv.Error as error:
        raise Refused([Problem("bad_lookup", f"not CSV: {error}", "double quotes within quotes").at(name)]) from None
    (_, header), *lines = numbered or [(1, [])]
    return index(header, lines, columns, name)


def index(header: Sequence[str], lines: Iterable[Line], columns: Columns, name: str) -> dict[str, Any]:
    """Return rows by their key, or periods in order by key where columns say the validity.

    Raises:
        Refused: `bad_lookup` with every line that is wrong, placed in the file `name`.
    """
    if not header or not all(header) or len(set(header)) < len(header):
        raise Refused([Problem("bad_lookup", "the header needs a name for each column, each one once", _HEAD).at(name)])
    if absent := [column for column in columns if column and column not in header]:
        hint = f"columns: {', '.join(header)}"
        raise Refused([Problem("bad_lookup", f"there is no column {column!r}", hint).at(name) for column in absent])
    key = header.index(columns.key) if columns.key else 0
    problems: list[Problem] = []
    whole: list[Line] = []
    for line, row in lines:
        if len(row) != len(header):
            _add(problems, _problem(name, line, f"{len(row)} fields where the header has {len(header)}"))
        elif row[key] == "":
            _add(problems, _problem(name, line, "the key is empty"))
        else:
            whole.append((line, row))
    if columns.dated:
        rows = _periods(header, whole, key, columns, name, problems)
    else:
        rows = _rows(header, whole, key, name, problems)
    if problems:
        raise Refused(sorted(problems, key=lambda problem: problem.line))
    return rows


def _rows(header: Sequence[str], lines: list[Line], key: int, name: str, problems: list[Problem]) -> dict[str, Any]:
    rows = {row[key]: dict(zip(header, row, strict=True)) for _, row in lines}
    if len(rows) < len(lines):
        first: dict[str, int] = {}
        for line, row in lines:
            if first.setdefault(row[key], line) != line:
                text = f"the key {_shown(row[key])} stands already in line {first[row[key]]}"
                _add(problems, _problem(name, line, text))
    return rows


def _periods(
    header: Sequence[str], lines: list[Line], key: int, columns: Columns, name: str, problems: list[Problem]
) -> dict[str, Any]:
    found: dict[str, list[_Dated]] = {}
    for line, values in lines:
        row = dict(zip(header, values, strict=True))
        try:
            since, until = _moment(row, columns.since, _BEGIN), _moment(row, columns.until, _END)
        except ValueError as error:
            _add(problems, _problem(name, line, str(error)))
            continue
        if since >= until:
            _add(problems, _problem(name, line, f"{columns.until} is not after {columns.since}"))
        else:
            found.setdefault(values[key], []).append(_Dated(Period(since, until, row), line))
    for of_key, dated in found.items():
        dated.sort(key=lambda one: (one.period.since, one.line))
        for line, text in _overlaps(of_key, dated):
            _add(problems, _problem(name, line, text))
    return {of_key: tuple(one.period for one in dated) for of_key, dated in found.items()}


def _overlaps(key: str, dated: list[_Dated]) -> Iterator[tuple[int, str]]:
    longest = dated[0]
    for one in dated[1:]:
        if one.period.since < longest.period.until:
            first, second = sorted((one.line, longest.line))
            yield second, f"the key {_shown(key)} is valid in line {first} at the same time"
        longest = max(longest, one, key=lambda dated: dated.period.until)


def _moment(row: dict[str, Any], column: str, if_empty: int) -> int:
    return microseconds(row[column]) if column and row[column] not in ("", None) else if_empty


def _numbered(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows with the number of the line each one ends on; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [(reader.line_num, row) for row in reader if row]


def _add(problems: list[Problem], problem: Problem) -> None:
    if len(problems) < MOST:
        problems.append(problem)


def _problem(name: str, line: int, text: str) -> Problem:
    return Problem("bad_lookup", text, "correct the line").at(name, line)


def _shown(key: Any) -> str:
    return repr(str(key)[:80])

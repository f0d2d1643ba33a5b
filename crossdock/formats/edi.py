"""The format `edi`: X12 and EDIFACT, an item a message with its envelope; what elements mean is for mappings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, NamedTuple

from crossdock.formats.editext import EDIFACT, X12, Interchanges, Segment, Syntax
from crossdock.formats.ediwriting import write_interchanges
from crossdock.formats.lines import faults
from crossdock.formats.port import Options, Row
from crossdock.kernel.problems import Problem, Refused, refuse

MAX_SEGMENTS = 100_000  # of one message

# What may be open when something opens, which element is its control number, and what its end counts.
_LEVELS: Mapping[str, tuple[tuple[str, ...], int, str]] = {
    "ISA": (("",), 13, "groups"),
    "GS": (("ISA",), 6, "messages"),
    "ST": (("GS",), 2, "segments"),
    "UNB": (("",), 5, "messages or groups"),
    "UNG": (("UNB",), 5, "messages"),
    "UNH": (("UNB", "UNG"), 1, "segments"),
}
_ENDS = {"IEA": "ISA", "GE": "GS", "SE": "ST", "UNZ": "UNB", "UNE": "UNG", "UNT": "UNH"}
_MESSAGES = ("ST", "UNH")
_SERVICE = ("TA1", "TA3", "ISB", "ISE")  # between interchange and group of X12; answers to interchanges


@dataclass(frozen=True, slots=True)
class Edi:
    """See `crossdock.formats.port.Format`; the separators are those of writing, as what is read says its own."""

    x12: Syntax = X12
    edifact: Syntax = EDIFACT
    decimal: str = "."
    suffix: ClassVar[str] = ".edi"

    def encode(self, items: Sequence[Any]) -> bytes:
        """Return an interchange for each run of messages that have the same envelope."""
        return b"".join(write_interchanges(items, {"x12": self.x12, "edifact": self.edifact}, self.decimal))

    def decode(self, stream: BinaryIO) -> Iterator[Row | Problem]:
        """Yield each message; counts and control numbers that do not fit are problems."""
        reader, line = _Reader(), 1
        try:
            for segment, begins in Interchanges(stream):
                line = begins
                yield from reader.take(segment, line)
            reader.end()
        except Refused as error:
            yield from faults(error, line)


def make_edi(options: Options) -> Edi:
    """Return the format of options that fit the JSON Schema.

    Raises:
        Refused: `bad_format`.
    """
    said = {key: text for key, text in options.items() if key != "decimal"}
    made = Edi(X12._replace(**{**said, "release": ""}), EDIFACT._replace(**said), options.get("decimal", "."))
    for syntax in (made.x12, made.edifact):
        marks = [mark for mark in syntax if mark]
        if len(set(marks)) < len(marks):
            raise refuse("bad_format", f"{'  '.join(marks)}: two separators are the same character")
    return made


class _Open(NamedTuple):
    tag: str
    elements: list[Any]
    line: int
    inside: list[Segment | str]  # segments of a message, tags of what else


class _Reader:
    """What is open while segments come: an interchange, a group, a message."""

    def __init__(self) -> None:
        self._open: list[_Open] = [_Open("", [], 0, [])]

    def take(self, segment: Segment, line: int) -> Iterator[Row | Problem]:
        tag, *elements = segment
        top = self._open[-1]
        if tag in _LEVELS:
            if top.tag not in _LEVELS[tag][0]:
                where = f"within {top.tag} of line {top.line}" if top.tag else "outside an interchange"
                raise refuse("bad_edi", f"{tag} stands {where}")
            top.inside.append(tag)
            self._open.append(_Open(tag, elements, line, []))
        elif tag in _ENDS:
            yield from self._close(tag, elements, line)
        elif top.tag in _MESSAGES:
            top.inside.append(segment)
            if len(top.inside) > MAX_SEGMENTS:
                raise refuse("too_large", f"a message of more than {MAX_SEGMENTS} segments")
        elif top.tag != "ISA" or tag not in _SERVICE:
            raise refuse("bad_edi", f"{tag[:40]!r} stands outside a message", _hint(tag))

    def end(self) -> None:
        if (top := self._open[-1]).tag:
            raise refuse("bad_edi", f"{top.tag} of line {top.line} does not end")
        if not top.inside:
            raise refuse("bad_edi", "there is no interchange", "X12 begins with ISA, EDIFACT with UNA or UNB")

    def _close(self, tag: str, elements: list[Any], line: int) -> Iterator[Row | Problem]:
        top = self._open[-1]
        if top.tag != _ENDS[tag]:
            raise refuse("bad_edi", f"{tag} ends no {_ENDS[tag]}" + (f", {top.tag} is open" if top.tag else ""))
        self._open.pop()
        _, place, what = _LEVELS[top.tag]
        said, number = [*elements, "", ""][:2]
        count = len(top.inside) + (2 if top.tag in _MESSAGES else 0)
        if not _same(said, str(count)):
            yield Problem("bad_count", f"{tag} says {said!r} {what}, there are {count}").at("", line)
        begun = top.elements[place - 1] if len(top.elements) >= place else ""
        if not _same(number, begun):
            yield Problem("bad_control_number", f"{tag} says {number!r}, {top.tag} {begun!r}").at("", line)
        if top.tag in _MESSAGES:
            yield Row(self._message(top), top.line)

    def _message(self, message: _Open) -> dict[str, Any]:
        interchange, group = self._open[1], self._open[2] if len(self._open) > 2 else None
        kind = [*message.elements, "", ""][0 if message.tag == "ST" else 1]
        return {
            "standard": "x12" if message.tag == "ST" else "edifact",
            "type": kind[0] if isinstance(kind, list) else kind,
            "interchange": interchange.elements,
            "group": group.elements if group else None,
            "message": message.elements,
            "segments": message.inside,
        }


def _same(one: Any, other: Any) -> bool:
    """Tell whether two numbers are the same; zeros and blanks before them differ between systems."""
    if not isinstance(one, str) or not isinstance(other, str):
        return bool(one == other)
    return one.strip().lstrip("0") == other.strip().lstrip("0")


def _hint(tag: str) -> str:
    return "TRADACOMS is not read" if tag.startswith("STX") else "X12 begins with ISA, EDIFACT with UNA or UNB"

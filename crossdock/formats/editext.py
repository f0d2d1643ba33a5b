"""The text of EDI: separators, release characters, segments; X12 (ASC X12.5, X12.6) and EDIFACT (ISO 9735)."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from crossdock.formats.port import MAX_LINE
from crossdock.kernel.problems import refuse

_BLOCK = 1 << 16
_MARK = re.compile(r"[^\w\s]\S|[^\w\s][\r\n]")  # a separator of components and the end of a segment
_UP = 0x100  # latin-1 ends below, so a released character moves up by this until its segment is split
_LOWER = {_UP + code: chr(code) for code in range(_UP)}
_BREAKS = {ord("\r"): None, ord("\n"): None}  # files are wrapped and indented; no character set of EDI has these
_CHARACTER_SETS = {  # ISO 9735-1, annex A; UNOA and UNOB are ASCII, which senders mean loosely
    f"UNO{letter}": f"iso-8859-{part}" for letter, part in zip("CDEFGHIJK", (1, 2, 5, 7, 3, 4, 6, 8, 9), strict=True)
}


class Syntax(NamedTuple):
    """The characters that structure an interchange; empty where it has none."""

    element: str
    component: str
    repetition: str
    release: str
    segment: str


X12 = Syntax("*", ">", "^", "", "~")
EDIFACT = Syntax("+", ":", "", "?", "'")
Segment = list[Any]  # the tag, then elements: a text, its components as a list, its repeats as a list of such lists


class Interchanges:
    """Cuts a stream into segments; each ISA, UNA and UNB sets the syntax of those after it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rest = ""
        self._line = 1
        self._marked = False  # a byte order mark says UTF-8 whatever UNB says
        self._encoding = "utf-8"
        self._use(EDIFACT)

    def __iter__(self) -> Iterator[tuple[Segment, int]]:
        """Yield each segment with its line.

        Raises:
            Refused: `bad_edi`, `too_long`, `bad_encoding`.
        """
        self._more(3)
        self._marked = self._rest.startswith("\xef\xbb\xbf")
        self._rest = self._rest[3 * self._marked :]
        while self._skip_breaks():
            if self._rest.startswith("UNA"):
                self._more(9)
                component, element, _, release, repetition, segment = [*self._rest[3:9].ljust(6)]
                self._use(Syntax(element, component, repetition.strip(), release.strip(), segment))
                self._rest = self._rest[9:]
                continue
            self._begin()
            line = self._line
            yield self._split(self._cut()), line

    def _use(self, syntax: Syntax) -> None:
        self._syntax = syntax
        end, release = re.escape(syntax.segment), re.escape(syntax.release)
        inside = rf"(?:[^{end}{release}]++|{release}.)*+" if release else f"[^{end}]*+"
        self._segment = re.compile(f"({inside}){end}", re.DOTALL)

    def _more(self, length: int) -> bool:
        """Have so many characters, or tell that there are not."""
        while len(self._rest) < length and (block := self._stream.read(_BLOCK)):
            self._rest += block.decode("latin-1")
        return len(self._rest) >= length

    def _skip_breaks(self) -> bool:
        while self._more(1):
            rest = self._rest.lstrip("\r\n\t \x1a")  # some systems end a file with Ctrl-Z
            self._line += self._rest[: len(self._rest) - len(rest)].count("\n")
            self._rest = rest
            if rest:
                self._more(3)
                return True
        return False

    def _begin(self) -> None:
        """Take the syntax that an ISA or UNB says."""
        if self._rest.startswith("ISA"):
            self._more(200)
            self._use(_isa(self._rest))
            self._encoding = "utf-8"
        elif self._rest.startswith("UNB"):
            self._more(40)
            element, component = re.escape(self._syntax.element), re.escape(self._syntax.component)
            found = re.match(f"UNB{element}(UNO.){component}(.)", self._rest)
            self._encoding = _CHARACTER_SETS.get(found[1], "utf-8") if found and not self._marked else "utf-8"
            if found and found[2] == "4" and not self._syntax.repetition:
                self._use(self._syntax._replace(repetition="*"))

    def _cut(self) -> str:
        """Take the text of the next segment, without its terminator."""
        if self._rest.startswith(f"BIN{self._syntax.element}"):
            return self._cut_binary()
        while (found := self._segment.match(self._rest)) is None:
            if len(self._rest) > MAX_LINE:
                raise refuse("too_long", f"a segment of more than {MAX_LINE} characters")
            if not self._more(len(self._rest) + 1):
                if self._syntax.segment in "\r\n":  # which the last line of a file may lack
                    break
                raise refuse("bad_edi", f"the last segment does not end in {self._syntax.segment!r}")
        text, end = (found[1], found.end()) if found else (self._rest, len(self._rest))
        self._line += self._rest.count("\n", 0, end)
        self._rest = self._rest[end:]
        return text

    def _cut_binary(self) -> str:
        """Take a BIN segment, whose data is as long as it says and may hold any character."""
        self._more(24)
        found = re.match(rf"BIN.(\d{{1,15}}){re.escape(self._syntax.element)}", self._rest)
        length = found.end() + int(found[1]) if found else 0
        if not found or length > MAX_LINE or not self._more(length + 1):
            raise refuse("bad_edi", f"a BIN segment does not say its length, at most {MAX_LINE}")
        text, end, self._rest = self._rest[:length], self._rest[length], self._rest[length + 1 :]
        if end != self._syntax.segment:
            raise refuse("bad_edi", "a BIN segment is not as long as it says")
        self._line += text.count("\n")
        return text

    def _split(self, text: str) -> Segment:
        element, release = self._syntax.element, self._syntax.release
        if text.startswith(f"BIN{element}"):
            return [self._plain(part) for part in text.split(element, 2)]
        text = text.translate(_BREAKS)
        if release and release in text:
            text = re.sub(f"{re.escape(release)}(.)", lambda found: chr(ord(found[1]) + _UP), text)
        tag, *parts = text.split(element)
        if tag == "ISA":
            return [tag, *map(self._plain, parts)]
        return [self._plain(tag), *map(self._element, parts)]

    def _element(self, text: str) -> Any:
        repetition, component = self._syntax.repetition, self._syntax.component
        if repetition and repetition in text:
            return [[self._plain(one) for one in part.split(component)] for part in text.split(repetition)]
        if component in text:
            return [self._plain(one) for one in text.split(component)]
        return self._plain(text)

    def _plain(self, text: str) -> str:
        try:
            return text.translate(_LOWER).encode("latin-1").decode(self._encoding)
        except UnicodeDecodeError as error:
            raise refuse("bad_encoding", f"not {self._encoding}: {error.reason}") from None


def _isa(text: str) -> Syntax:
    """Return the syntax of an ISA; the file may be wrapped within it, and its elements may be cut to their texts."""
    for head in (text, text.translate(_BREAKS)):
        element = head[3:4]
        parts = head.split(element, 16)
        if (
            len(parts) == 17
            and len(parts[16]) > 1
            and "\n" not in "".join(parts[:16])
            and parts[12].isdigit()
            and _MARK.match(parts[16])
        ):
            repeats = parts[12] >= "00402" and not parts[11].isalnum()  # before, ISA11 was the standard's name
            return Syntax(element, parts[16][0], parts[11] if repeats else "", "", parts[16][1])
    raise refuse("bad_edi", "the ISA segment does not have 16 elements")


def character_set(interchange: list[Any]) -> str:
    """Return the encoding that the elements of a UNB name."""
    first = interchange[0] if interchange else ""
    return _CHARACTER_SETS.get(str(first[0] if isinstance(first, list) and first else first), "utf-8")

"""The format `xml`: elements as objects, read by expat as they stream in; a file that declares a DOCTYPE is refused.

Entities can only be declared in a DOCTYPE, so without one nothing grows and nothing is fetched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar
from xml.parsers import expat

from crossdock.formats.lines import faults
from crossdock.formats.port import MAX_DEPTH, MAX_LINE, Options, Row
from crossdock.formats.xmltext import is_name, write_xml
from crossdock.kernel.problems import Problem, Refused, refuse

MAX_NODES = 200_000  # elements and attributes of one item
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Xml:
    """See `crossdock.formats.port.Format`; `record` is the element of an item, without it the root is the one item.

    `namespaces` are prefixes to URIs; without any, prefixes and declarations stay as the file has them.
    """

    root: str = "items"
    record: str = ""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    suffix: ClassVar[str] = ".xml"

    def encode(self, items: Sequence[Any]) -> bytes:
        """Return a document of the records under the root, or of the one item as the root."""
        declared = {f"@xmlns:{prefix}" if prefix else "@xmlns": uri for prefix, uri in self.namespaces.items()}
        if self.record:
            return write_xml({**declared, self.record: list(items)}, self.root)
        if len(items) != 1:
            raise refuse("bad_item", f"{len(items)} items in a file that has one root", "name a `record`")
        inner = items[0] if isinstance(items[0], Mapping) else {"#text": items[0]}
        return write_xml({**declared, **inner}, self.root)

    def decode(self, stream: BinaryIO) -> Iterator[Row | Problem]:
        """Yield each item as its element ends."""
        reader = _Reader(self)
        parser = reader.parser
        try:
            while block := stream.read(_BLOCK):
                parser.Parse(block, False)
                yield from reader.taken()
            parser.Parse(b"", True)
            yield from reader.taken()
        except Refused as error:
            yield from reader.taken()
            yield from faults(error, parser.CurrentLineNumber)
        except (expat.ExpatError, LookupError, ValueError) as error:  # also an encoding that expat does not have
            yield from reader.taken()
            yield Problem("bad_xml", f"not XML: {error}").at("", parser.ErrorLineNumber)


def make_xml(options: Options) -> Xml:
    """Return the format of options that fit the JSON Schema.

    Raises:
        Refused: `bad_format`.
    """
    made = Xml(**options)
    for name in (made.root, made.record or made.root):
        if not is_name(name):
            raise refuse("bad_format", f"{name!r} is no name of an element")
    return made


class _Reader:
    """What is open while expat reads: the elements of the item that it is in."""

    def __init__(self, format_: Xml) -> None:
        self._record = format_.record
        self._prefixes = {uri: prefix for prefix, uri in format_.namespaces.items()}
        self.parser = expat.ParserCreate(namespace_separator=" " if format_.namespaces else None)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._depth = self._nodes = self._length = self._line = 0
        self._taken: list[Row] = []

    def taken(self) -> list[Row]:
        taken, self._taken = self._taken, []
        return taken

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name, self._depth = self._name(name), self._depth + 1
        if self._depth > MAX_DEPTH:
            raise refuse("too_deep", f"nested deeper than {MAX_DEPTH} levels")
        if not self._open:
            if self._record and name != self._record:
                return
            self._line, self._nodes = self.parser.CurrentLineNumber, 0
        self._nodes += 1 + len(attributes)
        if self._nodes > MAX_NODES:
            raise refuse("too_large", f"an item of more than {MAX_NODES} elements", "name its element as `record`")
        self._open.append((name, {f"@{self._name(key)}": text for key, text in attributes.items()}, []))
        self._length = 0

    def _text(self, text: str) -> None:
        if self._open:
            self._length += len(text)
            if self._length > MAX_LINE:
                raise refuse("too_long", f"a text of more than {MAX_LINE} characters")
            self._open[-1][2].append(text)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        name, content, texts = self._open.pop()
        value = _value(name, content, "".join(texts))
        if not self._open:
            self._taken.append(Row(value, self._line))
            return
        inside = self._open[-1][1]
        if name not in inside:
            inside[name] = value
        elif isinstance(inside[name], list):
            inside[name].append(value)
        else:
            inside[name] = [inside[name], value]

    def _name(self, name: str) -> str:
        """Return a name with the prefix that the options have for its namespace, with the URI when they have none."""
        uri, blank, local = name.rpartition(" ")
        if not blank:
            return name
        prefix = self._prefixes.get(uri)
        if prefix is None:
            return f"{{{uri}}}{local}"
        return f"{prefix}:{local}" if prefix else local


def _value(name: str, content: dict[str, Any], text: str) -> Any:
    if any(not key.startswith("@") for key in content):
        if text.strip():
            raise refuse("mixed_content", f"{name!r} holds text between its elements, whose place would be lost")
        return content
    if not content:
        return text
    return {**content, "#text": text} if text else content


def _refuse_doctype(*_: Any) -> None:
    raise refuse("doctype", "the file declares a DOCTYPE, which is not read", "send it without one")

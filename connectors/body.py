"""The bodies of http requests: data as JSON, a form, XML, CSV or text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from connectors.formula import Formula, as_text, formula
from crossdock.formats.csv import Csv
from crossdock.formats.xmltext import write_xml
from crossdock.kernel import jsontext
from crossdock.kernel.expression import View
from crossdock.kernel.problems import Problem, refuse
from crossdock.kernel.yamlfile import Document

Format = Literal["json", "form", "xml", "csv", "text", "none"]
CONTENT_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "application/xml; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "text": "text/plain; charset=utf-8",
    "none": "",
}


@dataclass(frozen=True, slots=True)
class Body:
    """How data is written; `root` is the element of XML, `formula` makes the text instead of the data."""

    format: Format = "json"
    root: str = ""
    formula: Formula | None = field(default=None)

    def write(self, data: Any, view: View) -> tuple[str, bytes]:
        """Return the media type and the bytes; of `view` an expression makes the text.

        Raises:
            Refused: `bad_body`, `bad_item`, or what an expression refuses.
        """
        if self.formula is not None:
            text = as_text(self.formula.value(view))
            return CONTENT_TYPES["text"], (text or "").encode()
        if isinstance(data, bytes) and self.format != "none":
            raise refuse("bad_body", f"data that is not JSON cannot be written as {self.format}")
        return CONTENT_TYPES[self.format], _WRITERS[self.format](data, self.root)


AS_JSON = Body()


def read_body(document: Document, problems: list[Problem]) -> Body:
    """Return what a connector file says under `body`."""
    said = document.value.get("body", "json")
    if isinstance(said, str):
        return Body(said)  # type: ignore[arg-type] # the JSON Schema lists them
    if "xml" in said:
        return Body("xml", said["xml"]["root"])
    return Body("text", "", formula(document, ("body", "expression"), problems))


def _form(data: Any, _: str) -> bytes:
    if not isinstance(data, Mapping):
        raise refuse("bad_body", "a form is made of an object", "let `map` make one")
    pairs = [(name, text) for name, value in data.items() for one in _each(value) if (text := as_text(one)) is not None]
    return urlencode(pairs).encode()


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(data: Any, _: str) -> bytes:
    return (as_text(data) or "").encode()


_WRITERS: Mapping[str, Callable[[Any, str], bytes]] = {
    "json": lambda data, _: jsontext.dumps(data),
    "form": _form,
    "xml": write_xml,
    "csv": lambda data, _: Csv().encode([data]),
    "text": _text,
    "none": lambda _, __: b"",
}

"""XML of data: `@name` is an attribute, `#text` the text of an element that has any, a list is its element repeated."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from crossdock.formats.cells import write_cell
from crossdock.kernel.problems import refuse

# XML 1.0, section 2.2; names as in section 2.3 with one prefix (Namespaces in XML, section 4).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[^\W\d][\w.-]*(:[^\W\d][\w.-]*)?\Z")
_BREAKS = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}  # which a parser would make blanks of in an attribute


def write_xml(data: Any, root: str) -> bytes:
    """Return one document.

    Raises:
        Refused: `bad_item`, for names and characters that XML does not have, and prefixes that no `@xmlns:` declares.
    """
    return ('<?xml version="1.0" encoding="UTF-8"?>' + "".join(_element(root, data, frozenset()))).encode()


def is_name(text: str) -> bool:
    """Tell whether an element or attribute may have this name."""
    return _NAME.match(text) is not None


def _element(name: str, value: Any, prefixes: frozenset[str]) -> Iterator[str]:
    content = value if isinstance(value, Mapping) else {"#text": value}
    attributes = {key[1:]: _legal(one, key) for key, one in content.items() if key.startswith("@")}
    known = prefixes | {key.removeprefix("xmlns:") for key in attributes if key.startswith("xmlns:")}
    for used in (name, *attributes):
        _check(used, known)
    start = "".join([name, *(f" {key}={quoteattr(text, _BREAKS)}" for key, text in attributes.items())])
    if inner := list(_inner(content, known)):
        yield f"<{start}>"
        yield from inner
        yield f"</{name}>"
    else:
        yield f"<{start}/>"


def _inner(content: Mapping[str, Any], known: frozenset[str]) -> Iterator[str]:
    for key, value in content.items():
        if key == "#text":
            if text := _legal(value, key):
                yield escape(text, {"\r": "&#13;"})
        elif not key.startswith("@"):
            for one in value if isinstance(value, list) else [value]:
                yield from _element(key, one, known)


def _check(name: str, known: frozenset[str]) -> None:
    if not is_name(name):
        raise refuse("bad_item", f"{name[:80]!r} is no name of an element or attribute", "let `map` rename it")
    prefix = name.partition(":")[0] if ":" in name else ""
    if prefix and prefix not in ("xml", "xmlns", *known):
        raise refuse("bad_item", f"the prefix of {name!r} is not declared", f'add "@xmlns:{prefix}": "..." around it')


def _legal(value: Any, name: str) -> str:
    text = write_cell(value, name)
    if found := _ILLEGAL.search(text):
        raise refuse("bad_item", f"XML has no character {found[0]!r}", "let `map` take it out")
    return text

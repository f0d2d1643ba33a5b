"""The cells of tables: texts that stay as they are, but where a column names another type."""

from collections.abc import Mapping
from typing import Any, Literal

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused, refuse

Type = Literal["text", "number", "boolean"]
_BOOLEANS = {"true": True, "false": False}


def read_cell(text: str, type_: Type) -> Any:
    """Return the value of a cell; an empty one that is no text is null.

    Raises:
        Refused: `bad_cell`, for a number that JSON would write otherwise or could not hold exactly.
    """
    if type_ == "text":
        return text
    if not text:
        return None
    if type_ == "boolean":
        if text not in _BOOLEANS:
            raise refuse("bad_cell", f"{text[:40]!r} is neither true nor false")
        return _BOOLEANS[text]
    try:
        value = jsontext.loads(text.encode())
    except Refused:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("bad_cell", f"{text[:40]!r} is no number that JSON can hold as it is", "leave the column a text")
    return value


def write_cell(value: Any, name: str) -> str:
    """Return the text of a value; null is empty.

    Raises:
        Refused: `bad_item`, for an object or a list.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        raise refuse("bad_item", f"{name!r} is an object or a list, which no cell holds", "let `map` take it apart")
    return jsontext.dumps(value).decode()

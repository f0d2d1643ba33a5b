"""The list of all formats, and what content files may say of them."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from crossdock.formats.csv import make_csv
from crossdock.formats.edi import make_edi
from crossdock.formats.fixed import make_fixed
from crossdock.formats.jsonl import make_jsonl
from crossdock.formats.port import Format, Options
from crossdock.formats.xml import make_xml

FORMATS: Mapping[str, Callable[[Options], Format]] = {
    "csv": make_csv,
    "jsonl": make_jsonl,
    "fixed": make_fixed,
    "xml": make_xml,
    "edi": make_edi,
}


def make_format(said: str | Mapping[str, Options]) -> Format:
    """Return the format of what stands in a content file: its name, or its name with options.

    Raises:
        Refused: `bad_format`.
    """
    if isinstance(said, str):
        return FORMATS[said]({})
    ((name, options),) = said.items()
    return FORMATS[name](options)


@cache
def definitions() -> dict[str, Any]:
    """Return the `$defs` of a JSON Schema whose `format` is a format."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("_schema.json").read_bytes())["$defs"]
    return found

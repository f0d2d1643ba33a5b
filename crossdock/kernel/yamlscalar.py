"""Scalars of the YAML 1.2 core schema: which plain text is which, and its value."""

import math
import re
from typing import Any

from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

CORE = "tag:yaml.org,2002:"
MAX_DIGITS = 250  # Python makes no integer of more than 4,300 digits and no float of one beyond 308, in any base
_PATTERNS = {  # YAML 1.2.2, 10.3.2
    "null": re.compile(r"(?:null|Null|NULL|~|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
}


class CoreResolver(VersionedResolver):
    """Takes for numbers what the core schema does; ruamel.yaml also takes 0b11, 1_000 and -0x1F, which 1.2 has not."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node that has none."""
        if kind is ScalarNode and implicit[0]:
            found = next((name for name, pattern in _PATTERNS.items() if pattern.match(value)), "str")
            return Tag(suffix=CORE + found)
        return super().resolve(kind, value, implicit)


def value(kind: str, text: str) -> Any:
    """Return what a scalar of a kind stands for.

    Raises:
        ValueError: when the text is none of that kind, or a number too long or too big to hold.
        KeyError: for a kind that the core schema has not.
    """
    if kind == "str":
        return text
    if not _PATTERNS[kind].match(text):
        raise ValueError(f"{text[:40]!r} is no {kind}")
    if kind == "null":
        return None
    return text.lower() == "true" if kind == "bool" else _number(kind, text)


def _number(kind: str, text: str) -> int | float:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    if kind == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))  # `010` is ten in the core schema
    number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if math.isinf(number) and "inf" not in text.lower():
        raise ValueError(f"{text!r} is too big a number")
    return number

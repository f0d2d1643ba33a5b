"""Values written as YAML that people go on editing: in blocks, texts in quotes where they would mean something else."""

import json
import re
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*[A-Za-z0-9_]\Z")
_WORDS = re.compile(r"(?i)(true|false|null|yes|no|on|off|y|n|\.inf|\.nan)\Z")


def written(value: Any, indent: str = "") -> str:
    """Return the lines of a mapping or list, each after an indent."""
    return "".join(f"{indent}{line}\n" for line in _lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _member(f"{_scalar(key)}:", child)
    else:
        for child in value:
            first, *rest = list(_lines(child)) if isinstance(child, dict) and child else [_flow(child)]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)


def _member(label: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict | list) or not value or _is_short(value):
        yield f"{label} {_flow(value)}"
        return
    yield label
    yield from (f"  {line}" for line in _lines(value))


def _is_short(value: Any) -> bool:
    children = value.values() if isinstance(value, dict) else value
    return not any(isinstance(child, dict | list) for child in children) and len(_flow(value)) < 80


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value) and not _WORDS.match(value):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}" for c in text)

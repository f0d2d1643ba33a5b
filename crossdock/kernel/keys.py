"""Keys that expressions give: business keys of transforms and ordering keys of routes."""

import re
from typing import Any

from crossdock.kernel.attribute_rules import MAX_ATTRIBUTE

EXPECTED = f"text of 1 to {MAX_ATTRIBUTE} printable characters"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def as_key(value: Any) -> str | None:
    """Return an expression's value as a key, `None` when it is not one; integers count as their digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ATTRIBUTE or _CONTROL.search(value):
        return None
    return value

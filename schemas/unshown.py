"""Says in words why no document shows a difference that counts as a break all the same."""

from collections.abc import Iterator
from typing import Any

from schemas.edits import Edit
from schemas.texts import matches_all

UNSHOWN = "no document was found that shows it, nor a proof that there is none"
_CONTENT = ("contentMediaType", "contentEncoding")


def why(edit: Edit) -> str:
    """Return why there is no witness of an edit."""
    said = [*_said(edit.path[-1:], edit.old), *_said(edit.path[-1:], edit.new)]
    content = next((key for key, _ in said if key in _CONTENT), None)
    if content is not None:
        return f"no validator looks into {content}, so no document shows it, but readers may rely on it"
    patterns = [value for key, value in said if key == "pattern" and isinstance(value, str)]
    if patterns and all(map(matches_all, patterns)):
        first = patterns[0]
        return f"every text matches {first}, as it is not anchored, so no document shows it: meant is ^({first})$?"
    return UNSHOWN


def _said(path: tuple[str | int, ...], value: Any) -> Iterator[tuple[str | int, Any]]:
    """Return the keywords of a changed place and of what is inside."""
    if path:
        yield path[-1], value
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _said((key,), child)

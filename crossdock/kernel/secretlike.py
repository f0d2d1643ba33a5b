"""Lines of content files that may hold a secret, which nobody is shown."""

import re
from collections.abc import Iterable

_SECRET = re.compile(r"(?i)(secret|passw|token|bearer|authorization|api.?key|whsec_|://[^/\s]*@)")
_ARMOUR = re.compile(r"-----(BEGIN|END) ")  # RFC 7468
_BEFORE = re.compile(r"[ \t]*(-[ \t]+)*")
_KEY = re.compile(r"[^\s:{\[]+[ \t]*:(\s|\Z)")


def may_hold_secret(line: str) -> bool:
    """Tell whether a secret may stand in a line, seen by itself."""
    return _SECRET.search(line) is not None


def secret_lines(lines: Iterable[str]) -> frozenset[int]:
    """Return the places of lines in which a secret may stand, or may go on that a line before has named.

    A value goes on in lines that are indented more than its key is, as those of a YAML block are.
    """
    found, column, armoured = set[int](), -1, False
    for place, line in enumerate(lines):
        if not line.strip():
            continue
        if armoured or (column >= 0 and _goes_on(line, column)):
            found.add(place)
        else:
            column = -1
            if may_hold_secret(line):
                found.add(place)
                column = _column(line)
        for edge in _ARMOUR.finditer(line):
            found.add(place)
            armoured = edge[1] == "BEGIN"
    return frozenset(found)


def _column(line: str) -> int:
    """Return where the key of a line stands, or else the line; -1 for a comment, of which nothing goes on."""
    before = _BEFORE.match(line)
    start = before.end() if before else 0
    if line.startswith("#", start):
        return -1
    return start if _KEY.match(line, start) else len(line) - len(line.lstrip())


def _goes_on(line: str, column: int) -> bool:
    """Tell whether a line belongs to the value of a key in a column; the items of a list may stand right below it."""
    text = line.lstrip()
    indent = len(line) - len(text)
    return indent > column or (indent == column and text.startswith("- "))

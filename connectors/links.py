"""The Link header (RFC 8288, section 3): targets in angle brackets, each with parameters."""

import re

_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[^\s=;,<]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"<]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)


def next_link(header: str) -> str:
    """Return the target whose relation is `next`, empty if there is none."""
    for link in _LINK.finditer(header[:8000]):
        rel = _REL.search(link[2])
        if rel and "next" in (rel[1] or rel[2] or "").lower().split():
            return link[1].strip()
    return ""

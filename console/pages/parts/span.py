"""The time that a page is about, as its address says it: one that ends now, or from a time to another."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

HOUR = 3600
_HOURS = {"6h": 6, "24h": 24, "7d": 7 * 24, "30d": 30 * 24}
RANGES = (
    ("6h", "last 6 hours"), ("24h", "last 24 hours"), ("7d", "last 7 days"), ("30d", "last 30 days"),
)  # fmt: skip
USUAL = "24h"


class Span(NamedTuple):
    """The name of a time that ends now; `since` and `until` are as a person wrote them, and come before it."""

    name: str
    since: str = ""
    until: str = ""

    def times(self) -> tuple[str, str]:
        """Return from when to when, as the API takes it; an empty end is now."""
        if self.since:
            return self.since, self.until
        begin = (time.time() // HOUR - _HOURS[self.name] + 1) * HOUR
        return datetime.fromtimestamp(begin, UTC).isoformat(timespec="seconds"), ""

    def query(self) -> dict[str, str]:
        """Return how an address says it."""
        return {"from": self.since, "to": self.until} if self.since else {"range": self.name}


def span_of(query: Mapping[str, str]) -> Span:
    """Return what an address asks for; the last day if it does not say, or nonsense."""
    name = query.get("range", USUAL)
    return Span(name if name in _HOURS else USUAL, query.get("from", "").strip(), query.get("to", "").strip())

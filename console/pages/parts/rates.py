"""Rates from counts that grow, over the last seconds of a page."""

import time
from collections import deque
from collections.abc import Mapping

OVER = 10.0  # seconds a rate is taken over


class Rates:
    """Remembers counts for a short time; one for a page."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def of(self, counts: Mapping[str, int]) -> dict[str, float]:
        """Return how many a second each of them grew by; a count that fell was begun anew and has no rate."""
        now = time.monotonic()
        self._seen.append((now, counts))
        while len(self._seen) > 2 and now - self._seen[0][0] > OVER:
            self._seen.popleft()
        begun, first = self._seen[0]
        if now - begun < 0.5:
            return {}
        return {name: max(0.0, (count - first.get(name, count)) / (now - begun)) for name, count in counts.items()}

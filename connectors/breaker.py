"""The circuit breaker of one connector: while it is open, its lanes pull nothing and lose no attempts."""

from collections import deque
from collections.abc import Callable
from typing import Literal

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
PROBE_LAPSES = 30.0  # a probe that was cancelled never reports; after this long another may go
_BUCKETS = 10
_DEAD_AFTER = 20  # failures in a row: the successes before them say nothing about a target that has died since
_DEAD_FOR = 1.0  # seconds these must be spread over: attempts under way when a connection breaks all fail at once

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Opens when the share of failures in the last `over` seconds reaches `open_at` (0 to 1), or all fail for a second.

    `longest` is the longest pause in seconds between two probes.
    """

    def __init__(
        self,
        open_at: float,
        over: float,
        minimum: int = 10,
        *,
        clock: Callable[[], float],
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self._open_at = open_at
        self._bucket_seconds = over / _BUCKETS
        self._minimum = minimum
        self._clock = clock
        self._longest = longest
        self._counts: deque[list[int]] = deque(maxlen=_BUCKETS)  # [bucket number, attempts, failures]
        self._in_row = 0
        self._row_began = 0.0
        self._pause = FIRST_PAUSE
        self._opens_until: float | None = None
        self._probe_until = 0.0

    @property
    def state(self) -> State:
        """Where the breaker stands now."""
        if self._opens_until is None:
            return "closed"
        return "open" if self._clock() < self._opens_until else "half_open"

    def record(self, ok: bool) -> None:
        """Note the end of an attempt; `ok` says that the target is well, also when it refused the event."""
        if self._opens_until is None:
            self._count(ok)
        elif self._probing():
            if ok:
                self._close()
            else:
                self._open(min(self._pause * 2, self._longest))
        # else: a straggler from before the breaker opened, which says nothing new

    def ready(self) -> bool:
        """Tell whether an attempt may start; when half-open a yes is the one probe, so it must be followed by it."""
        state = self.state
        if state == "half_open" and not self._probing():
            self._probe_until = self._clock() + PROBE_LAPSES
            return True
        return state == "closed"

    def wait(self) -> float:
        """Return the seconds until the next probe may start; while one is under way, until it pays to ask again."""
        if self._opens_until is None:
            return 0.0
        until = self._opens_until - self._clock()
        return max(0.0, until) if not self._probing() else FIRST_PAUSE

    def _probing(self) -> bool:
        return self._clock() < self._probe_until

    def _count(self, ok: bool) -> None:
        bucket = int(self._clock() / self._bucket_seconds)
        if not self._counts or self._counts[-1][0] != bucket:
            self._counts.append([bucket, 0, 0])
        current = self._counts[-1]
        current[1] += 1
        if ok:
            self._in_row = 0
            return
        current[2] += 1
        self._in_row += 1
        if self._in_row == 1:
            self._row_began = self._clock()
        dead = self._in_row >= _DEAD_AFTER and self._clock() - self._row_began >= _DEAD_FOR
        recent = [counts for counts in self._counts if counts[0] > bucket - _BUCKETS]
        attempts, failures = sum(counts[1] for counts in recent), sum(counts[2] for counts in recent)
        if dead or (attempts >= self._minimum and failures >= self._open_at * attempts):
            self._open(min(FIRST_PAUSE, self._longest))

    def _open(self, pause: float) -> None:
        self._pause = pause
        self._opens_until = self._clock() + pause
        self._probe_until = 0.0

    def _close(self) -> None:
        self._opens_until = None
        self._probe_until = 0.0
        self._in_row = 0
        self._counts.clear()

"""How many attempts a connector gets at once: as many as it may have, fewer while it answers late or not at all."""

import math
from collections.abc import Callable

from connectors.port import Outcome

_LATE = 3.0  # times its usual time
_BRISK = 0.08  # seconds that any target may take: no answer is late below three times this, which our own loop may add
_QUICKLY, _SLOWLY = 0.2, 0.01  # how fast its latest and its usual time follow the last answer


class Pace:
    """Cuts `limit` by half at an attempt without an answer or a throttled one, by a third when answers get late.

    It grows again with good answers, slowly above where it was cut last. A target that has always been slow is not
    late, and one that has become so counts as such after some hundred answers. `most` is the limit of a healthy target;
    `clock` gives seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self.limit = float(most)
        self._most = float(most)
        self._clock = clock
        self._edge = self.limit
        self._cut_at = -math.inf
        self._usual = self._latest = 0.0
        self._calm = True  # all is given, and answers are brisk: nothing to learn

    def answered(self, outcome: Outcome, began: float, under_way: int) -> None:
        """Note the end of an attempt that began at a time; `under_way` counts it too."""
        took = self._clock() - began
        if self._calm and took < _BRISK and outcome == "delivered":
            self._usual = self._latest = _BRISK
            return
        if outcome in ("in_doubt", "throttled"):
            self._cut(0.5, began)
        elif outcome != "retry":  # an error tells of the target's health, not of its speed: the breaker's business
            self._learn(max(took, _BRISK))
            if self._latest > _LATE * self._usual:
                self._cut(0.7, began)
            elif self.limit < self._most and 2 * under_way >= self.limit:
                self._grow()
        self._calm = self.limit == self._most and self._latest < 1.1 * _BRISK

    def _learn(self, took: float) -> None:
        if not self._usual:
            self._usual = self._latest = took
        self._latest += (took - self._latest) * _QUICKLY
        self._usual += (took - self._usual) * (_SLOWLY if took > self._usual else _QUICKLY)

    def _cut(self, to: float, began: float) -> None:
        """Cut once for all that were under way together."""
        if began > self._cut_at:
            self._edge = self.limit
            self.limit = max(1.0, self.limit * to)
            self._cut_at = self._clock()

    def _grow(self) -> None:
        below = self.limit < 0.75 * self._edge
        self.limit = min(self._most, self.limit + 1 / (math.sqrt(self.limit) if below else self.limit))

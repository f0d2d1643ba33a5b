"""Token buckets as one gateway process sees them, between two words from the shared store."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from crossdock.kernel.buckets import Spend

DAY = 86400
_TOKEN = 1 - 1e-6  # a token, with what rounding takes from it


class Policy(NamedTuple):
    """Events a second, of which `burst` may come at once."""

    name: str
    rate: float
    burst: int


class Quota(NamedTuple):
    """Events in a day of UTC."""

    name: str
    most: int


Rule = Policy | Quota


class Meter:
    """One bucket: what is left in it by all that is known here, and what the store has not heard yet.

    `until` is the time when a quota begins anew; times are in seconds of the process's clock.
    """

    __slots__ = ("_at", "_field", "label", "level", "most", "name", "rate", "spent", "until")

    def __init__(self, label: str, name: str, rate: float, most: int, at: float, until: float) -> None:
        self.label, self.name, self.rate, self.most, self.until = label, name, rate, most, until
        self.level: float = most
        self.spent = 0
        self._at = at
        self._field = b'"%b";r=%%d;t=%%d' % label.encode()

    def empty(self, now: float) -> bool:
        """Refill the bucket and tell whether there is not one token in it."""
        self.level = min(self.most, self.level + self.rate * (now - self._at))
        self._at = now
        return self.level < _TOKEN

    def forgettable(self, now: float) -> bool:
        """Tell whether a new bucket would be the same."""
        return now >= self.until or (not self.spent and not self.empty(now) and self.level >= self.most)

    def hand_over(self) -> Spend:
        """Return what the store is to hear."""
        spent, self.spent = self.spent, 0
        return Spend(self.name, self.rate, self.most, spent)

    def learn(self, level: float, now: float) -> None:
        """Believe the store; it has not heard what was spent since the handing over."""
        self.level = level - self.spent
        self._at = now

    def take_back(self, tokens: int, now: float) -> None:
        """Note that the store did not answer; it need not hear of what would be refilled by now.

        So the debt of an outage is at most one bucket for each gateway, however long it lasted.
        """
        self.empty(now)
        self.spent = min(self.spent + tokens, math.ceil(self.most - self.level))

    def wait(self, now: float) -> int:
        """Return the whole seconds until there is one token more, at least 1."""
        more = (math.floor(max(0, self.level)) + 1 - self.level) / self.rate if self.rate else self.until - now
        return max(1, math.ceil(more - 1e-6))

    def told(self, now: float) -> bytes:
        """Return the member of the field `RateLimit`."""
        return self._field % (max(0, self.level + 1e-6), self.wait(now))


class Meters(NamedTuple):
    """The buckets of one caller or source, taken from together; `until` is when a quota begins anew."""

    rules: Sequence[Rule]
    each: tuple[Meter, ...]
    until: float
    described: bytes


def open_meters(key: str, rules: Sequence[Rule], now: float, wall: float, known: Sequence[Meter] = ()) -> Meters:
    """Return the buckets for some rules, those `known` as they are; `wall` is the Unix time in seconds."""
    until = now + DAY - wall % DAY
    same = {(meter.name, meter.rate, meter.most): meter for meter in known}
    made = [_meter(key, rule, now, int(wall // DAY), until) for rule in rules]
    each = tuple(same.get((meter.name, meter.rate, meter.most), meter) for meter in made)
    described = b", ".join(_described(rule) for rule in rules)
    return Meters(rules, each, min((meter.until for meter in made), default=math.inf), described)


def _meter(key: str, rule: Rule, now: float, day: int, until: float) -> Meter:
    if isinstance(rule, Policy):
        return Meter(rule.name, f"{key}/{rule.name}", rule.rate, rule.burst, now, math.inf)
    return Meter(rule.name, f"{key}/{rule.name}/{day}", 0, rule.most, now, until)


def _described(rule: Rule) -> bytes:
    """Return the member of the field `RateLimit-Policy`."""
    if isinstance(rule, Policy):
        return b'"%b";q=%d;w=%d' % (rule.name.encode(), rule.burst, max(1, round(rule.burst / rule.rate)))
    return b'"%b";q=%d;w=%d' % (rule.name.encode(), rule.most, DAY)

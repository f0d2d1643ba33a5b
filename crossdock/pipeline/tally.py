"""What gateways refused, by day, partner and code: sums of counters that begin anew with each process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossdock.kernel import jsontext

DAY = 86_400_000  # milliseconds
KEPT_DAYS = 15
UNVERIFIED = "unverified:"  # how the codes begin of requests that did not prove who sent them
MOST_BYTES = 800 << 10  # of the counters of a day as they are stored: a broker takes 1 MiB
REST = ("", "other")  # the counter of those that do not fit into that: of no partner any more
_DAY, _PROCESS = "refused", "counters"  # how the names of records begin

Counter = tuple[str, str]  # partner and code; the partner is empty where nobody could tell
Counts = dict[Counter, int]


@dataclass(slots=True)
class Tally:
    """Counts by day since 1970, then by partner and code; `last` is what each process said last, and `heard` when.

    It is stored as one record of each day and one of each process, by whose names it tells what has changed.
    """

    days: dict[int, Counts] = field(default_factory=dict)
    last: dict[str, Counts] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)

    def hear(self, said: Mapping[str, Mapping[Counter, int]], now: int) -> set[str]:
        """Take what the processes say now (Unix milliseconds); return the names of the records that have changed."""
        day, changed = now // DAY, set[str]()
        today = self.days.setdefault(day, {})
        for process, counters in said.items():
            known = self.last.get(process, {})
            for counter, value in counters.items():
                before = known.get(counter, 0)
                if more := value - before if value >= before else value:  # less than before: it was started again
                    today[counter] = today.get(counter, 0) + more
                    changed.add(f"{_DAY}.{day}")
            if known != counters:
                changed.add(_of(process))
            self.last[process], self.heard[process] = dict(counters), now
        return changed | self._forget(now)

    def _forget(self, now: int) -> set[str]:
        """Let go of days that nobody asks for, and of processes that have not said anything for a day."""
        days = [day for day in self.days if day <= now // DAY - KEPT_DAYS]
        gone = [process for process, at in self.heard.items() if at < now - DAY]
        for day in days:
            del self.days[day]
        for process in gone:
            del self.last[process], self.heard[process]
        return {f"{_DAY}.{day}" for day in days} | {_of(process) for process in gone}

    def codes(self, partner: str, first: int, last: int) -> dict[str, int]:
        """Return what was refused of a partner by code, from one day to another."""
        found: dict[str, int] = {}
        for day, counts in self.days.items():
            for (whose, code), number in counts.items():
                if whose == partner and first <= day <= last:
                    found[code] = found.get(code, 0) + number
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def written(self, name: str) -> bytes | None:
        """Return a record that `take` reads; None for one that is to be removed."""
        kind, _, rest = name.partition(".")
        if kind == _DAY:
            counts = self.days.get(int(rest))
            return None if counts is None else jsontext.dumps(_listed(counts))
        process = bytes.fromhex(rest).decode()
        if process not in self.heard:
            return None
        return jsontext.dumps({"heard": self.heard[process], "counts": _listed(self.last[process])})

    def take(self, name: str, stored: bytes) -> bool:
        """Read a record; False for one of something else."""
        kind, _, rest = name.partition(".")
        if kind == _DAY:
            self.days[int(rest)] = _counted(jsontext.own_loads(stored))
        elif kind == _PROCESS:
            process, document = bytes.fromhex(rest).decode(), jsontext.own_loads(stored)
            self.last[process], self.heard[process] = _counted(document["counts"]), document["heard"]
        return kind in (_DAY, _PROCESS)


def _of(process: str) -> str:
    return f"{_PROCESS}.{process.encode().hex()}"


def _listed(counts: Counts) -> list[tuple[str, str, int]]:
    """Return the counters that fit, the largest ones first, and what the others come to."""
    listed, rest, size = list[tuple[str, str, int]](), 0, 0
    for (partner, code), number in sorted(counts.items(), key=lambda pair: -pair[1]):
        size += len(jsontext.dumps((partner, code, number))) + 1
        if size <= MOST_BYTES:
            listed.append((partner, code, number))
        else:
            rest += number
    return [*listed, (*REST, rest)] if rest else listed


def _counted(listed: list[Any]) -> Counts:
    found: Counts = {}
    for partner, code, number in listed:
        found[partner, code] = found.get((partner, code), 0) + number
    return found

"""What gateways refused, by day, partner and code: sums of counters that begin anew with each process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400_000  # milliseconds
KEPT_DAYS = 15
UNVERIFIED = "unverified:"  # how the codes begin of requests that did not prove who sent them

Counter = tuple[str, str]  # partner and code; the partner is empty where nobody could tell


@dataclass(slots=True)
class Tally:
    """Counts by day since 1970, then by partner and code; `last` is what each process said last."""

    days: dict[int, dict[Counter, int]] = field(default_factory=dict)
    last: dict[str, dict[Counter, int]] = field(default_factory=dict)

    def hear(self, said: Mapping[str, Mapping[Counter, int]], now: int) -> bool:
        """Take what the processes say now (Unix milliseconds); tell whether anything was refused since."""
        today, grew = self.days.setdefault(now // DAY, {}), False
        for process, counters in said.items():
            known = self.last.get(process, {})
            for counter, value in counters.items():
                before = known.get(counter, 0)
                if more := value - before if value >= before else value:  # less than before: it was started again
                    today[counter] = today.get(counter, 0) + more
                    grew = True
            self.last[process] = dict(counters)
        for old in [day for day in self.days if day <= now // DAY - KEPT_DAYS]:
            del self.days[old]
        return grew

    def codes(self, partner: str, first: int, last: int) -> dict[str, int]:
        """Return what was refused of a partner by code, from one day to another."""
        found: dict[str, int] = {}
        for day, counts in self.days.items():
            for (whose, code), number in counts.items():
                if whose == partner and first <= day <= last:
                    found[code] = found.get(code, 0) + number
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def as_dict(self) -> dict[str, Any]:
        """Return what `read` takes."""
        return {
            "days": {str(day): _listed(counts) for day, counts in self.days.items()},
            "last": {process: _listed(counts) for process, counts in self.last.items()},
        }


def read(document: Mapping[str, Any]) -> Tally:
    """Read what `as_dict` gave."""
    days = {int(day): _counted(listed) for day, listed in document["days"].items()}
    return Tally(days, {process: _counted(listed) for process, listed in document["last"].items()})


def _listed(counts: Mapping[Counter, int]) -> list[tuple[str, str, int]]:
    return [(*counter, number) for counter, number in counts.items()]


def _counted(listed: list[Any]) -> dict[Counter, int]:
    return {(partner, code): number for partner, code, number in listed}

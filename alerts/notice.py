"""A notice: what one alert tells its channels at one moment, about all its subjects of which that is true."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from crossdock.kernel.records import known

FIRING, REPEATED, RESOLVED, TEST = "firing", "repeated", "resolved", "test"
_SAID = {FIRING: "", REPEATED: "still ", RESOLVED: "resolved: ", TEST: "test: "}
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Point:
    """One subject of a notice; times are Unix milliseconds, `page` is where the console shows it."""

    subject: str
    text: str
    since: int
    ended: int
    figure: float
    page: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told, about `points` and so many `more`; the same `id` is the same notice, however often it arrives."""

    id: str
    alert: str
    state: str
    severity: str
    at: int
    do: str
    points: tuple[Point, ...]
    more: int = 0

    def title(self) -> str:
        """Return one line for people."""
        first, others = self.points[0].text, len(self.points) - 1 + self.more
        more = f" (and {others} more)" if others else ""
        return f"[{self.severity}] {self.alert}: {_SAID[self.state]}{first}{more}"

    def text(self) -> str:
        """Return the whole for people: what, since when, where to look and what to do."""
        lines = [self.title(), ""]
        for point in self.points[:_MOST_SHOWN]:
            until = f", until {when(point.ended)}" if point.ended else ""
            lines += [f"- {point.text}", f"  since {when(point.since)}{until}", f"  {point.page}"]
        if (more := max(0, len(self.points) - _MOST_SHOWN) + self.more) > 0:
            lines.append(f"- and {more} more")
        if self.do and self.state != RESOLVED:
            lines += ["", f"What to do: {self.do}"]
        return "\n".join(lines)

    def as_body(self) -> dict[str, Any]:
        """Return what a webhook gets: for people as `text`, for programs field by field, times as RFC 3339 has them."""
        points = [
            {**asdict(point), "since": when(point.since), "ended": when(point.ended) if point.ended else None}
            for point in self.points
        ]
        return {
            "id": self.id, "alert": self.alert, "state": self.state, "severity": self.severity, "at": when(self.at),
            "title": self.title(), "text": self.text(), "do": self.do, "subjects": points,
            "more": self.more,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that a channel must get; `at` is when it is tried next, in Unix milliseconds."""

    channel: str
    notice: Notice
    at: int
    tries: int = 0


def read(document: Mapping[str, Any]) -> Notice:
    """Return what was stored."""
    points: Iterable[Mapping[str, Any]] = document["points"]
    return Notice(**known(Notice, document) | {"points": tuple(Point(**known(Point, one)) for one in points)})


def when(milliseconds: int) -> str:
    """Return a time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What became of one event in memory, with the requests that would have been sent."""

from dataclasses import dataclass

from connectors.port import Result
from connectors.showing import Request
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.trial.watched import Step

REFUSED, QUARANTINED, DUPLICATE, DEAD, ROUTED = "refused", "quarantined", "duplicate", "dead_lettered", "routed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery: the route, its connector, the request, and what came of it where a test gives the answer."""

    route: str
    connector: str
    request: Request
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event or one delivery of it was given up, and at which stage: `gateway`, `process` or `deliver`."""

    stage: str
    problems: tuple[Problem, ...]
    route: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event.

    `raw` is the event as it was taken and `event` its canonical form, as far as it came; `steps` has no entry for what
    was done with many events at once.
    """

    word: str
    source: str
    transform: str
    raw: Event | None
    event: Event | None
    sent: tuple[Sent, ...]
    failures: tuple[Failure, ...]
    warnings: tuple[Problem, ...]
    steps: tuple[Step, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that was wrong, stage after stage."""
        return tuple(problem for failure in self.failures for problem in failure.problems)

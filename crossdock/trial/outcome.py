"""What became of one event in memory, and the requests that would have been sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.http import compose
from connectors.httpspec import HttpOptions
from connectors.spec import ConnectorSpec
from connectors.target import header_fault
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event, is_json
from crossdock.kernel.problems import Problem, refuse
from crossdock.trial.watched import Step

REFUSED, QUARANTINED, DUPLICATE, DEAD, ROUTED = "refused", "quarantined", "duplicate", "dead_lettered", "routed"
COVERED = "***"
_OF_THE_MOMENT = ("webhook-signature", "webhook-timestamp")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its connector sends it; secrets and what changes from attempt to attempt are covered."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    body: Any

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"method": self.method, "url": self.url, "headers": dict(self.headers), "body": self.body}


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery: the route, its connector and the request."""

    route: str
    connector: str
    request: Request


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


def request_of(spec: ConnectorSpec, event: Event, key: str) -> Request:
    """Return the request that delivers an event.

    Raises:
        Refused: `refused`, its headers cannot be sent.
    """
    options: HttpOptions = spec.options
    headers, body = compose(spec, event, key, float)
    if fault := header_fault(headers):
        raise refuse("refused", f"bad_header: {fault}")
    shown = headers | {name: _covered(spec, value) for name, value in options.headers.items()}
    shown |= {name: COVERED for name in _OF_THE_MOMENT if name in shown}
    target, content = options.target, headers.get("content-type", "")
    value = jsontext.loads(body) if body and is_json(content) else body.decode("utf-8", "replace")
    url = f"{target.scheme}://{target.authority}{target.path}"
    return Request("POST", url, target.path, shown, value)


def _covered(spec: ConnectorSpec, text: str) -> str:
    for secret in spec.secrets:
        text = text.replace(secret, COVERED)
    return text

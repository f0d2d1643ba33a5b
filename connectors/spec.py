"""What every connector has, whatever its kind; a kind adds its own options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.addresses import Network
from connectors.port import Connector, Origin, Outside
from crossdock.kernel.content import Spot
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.yamlfile import Document


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """When the breaker opens: at a share of failures (0 to 1) over a time in seconds."""

    open_at: float = 0.5
    over: float = 30.0


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """One connector file; `timeout` is in seconds, `rate` in attempts a second (0: unlimited).

    `options` are those of the kind; `secrets` are texts that must not be shown; `reply` is the type and major version
    of the events that its answers become.
    """

    name: str
    kind: str
    options: Any
    timeout: float = 15.0
    rate: int = 0
    in_flight: int = 64
    breaker: BreakerSpec = BreakerSpec()
    networks: tuple[Network, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    description: str = ""
    reply: tuple[str, int] | None = None
    spot: Spot | None = field(default=None, repr=False, compare=False)


class Kind(NamedTuple):
    """One kind of connector; its keys are in `_<kind>_schema.json`.

    `read` returns the options of a document that fits the JSON Schema, and the texts in it that must not be shown; it
    adds what the JSON Schema cannot say to the problems. `open` makes a destination, `origin` what is polled;
    `destination` names the key without which it is only polled; `rehearse` says what would be sent, where it is not
    simply the data, and raises Refused.
    """

    read: Callable[[Document, tuple[Network, ...], list[Problem]], tuple[Any, tuple[str, ...]]]
    open: Callable[[ConnectorSpec, Outside], Connector]
    origin: Callable[[ConnectorSpec, Outside], Origin] | None = None
    destination: str = ""
    rehearse: Callable[[ConnectorSpec, Event, str], "Rehearsed"] | None = None


class Rehearsed(NamedTuple):
    """What a connector would do for an event with a key: a verb, at which place, with which headers and values."""

    verb: str
    place: str
    headers: Mapping[str, str]
    body: Any

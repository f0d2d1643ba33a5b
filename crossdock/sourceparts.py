"""The parts of a source: proof, limits, answers, handshake, retirement; read by `crossdock.source`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from crossdock.kernel.content import Spot
from crossdock.kernel.environment import expand_known
from crossdock.kernel.problems import Problem
from crossdock.kernel.units import size

OUTCOMES = ("delivered", "dead_lettered", "quarantined")  # of which a callback tells
_PER = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Verify:
    """How a source proves who it is; nothing proves it while it is `closed`, as variables it needs are `missing`.

    `keys` is the content of the file that `jwks` names, if it names one.
    """

    scheme: str
    options: Mapping[str, Any]
    secrets: tuple[str, ...] = field(repr=False)
    missing: tuple[str, ...] = ()
    closed: bool = False
    keys: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may send: bytes of an event, events of a request, requests at a time in each gateway process.

    `rate` is in events a second and `quota` in events a day of UTC, both 0 for no limit; `burst` is how many events may
    come at once.
    """

    body: int
    batch: int
    concurrent: int
    rate: float
    burst: int
    quota: int


@dataclass(frozen=True, slots=True)
class AnswerStyle:
    """What a webhook's sender wants to hear of an event that is stored: a status, and a text in place of JSON."""

    status: int = 202
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """A sender's question whether an address is meant for it: query parameters that are echoed and compared."""

    challenge: str
    token: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the partner hears of which outcomes; `closed` while variables that it needs are `missing`."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    on: frozenset[str]
    networks: tuple[str, ...]
    missing: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Poll:
    """Which connector is asked for events, and how often in seconds."""

    connector: str
    every: float


@dataclass(frozen=True, slots=True)
class Retirement:
    """When a source became deprecated and when it ends, as Unix seconds or 0, and where to read about it."""

    deprecated: int = 0
    sunset: int = 0
    link: str = ""


def read_limits(value: Mapping[str, Any]) -> Limits:
    """Return the limits of a source."""
    number, _, unit = value.get("rate", "0/s").partition("/")
    rate = int(number) / _PER[unit]
    burst = value.get("burst", max(1, round(rate)))
    return Limits(
        body=size(value.get("body", "256KiB")),
        batch=value.get("batch", 1000),
        concurrent=value.get("concurrent", 512),
        rate=rate,
        burst=burst,
        quota=int(value.get("quota", "0/d").removesuffix("/d")),
    )


def read_verify(value: Mapping[str, Any], env: Mapping[str, str]) -> Verify:
    """Return how a source proves who it is."""
    ((scheme, given),) = value.items()
    if given is True:
        return Verify(scheme, MappingProxyType({}), ())
    lacking: list[str] = []
    options = {key: _known(item, env, lacking) for key, item in given.items() if key not in ("secret", "secrets")}
    secrets, unset = _secrets(given, env)
    closed = bool(lacking) or (not secrets and bool(unset))
    return Verify(scheme, options, secrets, (*lacking, *unset), closed)


def _known(value: Any, env: Mapping[str, str], lacking: list[str]) -> Any:
    """Return an option with its variables replaced; adds those that are not set."""
    if isinstance(value, list):
        return [_known(item, env, lacking) for item in value]
    if not isinstance(value, str):
        return value
    text, missing = expand_known(value, env)
    lacking += missing
    return text


def _secrets(given: Mapping[str, Any], env: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the secrets that are there, and the names of the variables that are not set or empty."""
    written = [given["secret"]] if "secret" in given else given.get("secrets", [])
    expanded = [expand_known(text, env) for text in written]
    secrets = tuple(text for text, missing in expanded if text and not missing)
    return secrets, tuple(name for _, missing in expanded for name in missing)


def read_handshake(value: Mapping[str, Any], env: Mapping[str, str]) -> Handshake:
    """Return how a source answers questions."""
    token = value.get("token", {})
    return Handshake(value["challenge"], token.get("query", ""), _secrets(token, env)[0])


def read_callback(value: Mapping[str, Any], env: Mapping[str, str]) -> Callback:
    """Return where a partner hears of outcomes."""
    lacking: list[str] = []
    url, networks = _known(value["url"], env, lacking), _known(value.get("networks", []), env, lacking)
    secrets, unset = _secrets(value, env)
    on = frozenset(value.get("on", OUTCOMES))
    return Callback(url, secrets, on, tuple(networks), (*lacking, *unset), bool(lacking) or not secrets)


def read_retirement(spot: Spot, problems: list[Problem]) -> Retirement:
    """Return when a source ends; adds days that are none to `problems`."""
    value = spot.value()
    days = {}
    for key in ("deprecated", "sunset"):
        try:
            days[key] = _day(value[key]) if key in value else 0
        except ValueError:
            problems.append(spot.problem((key,), "bad_value", f"{value[key]} is not a day", "such as 2027-06-30"))
    return Retirement(**days, link=value.get("link", ""))


def _day(text: str) -> int:
    return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).timestamp())

"""Reads `alerts/*.yaml`; called when a project is loaded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crossdock.kernel.content import Spot, names, read_all, read_schema
from crossdock.kernel.environment import expand_known
from crossdock.kernel.nearest import did_you_mean
from crossdock.kernel.problems import CONCEALED, Incomplete, Problem
from crossdock.kernel.units import seconds
from crossdock.kernel.yamlfile import Document

FOLDER = "alerts"
LOG = "log"  # the channel that is always there
SORTS = ("route", "source", "connector", "step")  # of what a condition may be about
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_SCHEMA = read_schema(Path(__file__).parent)
_OVER = {"dead_letter_rate": "5m", "hop_sla": "15m"}
_PER_MINUTE = {"s": 60.0, "min": 1.0, "h": 1 / 60}
_MAY_BE_SECRET = {"url", "secret", "user", "password"}
_OF_A_KIND = {
    "webhook": {"url", "secret", "networks"},
    "email": {"server", "security", "user", "password", "from", "to"},
    LOG: set[str](),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be the case: the figure of a subject is above a number.

    `above` is per minute for rates, and seconds for times; `over` is the time that is looked at, in seconds, 0 for
    what is usual. `sort` says of what `names` are the names; without names it is about all of them.
    """

    kind: str
    above: float = 0.0
    over: float = 0.0
    sort: str = ""
    names: tuple[str, ...] = ()
    hop: str = "total"
    percentile: str = "p95"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: it fires after `lasts` seconds and is told again every `repeat` seconds."""

    name: str
    when: Condition
    lasts: float
    severity: str
    to: tuple[str, ...]
    repeat: float
    do: str
    description: str
    spot: Spot = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """Where alerts go; nothing goes there while variables are `missing`."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()
    spot: Spot | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Alerts:
    """All alerts and channels of a project, by name."""

    rules: Mapping[str, Alert] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=lambda: {LOG: Channel(LOG, LOG)})


def load(root: Path, env: Mapping[str, str]) -> Alerts:
    """Return the alerts of a project; a channel whose variables are not set is closed, and nothing else is.

    Raises:
        Refused: with every problem of every file.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    problems = [_concealed(problem, documents) for problem in problems]
    channels, rules = {LOG: Channel(LOG, LOG)}, dict[str, Alert]()
    for spot in _spots(documents, "channels"):
        channel = _channel(spot, env, problems)
        if channel.name in channels:
            hint = (
                "`log` is always there" if channel.name == LOG else f"the other one is at {channels[channel.name].spot}"
            )
            message = f"there are two channels named {channel.name!r}"
            problems.append(spot.problem(("channel",), "duplicate_name", message, hint))
        channels.setdefault(channel.name, channel)
    whole = not problems
    for spot in _spots(documents, "alerts"):
        rule = _alert(spot)
        if rule.name in rules:
            message, hint = f"there are two alerts named {rule.name!r}", f"the other one is at {rules[rule.name].spot}"
            problems.append(spot.problem(("alert",), "duplicate_name", message, hint))
        rules.setdefault(rule.name, rule)
        problems.extend(_unknown_channels(rule, channels) if whole else ())
    if problems:
        raise Incomplete(problems, Alerts(rules, channels))
    return Alerts(rules, channels)


def _spots(documents: list[Document], part: str) -> Iterator[Spot]:
    for document in documents:
        for index in range(len(document.value.get(part, []))):
            yield Spot(document, (part, index))


def _concealed(problem: Problem, documents: list[Document]) -> Problem:
    """Return a problem without the value where that may be a secret that was written into the file itself."""
    for document in documents:
        places = {place for path, place in document.places.items() if _MAY_BE_SECRET & {str(step) for step in path}}
        if problem.file == document.file and (problem.line, problem.column) in places:
            return replace(problem, message=CONCEALED) if problem.code == "bad_value" else problem
    return problem


def _alert(spot: Spot) -> Alert:
    value = spot.value()
    return Alert(
        name=value["alert"],
        when=_condition(value["when"]),
        lasts=seconds(value.get("for", "0s")),
        severity=value.get("severity", "ticket"),
        to=tuple(value.get("to", [LOG])),
        repeat=seconds(value.get("repeat", "4h")),
        do=value.get("do", ""),
        description=value.get("description", ""),
        spot=spot,
    )


def _condition(value: Mapping[str, Any]) -> Condition:
    ((kind, given),) = value.items()
    sort = next((one for one in SORTS if one in given), "")
    named = given.get(sort, [])
    return Condition(
        kind=kind,
        above=_above(given.get("above", 0)),
        over=seconds(given.get("over", _OVER.get(kind, "0s"))),
        sort=sort,
        names=(named,) if isinstance(named, str) else tuple(named),
        hop=given.get("hop", "total"),
        percentile=given.get("percentile", "p95"),
    )


def _above(value: int | str) -> float:
    """Return a number as it is, a rate per minute and a duration in seconds."""
    if isinstance(value, int):
        return float(value)
    number, slash, unit = value.partition("/")
    return int(number) * _PER_MINUTE[unit] if slash else seconds(value)


def _channel(spot: Spot, env: Mapping[str, str], problems: list[Problem]) -> Channel:
    value, options, missing = spot.value(), dict[str, Any](), list[str]()
    kind = value["kind"]
    known = _OF_A_KIND[kind]
    for key in value.keys() - known - {"channel", "kind"}:
        hint = f"{kind} knows {', '.join(sorted(known))}" if known else f"{kind} has no more keys"
        problems.append(spot.problem((key,), "unknown_key", f"a channel of kind {kind} has no {key!r}", hint))
    for key in known & value.keys():
        options[key] = _expanded(value[key], env, missing)
    return Channel(value["channel"], kind, options, tuple(dict.fromkeys(missing)), spot)


def _expanded(value: Any, env: Mapping[str, str], missing: list[str]) -> Any:
    if isinstance(value, list):
        return [_expanded(item, env, missing) for item in value]
    text, unset = expand_known(value, env)
    missing += unset
    return text


def _unknown_channels(rule: Alert, channels: Mapping[str, Channel]) -> Iterator[Problem]:
    for index, name in enumerate(rule.to):
        if name not in channels:
            message, hint = f"there is no channel {name!r}", did_you_mean(name, channels)
            yield rule.spot.problem(("to", index), "unknown_channel", message, hint)

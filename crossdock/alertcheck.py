"""What alerts name compared with the rest of the content, and their webhooks as connectors; called at each load."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from alerts.spec import Alert, Alerts, Channel
from connectors import reading as connector_reading
from connectors.addresses import literal, unwrap
from connectors.spec import ConnectorSpec
from crossdock.kernel.content import did_you_mean
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document

TIMEOUT = "10s"
_FOLDERS = {"route": "routes", "source": "gateway", "connector": "connectors"}


class MayHave(Protocol):
    """Tells whether a file that could not be read names something."""

    def __call__(self, name: str, *folders: str) -> bool:
        """Tell it of a file in one of these folders."""


def problems(alerts: Alerts, known: Mapping[str, Collection[str]], may_have: MayHave) -> Iterator[Problem]:
    """Yield what alerts name and nobody defines; `known` has the names of routes, sources and connectors."""
    for rule in alerts.rules.values():
        yield from _unknown(rule, known, may_have)
        yield from _contradictions(rule)
    for channel in alerts.channels.values():
        if channel.kind == "webhook" and not channel.missing:
            try:
                webhook(channel)
            except Refused as error:
                yield from error.problems
        elif channel.kind == "email":
            yield from _mail(channel)


def webhook(channel: Channel) -> ConnectorSpec:
    """Return the connector that a webhook is.

    Raises:
        Refused: with everything that is wrong with it, placed in the file of the channel.
    """
    assert channel.spot is not None  # only `log` has none
    document = _document(channel)
    spec = connector_reading.make(document)
    address = literal(spec.options.target.host)
    named = address is not None and any(unwrap(address) in network for network in spec.networks)
    if spec.options.target.scheme != "https" and not named:
        message = "an alert goes to https://, or to http:// and an address that its `networks` name"
        raise Refused([document.problem(("url",), "bad_url", message)])
    return spec


def _document(channel: Channel) -> Document:
    """Return a webhook as the connector file that it stands for."""
    assert channel.spot is not None
    options, path = channel.options, channel.spot.path
    value: Mapping[str, Any] = {
        "connector": channel.name,
        "kind": "http",
        "url": options["url"],
        "networks": options.get("networks", []),
        "timeout": TIMEOUT,
        "sign": {"standard_webhooks": {"secrets": [options["secret"]]}},
    }
    there = channel.spot.document.places.items()
    places = {at[len(path) :]: place for at, place in there if at[: len(path)] == path}
    places[("sign",)] = places[("secret",)]
    return Document(channel.spot.document.file, value, places)


def _unknown(rule: Alert, known: Mapping[str, Collection[str]], may_have: MayHave) -> Iterator[Problem]:
    sort = rule.when.sort
    for index, name in enumerate(rule.when.names):
        if sort not in known or name in known[sort] or may_have(name, _FOLDERS[sort]):
            continue
        given = rule.spot.value()["when"][rule.when.kind][sort]
        path = ("when", rule.when.kind, sort) + (() if isinstance(given, str) else (index,))
        hint = did_you_mean(name, known[sort])
        yield rule.spot.problem(path, f"unknown_{sort}", f"there is no {sort} {name!r}", hint)


def _contradictions(rule: Alert) -> Iterator[Problem]:
    """Yield keys of a condition that do not go together."""
    kind, given = rule.when.kind, rule.spot.value()["when"][rule.when.kind]
    named = [sort for sort in ("route", "source", "connector", "step") if sort in given]
    if len(named) > 1:
        message, hint = f"one condition is about {' or '.join(named)}", "make two alerts of it"
        yield rule.spot.problem(("when", kind, named[1]), "contradiction", message, hint)
    if kind == "hop_sla" and named and (named[0] == "source") != (rule.when.hop == "process"):
        message = f"the hop {rule.when.hop} has no {named[0]}"
        hint = "`process` is of a source, the other hops are of a route"
        yield rule.spot.problem(("when", kind, named[0]), "contradiction", message, hint)


def _mail(channel: Channel) -> Iterator[Problem]:
    """Yield what no mail server can be made of; what variables hold is not known where they are not set."""
    assert channel.spot is not None
    host, colon, port = channel.options["server"].partition(":")
    if not channel.missing and (not host or (colon and not (port.isdecimal() and 0 < int(port) < 65536))):
        hint = "such as smtp.example:587"
        yield channel.spot.problem(("server",), "bad_value", "a mail server is a host and perhaps a port", hint)
    if channel.options.get("security") == "none" and "password" in channel.options:
        hint = "take security: starttls or tls"
        yield channel.spot.problem(("security",), "contradiction", "the password would go in plain text", hint)

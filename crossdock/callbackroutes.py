"""The callbacks of sources as routes and connectors of their own; called when a project is loaded, and by workers."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from connectors import reading as connector_reading
from connectors.addresses import literal, unwrap
from connectors.spec import ConnectorSpec
from crossdock.kernel.environment import UNSET, has_variable
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Incomplete, Problem, Refused
from crossdock.kernel.retry import Retry
from crossdock.kernel.yamlfile import Document
from crossdock.source import SourceSpec
from crossdock.sourceparts import Callback
from journal.entry import CALLBACK
from routes.spec import Route

log = logging.getLogger(__name__)

RESERVED = "crossdock."  # how the types of events begin that only Crossdock makes
RETRY = Retry(age=3 * 86400.0, first=5.0, most=3600.0)  # a partner's weekend; pauses as Standard Webhooks advises
IN_FLIGHT = 16  # most attempts at the same time: a partner's hook is not made for what an ERP takes


def status_type(source: str) -> str:
    """Return the type of the events that tell of a source's outcomes; its own, so that only its route looks at them."""
    return f"{RESERVED}status.{source}"


def callbacks(sources: Iterable[SourceSpec]) -> list[tuple[SourceSpec, Callback]]:
    """Return the sources whose callbacks are open."""
    return [(one, one.callback) for one in sources if one.callback is not None and not one.callback.closed]


def tell_closed(sources: Iterable[SourceSpec]) -> None:
    """Say in the log which sources have a callback that tells nothing, and why."""
    for source in sources:
        if source.callback is not None and source.callback.closed:
            missing = ", ".join(source.callback.missing)
            what = "the callback of source %s is closed: not set: %s"
            log.warning(what, source.name, missing, extra={"source": source.name})


def routes(sources: Iterable[SourceSpec]) -> list[Route]:
    """Return the routes of open callbacks; what is told of one event arrives in its order."""
    by_event = Expression("$event.id")
    return [
        Route(
            name=CALLBACK + one.name,
            types=(status_type(one.name),),
            connector=CALLBACK + one.name,
            when=None,
            order_by=by_event,
            in_flight=IN_FLIGHT,
            retry=RETRY,
            spot=one.spot,
        )
        for one, _ in callbacks(sources)
    ]


def connectors(sources: Iterable[SourceSpec]) -> dict[str, ConnectorSpec]:
    """Return the connectors of open callbacks.

    Raises:
        Refused: with everything that is wrong with them, placed in the files of the sources.
    """
    made: dict[str, ConnectorSpec] = {}
    problems: list[Problem] = []
    for source, callback in callbacks(sources):
        document = _document(source.name, source.spot.document, callback)
        try:
            spec = connector_reading.make(document)
            if not _is_safe(spec):
                message = "a callback goes to https://, or to http:// and an address that its `networks` name"
                raise Refused([document.problem(("url",), "bad_url", message)])
            made[spec.name] = spec
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Incomplete(problems, made)
    return made


def closed_ones(sources: Iterable[SourceSpec]) -> list[Problem]:
    """Return what is wrong with callbacks that lack a variable, as far as that can be seen without it."""
    opened = []
    for source in sources:
        callback = source.callback
        if callback is not None and callback.closed and not has_variable(source.spot.value()["callback"]["url"]):
            whole = replace(callback, secrets=callback.secrets or (UNSET,), closed=False)
            opened.append(replace(source, callback=whole))
    try:
        connectors(opened)
    except Refused as error:
        return list(error.problems)
    return []


def _document(source: str, document: Document, callback: Callback) -> Document:
    """Return a callback as the connector file that it stands for."""
    value: Mapping[str, Any] = {
        "connector": CALLBACK + source,
        "kind": "http",
        "url": callback.url,
        "networks": list(callback.networks),
        "limits": {"in_flight": IN_FLIGHT},
        "sign": {"standard_webhooks": {"secrets": list(callback.secrets)}},
    }
    places = {path[1:]: place for path, place in document.places.items() if path[0:1] == ("callback",)}
    places[("sign",)] = places.get(("secret",)) or places[("secrets",)]
    return Document(document.file, value, places)


def _is_safe(spec: ConnectorSpec) -> bool:
    """Tell whether nobody on the way can read or change what is sent; a name could lead anywhere without TLS."""
    if spec.options.target.scheme == "https":
        return True
    address = literal(spec.options.target.host)
    return address is not None and any(unwrap(address) in network for network in spec.networks)

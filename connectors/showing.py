"""The request by which a connector delivers an event, as people may see it: without secrets.

Tests of content and dry runs show what would be sent, dead letters what was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.httpspec import HttpOptions
from connectors.kinds import KINDS
from connectors.request import compose
from connectors.spec import ConnectorSpec
from connectors.target import header_fault
from crossdock.kernel import jsontext
from crossdock.kernel.environment import UNSET, named
from crossdock.kernel.event import Event, is_json
from crossdock.kernel.problems import refuse

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


def request_of(spec: ConnectorSpec, event: Event, key: str) -> Request:
    """Return the request that delivers an event; of other kinds than http a verb, a place and what is put there.

    Raises:
        Refused: `refused`, its headers cannot be sent; or what the connector's expressions refuse.
    """
    if spec.kind == "http":
        return _http_request(spec, event, key)
    rehearse = KINDS[spec.kind].rehearse
    verb, place, shown, value = rehearse(spec, event, key) if rehearse else ("SEND", spec.name, {}, event.data)
    place = _named(spec, place)
    return Request(verb, place, place, shown, value)


def _http_request(spec: ConnectorSpec, event: Event, key: str) -> Request:
    options: HttpOptions = spec.options
    path, headers, body = compose(spec, [(event, key)], float)
    if fault := header_fault(headers):
        raise refuse("refused", f"bad_header: {fault}")
    shown = headers | {name: _covered(spec, value) for name, value in options.headers.items()}
    covered = [name for name in _OF_THE_MOMENT if name in shown]
    covered += ["authorization"] if options.oauth2 else []
    covered += [options.csrf.header] if options.csrf and options.method != "GET" else []
    shown |= dict.fromkeys([*covered, *([options.hmac.header] if options.hmac else [])], COVERED)
    target, content = options.target, headers.get("content-type", "")
    value = jsontext.loads(body) if body and is_json(content) else body.decode("utf-8", "replace")
    path = _covered(spec, path)
    url = _named(spec, f"{target.scheme}://{target.authority}{path}")
    return Request(options.method, url, path, shown, value)


def _named(spec: ConnectorSpec, place: str) -> str:
    return named(place, spec.spot.value().values()) if spec.spot and UNSET in place else place


def _covered(spec: ConnectorSpec, text: str) -> str:
    for secret in (*spec.secrets, UNSET):
        text = text.replace(secret, COVERED)
    return text

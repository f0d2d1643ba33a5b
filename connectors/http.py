"""The kind `http`: posts an event's data as the body, the envelope as CloudEvents headers (binary mode)."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from connectors.client import Client
from connectors.connection import Response
from connectors.httpspec import HttpOptions
from connectors.port import Connector, Outcome, Result
from connectors.sign import signed
from connectors.spec import ConnectorSpec
from connectors.target import SendFailed, start_line, write_head
from crossdock.kernel.event import Event, encode_binary

MAX_DETAIL = 300
MAX_RETRY_AFTER = 3600.0
_AGAIN = {408, 425, 429}
_THROTTLING = {429, 503}
_HOPELESS = {"private_address", "bad_header"}  # failures that only a change of content or of the event can mend


def make_http(spec: ConnectorSpec) -> Connector:
    """Return the connector of a spec of this kind."""
    return HttpConnector(spec, Client(spec.networks, max_connections=spec.in_flight), time.time)


class HttpConnector:
    """Delivers to one URL; `clock` gives Unix seconds, for dates in Retry-After."""

    def __init__(self, spec: ConnectorSpec, client: Client, clock: Callable[[], float]) -> None:
        self._spec = spec
        self._options: HttpOptions = spec.options
        self._client = client
        self._clock = clock
        self._start = start_line("POST", self._options.target)

    async def deliver(self, event: Event, key: str) -> Result:
        """Make one attempt; see `connectors.port`."""
        headers, body = compose(self._spec, event, key, self._clock)
        try:
            data = write_head(self._start, headers, len(body)) + body
            response = await self._client.send(self._options.target, data, self._spec.timeout)
        except SendFailed as failure:
            outcome: Outcome = "permanent" if failure.code in _HOPELESS else "in_doubt" if failure.sent else "retry"
            return Result(outcome, 0, visible(str(failure), self._spec.secrets))
        if 200 <= response.status < 300:
            return Result("delivered", response.status, f"HTTP {response.status}")
        return classify(response, self._clock(), self._spec.secrets)

    async def probe(self) -> Result:
        """Ask for the head of the URL; see `connectors.port`."""
        head = write_head(start_line("HEAD", self._options.target), self._options.headers, 0)
        try:
            response = await self._client.send(self._options.target, head, self._spec.timeout)
        except SendFailed as failure:
            return Result("retry", 0, visible(str(failure), self._spec.secrets))
        if response.status in (401, 403) or response.status >= 500:
            return classify(response, self._clock(), self._spec.secrets)
        return Result("delivered", response.status, f"HTTP {response.status}")

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()


def compose(spec: ConnectorSpec, event: Event, key: str, clock: Callable[[], float]) -> tuple[dict[str, str], bytes]:
    """Return the headers, names in lower case, and the body that an event is posted with."""
    headers, body = encode_binary(event)
    headers["idempotency-key"] = headers["webhook-id"] = key
    options: HttpOptions = spec.options
    headers.update(options.headers)
    if options.keys:
        headers.update(signed(options.keys, key, int(clock()), body))
    return headers, body


def classify(response: Response, now: float, secrets: Sequence[str] = ()) -> Result:
    """Return what an answer other than 2xx means for the delivery; `now` is in Unix seconds."""
    status = response.status
    text = response.body.decode("utf-8", "replace").strip()
    if 300 <= status < 400:
        text = "redirects are not followed"
    detail = visible(f"HTTP {status}: {text}" if text else f"HTTP {status}", secrets)
    if status not in _AGAIN and status < 500:
        return Result("permanent", status, detail)
    pause = retry_after(response.headers.get("retry-after", ""), now) if status in _THROTTLING else None
    if pause is None:
        return Result("retry", status, detail)
    return Result("throttled", status, detail, pause)


def retry_after(text: str, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, 0 to `MAX_RETRY_AFTER`; `None` when it says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def visible(text: str, secrets: Sequence[str] = ()) -> str:
    """Return text of a target for people: secrets covered, control characters escaped, cut at `MAX_DETAIL`."""
    for secret in secrets:
        text = text.replace(secret, "***")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:MAX_DETAIL])
    return shown[:MAX_DETAIL]

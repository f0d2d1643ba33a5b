"""The kind `http`: sends an event's data as the body, the envelope as CloudEvents headers (binary mode)."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from connectors.answers import document_of, judged, said, visible
from connectors.batch import Batcher, Item
from connectors.client import Client
from connectors.connection import Response
from connectors.formula import seen
from connectors.httpbatch import isolating, of_each
from connectors.httpspec import HttpOptions, Reply
from connectors.port import Connector, Outcome, Result
from connectors.request import Request, compose
from connectors.sender import Sender, make_client
from connectors.spec import ConnectorSpec
from connectors.target import SendFailed, start_line
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.kernel.tracing import NONE

_HOPELESS = {"private_address", "bad_header"}  # failures that only a change of content or of the event can mend


def make_http(spec: ConnectorSpec) -> Connector:
    """Return the connector of a spec of this kind."""
    return HttpConnector(spec, make_client(spec), time.time)


class HttpConnector:
    """Delivers to one target; `clock` gives Unix seconds, for dates in Retry-After."""

    def __init__(self, spec: ConnectorSpec, client: Client, clock: Callable[[], float]) -> None:
        self._spec = spec
        self._options: HttpOptions = spec.options
        self._client = client
        self._sender = Sender(spec, client)
        self._clock = clock
        self._start = start_line(self._options.method, self._options.target)
        batch = self._options.batch
        self._batcher = Batcher(self._send_all, batch.most, batch.within) if batch else None

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        """Make one attempt; see `connectors.port`."""
        if self._batcher is not None:
            return await self._batcher.deliver(event, key)
        try:
            request = compose(self._spec, ((event, key),), self._clock)
            if trace:
                request = request._replace(headers={**trace, **request.headers})
            answer = await self._sent(request)
        except (SendFailed, Refused) as error:
            return self._failed(error)
        result = self._judge(answer)
        reply = self._options.reply
        if reply is None or result.outcome != "delivered":
            return result
        return self._replied(result, reply, answer, event, key)

    async def probe(self) -> Result:
        """Ask what `check` says, or for the head of the URL; see `connectors.port`."""
        check = self._options.check
        target = check.target if check else self._options.target
        try:
            request = Request(target.path, dict(self._options.headers), b"")
            start = start_line(check.method if check else "HEAD", target)
            response = await self._sender.send(start, target, request)
        except SendFailed as failure:
            tls = self._options.tls
            why = "; it may not take our certificate" if failure.code == "reset" and tls and tls.certificate else ""
            return Result("retry", 0, visible(f"{failure}{why}", self._sender.secrets))
        status = response.status
        fine = status in check.expect if check and check.expect else status < 300 if check else _reached(status)
        detail = f"HTTP {status}" if fine else visible(said(response), self._sender.secrets)
        return Result("delivered" if fine else "retry", status, detail)

    async def close(self) -> None:
        """Send what was gathered and close the client."""
        if self._batcher is not None:
            await self._batcher.close()
        await self._client.close()

    def _sent(self, request: Request) -> Awaitable[Response]:
        target = self._options.target
        plain = request.path is target.path
        start = self._start if plain else start_line(self._options.method, target, request.path)
        return self._sender.send(start, target, request)

    def _failed(self, error: SendFailed | Refused) -> Result:
        """Return what came of an attempt without an answer; where the event could not be written nothing was sent."""
        outcome: Outcome = "permanent"
        if isinstance(error, SendFailed) and error.code not in _HOPELESS:
            outcome = "in_doubt" if error.sent else "retry"
        return Result(outcome, 0, visible(str(error), self._sender.secrets))

    async def _send_all(self, items: Sequence[Item]) -> Sequence[Result]:
        return await isolating(self._send_batch, items)

    async def _send_batch(self, items: Sequence[Item]) -> list[Result]:
        try:
            answer = await self._sent(compose(self._spec, items, self._clock))
        except (SendFailed, Refused) as error:
            return [self._failed(error)] * len(items)
        batch = self._options.batch
        if batch is not None and batch.results is not None and 200 <= answer.status < 300:
            now, secrets = self._clock(), self._sender.secrets
            return of_each(answer, self._options.answers, batch.results, items, now, secrets)
        return [self._judge(answer)] * len(items)

    def _judge(self, answer: Response) -> Result:
        if 200 <= answer.status < 300 and not self._options.answers.rules:
            return Result("delivered", answer.status, f"HTTP {answer.status}")
        return judged(answer, self._options.answers, self._clock(), self._sender.secrets)

    def _replied(self, result: Result, reply: Reply, answer: Response, event: Event, key: str) -> Result:
        """Return the result with the event that the answer becomes; nothing if `map` makes nothing of it."""
        try:
            data = reply.map.value(seen({**document_of(answer), "data": event.data}, event))
        except Refused as error:
            told = f"the target took it ({result.detail}), but reply.map failed: {error}"
            return Result("permanent", result.status, visible(told, self._sender.secrets))
        if data is None:
            return result
        time_ = datetime.fromtimestamp(self._clock(), UTC).isoformat().replace("+00:00", "Z")
        made = Event(key, f"crossdock:/connectors/{self._spec.name}", reply.type, data, time_)
        return replace(result, reply=made)


def _reached(status: int) -> bool:
    """Tell whether an answer to HEAD shows that the target is there: few answer it with more than a refusal."""
    return status not in (401, 403) and status < 500

"""The kind `nats`: publishes events to a subject, and reads messages of a stream by a durable consumer."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.answers import visible
from connectors.natsspec import SUBJECT, NatsOptions, NatsPoll, reserved
from connectors.port import Address, Broker, Connector, Fault, Lot, Origin, Outside, Received, Result
from connectors.spec import ConnectorSpec, Rehearsed
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event, encode_binary, is_json
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused, Unavailable, refuse
from crossdock.kernel.tracing import NONE

SHOWN = 2000  # bytes of a message that cannot be read


def make_nats(spec: ConnectorSpec, outside: Outside) -> Connector:
    """Return the connector of a spec of this kind."""
    return NatsConnector(spec, _broker(spec, outside))


def poll_nats(spec: ConnectorSpec, outside: Outside) -> Origin:
    """Return the origin of a spec of this kind."""
    return NatsOrigin(spec, _broker(spec, outside))


def _broker(spec: ConnectorSpec, outside: Outside) -> Broker:
    options: NatsOptions = spec.options
    return outside.broker(Address(options.url, spec.networks, options.tls, spec.timeout), options.auth)


def rehearse_nats(spec: ConnectorSpec, event: Event, key: str) -> Rehearsed:
    """Return the message that an event becomes."""
    try:
        subject = _subject(spec.options, event)
    except Fault as fault:
        raise refuse("refused", fault.detail) from None
    headers, _ = _message(event, key)
    return Rehearsed("PUBLISH", subject, headers, event.data)


def _message(event: Event, key: str) -> tuple[dict[str, str], bytes]:
    headers, body = encode_binary(event)
    return headers | {"Nats-Msg-Id": key, "idempotency-key": key}, body


def _subject(options: NatsOptions, event: Event) -> str:
    written = options.subject
    if isinstance(written, str):
        return written
    subject = written.value(view(event))
    if not isinstance(subject, str) or not SUBJECT.match(subject):
        raise Fault("permanent", f"bad_subject: {str(subject)[:80]!r} is not the subject of a message")
    if not options.url and reserved(subject):
        raise Fault("permanent", f"bad_subject: {subject[:80]} is Crossdock's own")
    return subject


class NatsConnector:
    """Publishes the data as the body, the envelope as `ce-*` headers, and the key as the id that a stream drops."""

    def __init__(self, spec: ConnectorSpec, broker: Broker) -> None:
        self._spec = spec
        self._options: NatsOptions = spec.options
        self._broker = broker

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        """Make one attempt; see `connectors.port`."""
        try:
            subject = _subject(self._options, event)
            headers, body = _message(event, key)
            said = await self._broker.publish(subject, {**trace, **headers}, body, stored=self._options.stored)
        except Fault as fault:
            return self._failed(fault)
        except Refused as error:
            return self._failed(Fault("permanent", str(error)))
        return Result("delivered", 0, said, quotes=subject is not self._options.subject)

    async def probe(self) -> Result:
        """Find the stream that takes the subject; see `connectors.port`."""
        subject, poll = self._options.subject, self._options.poll
        wanted = subject if isinstance(subject, str) and self._options.stored else ""
        try:
            said = await self._broker.probe(wanted, "") if wanted or poll is None else ""
            if poll:
                said = await self._broker.probe(poll.subject, poll.stream)
        except Fault as fault:
            return self._failed(fault)
        return Result("delivered", 0, said)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._broker.close()

    def _failed(self, fault: Fault) -> Result:
        return Result(fault.outcome, 0, visible(fault.detail, self._spec.secrets))


class NatsOrigin:
    """Takes what its consumer has next and acknowledges it when it is stored."""

    def __init__(self, spec: ConnectorSpec, broker: Broker) -> None:
        self._spec = spec
        self._poll: NatsPoll = spec.options.poll
        self._broker = broker
        self._taken: list[Received] = []

    async def take(self, position: str) -> Lot | None:
        """Return the next messages; see `connectors.port`. The consumer knows where it is."""
        poll, faults, items, headers = self._poll, list[str](), list[Any](), list[dict[str, str]]()
        try:
            self._taken = await self._broker.pull(poll.stream, poll.subject, poll.durable, poll.limit)
        except Fault as fault:
            raise Unavailable(visible(fault.detail, self._spec.secrets)) from None
        for message in self._taken:
            try:
                items.append(_decoded(message))
                headers.append({"subject": message.subject, **message.headers})
            except Refused as error:
                what = message.body[:2000].decode("utf-8", "replace")
                faults.append(f"message on {message.subject}: {error.problems[0].message}: {what}")
        return (
            Lot(f"{len(self._taken)} messages of {poll.subject}", items, "", faults, headers) if self._taken else None
        )

    async def done(self, lot: Lot) -> None:
        """Acknowledge them; what the broker does not hear comes again, and is a repeat."""
        await self._acknowledge(self._taken)

    async def refuse(self, lot: Lot, why: str) -> None:
        """Acknowledge them too: they would come again and again."""
        await self._acknowledge(self._taken)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._broker.close()

    async def _acknowledge(self, messages: Sequence[Received]) -> None:
        try:
            await self._broker.acknowledge(messages)
        except Fault as fault:
            raise Unavailable(visible(fault.detail, self._spec.secrets)) from None


def _decoded(message: Received) -> Any:
    kind = message.headers.get("content-type", "application/json")
    return jsontext.loads(message.body) if is_json(kind) else message.body.decode("utf-8", "replace")

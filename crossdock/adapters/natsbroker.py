"""Brokers outside: NATS servers that are not the installation's own, and that one too."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, MaxPayloadError, NoRespondersError, NoServersError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from connectors.natsspec import PORT
from connectors.port import Address, Fault, Received
from crossdock.adapters.dialling import resolve

ACK_WAIT = 60.0  # seconds until what was taken and not acknowledged comes again
QUIET = 0.3  # seconds that a pull waits for a first message
_BAD_REQUEST = range(400, 500)

Connect = Callable[[], Awaitable[Client]]


class NatsBroker:
    """See `connectors.port.Broker`; `lends` says that the connection belongs to somebody else."""

    def __init__(self, connect: Connect, timeout: float, *, lends: bool = False) -> None:
        self._connect = connect
        self._timeout = timeout
        self._lends = lends
        self._client: Client | None = None
        self._lock = asyncio.Lock()
        self._pulls: Any = None
        self._closed = False

    async def publish(self, subject: str, headers: Mapping[str, str], body: bytes, *, stored: bool) -> str:
        """See `Broker.publish`."""
        client = await self._open()
        with _told("in_doubt"):
            if not stored:
                await client.publish(subject, body, headers=dict(headers))
                await client.flush(ceil_seconds(self._timeout))
                return f"published on {subject}"
            ack = await client.jetstream().publish(subject, body, self._timeout, headers=dict(headers))
            repeat = ", which it had already" if ack.duplicate else ""
            return f"stream {ack.stream} stored it as {ack.seq}{repeat}"

    async def pull(self, stream: str, subject: str, durable: str, most: int) -> list[Received]:
        """See `Broker.pull`."""
        client = await self._open()
        with _told("retry"):
            if self._pulls is None:
                config = ConsumerConfig(
                    ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT, deliver_policy=DeliverPolicy.ALL
                )
                jetstream = client.jetstream(timeout=self._timeout)
                self._pulls = await jetstream.pull_subscribe(subject, durable, stream=stream or None, config=config)
            try:
                found = await self._pulls.fetch(most, QUIET)
            except NatsTimeoutError:
                return []
        return [
            Received(one.subject, {name.lower(): value for name, value in (one.headers or {}).items()}, one.data, one)
            for one in found
        ]

    async def acknowledge(self, messages: Sequence[Received]) -> None:
        """See `Broker.acknowledge`."""
        client = await self._open()
        with _told("retry"):
            for message in messages:
                await message.handle.ack()
            await client.flush(ceil_seconds(self._timeout))

    async def probe(self, subject: str, stream: str) -> str:
        """See `Broker.probe`."""
        client = await self._open()
        with _told("retry"):
            manager = client.jetstream(timeout=self._timeout)
            found = stream or (await manager.find_stream_name_by_subject(subject) if subject else "")
            if found:
                await manager.stream_info(found)
            version = client.connected_server_version
            return f"nats {version}" + (f", stream {found}" if found else "")

    async def close(self) -> None:
        """See `Broker.close`."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None and not self._lends:
            await client.close()
        elif self._pulls is not None and client is not None and client.is_connected:
            await self._pulls.unsubscribe()

    async def _open(self) -> Client:
        """Return a connection; one that broke is not mended but made anew, as its address has to be looked at again."""
        async with self._lock:
            if self._closed:
                raise Fault("retry", "closed")
            if self._client is None or not self._client.is_connected:
                stale, self._pulls = self._client, None
                if stale is not None and not self._lends:
                    await stale.close()
                with _told("retry"):
                    async with asyncio.timeout(self._timeout):
                        self._client = await self._connect()
            if not self._client.is_connected:
                raise Fault("retry", "connect: the broker does not answer")
            return self._client


def dialler(address: Address, auth: Mapping[str, str]) -> Connect:
    """Return what connects to a broker outside, at the very address that was found to be allowed."""

    async def connect() -> Client:
        parts = urlsplit(address.url)
        host, port = parts.hostname or "", parts.port or PORT
        chosen = await asyncio.to_thread(resolve, host, port, address.networks)
        at = f"[{chosen}]" if ":" in chosen else chosen
        tls = {"tls": address.tls.context(), "tls_hostname": host} if address.tls else {}
        errors = list[Exception]()

        async def note(error: Exception) -> None:
            errors.append(error)

        try:
            return await nats.connect(
                f"nats://{at}:{port}",
                name="crossdock",
                allow_reconnect=False,  # it would dial what servers tell it of others
                max_reconnect_attempts=1,  # of the first connection, which it would try for two minutes
                reconnect_time_wait=0,
                connect_timeout=ceil_seconds(address.timeout),
                error_cb=note,
                **_credentials(auth),
                **tls,
            )
        except NoServersError:
            raise Fault("retry", f"connect: {errors[0]}") from None

    return connect


def ceil_seconds(timeout: float) -> int:
    """Return whole seconds, at least one, as some calls of the client take no others."""
    return max(1, round(timeout))


def _credentials(auth: Mapping[str, str]) -> dict[str, Any]:
    names = {"user": "user", "password": "password", "token": "token", "credentials": "user_credentials"}
    return {names[key]: str(value) for key, value in auth.items()}


@contextmanager
def _told(sent: str) -> Iterator[None]:
    """Raise what an error means for a delivery; `sent` is that of no answer."""
    try:
        yield
    except (Fault, asyncio.CancelledError):
        raise
    except (NoStreamResponseError, NoRespondersError):
        raise Fault("retry", "no stream takes the subject, or the broker has no streams") from None
    except NotFoundError as error:
        raise Fault("retry", f"not found: {error.description or 'no stream takes the subject'}") from None
    except (MaxPayloadError, ValueError) as error:
        raise Fault("permanent", f"{type(error).__name__}: {error}") from None
    except APIError as error:
        outcome = "permanent" if error.code in _BAD_REQUEST else "retry"
        raise Fault(outcome, f"{error.code}: {error.description}") from None  # type: ignore[arg-type]
    except TimeoutError:
        raise Fault(sent, "timeout: the broker did not answer in time") from None  # type: ignore[arg-type]
    except ConnectionClosedError:
        raise Fault("retry", "connect: the connection is closed") from None
    except (NatsError, OSError) as error:
        raise Fault("retry", f"connect: {type(error).__name__}: {error}") from None

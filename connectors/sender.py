"""Sends the requests of an http connector with what proves who it is; used to deliver, to poll and to probe."""

import asyncio
from collections.abc import Awaitable, Sequence

from connectors.client import Client
from connectors.connection import Response
from connectors.csrf import Sessions
from connectors.httpspec import HttpOptions
from connectors.oauth2 import Tokens
from connectors.request import Request
from connectors.spec import ConnectorSpec
from connectors.target import Target, write_head
from connectors.tlsfiles import Trust, of_the_system

_SAFE = ("GET ", "HEAD ")  # they change nothing (RFC 9110, section 9.2.1), so they need no session


def make_client(spec: ConnectorSpec, max_body: int = 64 << 10) -> Client:
    """Return the client of a connector; `max_body` is in bytes of an answer."""
    tls = Trust(spec.options.tls) if spec.options.tls else of_the_system
    return Client(spec.networks, tls, max_connections=spec.in_flight, max_body=max_body)


class Sender:
    """Sends requests of one connector with what proves who it is; see `Client` for what it does not do."""

    def __init__(self, spec: ConnectorSpec, client: Client) -> None:
        options: HttpOptions = spec.options
        self._spec = spec
        self._client = client
        self._tokens = Tokens(options.oauth2, client, spec.timeout) if options.oauth2 else None
        csrf = options.csrf
        self._sessions = Sessions(csrf, options.headers, spec.timeout, self._authorised) if csrf else None

    @property
    def secrets(self) -> Sequence[str]:
        """The texts that must not be shown."""
        token = (self._tokens.held,) if self._tokens and self._tokens.held else ()
        session = self._sessions.secrets if self._sessions else ()
        return (*self._spec.secrets, *token, *session)

    def send(self, start: str, target: Target, request: Request) -> Awaitable[Response]:
        """Send one request and return its answer within the connector's timeout; a token that is refused is renewed.

        `start` is its request line and Host header.

        Raises:
            SendFailed: when there is no answer.
        """
        if self._tokens is None and self._sessions is None:
            data = write_head(start, request.headers, len(request.body)) + request.body
            return self._client.send(target, data, self._spec.timeout)
        end = asyncio.get_running_loop().time() + self._spec.timeout
        if self._sessions is not None and not start.startswith(_SAFE):
            return self._sessions.send(start, target, request, end)
        return self._authorised(start, target, request, end)

    async def _authorised(self, start: str, target: Target, request: Request, end: float) -> Response:
        loop, tokens = asyncio.get_running_loop(), self._tokens

        async def once(token: str) -> Response:
            own = {"authorization": f"Bearer {token}"} if token else {}
            data = write_head(start, {**request.headers, **own}, len(request.body)) + request.body
            return await self._client.send(target, data, end - loop.time())

        if tokens is None:
            return await once("")
        token = await tokens.get(end - loop.time())
        response = await once(token)
        if response.status != 401:
            return response
        tokens.drop(token)
        return await once(await tokens.get(end - loop.time()))

"""The long way of a connection's requests, over ASGI: what they hold, and upgrades that nobody asked us to make."""

from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from crossdock.supervisor.ending import EndingProtocol, Exit
from gateway.bodies import Unproven

_TURNED_OVER = ConnectionError("another protocol has the connection")  # without an error uvicorn would close it
_PIECE = 1 << 20  # bytes of a stream that are as good as a new request


class LongWay(EndingProtocol):
    """Counts what its requests hold until the application takes it, and serves upgrades as plain HTTP/1.1."""

    def __init__(self, share: Unproven, **given: Any) -> None:
        super().__init__(**given)
        self.share = share  # heads, and bodies that the application has not taken yet
        self._received = 0

    @property
    def is_busy(self) -> bool:
        """Tell whether the newest request of the long way is not answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def feed(self, data: bytes) -> None:
        """Parse; a request that would upgrade is parsed again without that (RFC 9110 section 7.8).

        The parser takes what follows such a head for another protocol, and loses the body that Java sends with it.
        """
        self._unset_keepalive_if_required()
        rest: bytes | memoryview = data
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as upgrade:
                    if self._is_websocket():
                        self.turn_over()
                        return
                    self.parser.feed_data(self._plain_head())
                    rest = memoryview(rest)[upgrade.args[0] :]
        except httptools.HttpParserError:
            self.send_400_response("")

    def go_long(self) -> None:
        """Start a request, or queue it behind the others."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)  # the list in the scope
        super().on_headers_complete()
        cycle = self.cycle
        cycle.transport = Exit(self)  # type: ignore[assignment]
        cycle.receive = partial(self._receive, cycle)  # type: ignore[method-assign]
        cycle.on_response = partial(self._answered, cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hold nothing any more."""
        super().connection_lost(exc)
        self.share.give(self.share.held)
        if self.cycle is not None:
            _let_go(self.cycle)

    def drop_body(self) -> None:
        """Hold nothing of the newest request, which nobody will take."""
        self.share.give(len(self.cycle.body))
        self.cycle.body.clear()

    def _is_websocket(self) -> bool:
        """Tell whether it asks for a WebSocket (RFC 6455 section 4.1) where these are served, and nothing is before."""
        asked = self.ws_protocol_class is not None and self._get_upgrade() == b"websocket"
        return asked and self.parser.get_method() == b"GET" and not (self.is_busy or self.has_finished)

    def turn_over(self) -> None:
        """Hand the connection over to the protocol of WebSockets; it holds nothing here any more."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)  # the list in the scope
        self.scope["method"] = "GET"
        self.handle_websocket_upgrade()
        self.connection_lost(_TURNED_OVER)

    def _plain_head(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            raise httptools.HttpParserError("not a proxy")
        lines = (b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(lines))

    async def _receive(self, cycle: RequestResponseCycle) -> Any:
        """Give to the application what it takes from then on."""
        message = await RequestResponseCycle.receive(cycle)
        count = len(message["body"]) if message["type"] == "http.request" else 0
        self.share.give(count)
        self._received += count
        if self._received > _PIECE:
            self._received, self.since = 0, self.loop.time()
        return message

    def _answered(self, cycle: RequestResponseCycle) -> None:
        self.share.give(len(cycle.body))
        cycle.body.clear()
        _let_go(cycle)
        if not self.has_finished:
            self.on_response_complete()


def _let_go(cycle: RequestResponseCycle) -> None:
    """Break the circle of a cycle and its `receive`, which would keep its body until the garbage is collected."""
    vars(cycle).pop("receive", None)

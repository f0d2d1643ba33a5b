"""Browsers that leave before they are answered: what breaks then is no fault."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


async def serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an application answer, and say in one line what it broke off with when nobody waits any more.

    The middleware of Starlette and the sockets of NiceGUI raise then, and the server would write each stack.
    """
    gone = False

    async def heard() -> Message:
        nonlocal gone
        message = await receive()
        gone |= message["type"] == "http.disconnect"
        return message

    try:
        await app(scope, heard, send)
    except Exception as error:
        if not gone:
            raise
        log.info("%s: the browser left (%s)", scope["path"], type(error).__name__)

"""Browsers that leave before they are answered: what breaks only by that is no fault."""

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

# What Starlette's middleware raises where a browser left, and what engineio misses in an environment it left empty then
_LEFT = (("RuntimeError", "No response returned."), ("KeyError", "'REQUEST_METHOD'"))


async def serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an application answer; where it broke off only because the browser left, say so in one line.

    Every other fault is raised, also when nobody waits for the answer any more.
    """
    gone, path = False, scope["path"]  # which mounted applications shorten

    async def heard() -> Message:
        nonlocal gone
        message = await receive()
        gone |= message["type"] == "http.disconnect"
        return message

    try:
        await app(scope, heard, send)
    except (ClientDisconnect, RuntimeError, KeyError) as error:
        name = type(error).__name__
        if not gone or not (isinstance(error, ClientDisconnect) or (name, str(error)) in _LEFT):
            raise
        log.info("%s: the browser left (%s)", path, name)

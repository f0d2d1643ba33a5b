"""Whose page a socket speaks for: only the session that opened a page hears of it and acts on it; see `attach`."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from nicegui import core
from nicegui.client import Client
from socketio.exceptions import ConnectionRefusedError as NotConnected

_RELOAD = "Implicit handshake failed"  # at these words NiceGUI's script loads the page again, with the session of now
_SPACE = "/"  # the one namespace of NiceGUI

_Handler = Callable[..., Any]


def guard() -> None:
    """Put a look at the session before everything that NiceGUI takes from a socket; the id of a page is no secret."""
    for event, handler in [*core.sio.handlers[_SPACE].items()]:
        if event != "disconnect":  # names no page
            core.sio.on(event, handler=(_connecting if event == "connect" else _saying)(handler), namespace=_SPACE)


def intrudes(scope: Mapping[str, Any]) -> bool:
    """Tell whether a request goes on with a socket that another session began, as long polling and upgrades do."""
    begun = core.sio.environ.get(_asked(scope.get("query_string", b"").decode("latin-1"), "sid"))
    return begun is not None and _session(begun["asgi.scope"]) != _session(scope)


def _connecting(handler: _Handler) -> Callable[..., Awaitable[Any]]:
    async def connect(sid: str, environ: Mapping[str, Any], auth: Any = None) -> Any:
        if not _owns(environ, _asked(environ.get("QUERY_STRING", ""), "client_id")):
            raise NotConnected(_RELOAD)
        return await _done(handler(sid, environ, auth))

    return connect


def _saying(handler: _Handler) -> Callable[..., Awaitable[Any]]:
    async def say(sid: str, message: Any) -> Any:
        named = message.get("client_id") if isinstance(message, dict) else None
        return await _done(handler(sid, message)) if _owns(core.sio.get_environ(sid), named) else False

    return say


async def _done(made: Any) -> Any:
    return await made if inspect.isawaitable(made) else made


def _owns(environ: Mapping[str, Any] | None, client_id: Any) -> bool:
    """Tell whether a socket is of the session that opened a page; of what is no page it does not matter."""
    client = Client.instances.get(client_id) if isinstance(client_id, str) else None
    if client is None:
        return True
    session = _session(environ["asgi.scope"]) if environ else None
    return session is not None and session == _session(client.request.scope)


def _session(scope: Mapping[str, Any]) -> str | None:
    """Return the id of the session that the door has found."""
    signed = scope.get("state", {}).get("session")
    return signed.id if signed else None


def _asked(query: str, name: str) -> str:
    """Return what a query says, as NiceGUI reads it."""
    return parse_qs(query).get(name, [""])[0]

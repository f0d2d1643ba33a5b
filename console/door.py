"""The door of the operations port: an ASGI middleware that lets in nobody whom it does not know, whatever the path."""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Response
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse, RedirectResponse

from console.access import Person
from console.identity import Access
from crossdock.kernel.problems import Unavailable

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

SIGN_IN = "/ops/v1/session"
LOGIN = "/login"
MOST_UNKNOWN = 4 << 10  # bytes of a body that is read from somebody unknown
_READS = ("GET", "HEAD")
_OPEN = re.compile(  # what may be read without a session; for a path that is none NiceGUI would make a page
    rf"/livez\Z|{LOGIN}(/oidc(/callback)?)?\Z|{SIGN_IN}\Z"
    rf"|/_nicegui/{re.escape(version('nicegui'))}/(static|libraries|components|esm|resources)/"
)
_LIVE = "/_nicegui"  # its own requests bring no header of ours
_LONGEST_NEXT = 2000  # characters


class Door:
    """Knows who asks before anything else is done; sets `person`, `role` and `session` of the request's state."""

    def __init__(self, app: App, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Let in, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            person = await self._access.identify(request)
        except Unavailable as error:
            await _refuse(JSONResponse({"detail": str(error)}, 503), scope, receive, send)
            return
        refused = self._fault(request, person)
        if refused is not None:
            await _refuse(refused, scope, receive, send)
            return
        if person is not None:
            known = {"person": person.name, "role": person.role, "session": person.session}
            scope["state"] = {**scope.get("state", {}), **known}
        await self._app(scope, receive, send)

    def _fault(self, request: HTTPConnection, person: Person | None) -> Response | None:
        """Return why a request is refused, None when it may go on."""
        method = "WEBSOCKET" if request.scope["type"] == "websocket" else request.scope["method"]
        path = request.scope["path"]
        if path == SIGN_IN and method == "POST":
            return _unfit_sign_in(request, self._access.url)
        if person is None:
            return None if method in _READS and _OPEN.match(path) else _unknown(request, method, path)
        if person.session is None or method in _READS:
            return None
        if not fitting(request, self._access.url, required=True):
            return JSONResponse({"detail": "it comes from another site: its Origin is not this one"}, 403)
        given, own = request.headers.get("x-csrf-token", "").encode(), person.session.csrf.encode()
        if method != "WEBSOCKET" and not path.startswith(_LIVE) and not secrets.compare_digest(given, own):
            return JSONResponse({"detail": f"send the header x-csrf-token, which GET {SIGN_IN} tells"}, 403)
        return None


def fitting(request: HTTPConnection, url: str, *, required: bool) -> bool:
    """Tell whether a request comes from a page of this host, as its browser says (RFC 6454)."""
    origin = request.headers.get("origin")
    if origin is None:
        return not required
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(host) and host in (request.headers.get("host", "").lower(), urlsplit(url).netloc.lower())


def local(place: str) -> str:
    """Return a path of this console to go on to, `/` for anything else: another site must not be named."""
    fits = re.match(r"/(?![/\\])[!-\[\]-~]*\Z", place) and len(place) <= _LONGEST_NEXT
    return place if fits and not place.startswith(LOGIN) else "/"


def _unfit_sign_in(request: HTTPConnection, url: str) -> Response | None:
    length = request.headers.get("content-length", "")
    if not fitting(request, url, required=False):
        return JSONResponse({"detail": "it comes from another site: its Origin is not this one"}, 403)
    if not length.isdecimal() or "transfer-encoding" in request.headers:
        return JSONResponse({"detail": "send a Content-Length"}, 411)
    return None if int(length) <= MOST_UNKNOWN else JSONResponse({"detail": "that is too long to sign in with"}, 413)


def _unknown(request: HTTPConnection, method: str, path: str) -> Response:
    """Send a person with a browser to the sign-in page; tell a program what is missing."""
    is_page = method in _READS and not path.startswith(("/ops/", "/metrics"))
    if is_page and "text/html" in request.headers.get("accept", ""):
        query = request.scope.get("query_string", b"").decode("latin-1")
        back = local(quote(path, safe="/-._~") + (f"?{query}" if query else ""))
        return RedirectResponse(f"{LOGIN}?next={quote(back, safe='/')}", 303)
    return JSONResponse({"detail": "send Authorization: Bearer TOKEN"}, 401, {"www-authenticate": "Bearer"})


async def _refuse(answer: Response, scope: Scope, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before it is accepted: a 403
    else:
        await answer(scope, receive, send)

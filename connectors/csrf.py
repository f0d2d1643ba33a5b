"""Tokens against forged requests as SAP Gateway wants them: fetched with their session, and sent with each write."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from connectors.connection import Response
from connectors.httpspec import Csrf
from connectors.request import Request
from connectors.singleflight import SingleFlight
from connectors.target import SendFailed, Target, start_line

MOST_COOKIES, MOST_COOKIE_BYTES = 50, 8 << 10  # of one session, with all their names and values
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}\Z")
_COOKIE = re.compile(r"[!-:<>-~]+=[ -:<-~]+\Z")  # wider than RFC 6265, section 4.1.1: what is given is given back
_REQUIRED = "required"
_SHORTEST = 8  # characters of a cookie that may be a secret; to cover others would garble what is told

Exchange = Callable[[str, Target, Request, float], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Session:
    """A token and the cookies that it goes with, as they stand in a request."""

    token: str
    cookies: str = ""


class Sessions:
    """The session of one connector; `exchange` sends a request before a moment, with what proves who we are."""

    def __init__(self, spec: Csrf, headers: Mapping[str, str], timeout: float, exchange: Exchange) -> None:
        self._spec = spec
        self._headers = headers
        self._timeout = timeout
        self._exchange = exchange
        self._held: Session | None = None
        self._fetching = SingleFlight(self._fetch)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not be shown."""
        if self._held is None:
            return ()
        values = (pair.partition("=")[2] for pair in self._held.cookies.split("; "))
        return (self._held.token, *(value for value in values if len(value) >= _SHORTEST))

    async def send(self, start: str, target: Target, request: Request, end: float) -> Response:
        """Send a write before a moment of the loop's time; one whose token is not taken goes once more with a new one.

        Raises:
            SendFailed: `csrf` when no token is given, else why there is no answer.
        """
        session = await self._get(end)
        response = await self._exchange(start, target, self._proven(request, session), end)
        if response.status != 403 or response.headers.get(self._spec.header, "").lower() != _REQUIRED:
            return response
        if self._held is session:
            self._held = None
        return await self._exchange(start, target, self._proven(request, await self._get(end)), end)

    def _proven(self, request: Request, session: Session) -> Request:
        headers = {**request.headers, self._spec.header: session.token}
        if cookies := "; ".join(filter(None, (request.headers.get("cookie"), session.cookies))):
            headers["cookie"] = cookies
        return request._replace(headers=headers)

    async def _get(self, end: float) -> Session:
        if self._held is not None:
            return self._held
        try:
            async with asyncio.timeout_at(end):
                return await self._fetching.get()
        except TimeoutError:
            raise SendFailed("timeout", "no CSRF token in time", sent=False) from None
        except SendFailed as failure:
            detail = failure.detail if failure.code == "csrf" else f"for a CSRF token: {failure.detail}"
            raise SendFailed(failure.code, detail, sent=False) from None

    async def _fetch(self) -> Session:
        spec = self._spec
        request = Request(spec.target.path, {**self._headers, spec.header: "Fetch"}, b"")
        end = asyncio.get_running_loop().time() + self._timeout  # its own: others wait for it too
        response = await self._exchange(start_line(spec.method, spec.target), spec.target, request, end)
        self._held = read_session(response, spec.header)
        return self._held


def read_session(response: Response, header: str) -> Session:
    """Return the session that an answer begins.

    Raises:
        SendFailed: `csrf`, with nothing of what it says.
    """
    token = response.headers.get(header, "")
    if not 200 <= response.status < 300 or not _TOKEN.match(token) or token.lower() == _REQUIRED:
        raise SendFailed("csrf", f"HTTP {response.status} without a token in {header}", sent=False)
    return Session(token, _cookies(response.headers.get("set-cookie", "")))


def _cookies(lines: str) -> str:
    """Return the Cookie header for the lines of Set-Cookie; those without a value are meant to be forgotten."""
    pairs = [line.partition(";")[0].strip() for line in lines.split("\n")]
    kept = {pair.partition("=")[0]: pair for pair in pairs if _COOKIE.match(pair)}
    cookies = "; ".join(kept.values())
    if len(kept) > MOST_COOKIES or len(cookies) > MOST_COOKIE_BYTES:
        raise SendFailed("csrf", "more cookies than a session may have", sent=False)
    return cookies

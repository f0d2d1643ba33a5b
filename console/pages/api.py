"""The person's calls of the operations API, made in the process: a page can do what the API lets this person do."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx
from fastapi import Request

from console.access import INSIDE
from crossdock.kernel import jsontext

_FAILED = {500: "The operations API failed at this; its log says how."}
WITHIN = 30.0  # seconds for one answer
_UNASKED: ContextVar[bool] = ContextVar("unasked", default=False)


class Refusal(Exception):
    """The API refused or did not answer; the text is for people."""

    def __init__(self, status: int, words: str, document: Mapping[str, Any]) -> None:
        super().__init__(words)
        self.status, self.document = status, document


@contextmanager
def unasked() -> Iterator[None]:
    """Mark the calls made inside as those of a page, not of the person, so that an open tab becomes idle."""
    mark = _UNASKED.set(True)
    try:
        yield
    finally:
        _UNASKED.reset(mark)


class Api:
    """Calls `/ops/v1` with the session of the person who opened a page."""

    def __init__(self, request: Request) -> None:
        address = request.client.host if request.client else ""
        self._headers: Mapping[str, str] = request.state.session.headers()
        self._transport = httpx.ASGITransport(request.state.operations, raise_app_exceptions=False, client=(address, 0))

    async def get(self, path: str, **query: Any) -> Any:
        """Return what the API says at a path below `/ops/v1/`; empty values of the query are left out.

        Raises:
            Refusal: it refused, in words for people.
        """
        return await self._call("GET", path, {k: v for k, v in query.items() if v not in ("", None)}, None)

    async def follow(self, path: str, hear: Callable[[Any], None], **query: Any) -> Any:
        """Hear each document of an answer of lines as it comes; return the last of them.

        Raises:
            Refusal: it refused, in words for people.
        """

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            async def tell(message: Any) -> None:
                for line in message.get("body", b"").splitlines():
                    hear(jsontext.own_loads(line))
                await send(message)

            await self._transport.app(scope, receive, tell)

        transport = httpx.ASGITransport(heard, raise_app_exceptions=False, client=self._transport.client)
        return await self._call("GET", path, query, None, transport)

    async def send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Order something; return the answer.

        Raises:
            Refusal: it refused, in words for people.
        """
        return await self._call(method, path, query, body)

    async def _call(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, transport: httpx.ASGITransport | None = None
    ) -> Any:
        content = None if body is None else body if isinstance(body, bytes) else jsontext.dumps(body)
        headers = {**self._headers, "content-type": "application/json"}
        if _UNASKED.get():
            headers["x-background"] = "1"
        client = httpx.AsyncClient(transport=transport or self._transport, base_url=INSIDE, timeout=WITHIN)
        address = httpx.URL(f"/ops/v1/{path}").copy_merge_params(query)  # a link of the API brings a query of its own
        answer = await client.request(method, address, content=content, headers=headers)
        document = _read(answer)
        if answer.is_success:
            return document
        raise Refusal(
            answer.status_code, _words(answer.status_code, document), document if isinstance(document, dict) else {}
        )


def _read(answer: httpx.Response) -> Any:
    try:
        return jsontext.own_loads(answer.content.splitlines()[-1]) if answer.content else {}
    except ValueError:
        return {}


def _words(status: int, document: Mapping[str, Any]) -> str:
    detail = document.get("detail")
    return detail if isinstance(detail, str) and detail else _FAILED.get(status, f"refused with {status}")

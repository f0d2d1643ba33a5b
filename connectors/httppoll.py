"""Fetches items over http, page by page; what is done is not asked for again where there is a watermark."""

import hashlib
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from connectors.answers import document_of, said, visible
from connectors.client import Client
from connectors.connection import Response
from connectors.formula import as_text, seen
from connectors.httpspec import HttpOptions, Poll
from connectors.links import next_link
from connectors.port import Lot, Origin
from connectors.request import Request
from connectors.sender import Sender, make_client
from connectors.spec import ConnectorSpec
from connectors.target import SendFailed, parse_target, start_line
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.expression import View
from crossdock.kernel.problems import Refused, Unavailable

MOST_BYTES = 16 << 20  # of one page
MOST_KNOWN = 1000  # items of the last page that are known again
_BEGINNING = "{}"
_NOBODY = Event("-", "-", "-")

Position = dict[str, Any]


def make_origin(spec: ConnectorSpec) -> Origin:
    """Return what a connector file says under `poll`."""
    return HttpOrigin(spec, make_client(spec, MOST_BYTES))


class HttpOrigin:
    """One page a `take`; after the last one, or so many, `take` returns None once, so that a poll ends."""

    def __init__(self, spec: ConnectorSpec, client: Client) -> None:
        options: HttpOptions = spec.options
        assert options.poll is not None
        self._spec = spec
        self._poll: Poll = options.poll
        self._headers = dict(options.headers)
        self._client = client
        self._sender = Sender(spec, client)
        self._pages = 0

    async def take(self, position: str) -> Lot | None:
        """Fetch the next page; see `connectors.port.Origin`."""
        if self._pages < 0:
            self._pages = 0
            return None
        at: Position = jsontext.own_loads(position.encode()) if position else {}
        try:
            path = self._path(at)
            response = await self._fetch(path)
            lot = self._lot(at, path, response)
        except Refused as error:
            raise Unavailable(visible(f"{self._spec.name}: {error}", self._sender.secrets)) from None
        return lot if lot.items or lot.position != (position or _BEGINNING) else None

    async def done(self, lot: Lot) -> None:
        """Nothing to put away: the position says what is done."""

    async def refuse(self, lot: Lot, why: str) -> None:
        """Nothing to put aside: what cannot be taken stays where it is."""

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    def _path(self, at: Position) -> str:
        """Return the path of the page that a position names."""
        target = self._poll.target
        if self._poll.link and "next" in at:
            return str(at["next"])
        view = seen({"watermark": at.get("watermark")}, _NOBODY)
        pairs = [(name, as_text(value.value(view))) for name, value in self._poll.query.items()]
        if self._poll.parameter and not self._poll.link:
            first = None if self._poll.cursor else self._poll.first
            pairs.append((self._poll.parameter, as_text(at.get("next", first))))
        added = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs if text is not None)
        return f"{target.path}{'&' if '?' in target.path else '?'}{added}" if added else target.path

    async def _fetch(self, path: str) -> Response:
        target = self._poll.target
        headers = {"accept": "application/json", **self._headers}
        try:
            response = await self._sender.send(start_line("GET", target, path), target, Request(path, headers, b""))
        except SendFailed as failure:
            raise Unavailable(visible(f"{self._spec.name}: {failure}", self._sender.secrets)) from None
        if not 200 <= response.status < 300:
            raise Unavailable(visible(f"{self._spec.name}: {said(response)}", self._sender.secrets))
        if len(response.body) >= MOST_BYTES:
            raise Unavailable(f"{self._spec.name}: a page of more than {MOST_BYTES >> 20} MiB; ask for smaller ones")
        return response

    def _lot(self, at: Position, path: str, response: Response) -> Lot:
        """Return what a page brought, and where the next poll goes on."""
        document = document_of(response)
        if response.body:
            document["body"] = jsontext.loads(response.body)
        view = seen(document, _NOBODY)
        found = document["body"] if self._poll.items is None else self._poll.items.value(view)
        items = found if isinstance(found, list) else [] if found in (None, "") else [found]
        high = at.get("high", at.get("watermark"))
        if self._poll.watermark is not None and items:
            high = later(high, self._poll.watermark.value(seen({**document, "items": items}, _NOBODY)))
        next_ = self._next(at, view, response, bool(items), path)
        self._pages += 1
        if next_ is None or self._pages >= self._poll.pages:
            self._pages = -1
        position = {"watermark": high} if next_ is None else {**at, "high": high, "next": next_}
        if self._poll.watermark is not None:
            items = self._fresh(at, items, position)
        kept = {name: value for name, value in position.items() if value is not None}
        return Lot(f"{self._spec.name} {path.partition('?')[0]}", items, jsontext.dumps(kept).decode())

    def _fresh(self, at: Position, items: list[Any], position: Position) -> list[Any]:
        """Return the items but those that ended the poll before: what is at the watermark comes again as it was."""
        marks = [_digest(item) for item in items]
        before = at.get("known", [])
        known, here = set(before), marks[-MOST_KNOWN:] or at.get("here", [])
        position.update({"here": here} if "next" in position else {"known": here if set(here) - known else before})
        return [item for item, mark in zip(items, marks, strict=True) if mark not in known]

    def _next(self, at: Position, view: View, response: Response, more: bool, path: str) -> Any:
        """Return what names the next page, None on the last one."""
        poll, here = self._poll, at.get("next")
        next_: Any = None
        if poll.link:
            link = next_link(response.headers.get("link", ""))
            here, next_ = path, self._same_origin(link, path) if link else None
        elif poll.cursor is not None:
            next_ = poll.cursor.value(view) or None
        elif poll.parameter:
            here = int(at.get("next", poll.first))
            next_ = here + 1 if more else None
        return None if next_ == here else next_  # some name the last page as the one after it

    def _same_origin(self, link: str, path: str) -> str:
        """Return the path of a link; one to another host would take the credentials there."""
        target = self._poll.target
        base = f"{target.scheme}://{target.authority}"
        found = parse_target(urlsplit(urljoin(base + path, link))._replace(fragment="").geturl())
        if found.origin != target.origin:
            raise Unavailable(f"{self._spec.name}: the next page is on another host, which is not followed")
        return found.path


def _digest(item: Any) -> str:
    return hashlib.blake2b(jsontext.sorted_dumps(item), digest_size=8).hexdigest()


def later(one: Any, other: Any) -> Any:
    """Return the greater of two watermarks: numbers as such, all others as texts."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, int | float) and isinstance(other, int | float):
        return max(one, other)
    return max(one, other, key=str)

"""`POST /v1/events` and `POST /v1/sources/{source}`, the long way: every format, every proof, many events at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from crossdock.kernel import jsontext
from crossdock.kernel.event import BATCH, NDJSON, STRUCTURED, encode_headers
from crossdock.kernel.problems import Refused, Unavailable, refuse
from crossdock.kernel.tracing import carried
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway import answers, handshakes, webhook
from gateway.answers import TEXT, Answer, Send
from gateway.bodies import FULL, Budget, Receive, Share, read_body, read_unproven, stream
from gateway.caller import Caller
from gateway.encodings import MEMORY, coding, inflate, inflated
from gateway.head import Head, read_head
from gateway.idempotency import Once, idempotency_key
from gateway.ingest import UNAVAILABLE, Ingest, Parts
from gateway.intake import Accepted
from gateway.lot import Lot
from gateway.ndjson import lines
from gateway.traffic import Limited
from gateway.webhook import Call

log = logging.getLogger(__name__)

MOST_LINES = 100_000  # of one stream; its answer names each
MOST_BYTES = 128 << 20  # of one stream when inflated
CHUNK = 500  # lines that are stored together
_MEMBER = {"content-type": STRUCTURED}


class Endpoint:
    """Answers what the short way does not take."""

    def __init__(self, project: Project, parts: Parts, ingest: Ingest, budget: Budget, once: Once) -> None:
        self._project = project
        self._parts = parts
        self._ingest = ingest
        self._budget = budget
        self._once = once

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(read_head(scope), self._source(scope), receive)
        except Refused as error:
            answer = self._ingest.refused(error.problems)
        except Limited as error:
            answer = self._ingest.limited(error)
        except Unavailable as error:
            log.warning("not stored: %s", error)
            answer = self._ingest.refused((UNAVAILABLE,))
        await answers.send_answer(send, answer)

    def _source(self, scope: Mapping[str, Any]) -> SourceSpec | None:
        name = scope.get("path_params", {}).get("source")
        if name is None:
            return None
        source = self._project.sources.get(name)
        if source is None:
            raise refuse("not_found", f"there is no source {name[:80]}", "see /v1/catalog")
        return source

    async def _answer(self, head: Head, source: SourceSpec | None, receive: Receive) -> Answer:
        if head.method == "OPTIONS":
            return handshakes.options(head.headers, source)
        if head.method == "GET" and source is not None:
            return handshakes.challenge(source.handshake, dict(parse_qsl(head.query)))
        if head.method != "POST":
            raise refuse("method_not_allowed", f"{head.method[:20]} is not known here", "use POST")
        callers, lane = self._parts.callers, f"source:{source.name}" if source else ""
        if source is not None and callers.reads_body(source):
            with self._budget.unproven_share() as unproven:
                raw = await read_unproven(receive, head.headers, self._ingest.body_limit, unproven)
                if handshakes.is_ping(source, raw):
                    return Answer(200, b"", TEXT)
                caller = await callers.at(source, head.request(raw))
                # who is not proven keeps nobody waiting
                with unproven.prove(lane) as share, self._parts.traffic.lane(lane, caller.concurrent):
                    return await self._of(caller, self._whole(head, source, caller, raw, share))
        caller = await (callers.at(source, head.request()) if source else callers.anywhere(head.request()))
        lane = lane or caller.partner
        with self._parts.traffic.lane(lane, caller.concurrent), self._budget.share(lane) as share:
            if _media(head.headers).startswith(NDJSON) and not _is_webhook(source):
                return await self._of(caller, self._stream(head, source, caller, receive, share))
            return await self._of(caller, self._read(head, source, caller, receive, share))

    async def _of(self, caller: Caller, answering: Awaitable[Answer]) -> Answer:
        """Return the answer to a caller who is known, to whom a refusal counts."""
        try:
            return await answering
        except Refused as error:
            return self._ingest.refused(error.problems, caller.partner)
        except Limited as error:
            return self._ingest.limited(error, caller.partner)

    async def _read(
        self, head: Head, source: SourceSpec | None, caller: Caller, receive: Receive, share: Share
    ) -> Answer:
        raw = await read_body(receive, head.headers, self._ingest.body_limit, share)
        return await self._whole(head, source, caller, raw, share)

    async def _whole(self, head: Head, source: SourceSpec | None, caller: Caller, raw: bytes, share: Share) -> Answer:
        """Answer a request whose body is here and whose sender is known."""
        # A webhook's own id tells its repeats: a key beside it could only keep one out that is another event.
        key = "" if _is_webhook(source) else idempotency_key(head.headers)
        self._parts.traffic.knock(caller)
        async with self._parts.traffic.turn(caller.partner):
            body = inflate(raw, coding(head.headers.get("content-encoding", "")), self._ingest.body_limit)
        act = partial(self._take, head, source, caller, body, share)
        if not key:
            return await act()
        return await self._once(
            f"{caller.partner}/{caller.key}", key, head.request(raw), partial(self._told, caller, act)
        )

    async def _told(self, caller: Caller, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return a refusal as an answer, which is kept as others are."""
        try:
            return await act()
        except Refused as error:
            return self._ingest.refused(error.problems, caller.partner)

    async def _take(self, head: Head, source: SourceSpec | None, caller: Caller, body: bytes, share: Share) -> Answer:
        accept = self._parts.intake.accept
        if source is not None and _is_webhook(source):
            return await self._webhook(source, caller, Call(head.headers, dict(parse_qsl(head.query)), body), share)
        if _media(head.headers).startswith(BATCH):
            async with self._parts.traffic.turn(caller.partner):
                members = jsontext.split_array(body, source.limits.batch if source else caller.batch)
            lot, named = Lot(self._parts, caller, share), {**_MEMBER, **carried(head.headers)}
            await lot.take(members, lambda member: accept(caller, named, member, source))
            return lot.answer()
        return await self._one(caller, lambda: accept(caller, head.headers, body, source))

    async def _webhook(self, source: SourceSpec, caller: Caller, call: Call, share: Share) -> Answer:
        trace = carried(call.headers)

        def accept(item: bytes) -> Accepted:
            event = webhook.make_event(source, call, item)
            return self._parts.intake.admit(caller, source, event, {**encode_headers(event), **trace}, item)

        async with self._parts.traffic.turn(caller.partner):
            members = webhook.cut(source, call)
        if not members:  # a 2xx would say that something is stored
            raise refuse("no_events", "the body carries no event", "see `event` of the source")
        if not webhook.carries_many(source, call.body):
            return answers.styled(source.answer, await self._one(caller, lambda: accept(members[0])))
        lot = Lot(self._parts, caller, share)
        await lot.take(members, accept)
        return answers.styled(source.answer, lot.answer()) if lot.stored else lot.answer()

    async def _one(self, caller: Caller, accept: Callable[[], Accepted]) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._ingest.take(caller, accept, partial(_resolve, answered))
        return await answered

    async def _stream(
        self, head: Head, source: SourceSpec | None, caller: Caller, receive: Receive, share: Share
    ) -> Answer:
        """Store lines as they come; what is stored stays so when the stream breaks off, and may be sent again."""
        if idempotency_key(head.headers):
            raise refuse("bad_idempotency_key", "not for a stream", "a stream may be sent again as it is")
        encoding = coding(head.headers.get("content-encoding", ""))
        if not share.take(MEMORY.get(encoding, 0)):
            raise Refused([FULL])
        lot, waiting = Lot(self._parts, caller, share, bounded=False), list[bytes]()
        named = {**_MEMBER, **carried(head.headers)}

        def accept(line: bytes) -> Accepted:
            return self._parts.intake.accept(caller, named, line, source)

        turn = self._parts.traffic.turn(f"stream:{caller.partner}")
        chunks = inflated(stream(receive, share), encoding, MOST_BYTES, turn)
        async for line in lines(chunks, self._ingest.body_limit, MOST_LINES):
            waiting.append(line)
            if len(waiting) == CHUNK:
                await self._still(head, source)
                await lot.take(waiting, accept)
                waiting = []
        await lot.take(waiting, accept)
        return lot.answer()

    async def _still(self, head: Head, source: SourceSpec | None) -> None:
        """Make sure that a credential is still good: a stream may last longer than its key.

        Raises:
            Refused: `unauthorized`.
        """
        callers = self._parts.callers
        await (callers.at(source, head.request()) if source else callers.anywhere(head.request()))


def _media(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").lower()


def _is_webhook(source: SourceSpec | None) -> bool:
    return source is not None and source.accept == "webhook"


def _resolve(answered: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not answered.done():  # its request was cancelled
        answered.set_result(answer)

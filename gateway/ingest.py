"""`POST /v1/events`: the hot path, one plain ASGI application."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from crossdock.kernel.apikeys import KeyBook, authenticate
from crossdock.kernel.event import BATCH, STRUCTURED
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, Unavailable, refuse
from crossdock.kernel.stream import Log, Stored
from crossdock.pipeline.recorder import Recorder, now_ms
from crossdock.project import Project
from gateway.answers import RETRY_AFTER, Send, send_json, send_problem
from gateway.intake import Accepted, accept, batch_limit, check_batch, refusal, split_batch
from journal import entry
from journal.entry import Entry

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_ONCE = {"content-type", "authorization", "x-api-key"}
UNAVAILABLE = Problem("unavailable", "the broker did not acknowledge the event", "send it again with the same id")


class Ingest:
    """Accepts events: authenticate, decode, check, store, answer."""

    def __init__(
        self, project: Project, keys: KeyBook, raw: Log, recorder: Recorder, metrics: Metrics, body_limit: int
    ) -> None:
        self._project = project
        self._keys = keys
        self._raw = raw
        self._recorder = recorder
        self._metrics = metrics
        self._body_limit = body_limit

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            if scope["method"] != "POST":
                raise refuse("method_not_allowed", f"{scope['method']} is not known here", "use POST")
            headers = _headers(scope)
            partner = await self.partner(headers)
            body = await self._read(headers, receive)
            if headers.get("content-type", "").lower().startswith(BATCH):
                await self._batch(partner, body, send)
            else:
                await self._single(partner, headers, body, send)
        except Refused as error:
            self._metrics.rejected.labels(error.problems[0].code).inc()
            await send_problem(send, error.problems)
        except Unavailable as error:
            log.warning("not stored: %s", error)
            self._metrics.rejected.labels("unavailable").inc()
            await send_problem(send, [UNAVAILABLE])

    async def partner(self, headers: Mapping[str, str]) -> str:
        """Return whose request it is.

        Raises:
            Refused: `unauthorized`, the same for a missing, wrong or revoked key.
            Unavailable: a key that is new here could not be looked up.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        partner = await authenticate(self._keys, key) if key else None
        if partner is None:
            raise refuse("unauthorized", "no valid API key", "send Authorization: Bearer KEY or X-API-Key: KEY")
        return partner

    async def _read(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        too_large = refuse("body_too_large", f"at most {self._body_limit} bytes are taken", "send smaller batches")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._body_limit:
            raise too_large
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise refuse("invalid_json", "the request ended early")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._body_limit:
                raise too_large
            chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _single(self, partner: str, headers: Mapping[str, str], body: bytes, send: Send) -> None:
        accepted = self._accept(partner, headers, body)
        stored = await self._raw.append(accepted.record)
        await self._note(partner, accepted, stored)
        await send_json(send, 202, {"id": accepted.event.id, "status": _status(stored)})

    def _accept(self, partner: str, headers: Mapping[str, str], body: bytes) -> Accepted:
        accepted = accept(self._project, partner, headers, body)
        limit = accepted.source.body_limit
        if len(body) > limit:
            raise refuse("body_too_large", f"source {accepted.source.name} takes at most {limit} bytes an event")
        return accepted

    async def _batch(self, partner: str, body: bytes, send: Send) -> None:
        members = split_batch(body, batch_limit(self._project, partner))
        answers: list[dict[str, Any]] = []
        good: list[tuple[dict[str, Any], Accepted]] = []
        taken: Counter[str] = Counter()
        for index, member in enumerate(members):
            answer: dict[str, Any] = {"index": index}
            answers.append(answer)
            try:
                accepted = self._accept(partner, {"content-type": STRUCTURED}, member)
                check_batch(accepted.source, taken)
                answer["id"] = accepted.event.id
                good.append((answer, accepted))
            except Refused as error:
                self._metrics.rejected.labels(error.problems[0].code).inc()
                answer |= refusal(member, error.problems)
        await self._store(partner, good)
        counts = {word: sum(a["status"] == word for a in answers) for word in ("accepted", "duplicate", "refused")}
        stored = counts["accepted"] + counts["duplicate"]
        missing = len(answers) - stored - counts["refused"]
        status = 503 if missing else 202 if stored or not answers else 422
        await send_json(send, status, {**counts, "items": answers}, {"retry-after": RETRY_AFTER} if missing else {})

    async def _store(self, partner: str, good: list[tuple[dict[str, Any], Accepted]]) -> None:
        """Store the good members; a member the broker did not acknowledge is answered as unavailable."""
        try:
            stored: list[Stored | None] = list(await self._raw.append_all([item.record for _, item in good]))
        except Unavailable as error:
            log.warning("batch not stored: %s", error)
            stored = [None] * len(good)
        notes = []
        for (answer, accepted), result in zip(good, stored, strict=True):
            answer["status"] = _status(result) if result else "unavailable"
            if result:
                notes.append(self._note(partner, accepted, result))
        await asyncio.gather(*notes)

    async def _note(self, partner: str, accepted: Accepted, stored: Stored) -> None:
        """Record acceptance; a repeat the broker dropped is nowhere else, so its record is waited for."""
        event, source = accepted.event, accepted.source.name
        line = Entry(
            at=now_ms(),
            stage=entry.GATEWAY,
            outcome=entry.DUPLICATE if stored.duplicate else entry.ACCEPTED,
            partner=partner,
            source=source,
            id=event.id,
            origin=event.source,
            type=event.type,
            raw=stored.seq,
            ref=stored.seq if stored.duplicate else 0,
            detail=f"repeats raw event {stored.seq}" if stored.duplicate else "",
            revision=self._project.revision,
        )
        noted = self._recorder.note(line)
        if stored.duplicate:
            self._metrics.duplicates.labels(source, entry.GATEWAY).inc()
            await noted
        else:
            self._metrics.accepted.labels(source).inc()


def _status(stored: Stored) -> str:
    return "duplicate" if stored.duplicate else "accepted"


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if len(headers) < len(scope["headers"]):
        names = Counter(name for name, _ in scope["headers"])
        for name in (name.decode("latin-1") for name, times in names.items() if times > 1):
            if name.startswith("ce-") or name in _ONCE:
                raise refuse("invalid_envelope", f"the header {name[:80]} is given twice", "keep one of the two")
    return headers

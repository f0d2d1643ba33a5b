"""`POST /v1/events`: the hot path, taken by the server's protocol directly, or as a plain ASGI application."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import cache, partial
from typing import Any

from crossdock.kernel.apikeys import KeyBook, authenticate, partner_of
from crossdock.kernel.event import BATCH, STRUCTURED
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, Unavailable, refuse
from crossdock.kernel.stream import Stored
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder, now_ms
from crossdock.project import Project
from gateway import answers, batch
from gateway.answers import Answer, Send
from gateway.intake import Accepted, Intake
from journal import entry
from journal.entry import Entry

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Reply = Callable[[Answer], None]
_ONCE = {"content-type", "authorization", "x-api-key"}
UNAVAILABLE = Problem("unavailable", "the broker did not acknowledge the event", "send it again with the same id")


class Ingest:
    """Accepts events: authenticate, decode, check, store, answer."""

    path = b"/v1/events"

    def __init__(
        self, project: Project, keys: KeyBook, raw: GroupCommit, recorder: Recorder, metrics: Metrics, body_limit: int
    ) -> None:
        self.body_limit = body_limit
        self._project = project
        self._intake = Intake(project)
        self._keys = keys
        self._raw = raw
        self._recorder = recorder
        self._accepted = cache(metrics.accepted.labels)  # finding a child costs more than counting
        self._rejected = cache(metrics.rejected.labels)
        self._duplicates = cache(metrics.duplicates.labels)

    def admit(self, head: Mapping[bytes, bytes]) -> Callable[[bytes, Reply], None] | None:
        """Return what takes the body of a plain request; None for batches and for keys not known here."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in head.items()
            if name in _PLAIN or name.startswith(b"ce-")
        }
        partner = partner_of(self._keys, _key(headers))
        if partner is None or headers.get("content-type", "").lower().startswith(BATCH):
            return None
        return partial(self.take, partner, headers)

    def take(self, partner: str, headers: Mapping[str, str], body: bytes, reply: Reply) -> None:
        """Take one event; `reply` gets the answer once the event is stored or refused."""
        try:
            accepted = self._intake.accept(partner, headers, body)
            self._raw.submit(accepted.record, partial(self._settle, accepted, reply))
        except Refused as error:
            reply(self._refused(error.problems))
        except Unavailable:
            reply(self._refused((UNAVAILABLE,)))

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except Refused as error:
            answer = self._refused(error.problems)
        except Unavailable as error:
            log.warning("not stored: %s", error)
            answer = self._refused((UNAVAILABLE,))
        await answers.send_answer(send, answer)

    async def partner(self, headers: Mapping[str, str]) -> str:
        """Return whose request it is.

        Raises:
            Refused: `unauthorized`, the same for a missing, wrong or revoked key.
            Unavailable: a key that is new here could not be looked up.
        """
        key = _key(headers)
        partner = await authenticate(self._keys, key) if key else None
        if partner is None:
            raise refuse("unauthorized", "no valid API key", "send Authorization: Bearer KEY or X-API-Key: KEY")
        return partner

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        if scope["method"] != "POST":
            raise refuse("method_not_allowed", f"{scope['method']} is not known here", "use POST")
        headers = _headers(scope)
        partner = await self.partner(headers)
        body = await self._read(headers, receive)
        if headers.get("content-type", "").lower().startswith(BATCH):
            return await self._batch(partner, body)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.take(partner, headers, body, partial(_resolve, answered))
        return await answered

    async def _read(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        too_large = refuse("body_too_large", f"at most {self.body_limit} bytes are taken", "send smaller batches")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.body_limit:
            raise too_large
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise refuse("invalid_json", "the request ended early")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.body_limit:
                raise too_large
            chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _batch(self, partner: str, body: bytes) -> Answer:
        items: list[dict[str, Any]] = []
        good: list[tuple[dict[str, Any], Accepted]] = []
        taken: Counter[str] = Counter()
        for index, member in enumerate(batch.split_batch(body, batch.batch_limit(self._project, partner))):
            item: dict[str, Any] = {"index": index}
            items.append(item)
            try:
                accepted = self._intake.accept(partner, {"content-type": STRUCTURED}, member)
                batch.check_batch(accepted.source, taken)
                item["id"] = accepted.event.id
                good.append((item, accepted))
            except Refused as error:
                self._rejected(error.problems[0].code).inc()
                item |= batch.refusal(member, error.problems)
        await self._store(good)
        return batch.told(items)

    async def _store(self, good: list[tuple[dict[str, Any], Accepted]]) -> None:
        """Store the good members; a member the broker did not acknowledge is answered as unavailable."""
        try:
            stored: Sequence[Stored | None] = await self._raw.append_all([accepted.record for _, accepted in good])
        except Unavailable as error:
            log.warning("batch not stored: %s", error)
            stored = [None] * len(good)
        noted = set()
        for (item, accepted), result in zip(good, stored, strict=True):
            item["status"] = "unavailable" if result is None else "duplicate" if result.duplicate else "accepted"
            if result:
                note = self._note(accepted, result)
                noted |= {note} if result.duplicate else set()
        if noted:
            await asyncio.wait(noted)

    def _settle(self, accepted: Accepted, reply: Reply, outcome: Stored | Unavailable) -> None:
        """Answer for one event; the record of a repeat is waited for, as that is nowhere else."""
        if isinstance(outcome, Unavailable):
            reply(self._refused((UNAVAILABLE,)))
            return
        noted = self._note(accepted, outcome)
        answer = answers.taken(accepted.event.id, outcome.duplicate)
        if outcome.duplicate:
            noted.add_done_callback(lambda _: reply(answer))
        else:
            reply(answer)

    def _note(self, accepted: Accepted, stored: Stored) -> "asyncio.Future[None]":
        """Count an event and record what became of it."""
        event, source, repeat = accepted.event, accepted.source, stored.duplicate
        if repeat:
            self._duplicates(source.name, entry.GATEWAY).inc()
        else:
            self._accepted(source.name).inc()
        return self._recorder.note(
            Entry(
                at=now_ms(),
                stage=entry.GATEWAY,
                outcome=entry.DUPLICATE if repeat else entry.ACCEPTED,
                partner=source.partner,
                source=source.name,
                id=event.id,
                origin=event.source,
                type=event.type,
                raw=stored.seq,
                ref=stored.seq if repeat else 0,
                detail=f"repeats raw event {stored.seq}" if repeat else "",
                revision=self._project.revision,
            )
        )

    def _refused(self, problems: Sequence[Problem]) -> Answer:
        self._rejected(problems[0].code).inc()
        return answers.problem(problems)


def _resolve(answered: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not answered.done():  # its request was cancelled
        answered.set_result(answer)


_PLAIN = {name.encode() for name in _ONCE}


def _key(headers: Mapping[str, str]) -> str:
    """Return the API key of a request, or nothing."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if len(headers) < len(scope["headers"]):
        names = Counter(name for name, _ in scope["headers"])
        for name in (name.decode("latin-1") for name, times in names.items() if times > 1):
            if name.startswith("ce-") or name in _ONCE:
                raise refuse("invalid_envelope", f"the header {name[:80]} is given twice", "keep one of the two")
    return headers

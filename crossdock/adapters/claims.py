"""Bodies too large for a message: kept as objects of a JetStream bucket, and named by the messages (ADR 11)."""

import base64
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import CLAIM, Message, Record, Stored

log = logging.getLogger(__name__)

BUCKET = "BODIES"
STREAM = f"OBJ_{BUCKET}"
SUBJECTS = [f"$O.{BUCKET}.C.>", f"$O.{BUCKET}.M.>"]  # pieces of objects, and a note of each (NATS ADR-20)
PIECE = 256 << 10  # bytes; the smallest `max_payload` anybody sets is some times that
LARGE = 896 << 10  # bytes, of the 1 MiB that a broker takes unless told otherwise
HEAD = 128 << 10  # bytes left for subject and headers, of which a broker takes 64 KiB
# Whoever names an object that is older than RENEWED stores it anew. So it outlives every name by MARGIN - RENEWED, if
# the bucket keeps what it holds for MARGIN longer than any stream does.
MARGIN, RENEWED = 86400.0, 43200.0
MOST = 32 << 20  # bytes of large bodies that one inbox has in hand
PAUSE = 1.0  # seconds between large bodies beyond that: whoever holds the others may hold them for a day
_HEADERS_ONLY = "Nats-Msg-Size"  # stands on a message whose body was not asked for

Store = Callable[[Sequence[tuple[str, dict[str, str], bytes]]], Awaitable[list[Stored]]]


class Claims:
    """Stores large bodies; what comes with the same bytes within half a day shares one object."""

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store

    async def check_in(self, record: Record) -> Record:
        """Store the body of a record; return the small one that names it, with text that is no JSON in its place.

        Raises:
            Unavailable: the broker does not answer; what is stored already goes when its time is over.
        """
        body = record.payload
        name = sha256(body).hexdigest()
        if not await self._is_young(name):
            await self._put(name, body)
        instead = f"the body, {len(body)} bytes, is object {name} of the bucket {BUCKET}".encode()
        return record._replace(payload=instead, headers={**record.headers, CLAIM: f"{name} {len(body)}"})

    async def _is_young(self, name: str) -> bool:
        try:
            note = await self._client.jetstream().get_last_msg(STREAM, _note(name))
        except NotFoundError:
            return False
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        return note.time is not None and time.time() - note.time.timestamp() < RENEWED

    async def _put(self, name: str, body: bytes) -> None:
        """Store the pieces under a name of their own, then the note: who reads meanwhile reads the ones before."""
        pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]
        own = uuid4().hex
        note = {
            "name": name,
            "options": {"max_chunk_size": PIECE},
            "bucket": BUCKET,
            "nuid": own,
            "size": len(body),
            "mtime": datetime.now(UTC).isoformat(),
            "chunks": len(pieces),
            "digest": "SHA-256=" + base64.urlsafe_b64encode(bytes.fromhex(name)).decode(),
        }
        await self._store([(_piece(own), {}, piece) for piece in pieces])
        await self._store([(_note(name), {}, orjson.dumps(note))])


class Bodies:
    """Brings back the large bodies of what one inbox hands out, so many bytes at a time; or not, as `wanted`."""

    def __init__(self, client: Client, wanted: bool) -> None:
        self._client = client
        self._wanted = wanted
        self._held: dict[int, int] = {}  # sizes, by sequence, of what was handed out and not given up
        self._latest = 0.0

    @property
    def many(self) -> bool:
        """Whether so much is in hand that more of it may have to wait."""
        return sum(self._held.values()) >= MOST // 2

    def full(self, message: Message) -> bool:
        """Tell whether a message has to wait until others are given up."""
        return bool(self._held) and not self._fits(message) and time.monotonic() < self._latest + PAUSE

    async def take(self, ready: deque[Message], limit: int) -> list[Message]:
        """Take messages off a queue, whole; they stay there if that cannot be done now.

        Raises:
            Unavailable: the broker does not answer.
        """
        taken = list(islice(ready, limit))
        if self._wanted and [message for message in taken if CLAIM in message.headers]:
            taken = await self._whole(taken)
        for _ in taken:
            ready.popleft()
        return taken

    def give_up(self, messages: Iterable[Message]) -> bool:
        """Note that some messages are in nobody's hands any more; tell whether there is more room now."""
        before = len(self._held)
        for message in messages if before else ():
            self._held.pop(message.seq, None)
        return len(self._held) < before

    async def _whole(self, messages: Sequence[Message]) -> list[Message]:
        whole: list[Message] = []
        for message in messages:
            if whole and not self._fits(message):
                break
            try:
                body = await brought(self._client, message)
            except Unavailable:
                if whole:
                    break
                raise
            if body is not message:
                self._held[message.seq], self._latest = len(body.payload), time.monotonic()
            whole.append(body)
        return whole

    def _fits(self, message: Message) -> bool:
        claim = message.headers.get(CLAIM)
        return claim is None or sum(self._held.values()) + _size(claim) <= MOST


async def brought(client: Client, message: Message) -> Message:
    """Return a message with its body where that is an object; as it is when the object is lost (see `lost`).

    Raises:
        Unavailable: the broker does not answer.
    """
    claim = message.headers.get(CLAIM)
    if claim is None or _HEADERS_ONLY in message.headers:
        return message
    try:
        body = await _get(client, claim.partition(" ")[0])
    except (NotFoundError, ValueError, KeyError, TypeError) as error:
        log.error("the body of message %d on %s is lost: %s", message.seq, message.subject, error)
        return message
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
    headers = {name: value for name, value in message.headers.items() if name != CLAIM}
    return message._replace(payload=body, headers=headers)


async def _get(client: Client, name: str) -> bytes:
    """Read an object, each message from the stream's leader: another replica may not have it yet."""
    jetstream = client.jetstream()
    note: dict[str, Any] = orjson.loads((await jetstream.get_last_msg(STREAM, _note(name))).data or b"")
    body, last = bytearray(), 0
    for _ in range(note["chunks"]):
        piece = await jetstream.get_msg(STREAM, last + 1, _piece(note["nuid"]), next=True)
        body += piece.data or b""
        last = piece.seq or 0
    if sha256(body).hexdigest() != name:
        raise ValueError(f"object {name} is damaged")
    return bytes(body)


def _size(claim: str) -> int:
    return int(claim.partition(" ")[2] or 0)


def _note(name: str) -> str:
    return f"$O.{BUCKET}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def _piece(own: str) -> str:
    return f"$O.{BUCKET}.C.{own}"

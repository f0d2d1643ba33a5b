"""`Idempotency-Key` (IETF draft): a request sent again under its key gets the first answer and has no other effect."""

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping

from crossdock.kernel import jsontext
from crossdock.kernel.keptanswers import Answers, Begin, KeptAnswer
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, Unavailable, refuse
from gateway.answers import Answer
from gateway.proof import Request

log = logging.getLogger(__name__)

MAX_KEY = 255
MAX_BODY = 256 << 10  # bytes of an answer that is kept
# The bound keeps the matcher, which stacks 160 bytes for each character, small.
_QUOTED = re.compile(rf'"((?:[ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY}}})"')  # RFC 9651, section 3.3.3
# Visible, without what a structured field gives a meaning: " , ; \
_BARE = re.compile(rf"[!#-+\--:<-\[\]-~]{{1,{MAX_KEY}}}")
_SAYING = frozenset({"content-type", "content-encoding"})
_PASSING = frozenset({401, 408, 409, 425, 429})  # the same request may fare better later
_REFUSALS = {
    Begin.IN_FLIGHT: Problem("idempotency_in_flight", "a request with this key is under way", "ask again in a second"),
    Begin.MISMATCH: Problem(
        "idempotency_mismatch", "this key was sent with another request", "use a new key for each request"
    ),
}

Act = Callable[[], Awaitable[Answer]]


def idempotency_key(headers: Mapping[str, str]) -> str:
    """Return the key of a request, empty when it has none; a bare key means the same as a quoted one.

    Raises:
        Refused: `bad_idempotency_key`.
    """
    value = headers.get("idempotency-key")
    if value is None:
        return ""
    quoted = _QUOTED.fullmatch(value)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value if _BARE.fullmatch(value) else ""
    if not key:
        message = f"Idempotency-Key must be a text of 1 to {MAX_KEY} printable ASCII characters"
        raise refuse("bad_idempotency_key", message, 'such as "8e03978e-40d5-43dd-bc93-6894a57f9324", in quotes')
    return key


def fingerprint(request: Request) -> str:
    """Return a digest of all that makes two requests the same; an event in binary mode is in the headers too."""
    said = sorted((name, value) for name, value in request.headers.items() if name in _SAYING or name.startswith("ce-"))
    head = jsontext.dumps([request.method, request.path, request.query, said])
    return hashlib.blake2b(b"%d:%b%b" % (len(head), head, request.body), digest_size=16).hexdigest()


class Once:
    """Carries out a request once for each key of a caller."""

    def __init__(self, answers: Answers, metrics: Metrics) -> None:
        self._answers = answers
        self._not_kept = metrics.answers_not_kept
        self._under_way: set[asyncio.Task[Answer]] = set()

    async def __call__(self, caller: str, key: str, request: Request, act: Act) -> Answer:
        """Return the answer to a request, from `act` or as it was kept; while the store is away, from `act`.

        Who waits may be cancelled. The act is not: an event that is being stored cannot be called back, and its sender
        will ask again for the answer.

        Raises:
            Refused: `idempotency_in_flight` or `idempotency_mismatch`, and what `act` raises.
        """
        # A digest: callers cannot meet under one name, and what they use as keys is in no list of the store's names.
        name = hashlib.blake2b(jsontext.dumps([caller, request.path, key]), digest_size=16).hexdigest()
        owner = secrets.token_hex(8)
        try:
            begun = await self._answers.begin(name, fingerprint(request), owner)
        except Unavailable as error:
            self._lost(error)
            return await act()  # repeats are known by the ids of their events all the same
        if isinstance(begun, KeptAnswer):
            then = [pair for pair in begun.headers if not pair[0].startswith(b"ratelimit")]  # told what was left
            replayed = (*then, (b"idempotency-replayed", b"true"))
            return Answer(begun.status, begun.body, begun.media, replayed)
        if begun in _REFUSALS:
            raise Refused((_REFUSALS[begun],))
        task = asyncio.create_task(self._carry_out(name, owner, act))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for the acts under way whose senders have left."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _carry_out(self, name: str, owner: str, act: Act) -> Answer:
        try:
            answer = await act()
        except BaseException:
            await self._settle(self._answers.abandon(name, owner))
            raise
        if _is_final(answer):
            kept = KeptAnswer(answer.status, answer.media, answer.headers, answer.body)
            await self._settle(self._answers.finish(name, owner, kept))
        else:
            await self._settle(self._answers.abandon(name, owner))
        return answer

    async def _settle(self, told: Awaitable[None]) -> None:
        try:
            await told
        except Unavailable as error:
            self._lost(error)

    def _lost(self, error: Unavailable) -> None:
        self._not_kept.inc()
        log.warning("no answer is kept for a request: %s", error)


def _is_final(answer: Answer) -> bool:
    return 200 <= answer.status < 500 and answer.status not in _PASSING and len(answer.body) <= MAX_BODY

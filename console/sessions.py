"""Sessions of people who signed in: a random id in a cookie, kept only as a hash, in a bucket that forgets."""

import hashlib
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Literal

from console.access import COOKIE, Role, Signed
from crossdock.kernel import jsontext
from crossdock.kernel.accesssettings import SessionLimits
from crossdock.kernel.records import known
from dlq.ports import Records

NOTED_EVERY = 60_000  # milliseconds between two notes of when a session was used, at most
Kind = Literal["user", "token", "installation", "oidc"]


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in, by what and with which role; times are Unix milliseconds.

    `stamp` is of what proved it, and the session ends when that is another one. `subject` is the id of a token.
    """

    person: str
    role: Role
    kind: Kind
    stamp: str
    began: int
    seen: int
    address: str = ""
    subject: str = ""


class Sessions:
    """All sessions."""

    def __init__(self, records: Records, limits: SessionLimits, cookie: str = COOKIE) -> None:
        self._records = records
        self._idle, self._longest = int(limits.idle * 1000), int(limits.longest * 1000)
        self.cookie = cookie

    async def begin(self, session: Session) -> Signed:
        """Store a new one under a new random id.

        Raises:
            Unavailable: the store does not answer.
        """
        raw = secrets.token_urlsafe(32)
        await self._records.put(_key(raw), jsontext.dumps(asdict(session)), 0)
        return self.signed(raw, session)

    async def find(self, raw: str, now: int) -> tuple[Session, int] | None:
        """Return the session of an id with the version of its record, None when it is over.

        Raises:
            Unavailable: the store does not answer.
        """
        found = await self._records.get(_key(raw))
        if found is None:
            return None
        session = _read(found[0])
        return (session, found[1]) if now < self._end(session) else None

    async def note(self, raw: str, session: Session, version: int, now: int) -> Session:
        """Note that it was used, if that was not noted lately.

        Raises:
            Unavailable: the store does not answer.
        """
        if now - session.seen < min(NOTED_EVERY, self._idle // 4):
            return session
        used = replace(session, seen=now)
        await self._records.put(_key(raw), jsontext.dumps(asdict(used)), version)  # another process may have noted it
        return used

    async def end(self, raw: str) -> None:
        """Forget one.

        Raises:
            Unavailable: the store does not answer.
        """
        await self._records.remove(_key(raw))

    def signed(self, raw: str, session: Session) -> Signed:
        """Return what a request with this session brings."""
        return Signed(raw, self._end(session), self.cookie)

    def _end(self, session: Session) -> int:
        return min(session.seen + self._idle, session.began + self._longest)


def _key(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def _read(stored: bytes) -> Session:
    document = jsontext.own_loads(stored)
    return Session(**known(Session, document) | {"role": Role(document["role"])})

"""Who asks: found out from the bearer token or the session of a request, against what is stored now."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.requests import HTTPConnection

from console.access import COOKIE, TOKEN, Person, Role
from console.kept import Kept
from console.lockout import Lockout
from console.passwords import Passwords
from console.sessions import Session, Sessions
from console.tokens import Tokens
from console.users import Users
from crossdock.kernel.accesssettings import Oidc
from crossdock.kernel.settings import Console
from crossdock.pipeline.recorder import now_ms
from dlq.ports import Records

if TYPE_CHECKING:
    from console.provider import Provider

BACKGROUND = "x-background"  # a request that no person caused, which does not keep a session alive
_LONGEST = 200  # characters of an id or a token


@dataclass(frozen=True)
class Access:
    """What it takes to know who asks; `url` is the address that browsers see, empty for that of the request."""

    token: str
    users: Users
    tokens: Tokens
    sessions: Sessions
    lockout: Lockout
    passwords: Passwords
    provider: "Provider | None"
    secure: bool
    url: str = ""
    clock: Callable[[], int] = now_ms

    async def identify(self, request: HTTPConnection) -> Person | None:
        """Return who asks, None for nobody we know.

        Raises:
            Unavailable: the store does not answer.
        """
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":  # a proxy before us may have its own scheme there
            return await self.holder(given)
        raw = request.cookies.get(self.sessions.cookie, "")
        return await self._signed_in(raw, BACKGROUND in request.headers) if 0 < len(raw) <= _LONGEST else None

    async def holder(self, given: str) -> Person | None:
        """Return whose bearer token this is.

        Raises:
            Unavailable: the store does not answer.
        """
        session = await self.session_of(given, "")
        return Person(session.person, session.role) if session else None

    async def session_of(self, given: str, address: str) -> Session | None:
        """Return the session, not yet begun, of who has a token; None for what is none.

        Raises:
            Unavailable: the store does not answer.
        """
        now = self.clock()
        if secrets.compare_digest(given.encode(), self.token.encode()):
            return Session(TOKEN, Role.ADMIN, "installation", _stamp(self.token), now, now, address)
        token = await self.tokens.holder(given, now) if len(given) <= _LONGEST else None
        if token is None:
            return None
        return Session(f"token:{token.name}", token.role, "token", token.digest, now, now, address, token.id)

    async def _signed_in(self, raw: str, background: bool) -> Person | None:
        now = self.clock()
        found = await self.sessions.find(raw, now)
        if found is None:
            return None
        session, version = found
        role = await self._role(session, now)
        if role is None:
            await self.sessions.end(raw)
            return None
        if not background:
            session = await self.sessions.note(raw, session, version, now)
        return Person(session.person, role, self.sessions.signed(raw, session))

    async def _role(self, session: Session, now: int) -> Role | None:
        """Return the role that the one who signed in has now; None when what proved it is no longer what it was."""
        if session.kind == "user":
            user = await self.users.find(session.person)
            return user.role if user and not user.disabled and user.stamp == session.stamp else None
        if session.kind == "token":
            token = await self.tokens.by_id(session.subject)
            living = token is not None and token.digest == session.stamp and not token.expired(now)
            return token.role if token and living else None
        known = _stamp(self.token) if session.kind == "installation" else self.provider and self.provider.stamp
        return session.role if session.stamp == known else None


def _stamp(token: str) -> str:
    return hashlib.sha256(f"stamp {token}".encode()).hexdigest()


def make_access(token: str, people: Records, sessions: Records, chosen: Console) -> Access:
    """Return it with everything it needs, on the two stores that all processes share.

    Raises:
        ValueError: the token is empty and would let everybody in.
    """
    if not token:
        raise ValueError("an empty operations token would let everybody in")
    kept = Kept(people)
    secure = bool(chosen.tls.cert) or chosen.url.startswith("https://")
    return Access(
        token=token,
        users=Users(kept),
        tokens=Tokens(kept),
        sessions=Sessions(Kept(sessions), chosen.sessions, f"__Host-{COOKIE}" if secure else COOKIE),
        lockout=Lockout(chosen.lockout),
        passwords=Passwords(),
        provider=_provider(chosen.oidc) if chosen.oidc.issuer else None,
        secure=secure,
        url=chosen.url,
    )


def _provider(chosen: Oidc) -> "Provider":
    from console.provider import Provider  # noqa: PLC0415  a tenth of a second, for those only who have one

    return Provider(chosen)

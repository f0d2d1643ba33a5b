"""API tokens of scripts and dashboards: random, shown once, kept only as a hash, each with a name and a role."""

import hashlib
import hmac
import re
import secrets
from dataclasses import asdict, dataclass, field

from console.access import Role
from crossdock.kernel import jsontext
from crossdock.kernel.records import known
from dlq.ports import Records

UNDER = "tokens"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_PREFIX = "cdo"
_ID = re.compile(r"[0-9a-f]{12}\Z")
_TOKEN = re.compile(rf"{_PREFIX}_([0-9a-f]{{12}})_([\w-]{{43}})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token; times are Unix milliseconds, `expires` is 0 for never."""

    id: str
    name: str
    role: Role
    digest: str = field(repr=False)
    created: int
    expires: int = 0
    by: str = ""

    def expired(self, now: int) -> bool:
        """Tell whether it has ended at a time in Unix milliseconds."""
        return 0 < self.expires <= now


class Tokens:
    """All tokens."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def all(self) -> list[Token]:
        """Return them, oldest first, expired ones too.

        Raises:
            Unavailable: the store does not answer.
        """
        found = (await self._records.all(UNDER)).values()
        return sorted((_read(stored) for stored, _ in found), key=lambda one: one.created)

    async def by_id(self, token_id: str) -> Token | None:
        """Return one by its id.

        Raises:
            Unavailable: the store does not answer.
        """
        found = await self._records.get(f"{UNDER}.{token_id}") if _ID.match(token_id) else None
        return _read(found[0]) if found else None

    async def holder(self, text: str, now: int) -> Token | None:
        """Return whose token a text is; None for what is none, or no more.

        Raises:
            Unavailable: the store does not answer.
        """
        shaped = _TOKEN.match(text)
        token = await self.by_id(shaped[1]) if shaped else None
        same = token is not None and hmac.compare_digest(token.digest, _digest(text))
        return token if token and same and not token.expired(now) else None

    async def put(self, token: Token) -> None:
        """Store a new one.

        Raises:
            Unavailable: the store does not answer.
        """
        await self._records.put(f"{UNDER}.{token.id}", jsontext.dumps(asdict(token)), 0)

    async def remove(self, token_id: str) -> None:
        """Revoke one.

        Raises:
            Unavailable: the store does not answer.
        """
        await self._records.remove(f"{UNDER}.{token_id}")


def make_token(name: str, role: Role, now: int, expires: int, by: str) -> tuple[str, Token]:
    """Return a new token and its record. 256 random bits need no slow hash."""
    token_id = secrets.token_hex(6)
    text = f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
    return text, Token(token_id, name, role, _digest(text), now, expires, by)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(stored: bytes) -> Token:
    document = jsontext.own_loads(stored)
    return Token(**known(Token, document) | {"role": Role(document["role"])})

"""The people who sign in by name and password, kept as records that all processes see."""

import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from console.access import Role
from crossdock.kernel import jsontext
from crossdock.kernel.records import known, unknown
from dlq.ports import Records

UNDER = "users"
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class User:
    """One person; `stamp` changes with whatever ends the sessions, times are Unix milliseconds."""

    name: str
    role: Role
    digest: str = field(repr=False)
    disabled: bool = False
    created: int = 0
    changed: int = 0
    stamp: str = field(default="", repr=False)


class Users:
    """All users."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def all(self) -> list[User]:
        """Return them by name.

        Raises:
            Unavailable: the store does not answer.
        """
        found = (await self._records.all(UNDER)).values()
        return sorted((_read(stored) for stored, _ in found), key=lambda user: user.name)

    async def find(self, name: str) -> User | None:
        """Return one.

        Raises:
            Unavailable: the store does not answer.
        """
        found = await self._records.get(_key(name)) if NAME.match(name) else None
        return _read(found[0]) if found else None

    async def add(self, name: str, role: Role, digest: str, now: int) -> User | None:
        """Store a new one; None when there is one of that name.

        Raises:
            Unavailable: the store does not answer.
        """
        user = User(name, role, digest, created=now, changed=now, stamp=secrets.token_hex(8))
        return user if await self._records.put(_key(name), _stored(user), 0) else None

    async def change(self, name: str, now: int, how: Callable[[User], User]) -> User | None:
        """Change one, which ends the sessions; None when there is none.

        Raises:
            Unavailable: the store does not answer.
        """
        while found := await self._records.get(_key(name)):
            changed = replace(how(_read(found[0])), changed=now, stamp=secrets.token_hex(8))
            if await self._records.put(_key(name), _stored(changed, found[0]), found[1]):
                return changed
        return None

    async def remove(self, name: str) -> None:
        """Take one away.

        Raises:
            Unavailable: the store does not answer.
        """
        await self._records.remove(_key(name))


def _key(name: str) -> str:
    return f"{UNDER}.{name.encode().hex()}"  # a bucket takes no @


def _stored(user: User, before: bytes = b"{}") -> bytes:
    document = jsontext.own_loads(before)
    kept = {name: document[name] for name in unknown(User, document)}  # of a later version
    return jsontext.dumps(kept | asdict(user))


def _read(stored: bytes) -> User:
    document = jsontext.own_loads(stored)
    return User(**known(User, document) | {"role": Role(document["role"])})

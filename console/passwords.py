"""Passwords: hashed with argon2id, in few threads at a time, so that a flood of sign-ins takes no more than those."""

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST, LONGEST = 12, 256  # characters
MEMORY, PASSES = 32 << 10, 3  # KiB of one hash (RFC 9106, section 4, asks for 64 MiB; some 50 ms here), passes
AT_ONCE, MOST_WAITING = 2, 16
_NOBODY = f"$argon2id$v=19$m={MEMORY},t={PASSES},p=1$" + "$".join(
    base64.b64encode(bytes(length)).decode().rstrip("=") for length in (16, 32)
)


class Crowded(Exception):
    """So many passwords wait to be looked at that the next one is refused."""


class Passwords:
    """Makes and checks hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=1)
        self._threads = ThreadPoolExecutor(AT_ONCE, "password")  # a thread goes on after who waits has gone
        self._under_way = 0

    async def digest(self, password: str) -> str:
        """Return what is kept of a password.

        Raises:
            Crowded: too many wait.
        """
        return await self._run(self._digest, password)

    async def fits(self, digest: str, password: str) -> bool:
        """Tell whether a password is that of a digest; an empty digest fits none, after the same work.

        Raises:
            Crowded: too many wait.
        """
        return await self._run(self._fits, digest or _NOBODY, password) == "yes"

    async def _run(self, act: Callable[..., str], *given: str) -> str:
        if self._under_way >= AT_ONCE + MOST_WAITING:
            raise Crowded
        self._under_way += 1
        done = asyncio.get_running_loop().run_in_executor(self._threads, act, *given)
        done.add_done_callback(self._one_less)
        return await done

    def _one_less(self, _: object) -> None:
        self._under_way -= 1

    def _digest(self, password: str) -> str:
        return self._hasher.hash(password)

    def _fits(self, digest: str, password: str) -> str:
        try:
            return "yes" if self._hasher.verify(digest, password) else ""
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return ""

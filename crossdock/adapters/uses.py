"""When each API key was last used, on Valkey or Redis: in the broker each note would cost a synced write."""

from collections.abc import Mapping
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError

from crossdock.kernel.problems import Unavailable

_SET = "keys:used"


class ValkeyUses:
    """See `Uses`; one sorted set, of key ids by time, so that the later of two gateways' times counts."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=1)

    async def note(self, used: Mapping[str, int]) -> None:
        """See `Uses.note`."""
        try:
            await self._client.zadd(_SET, dict(used), gt=True)
        except (RedisError, OSError) as error:
            raise Unavailable(f"dedupe store: {type(error).__name__}") from error

    async def last(self) -> dict[str, int]:
        """See `Uses.last`."""
        try:
            found: list[Any] = await self._client.zrange(_SET, 0, -1, withscores=True)
        except (RedisError, OSError) as error:
            raise Unavailable(f"dedupe store: {type(error).__name__}") from error
        return {key_id.decode(): int(at) for key_id, at in found}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

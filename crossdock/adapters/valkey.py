"""The dedupe store on Valkey or Redis: one Lua call for a batch of claims."""

from collections.abc import Sequence

import redis.asyncio as redis
from redis.exceptions import RedisError

from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.ports import Claim, Owner

_CLAIM = """
local owners = {}
for i, key in ipairs(KEYS) do
  local value, ttl = ARGV[2 * i - 1], ARGV[2 * i]
  local owner = redis.call('SET', key, value, 'NX', 'EX', ttl, 'GET')
  owners[i] = owner or value
end
return owners
"""


class ValkeySeen:
    """Claims as keys `seen:<key>` with value `<owner>:<digest>` and a time to live."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=1, decode_responses=True)
        self._claim = self._client.register_script(_CLAIM)

    async def claim(self, claims: Sequence[Claim]) -> list[Owner]:
        """See `Seen.claim`."""
        if not claims:
            return []
        keys = [f"seen:{claim.key}" for claim in claims]
        values = [part for claim in claims for part in (f"{claim.owner}:{claim.digest}", claim.ttl)]
        try:
            owners = await self._claim(keys=keys, args=values)
        except (RedisError, OSError) as error:
            raise Unavailable(f"dedupe store: {type(error).__name__}") from error
        return [Owner(int(seq), digest) for seq, _, digest in (owner.partition(":") for owner in owners)]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

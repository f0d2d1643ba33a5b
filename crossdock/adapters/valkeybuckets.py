"""Shared token buckets on Valkey or Redis: one Lua call for all that were spent from."""

from collections.abc import Sequence

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from crossdock.kernel import jsontext
from crossdock.kernel.buckets import Spend
from crossdock.kernel.problems import Unavailable

# The time is the server's: gateways whose clocks differ still refill at one rate. A bucket that is full again expires.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local levels = {}
for i, spend in ipairs(cjson.decode(ARGV[1])) do
  local name, rate, most = 'limit:' .. spend[1], spend[2], spend[3]
  local level = most
  local kept = redis.call('GET', name)
  if kept then
    local left, at = string.match(kept, '(%S+) (%S+)')
    level = math.min(most, left + rate * math.max(0, now - at))
  end
  level = level - spend[4]
  local ttl = rate > 0 and math.ceil((most - level) / rate) + 1 or 172800
  redis.call('SET', name, string.format('%.6f %.6f', level, now), 'EX', string.format('%d', ttl))
  levels[i] = level
end
return cjson.encode(levels)
"""


class ValkeyBuckets:
    """See `Buckets`; keys `limit:<bucket>` with what is left and the time of that."""

    def __init__(self, url: str) -> None:
        once = Retry(NoBackoff(), 0)  # a call made twice would spend twice
        self._client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=once)
        self._spend = self._client.register_script(_SPEND)

    async def spend(self, spends: Sequence[Spend]) -> list[float]:
        """See `Buckets.spend`."""
        try:
            levels = jsontext.own_loads(await self._spend(args=[jsontext.dumps([tuple(spend) for spend in spends])]))
        except (RedisError, OSError) as error:
            raise Unavailable(f"limits: {type(error).__name__}") from error
        return [float(level) for level in levels]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

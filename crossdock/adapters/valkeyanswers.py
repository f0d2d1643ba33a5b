"""Kept answers on Valkey or Redis, one hash for each request."""

from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from crossdock.kernel import jsontext
from crossdock.kernel.keptanswers import KEPT, UNDER_WAY, Begin, KeptAnswer
from crossdock.kernel.problems import Unavailable

_CONNECTIONS = 16  # a call takes 0.2 ms; more at a time would only wait in the server
# An owner that asks again, because its connection broke before the answer came, has still begun.
_BEGIN = """
local kept = redis.call('HMGET', KEYS[1], 'print', 'owner', 'head', 'body')
if not kept[1] then
  redis.call('HSET', KEYS[1], 'print', ARGV[1], 'owner', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return {'begun'}
end
if kept[1] ~= ARGV[1] then return {'mismatch'} end
if kept[3] then return {'kept', kept[3], kept[4]} end
return {kept[2] == ARGV[2] and 'begun' or 'in flight'}
"""
_FINISH = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return end
redis.call('HSET', KEYS[1], 'head', ARGV[2], 'body', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
"""
_ABANDON = """
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class ValkeyAnswers:
    """See `Answers`; hashes `answer:<name>` of fingerprint, owner and, once it is there, the answer."""

    def __init__(self, url: str) -> None:
        pool: redis.BlockingConnectionPool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=1,
            socket_timeout=1,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 1),
        )
        self._client = redis.Redis.from_pool(pool)
        self._begin = self._client.register_script(_BEGIN)
        self._finish = self._client.register_script(_FINISH)
        self._abandon = self._client.register_script(_ABANDON)

    async def begin(self, name: str, fingerprint: str, owner: str) -> Begin | KeptAnswer:
        """See `Answers.begin`."""
        word, *answer = await self._call(self._begin, name, fingerprint, owner, UNDER_WAY)
        return _read(*answer) if answer else Begin(word.decode())

    async def finish(self, name: str, owner: str, answer: KeptAnswer) -> None:
        """See `Answers.finish`."""
        headers = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in answer.headers]
        head = jsontext.dumps([answer.status, answer.media.decode("latin-1"), headers])
        await self._call(self._finish, name, owner, head, answer.body, KEPT)

    async def abandon(self, name: str, owner: str) -> None:
        """See `Answers.abandon`."""
        await self._call(self._abandon, name, owner)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _call(self, script: Any, name: str, *args: str | bytes | int) -> Any:
        try:
            return await script(keys=[f"answer:{name}"], args=args)
        except (RedisError, OSError) as error:
            raise Unavailable(f"kept answers: {type(error).__name__}") from error


def _read(head: bytes, body: bytes) -> KeptAnswer:
    status, media, headers = jsontext.own_loads(head)
    pairs = tuple((key.encode("latin-1"), value.encode("latin-1")) for key, value in headers)
    return KeptAnswer(status, media.encode("latin-1"), pairs, body)

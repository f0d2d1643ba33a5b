"""Asks the embedded servers whether they work, in their own protocols over plain sockets. Called by `servers`."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, retry_if_result, wait_fixed

Probe = Callable[[], Awaitable[bool]]

_PAUSE = 0.03
_PATIENCE = 2.0  # seconds for one answer


async def until(probe: Probe) -> None:
    """Return when the probe succeeds; the caller ends the wait if the process dies."""
    again = retry_if_exception_type((OSError, TimeoutError, EOFError)) | retry_if_result(lambda working: not working)
    await AsyncRetrying(wait=wait_fixed(_PAUSE), retry=again)(probe)


def nats(port: int, user: str, password: str) -> Probe:
    """Return a probe that logs in; so another program on that port does not pass for ours."""
    connect = orjson.dumps({"user": user, "pass": password, "verbose": False, "pedantic": False})

    async def probe() -> bool:
        info, answer = await _talk(port, b"CONNECT " + connect + b"\r\nPING\r\n", lines=2)
        return info.startswith(b"INFO ") and answer.startswith(b"PONG")

    return probe


def valkey(port: int, password: str) -> Probe:
    """Return a probe that logs in: without that a server that is still loading does not say so."""

    async def probe() -> bool:
        login, answer = await _talk(port, f"AUTH {password}\r\nPING\r\n".encode(), lines=2)
        return login.startswith(b"+OK") and answer.startswith(b"+PONG")  # -LOADING means: not yet

    return probe


async def _talk(port: int, request: bytes, lines: int) -> list[bytes]:
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            return [await reader.readuntil(b"\n") for _ in range(lines)]
        finally:
            writer.close()

"""The simulated ERP, WMS and OMS: HTTP servers that check, remember and, on request, misbehave.

Used by `simulators.day`, by tests (`running_targets`) and as a program: `python -m simulators.targets --erp-port 0`.
"""

import argparse
import asyncio
import errno
import hashlib
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from simulators.books import Books, missing

NAMES = ("erp", "wms", "oms")
HOST = "127.0.0.1"
MODES = ("ok", "status", "delay", "reset", "flap")


@dataclass(frozen=True, slots=True)
class Control:
    """How a target behaves: `every` n-th request gets the fault; a reset or delay comes after the effect.

    With `only`, an event id, requests with other events are answered well.
    """

    mode: str = "ok"
    status: int = 503
    delay: float = 2.0
    every: int = 1
    only: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One event that had its effect, and the answer that a repeat gets again."""

    key: str
    id: str
    type: str
    partner: str
    order_key: str
    body: bytes
    answer: bytes

    def shown(self, *, full: bool) -> dict[str, Any]:
        """Return what `/_effects` tells of it."""
        fields = {name: getattr(self, name) for name in ("key", "id", "type", "partner", "order_key")}
        fields["sha"] = hashlib.sha256(self.body).hexdigest()
        return {**fields, "body": orjson.loads(self.body)} if full else fields


class Target:
    """One target system; every idempotency key has one effect."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.control = Control()
        self.requests = self.repeats = self.refused = self.faults = 0
        self.effects: dict[str, Effect] = {}
        self.by_type: Counter[str] = Counter()
        self.by_partner: Counter[str] = Counter()
        self.books = Books(name)
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on the port, 0 for a free one; `url` tells which."""
        app = web.Application(client_max_size=16 << 20)
        app.router.add_get("/_stats", self._stats)
        app.router.add_get("/_effects", self._effects)
        app.router.add_post("/_control", self._control)
        app.router.add_post("/{path:.*}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening and drop open connections."""
        if self._runner:
            await self._runner.cleanup()

    def stats(self) -> dict[str, Any]:
        """Return the counts and the state, as `/_stats` tells them."""
        counts = {"requests": self.requests, "effects": len(self.effects), "repeats": self.repeats}
        counts |= {"refused": self.refused, "faults": self.faults}
        kinds = {"by_type": dict(self.by_type), "by_partner": dict(self.by_partner)}
        return {"name": self.name, **counts, **kinds, "state": self.books.state}

    async def _stats(self, _request: web.Request) -> web.Response:
        return _json(200, self.stats())

    async def _effects(self, request: web.Request) -> web.Response:
        full = request.query.get("full") == "1"
        return _json(200, [effect.shown(full=full) for effect in self.effects.values()])

    async def _control(self, request: web.Request) -> web.Response:
        try:
            control = Control(**{"every": 1, **orjson.loads(await request.read())})
        except (TypeError, ValueError) as error:
            return _json(400, {"detail": str(error)})
        if control.mode not in MODES or control.every < 1:
            return _json(400, {"detail": f"mode is one of {', '.join(MODES)}; every is 1 or more"})
        self.control = control
        return _json(200, {"mode": control.mode})

    async def _receive(self, request: web.Request) -> web.Response:
        self.requests += 1
        control = self.control
        meant = control.only in ("", request.headers.get("ce-id"))
        hit = control.mode != "ok" and meant and self.requests % control.every == 0
        self.faults += hit
        if hit and control.mode in ("status", "flap"):
            return _json(control.status, {"detail": "misbehaving on request"})
        response = self._answer(request.headers, await request.read())
        if hit and control.mode == "delay":
            await asyncio.sleep(control.delay)
        if hit and control.mode == "reset" and request.transport:
            request.transport.abort()
        return response

    def _answer(self, headers: Mapping[str, str], body: bytes) -> web.Response:
        key = headers.get("Idempotency-Key", "")
        if key in self.effects:
            self.repeats += 1
            return web.Response(body=self.effects[key].answer, content_type="application/json")
        wrong = _header_problems(headers)
        data, kind = _parsed(body), headers.get("ce-type", "")
        wrong += missing(kind, data)
        if wrong:
            self.refused += 1
            return _json(422, {"detail": "; ".join(wrong)})
        return self._take(key, headers, kind, data, body)

    def _take(self, key: str, headers: Mapping[str, str], kind: str, data: Any, body: bytes) -> web.Response:
        try:
            self.books.book(kind, data)
        except (KeyError, TypeError, AttributeError) as error:
            self.refused += 1
            return _json(422, {"detail": f"cannot be booked: {error!r}"})
        partner = headers.get("ce-partner", "")
        self.by_type[kind] += 1
        self.by_partner[partner] += 1
        answer = orjson.dumps({"booked": len(self.effects) + 1})
        order_key = self.books.order_key(kind, data)
        self.effects[key] = Effect(key, headers["ce-id"], kind, partner, order_key, body, answer)
        return web.Response(body=answer, content_type="application/json")


def _header_problems(headers: Mapping[str, str]) -> list[str]:
    problems = [f"{name} is missing" for name in ("Idempotency-Key", "ce-id", "ce-source") if not headers.get(name)]
    if headers.get("ce-specversion") != "1.0":
        problems.append("ce-specversion is not 1.0")
    if headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
        problems.append("the content type is not application/json")
    return problems


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _json(status: int, document: Any) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")


@asynccontextmanager
async def running_targets(**ports: int) -> AsyncIterator[dict[str, Target]]:
    """Run the three targets, by default on free ports, and give them by name."""
    async with AsyncExitStack() as stack:
        targets = {name: Target(name) for name in NAMES}
        for name, target in targets.items():
            await target.start(ports.get(name, 0))
            stack.push_async_callback(target.stop)
        yield targets


def environment(targets: Mapping[str, Target]) -> dict[str, str]:
    """Return the variables by which `connectors/*.yaml` find the targets."""
    return {f"{name.upper()}_URL": target.url for name, target in targets.items()}


async def _serve(ports: Mapping[str, int]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_targets(**ports) as targets:
        sys.stdout.write(json.dumps({name: target.url for name, target in targets.items()}) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Run the targets until SIGTERM; the first line of output is their URLs as JSON."""
    parser = argparse.ArgumentParser(prog="python -m simulators.targets", description=main.__doc__)
    for name in NAMES:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 picks a free one")
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve({name: getattr(arguments, f"{name}_port") for name in NAMES}))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"port_taken  {error.strerror}  give another port; 0 picks a free one")


if __name__ == "__main__":
    main()

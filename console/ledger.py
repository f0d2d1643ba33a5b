"""`/ops/v1/ledger`: the running sums brought up to now, or proved from the streams; called by `console.api`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse

from console.access import Gate, Role
from console.desk import Desk
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable

_EVERY = 0.5  # seconds from line to line


def add_ledger(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the path of this file."""

    @app.get("/ops/v1/ledger", dependencies=[gate(Role.VIEWER)])
    async def ledger(deep: bool = False) -> Response:
        if deep:
            return StreamingResponse(_proof(desk), media_type="application/x-ndjson")
        return Response(jsontext.dumps((await desk.ledger()).as_dict()), media_type="application/json")


async def _proof(desk: Desk) -> AsyncIterator[bytes]:
    """Yield a line on how far each stream was read, again and again, and at last the ledger or why there is none."""
    read: dict[str, Any] = {}
    work = asyncio.ensure_future(desk.prove(lambda stream, at, last: read.update({stream: {"at": at, "of": last}})))
    try:
        while not (await asyncio.wait([work], timeout=_EVERY))[0]:
            yield jsontext.dumps({"read": read}) + b"\n"
        yield jsontext.dumps(work.result().as_dict()) + b"\n"
    except Unavailable as error:
        yield jsontext.dumps({"detail": str(error)}) + b"\n"
    finally:
        work.cancel()

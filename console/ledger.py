"""`/ops/v1/ledger`: the running sums brought up to now, or proved from the streams; called by `console.api`.

`/ops/v1/journal/unreadable`: what of JOURNAL is in no sum, as nobody can read it.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import JOURNAL
from crossdock.pipeline.unreadable import MOST

_EVERY = 0.5  # seconds from line to line
MOST_TEXT = 65_536  # characters of a message that nobody can read


def add_ledger(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/ledger", dependencies=[gate(Role.VIEWER)])
    async def ledger(deep: bool = False) -> Response:
        if deep:
            return StreamingResponse(_proof(desk), media_type="application/x-ndjson")
        return Response(jsontext.dumps((await desk.ledger()).as_dict()), media_type="application/json")

    @app.get("/ops/v1/journal/unreadable", dependencies=[gate(Role.VIEWER)])
    async def unreadable(limit: Annotated[int, Query(ge=0, le=MOST)] = MOST) -> Response:
        found = await desk.unreadable.all()
        return json_answer({"total": len(found), "items": found[:limit]})

    @app.get("/ops/v1/journal/unreadable/{seq}", dependencies=[gate(Role.OPERATOR)])
    async def text(seq: int, request: Request) -> Response:
        known = await _unreadable(desk, seq)
        await note(desk.audit, request, "journal.read", str(seq))
        message = await desk.stored(JOURNAL, seq)
        if message is None:
            raise HTTPException(404, f"message {seq} is past its retention")
        written = message.payload.decode(errors="backslashreplace")
        return json_answer({**known, "text": written[:MOST_TEXT], "left_out": max(0, len(written) - MOST_TEXT)})

    @app.delete("/ops/v1/journal/unreadable/{seq}", dependencies=[gate(Role.OPERATOR)])
    async def dismiss(seq: int, request: Request) -> Response:
        known = await _unreadable(desk, seq)
        await note(desk.audit, request, "journal.dismiss", str(seq))
        await desk.unreadable.dismiss(seq)
        return json_answer(known)


async def _unreadable(desk: Desk, seq: int) -> dict[str, Any]:
    known = next((one for one in await desk.unreadable.all() if one["seq"] == seq), None)
    if known is None:
        raise HTTPException(404, f"no message {seq} is named as stepped over")
    return known


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

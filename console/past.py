"""`GET /ops/v1/raw`: events as they were accepted, a page at a time; called by `console.api`."""

import base64
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from console.access import Gate, Role
from console.desk import Desk
from crossdock.kernel import jsontext
from crossdock.kernel.stream import ORIGIN, Message

MOST = 1000  # events of one page
MOST_BYTES = 8 << 20  # of one page

Number = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=MOST)]


def add_past(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the path."""

    @app.get("/ops/v1/raw", dependencies=[gate(Role.ARCHITECT)])
    async def raw(since: Number = 0, after: Number = 0, limit: Limit = MOST) -> Response:
        page = _page(await desk.past(since, after, limit))
        return Response(jsontext.dumps(page), media_type="application/json")


def _page(messages: Iterable[Message]) -> dict[str, Any]:
    """Return the events; `last` is where the next page begins after, 0 when there is nothing."""
    items, size, last = list[dict[str, Any]](), 0, 0
    for message in messages:
        size += len(message.payload)
        if items and size > MOST_BYTES:
            break
        last = message.seq
        if ORIGIN not in message.headers:  # a replay is an event that was told before
            items.append(_item(message))
    return {"items": items, "last": last}


def _item(message: Message) -> dict[str, Any]:
    _, partner, source = message.subject.split(".", 2)
    kept = {name: value for name, value in message.headers.items() if not name.startswith("Nats-")}
    told = {"seq": message.seq, "at": int(message.time * 1000), "partner": partner, "source": source, "headers": kept}
    try:
        return {**told, "body": message.payload.decode()}
    except UnicodeDecodeError:
        return {**told, "body_base64": base64.b64encode(message.payload).decode()}

"""Events in over HTTP, checked and stored: `uvicorn bench.handwritten.gateway:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from faststream.nats import NatsBroker

from bench.handwritten.contract import NATS_URL, fault

broker = NatsBroker(NATS_URL, logger=None)


@asynccontextmanager
async def connected(_: FastAPI) -> AsyncIterator[None]:
    """Hold the connection to the broker as long as the application runs."""
    async with broker:
        yield


app = FastAPI(lifespan=connected)


@app.post("/v1/events")
async def take(request: Request) -> Response:
    """Answer 202 once the broker has the event."""
    try:
        event = await request.json()
    except ValueError:
        return JSONResponse({"error": "this is not JSON"}, 400)
    if wrong := fault(event):
        return JSONResponse({"error": wrong}, 422)
    await broker.publish(event, "raw.sales", stream="RAW")
    return JSONResponse({"id": event["id"], "status": "accepted"}, 202)

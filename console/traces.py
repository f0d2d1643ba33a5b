"""Links from what became of an event to its traces, as the installation says where those are shown."""

import asyncio
from collections.abc import Mapping
from typing import Any

from console.desk import Desk
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import RAW
from crossdock.kernel.tracing import read

_MOST = 10  # events of one id or key that are looked at


async def with_traces(desk: Desk, journey: Mapping[str, Any]) -> dict[str, Any]:
    """Return a journey with the `traces` of its events, as far as they are traced and still in RAW."""
    if not desk.trace_url:
        return dict(journey)
    raws = dict.fromkeys(hop["raw"] for hop in journey["hops"] if hop.get("raw"))
    try:
        messages = await asyncio.gather(*(desk.stored(RAW, raw) for raw in [*raws][:_MOST]))
    except Unavailable:
        messages = []  # the journal has its answer without the broker
    found = [(message.seq, context) for message in messages if message and (context := read(message.headers))]
    traces = [
        {"raw": raw, "id": one.trace, "url": desk.trace_url.replace("{trace_id}", one.trace)}
        for raw, one in found
        if one.sampled
    ]
    return {**journey, "traces": traces}

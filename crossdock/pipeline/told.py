"""What is shown of a lane: its state, what it holds, and the keys that wait behind a failing event."""

import time
from typing import Any

from crossdock.pipeline.delivery import Delivery, said
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import now_ms

MOST_SHOWN = 10  # keys of a route; the report of a worker goes out every second


def told(lane: Lane) -> dict[str, Any]:
    """Return it for operators: `waiting` counts deliveries that wait for a retry or another event, or behind such."""
    held, gate = lane.attempts.held, lane.attempts.gate
    parked = held.parked_keys()
    return {
        "breaker": lane.state,
        "behind": not lane.following,
        "held": len(held),
        "waiting": held.waiting,
        "in_flight": int(gate.pace.limit),
        "parked_keys": len(parked),
        "parked": [_parked(first, behind) for first, behind in parked[:MOST_SHOWN]],
    }


def _parked(first: Delivery, behind: int) -> dict[str, Any]:
    """Return what is told of a key; `since` is Unix milliseconds, `behind` how many wait behind the first."""
    since = now_ms() - int((time.monotonic() - first.taken) * 1000)
    waits = first.after and not first.freed
    why = f"waiting for {' and '.join(map(str, first.after))}" if waits else said(first.last) if first.last else ""
    return {"key": first.key[1:], "since": since, "event_id": first.event.id, "why": why, "behind": behind}

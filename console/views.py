"""What the operations API shows: the overview and the journey of an event."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import HTTPException

from console.desk import Desk
from crossdock.kernel.stream import Lag
from crossdock.source import SourceSpec
from journal import keys
from journal.entry import DELIVER, DELIVERED, MATCHED, RETRIED, Entry
from journal.store import in_order

_NO_LAG = Lag("", 0)
_NO_WORKER: dict[str, Any] = {"breaker": "unknown", "behind": None}


async def show_overview(desk: Desk) -> dict[str, Any]:
    """Return sources, routes and the last steps with their counts."""
    counts = await asyncio.to_thread(desk.journal.counts)
    recent = await asyncio.to_thread(desk.journal.recent, 20)
    lags, states = await desk.lags(), desk.states()
    sums = {(stage, name, outcome): n for stage, name, outcome, n in counts["outcomes"]}
    routes = [_route(name, route.connector, lags, states, sums) for name, route in desk.project.routes.items()]
    return {
        "revision": desk.project.revision,
        "sources": [
            {"source": name, "partner": spec.partner} | _source_sums(sums, name) | _poll(desk, spec)
            for name, spec in desk.project.sources.items()
        ],
        "routes": routes,
        "lag": lags.get("process", _NO_LAG).waiting,
        "waiting": sum({lag.consumer: lag.waiting for lag in lags.values()}.values()),
        "oldest": max(desk.ages.values(), default=0.0),
        "ledger_gap": ledger.gap if (ledger := desk.last_ledger()) and not ledger.young else None,
        "dead_letters": counts["open"],
        "recent": [_hop(line) | {"id": line.id, "type": line.type, "source": line.source} for line in recent],
    }


def _poll(desk: Desk, spec: SourceSpec) -> dict[str, Any]:
    """Return as `poll` what is known of a source's poll; nothing for one that is sent to."""
    if spec.poll is None:
        return {}
    return {"poll": {"connector": spec.poll.connector, **desk.polls().get(spec.name, {})}}


def _route(
    name: str,
    connector: str,
    lags: Mapping[str, Lag],
    states: Mapping[str, Mapping[str, Any]],
    sums: Mapping[tuple[str, str, str], int],
) -> dict[str, Any]:
    lag = lags.get(name, _NO_LAG)
    told = {"route": name, "connector": connector, "lag": lag.waiting, "consumer": lag.consumer}
    return {**told, **_NO_WORKER, **states.get(name, {})} | {
        outcome: sums.get(("deliver", name, outcome), 0) for outcome in ("delivered", "retried", "dead_lettered")
    }


def show_connectors(desk: Desk) -> list[dict[str, Any]]:
    """Return the connectors with the lanes that lead to them and the polls that read from them."""
    project, states, polls = desk.project, desk.states(), desk.polls()
    shown = []
    for name, spec in sorted(project.connectors.items()):
        routes = [one for one in project.routes.values() if one.connector == name]
        sources = [one for one in project.sources.values() if one.poll and one.poll.connector == name]
        shown.append(
            {
                "connector": name,
                "kind": spec.kind,
                "description": spec.description,
                "routes": [{"route": one.name, **_NO_WORKER, **states.get(one.name, {})} for one in routes],
                "polls": [{"source": one.name, **polls.get(one.name, {})} for one in sources],
            }
        )
    return shown


def _source_sums(sums: Mapping[tuple[str, str, str], int], name: str) -> dict[str, int]:
    """Return the sums as the ledger has them: a repeat that the broker dropped was accepted and is a duplicate."""
    dropped = sums.get(("gateway", name, "duplicate"), 0)
    found = {outcome: sums.get(("process", name, outcome), 0) for outcome in ("routed", "duplicate", "dead_lettered")}
    accepted = sums.get(("gateway", name, "accepted"), 0)
    return found | {"accepted": accepted + dropped, "duplicate": found["duplicate"] + dropped}


async def show_journey(desk: Desk, text: str) -> dict[str, Any]:
    """Return every hop of the events with this id or business key; 404 when there is none."""
    lines = await asyncio.to_thread(desk.journal.find, text)
    if not lines:
        raise HTTPException(404, f"nothing is known of {text}; the journal may be a second behind")
    first = lines[0]
    event = {"id": first.id, "source": first.origin, "partner": first.partner, "type": first.type}
    business_keys = sorted({line.key for line in lines if line.key})
    return {"event": event | {"business_keys": business_keys}, "hops": [_hop(line) for line in in_order(lines)]}


def _hop(line: Entry) -> dict[str, Any]:
    fields = {k: v for k, v in line._asdict().items() if v and k not in ("origin", "partner", "source")}
    hop = {"stage": line.stage, "outcome": line.outcome, "detail": line.detail, **fields}
    hop |= _links(line)
    if line.keys:
        hop["keys"] = [{"kind": kind, "value": value} for kind, value in keys.read(line.keys)]
    return hop | _match(line) if line.outcome == MATCHED else hop


def _links(line: Entry) -> dict[str, Any]:
    """Return where the content is: as it came, as it was made of it, and as an attempt sends it."""
    base, found = "/ops/v1/contents", dict[str, str]()
    if line.raw:
        found["received"] = f"{base}/received/{line.raw}"
    if line.seq:
        found["canonical"] = f"{base}/canonical/{line.seq}"
    if line.seq and line.route and _was_tried(line):
        found["sent"] = f"{base}/sent/{line.seq}?{urlencode({'route': line.route, 'revision': line.revision})}"
    return {"links": found}


def _was_tried(line: Entry) -> bool:
    """Tell whether an attempt was made; whether that reached the target only its detail says, in words."""
    return line.stage == DELIVER and (line.outcome in (DELIVERED, RETRIED) or line.attempts > 0)


def _match(line: Entry) -> dict[str, Any]:
    """Say which routes took an event from the feed, and which are behind and look at it later."""
    routes, behind = _names(line.routes), _names(line.behind)
    told = ", ".join(routes)
    if not routes:
        told = "no route yet" if behind else "no route wants it"
    if behind:
        told += f"; {', '.join(behind)} {'is' if len(behind) == 1 else 'are'} behind"
    return {"detail": told, "feed": line.detail, "routes": routes, "behind": behind}


def _names(joined: str) -> list[str]:
    return joined.split(",") if joined else []

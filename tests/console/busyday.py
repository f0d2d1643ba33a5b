"""What happens on a day at a desk: deliveries of two weeks, deviations, alerts, acts that wait for a second person."""

import random
import time
from dataclasses import replace

from console.desk import Desk
from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.entry import Entry
from journal.figures import DAY, HOUR, MS
from journal.spec import MISSING_FIRST, Rule
from tests.alerts.scene import World
from tests.console.chromium import Seen
from tests.console.deskmade import HOSTILE
from tests.ports.test_conformance_port import ANNOUNCED, NOWHERE, RECEIVED
from tests.ports.test_conformance_port import event as happened
from tests.ports.test_processes_port import event as delivered

ALERTS = """\
alerts:
  - alert: erp-lag
    description: The ERP falls behind
    when: {lag: {route: [stock], above: 100}}
    severity: page
    to: [chat, away]
    do: Call the ERP team
channels:
  - {channel: chat, kind: log}
  - {channel: away, kind: log}
"""
RULE = Rule("receipt-without-asn", HOSTILE, (ANNOUNCED,), (RECEIVED,), MISSING_FIRST, 0.0, NOWHERE)


def desk_of(seen: Seen) -> Desk:
    """Return what the operations side of an opened page works with."""
    assert seen.desk.desk is not None
    return seen.desk.desk


def deliveries(seen: Seen, days: int = 1, each_hour: int = 4, now: int | None = None) -> None:
    """Deliver events of two stores, one with a hostile name, today and on the same days of the week before."""
    end, chance, raw = now or int(time.time() * 1000), random.Random(7), 1_000
    lines: list[Entry] = []
    for since in (end - 7 * DAY * MS, end):
        for hour in range(days * 24):
            for _ in range(each_hour):
                at = since - hour * HOUR * MS - chance.randrange(HOUR * MS // 2)
                store = HOSTILE if raw % 7 == 0 else f"004{raw % 4}"
                took = int(chance.lognormvariate(4, 1.2)) + 5
                lines += delivered(raw, at, store=store, ms=took // 4 + 1, sent=took)
                if raw % 9 == 0:
                    repeat = delivered(100_000 + raw, at + 50)[0]
                    lines.append(repeat._replace(stage=entry.PROCESS, outcome=entry.DUPLICATE, ref=raw))
                raw += 1
    journal = desk_of(seen).journal
    journal.project(sorted(lines, key=lambda line: line.at), journal.position() + 1)


def deviations(seen: Seen, many: int = 3) -> None:
    """Receive what nobody announced, some of it with a hostile key, on several days."""
    desk = desk_of(seen)
    desk.project = replace(desk.project, rules=(RULE,))
    journal, now = desk.journal, int(time.time() * 1000)
    assert isinstance(journal, SqlJournal)
    journal.processes.pairs.use([RULE])
    keys = [f"A/{place}" if place else HOSTILE for place in range(many)]
    lines = [
        happened(9_000 + place, now - place * DAY * MS // 2 - 9_000, RECEIVED, key) for place, key in enumerate(keys)
    ]
    journal.project(lines, journal.position() + 1)


async def alarms(seen: Seen) -> World:
    """Let an alert fire, one be over, and a channel fail; the desk has them. The project must have `ALERTS`."""
    desk = desk_of(seen)
    here = World(now=time.time() - 600, alerts=desk.project.alerts, away={"away"})
    desk.alerts = engine = here.engine()
    here.figures_ = {"route stock": 250.0, f"route {HOSTILE}": 120.0}
    await here.look(engine)
    here.figures_ = {"route stock": 300.0, f"route {HOSTILE}": 1.0}
    await here.look(engine, seconds=300)
    return here


async def asked(seen: Seen, act: str = "discard", who: str = "ben") -> str:
    """Let somebody ask for an act that takes a second person; return its id."""
    desk = desk_of(seen)
    desk.second_person = {"edit": 1, "discard": 1, "plan": 1000}
    wanted = {
        "discard": {"ids": ["dl-1"]}, "plan": {"plan": "rp-0"},
        "edit": {"id": "dl-1", "patch": [{"op": "replace", "path": "/data/store", "value": HOSTILE}]},
    }[act]  # fmt: skip
    return (await desk.approvals.ask(act, who, HOSTILE, 1, wanted, wanted)).id  # type: ignore[arg-type]

"""Changes content by `apply` under a constant rate: `python -m bench.changes [CHANGES] [RATE]`; issue 6, live changes.

Every other change is broken and must not go live. Then: nothing lost or repeated, no event made by two revisions, the
ledger even, and the time from POST to the ERP at most twice that of a quiet time just before.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.figures import percentiles
from bench.loader import Poster, Sent, constant_rate
from bench.measured import until
from bench.sales import Sale, make_load, wanted
from bench.sinks import faults
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import PROJECT, Stage, running_stage
from crossdock.adapters.whole import read
from crossdock.bundle import Bundle, pack
from crossdock.kernel.event import restore
from crossdock.kernel.stream import EVENTS, JOURNAL
from journal.entry import ROUTED, unpack

CHANGES, RATE, APART = 50, 500, 2.0  # the last in seconds between two changes
_SHARES = (0.5, 0.9, 0.99)
_WATCH = """
  - route: watch-{}
    from: [inventory.sold]
    when: total = "never"
    to: oms
"""


def prepared(root: Path) -> Path:
    """Copy the bench project, with a place in the canonical form for the mark of a revision."""
    project = Path(shutil.copytree(PROJECT, root / "project"))
    path = project / "schemas/inventory.sold/1.0.json"
    schema = orjson.loads(path.read_bytes())
    schema["properties"]["mark"] = {"type": "integer"}
    path.write_bytes(orjson.dumps(schema))
    return project


def changed(bundle: Bundle, number: int) -> Bundle:
    """Return the content of a change: other mapping, other connectors, and a route that comes and goes; or broken."""
    files = dict(bundle.files)
    _replace(files, "transforms/pos_sale.yaml", '"total": total', f'"mark": {number}, "total": total')
    for name in ("erp", "oms", "wms"):
        files[f"connectors/{name}.yaml"] += f"timeout: {10 + number % 20}s\n".encode()
    if number % 4 == 0:
        files["routes/targets.yaml"] += _WATCH.format(number).encode()
    if number % 2:
        _replace(files, "transforms/pos_sale.yaml", "business_key: store", "business_kee: store")
    return Bundle(files)


def _replace(files: dict[str, bytes], name: str, old: str, new: str) -> None:
    assert old.encode() in files[name]
    files[name] = files[name].replace(old.encode(), new.encode())


class Changer:
    """Applies changes one after the other; `marks` are those of the revisions that went live."""

    def __init__(self, console: str, token: str, bundle: Bundle) -> None:
        self.marks: dict[str, int | None] = {bundle.revision: None}
        self.refused = 0
        self.took: list[float] = []
        self.wrong: list[str] = []
        self._console, self._token, self._bundle = console, token, bundle

    async def run(self, changes: int) -> None:
        """Apply so many changes."""
        for number in range(changes):
            began = asyncio.get_running_loop().time()
            bundle = changed(self._bundle, number)
            status, told = await asyncio.to_thread(self._put, bundle.encode())
            self.took.append((asyncio.get_running_loop().time() - began) * 1000)
            if status == 200 and not told["waiting"]:
                self.marks[bundle.revision] = number
            elif status == 422:
                self.refused += 1
            if (status == 200) != (number % 2 == 0) or told.get("waiting"):
                self.wrong.append(f"change {number}: {status} {told}")
            await asyncio.sleep(max(0.0, began + APART - asyncio.get_running_loop().time()))

    def _put(self, archive: bytes) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self._console}/ops/v1/content?removed=drain", archive, method="PUT")
        request.add_header("authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def mixed(marks: Mapping[str, int | None], made: Mapping[int, int | None], revisions: Mapping[int, str]) -> list[str]:
    """Return the events, by their sequence in EVENTS, that were made by another revision than the journal says."""
    wrong = [seq for seq, mark in made.items() if seq not in revisions or marks.get(revisions[seq], -1) != mark]
    return [f"event {seq} has mark {made[seq]}, made by {revisions.get(seq)}" for seq in wrong[:5]]


async def measure(stage: Stage, changer: Changer, changes: int, rate: float) -> dict[str, Any]:
    """Send for as long as the changes take, first without and then with them."""
    quiet, _, _ = await _sent(stage, 2, rate, changes * APART)
    applying = asyncio.create_task(changer.run(changes))
    busy, sales, sent = await _sent(stage, 3, rate, changes * APART, applying)
    await applying
    arrivals, counts = await stage.sinks.arrivals(), await stage.sinks.counts()
    mixes = mixed(changer.marks, await _made(stage), await _revisions(stage))
    wrong = [*changer.wrong, *faults(wanted(sales), arrivals, counts), *mixes]
    ledger = await stage.ledger()
    return {
        "quiet": quiet,
        "changing": busy,
        "ratio_p99": round(busy["p99_ms"] / quiet["p99_ms"], 2),
        "applied": len(changer.marks) - 1,
        "refused": changer.refused,
        "apply": percentiles(changer.took, *_SHARES),
        "accepted": len(sent.accepted),
        "events": len(sales),
        "balanced": ledger["balanced"],
        "wrong": wrong,
    }


async def _made(stage: Stage) -> dict[int, int | None]:
    """Return the mark in each canonical event."""
    batches = read(stage.client, EVENTS)
    return {one.seq: restore(one.payload).data.get("mark") async for batch in batches for one in batch}


async def _revisions(stage: Stage) -> dict[int, str]:
    """Return by which revision the journal says that each canonical event was made."""
    batches = read(stage.client, JOURNAL)
    lines = [line async for batch in batches for one in batch for line in unpack(one.payload)]
    return {line.seq: line.revision for line in lines if line.outcome == ROUTED}


async def _sent(
    stage: Stage, salt: int, rate: float, seconds: float, during: "asyncio.Task[None] | None" = None
) -> tuple[dict[str, float], Sequence[Sale], Sent]:
    """Send for so long, and then until something is done; return the times to the ERP."""
    poster, sent, sales = Poster(stage.events_url, stage.key, 256), Sent(), list[Sale]()
    await stage.sinks.reset()
    while not sales or (during is not None and not during.done()):
        more = make_load(salt + 10 * len(sales), int(rate * (seconds if not sales else 2)))
        sales += more.sales
        part = await constant_rate(poster, more.sales, rate)
        sent.began.update(part.began)
        sent.statuses.update(part.statuses)
    await poster.close()
    await until(stage.is_settled, 120)
    arrived = (await stage.sinks.arrivals())["erp"]
    delays = [(arrived[name] - sent.began[name]) / 1e6 for name in sent.accepted if name in arrived]
    return percentiles(delays, *_SHARES), sales, sent


async def main(changes: int = CHANGES, rate: float = RATE) -> dict[str, Any]:
    """Measure once, and return what came of it."""
    with tempfile.TemporaryDirectory(prefix="crossdock-changes-") as name:
        root = prepared(Path(name))
        async with running_stage(Entry(CROSSDOCK, "always"), Size(), root) as stage:
            bundle = pack(root)
            await _sent(stage, 1, rate, 2)
            return await measure(stage, Changer(stage.console, stage.token, bundle), changes, rate)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*map(int, sys.argv[1:]))), indent=1))

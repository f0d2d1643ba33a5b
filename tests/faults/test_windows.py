"""Routes that hold events back while a worker is killed: nothing is lost, doubled, out of order or too early."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.installation import running, until
from tests.faults.samples import sale

CLOSED_FOR = 12.0  # seconds, in which the installation starts, takes the events and loses its worker
DELAY = 4


def test_what_waits_for_a_window_or_a_delay_survives_a_killed_worker(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        opens = time.time() + CLOSED_FOR
        closed = f"{_clock(opens - 3600)}-{_clock(opens)}"
        changes = {
            "routes/erp.yaml": [
                ("    order_by: location\n", f"    order_by: location\n    window: {{closed: '{closed}', zone: UTC}}\n")
            ],
            "routes/oms.yaml": [("    order_by: sale ?? document\n", f"    order_by: document\n    delay: {DELAY}s\n")],
        }
        async with running(tmp_path, changes) as site:
            erp, oms = site.targets["erp"], site.targets["oms"]
            for number in range(40):
                status, _, _ = await site.post(sale(number))
                assert status == 202
            sent = time.time()
            # when
            old, killed = site.kill("worker-0"), time.time()
            await site.replaced("worker-0", old)
            await until(lambda: len(oms.effects) == 40, "the delayed ones arrive")
            assert time.time() >= sent + DELAY - 1
            assert erp.requests == 0 or time.time() > opens
            # then
            await until(lambda: erp.requests > 0, "the window opens")
            assert time.time() > opens
            ledger = await site.settled()
            ids = [f"sale-{number}" for number in range(40)]
            assert [effect.id for effect in erp.effects.values()] == ids
            assert erp.requests == 40 or killed > opens  # on a busy machine it may hit deliveries under way
            assert sorted(effect.id for effect in oms.effects.values()) == sorted(ids)
            rows = {row["route"]: row for row in ledger["routes"]}
            assert [rows[name]["delivered"] for name in ("stock-to-erp", "orders-to-oms")] == [40, 40]

    asyncio.run(scenario())


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")

"""A whole installation in which one map is wrong, with devices that send to it; called by `simulators.operatorsday`."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp

from crossdock.contentfiles import FOLDERS
from simulators.devices import PARTNERS, Device, fleet
from simulators.events import Post
from simulators.installation import ROOT, Installation, InstallationError, Ready
from simulators.maker import Envelope
from simulators.targets import Target, environment, running_targets

SEED = 11
RATE = 40.0  # events a second of all devices together
POSTS = 15  # of each device
MAP, ROUTE = "transforms/targets/erp_stock.yaml", "stock-to-erp"
MISTAKE, MEANT = '"amount": order ? amount', '"amount": amount'  # no receipt of a till names an order
_BOOKED = (
    "location",
    "document",
    "at",
    "till",
    "device",
    "sale",
    "shipment",
    "to_location",
    "transaction",
    "currency",
    "lines",
)
_FIELDS = ", ".join(f'"{name}": {name}' for name in _BOOKED)
_WRONG_MAP = f"map: '{{{_FIELDS}, {MISTAKE}}}'\n"
_UNMAPPED = "    to: erp\n    order_by: location"
_NO_DATABASE = 'journal:\n  url: ""'
_KEY_WITHIN = 10.0


@dataclass
class Floor:
    """The running installation, its content and its targets; `sent` are the envelopes of each device, in order."""

    ready: Ready
    root: Path
    targets: dict[str, Target]
    devices: list[Device]
    session: aiohttp.ClientSession
    installation: Installation
    sent: dict[str, list[Envelope]] = field(default_factory=dict)

    async def ops(self, method: str, path: str, body: Any = None) -> Any:
        """Call the operations API as its first operator; return the document.

        Raises:
            InstallationError: it refused.
        """
        headers = {"Authorization": f"Bearer {self.ready.ops_token}"}
        async with self.session.request(method, self.ready.console + path, headers=headers, json=body) as answer:
            if answer.status >= 400:
                raise InstallationError(f"{method} {path}: {answer.status} {await answer.text()}")
            return json.loads(await answer.read())

    @asynccontextmanager
    async def trading(self) -> AsyncIterator[None]:
        """Let all devices send while the body runs; at its end every post has its answer."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for device in self.devices:
                group.create_task(device.run(self.session, stop))
            try:
                yield
            finally:
                stop.set()

    async def settled(self) -> None:
        """Wait until everything sent is delivered or a dead letter."""
        while True:
            told = await self.ops("GET", "/ops/v1/ledger")
            if not any(row["in_progress"] for row in (*told["sources"], *told["routes"])):
                return
            await asyncio.sleep(0.2)

    async def mend(self) -> None:
        """Correct the map and put it in force, as an architect would."""
        file = self.root / MAP
        file.write_text(file.read_text().replace(MISTAKE, MEANT))
        code, said = await self.installation.run("apply", "--project", str(self.root), "--json")
        if code:
            raise InstallationError(said)


@asynccontextmanager
async def opened(folder: Path, posts: int = POSTS, journal: str = "") -> AsyncIterator[Floor]:
    """Start everything with the mistake in it, nothing sent yet; nothing is left running at the end.

    Each device sends `posts` times at most; `journal` is the address of its database, SQLite in the folder without.
    """
    root = _content(folder / "project", journal)
    async with running_targets() as targets, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        options = ("--gateway-port", "0", "--console-port", "0", "--no-watch", "--project", str(root))
        installation = Installation(folder / "data", environment(targets), options)
        try:
            floor = Floor(await installation.start(), root, targets, [], session, installation)
            keys = {partner: await _key(floor, partner) for partner in sorted(set(PARTNERS.values()))}
            floor.devices = fleet(floor.ready.gateway, keys, RATE, SEED)
            for device in floor.devices:
                device.posts = _noted(islice(device.posts, posts), floor.sent.setdefault(device.name, []))
            yield floor
        finally:
            await installation.stop()


def _content(root: Path, journal: str) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    settings = (ROOT / "config.yaml").read_text()
    (root / "config.yaml").write_text(settings.replace(_NO_DATABASE, f'{_NO_DATABASE[:-1]}{journal}"'))
    (root / MAP).parent.mkdir(exist_ok=True)
    (root / MAP).write_text(_WRONG_MAP)
    file = root / "routes/erp.yaml"
    file.write_text(
        file.read_text().replace(_UNMAPPED, _UNMAPPED.replace("erp\n", f"erp\n    map: {Path(MAP).stem}\n"))
    )
    return root


async def _key(floor: Floor, partner: str) -> str:
    made = await floor.ops("POST", "/ops/v1/keys", {"partner": partner})
    async with asyncio.timeout(_KEY_WITHIN):
        while True:  # the gateway hears of a key a moment later
            headers = {"X-API-Key": made["key"]}
            async with floor.session.get(floor.ready.gateway + "/v1/catalog", headers=headers) as answer:
                if answer.status == 200:
                    return str(made["key"])
            await asyncio.sleep(0.05)


def _noted(posts: Iterator[Post], sent: list[Envelope]) -> Iterator[Post]:
    for post in posts:
        sent += post
        yield post

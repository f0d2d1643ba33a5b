"""Takes files out of a folder once they stand still: claimed by a rename, checked whole, read in lots, archived."""

import asyncio
import hashlib
import logging
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO

from connectors.folder import CLAIMED, Entry, Folder, Gone, mended
from connectors.folderspec import FolderOptions, FolderPoll, meant, takeable
from connectors.port import Fault, Lot
from crossdock.formats.port import Row
from crossdock.kernel.problems import Problem, Unavailable

log = logging.getLogger(__name__)

MOST_ITEMS = 500  # of a lot
MOST_FAULTS = 20  # that are told of one file
LEASE = 120.0  # seconds after which a claim that nobody renewed is free


@dataclass(slots=True)
class _Taken:
    """A file that is claimed: its name, where it is now and since when, its copy here and what is left of it."""

    name: str
    path: str
    since: float
    modified: float
    copy: BinaryIO
    digest: str = ""
    rows: Iterator[Row | Problem] = field(default_factory=lambda: iter(()))
    lot: Lot | None = None


class FolderOrigin:
    """Gives a file in lots, each until it is done; `clock` gives Unix seconds."""

    def __init__(self, options: FolderOptions, folder: Folder, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._poll = options.poll or FolderPoll()
        self._folder = folder
        self._clock = clock
        self._token = secrets.token_hex(4)
        self._seen: dict[str, tuple[Entry, float]] = {}
        self._told: set[str] = set()  # names that cannot be taken and that the log has
        self._taken: _Taken | None = None

    async def take(self, position: str) -> Lot | None:
        """Return the next lot, the same one until it is done; see `connectors.port`."""
        try:
            while True:
                if self._taken is None:
                    self._taken = await self._next()
                if self._taken is None:
                    return None
                if await self._kept(self._taken) and (lot := await self._lot(self._taken)):
                    return lot
        except Fault as fault:
            raise Unavailable(fault.detail) from None

    async def done(self, lot: Lot) -> None:
        """Go on to the next lot; archive the file after its last one."""
        if (taken := self._taken) is None or taken.lot is not lot:
            return
        if lot.faults:
            await self.refuse(lot, "")
        else:
            taken.lot = None
            await self._outside(self._lot(taken))  # which archives it if there is none

    async def refuse(self, lot: Lot, why: str) -> None:
        """Put the file aside, with the reason in a file beside it."""
        if (taken := self._taken) is not None and taken.lot is lot:
            reason = "".join(f"{line}\n" for line in (why, *lot.faults) if line)
            await self._outside(self._leave(taken, self._poll.errors, reason))

    async def close(self) -> None:
        """Give back what is claimed, so that whoever comes next need not wait."""
        if self._taken is not None:
            with suppress(Fault):
                await self._folder.rename(self._taken.path, self._path(self._taken.name, 0))
            self._forget(self._taken)
        await self._folder.close()

    async def _outside(self, act: Awaitable[object]) -> None:
        try:
            await act
        except Gone:
            self._forget(self._taken)  # the claim went to another after its time, who archives it
        except Fault as fault:
            raise Unavailable(fault.detail) from None

    def _path(self, name: str, since: float) -> str:
        return f"{CLAIMED}/{int(since)}.{self._token}.{name}"

    async def _next(self) -> _Taken | None:
        """Claim a file: one whose claim ran out, else the first by name that stands still."""
        for entry in await self._folder.files(CLAIMED):
            since, _, rest = entry.name.partition(".")
            name = rest.partition(".")[2]
            free = name and since.isdigit() and self._clock() - int(since) >= LEASE
            if free and (taken := await self._claim(entry._replace(name=name), f"{CLAIMED}/{entry.name}")):
                return taken
        entries = await self._folder.files()
        now, names = self._clock(), {entry.name: entry for entry in entries}
        self._told &= names.keys()
        self._seen = {name: kept for name, kept in self._seen.items() if name in names and kept[0] == names[name]}
        for entry in sorted(entries):
            ready = self._wanted(entry.name) and self._still(entry, names, now)
            if ready and (taken := await self._claim(entry, entry.name)):
                return taken
        return None

    def _wanted(self, name: str) -> bool:
        if not meant(name, self._options):
            return False
        if not (fit := takeable(name)) and name not in self._told:
            self._told.add(name)
            log.warning("%s: a file is passed over, rename it: %a", self._options.folder, name)
        return fit

    def _still(self, entry: Entry, names: dict[str, Entry], now: float) -> bool:
        """Tell whether nobody writes the file any more; a control file that is older than it belongs to one before."""
        if control := self._options.control:
            beside = names.get(entry.name + control)
            return beside is not None and beside.modified >= entry.modified
        _, since = self._seen.setdefault(entry.name, (entry, now))
        return now - since >= self._poll.settle

    async def _claim(self, entry: Entry, path: str) -> _Taken | None:
        """Rename a file so that nobody else takes it, and copy it; None if it is gone or was still written."""
        now = self._clock()
        claimed = self._path(entry.name, now)
        await self._folder.make(CLAIMED)
        try:
            await self._folder.rename(path, claimed)
        except Gone:
            return None
        taken = _Taken(entry.name, claimed, now, entry.modified, tempfile.TemporaryFile())  # noqa: SIM115 - closed by _forget
        try:
            return await self._begun(taken, entry, fresh=path == entry.name)
        except BaseException:
            self._forget(taken)
            raise

    async def _begun(self, taken: _Taken, entry: Entry, *, fresh: bool) -> _Taken | None:
        """Copy and check a file that was claimed; give it back if it was still written."""
        claimed = taken.path
        size = await self._copied(taken) if entry.size <= self._options.most else entry.size
        if await self._folder.look(claimed) != Entry(claimed.rpartition("/")[2], size, entry.modified):
            self._forget(taken)
            if await self._folder.look(entry.name) is None:
                await self._folder.rename(claimed, entry.name)
            return None
        if fresh and self._options.control:
            await self._folder.remove(entry.name + self._options.control)
        await asyncio.to_thread(self._check, taken, size)
        return taken

    async def _copied(self, taken: _Taken) -> int:
        """Copy a file, which may be read twice then and does not change; return its size."""
        digest, size = hashlib.sha256(), 0
        async for block in self._folder.read(taken.path):
            size += len(block)
            if size > self._options.most:
                break
            digest.update(block)
            await asyncio.to_thread(taken.copy.write, block)
        taken.digest = digest.hexdigest()
        return size

    def _check(self, taken: _Taken, size: int) -> None:
        """Read the whole file before anything of it is taken: a file is taken whole or not at all."""
        faults = [f"{taken.name}: {size} bytes, {self._options.most} are allowed"]
        if size <= self._options.most:
            faults = [f"{taken.name}, {fault}" for fault in self._faults(taken.copy)]
            taken.copy.seek(0)
            taken.rows = self._options.format.decode(taken.copy)
        taken.lot = Lot(taken.name, (), faults=faults) if faults else None

    def _faults(self, copy: BinaryIO) -> list[str]:
        copy.seek(0)
        wrong = (one for one in self._options.format.decode(copy) if isinstance(one, Problem))
        return [f"line {problem.line}: {problem.message}" for problem in islice(wrong, MOST_FAULTS)]

    async def _kept(self, taken: _Taken) -> bool:
        """Renew a claim in time; it may have gone to another when this process stood still."""
        now = self._clock()
        if now - taken.since > LEASE / 2:
            path = self._path(taken.name, now)
            try:
                await self._folder.rename(taken.path, path)
            except Gone:
                self._forget(taken)
                return False
            taken.path, taken.since = path, now
        return True

    async def _lot(self, taken: _Taken) -> Lot | None:
        """Return what is next of the file; archive it when that is nothing."""
        if taken.lot is None:
            rows = await asyncio.to_thread(_some, taken.rows)
            if not rows:
                await mended(self._folder, self._poll.errors, taken.name)
                await self._leave(taken, f"{self._poll.archive}/{_moment(self._clock())[:10]}", "")
                return None
            about = {"file": taken.name, "modified": _moment(taken.modified), "digest": taken.digest}
            headers = [{**about, "line": str(row.line)} for row in rows]
            taken.lot = Lot(f"{taken.name}, line {rows[0].line}", [row.value for row in rows], headers=headers)
        return taken.lot

    async def _leave(self, taken: _Taken, inside: str, reason: str) -> None:
        """Move a file away under a name that is free there; the reason comes first, as the move ends it."""
        await self._folder.make(inside)
        name, number = taken.name, 0
        while await self._folder.look(f"{inside}/{name}") is not None:
            number += 1
            name = f"{taken.name}.{number}"
        if reason:
            await self._folder.remove(f"{inside}/{name}.reason")
            await self._folder.write(f"{inside}/{name}.reason", reason.encode())
        await self._folder.rename(taken.path, f"{inside}/{name}")
        self._forget(taken)

    def _forget(self, taken: _Taken | None) -> None:
        if taken is not None:
            taken.rows = iter(())  # which still reads the copy
            taken.copy.close()
        self._taken = None


def _some(rows: Iterator[Row | Problem]) -> list[Row]:
    return [row for row in islice(rows, MOST_ITEMS) if isinstance(row, Row)]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""Puts events into a folder as files: under a temporary name first, so that nobody reads half a file."""

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from connectors.answers import visible
from connectors.batch import Batcher, Item
from connectors.folder import TEMPORARY, UNFINISHED, Exists, Folder
from connectors.folderspec import FolderOptions, meant, takeable
from connectors.port import Fault, Result
from connectors.spec import ConnectorSpec, Rehearsed
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused, refuse
from crossdock.kernel.tracing import NONE

_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\Z")
_LEFT = 3600.0  # seconds after which what a killed process was writing is removed


def rehearse_folder(spec: ConnectorSpec, event: Event, key: str) -> Rehearsed:
    """Return the file that an event becomes; bytes that are not UTF-8 are shown as U+FFFD."""
    options: FolderOptions = spec.options
    items = [(event, key)]
    name = _whole_name(options, _name(options, event, key), items)
    try:
        content = _content(options, items)
    except TypeError as error:
        raise refuse("bad_item", str(error)) from None
    return Rehearsed("WRITE", f"{options.folder.rstrip('/')}/{name}", {}, content.decode("utf-8", "replace"))


def _name(options: FolderOptions, event: Event, key: str) -> str:
    said = options.name
    name = said if isinstance(said, str) else said.value(view(event.extended(idempotencykey=key)))
    if not isinstance(name, str) or not _NAME.match(name):
        message = f"{str(name)[:80]!r} is no name of a file: letters, digits, . _ and -, the first no dot"
        raise refuse("bad_name", message, "let the expression replace others")
    if isinstance(event.data, bytes):
        raise refuse("bad_item", "data that is not JSON cannot be written in a format")
    return name


def _whole_name(options: FolderOptions, name: str, items: Sequence[Item]) -> str:
    """Return the name that no other file has: made unique by the keys, unless an expression makes one a file."""
    if not options.batch and not isinstance(options.name, str):
        return name
    digest = hashlib.sha256("\n".join(key for _, key in items).encode()).hexdigest()[:16]
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}-{digest}.{suffix}" if dot else f"{name}-{digest}"


def _content(options: FolderOptions, items: Sequence[Item]) -> bytes:
    content = options.format.encode([event.data for event, _ in items])
    if len(content) > options.most:
        raise refuse("too_large", f"a file of {len(content)} bytes, {options.most} are allowed")
    return content


class DropConnector:
    """Writes one file an event or a batch; what is there already with the same content counts as delivered."""

    def __init__(self, spec: ConnectorSpec, folder: Folder) -> None:
        self._spec = spec
        self._options: FolderOptions = spec.options
        self._folder = folder
        self._batcher = Batcher(self._send, self._options.batch, self._options.within)
        self._swept = False

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        """Make one attempt; see `connectors.port`."""
        if self._options.batch:
            return await self._batcher.deliver(event, key)
        return (await self._send([(event, key)]))[0]

    async def probe(self) -> Result:
        """List the folder, and write and remove a file if the connector says so; see `connectors.port`."""
        try:
            async with asyncio.timeout(self._spec.timeout):
                found = await self._folder.files()
                if self._options.writes:
                    path = f"{TEMPORARY}{secrets.token_hex(8)}{UNFINISHED}"
                    await self._folder.write(path, b"")
                    await self._folder.remove(path)
        except (Fault, TimeoutError) as error:
            return self._failed(error)
        done = "listed and written to" if self._options.writes else "listed"
        unfit = sum(meant(one.name, self._options) and not takeable(one.name) for one in found)
        passed_over = f", {unfit} of them with a name that is passed over" if unfit else ""
        return Result("delivered", 0, f"the folder can be {done}; it has {len(found)} files{passed_over}")

    async def close(self) -> None:
        """Let what is under way end, then the connection."""
        await self._batcher.close()
        await self._folder.close()

    async def _send(self, items: Sequence[Item]) -> list[Result]:
        results: dict[int, Result] = {}
        files: dict[str, list[int]] = {}
        for i, (event, key) in enumerate(items):
            try:
                files.setdefault(_name(self._options, event, key), []).append(i)
            except Refused as error:
                results[i] = self._refused(error)
        for name, members in files.items():
            results.update(zip(members, await self._file(name, [items[i] for i in members]), strict=True))
        return [results[i] for i in range(len(items))]

    async def _file(self, name: str, items: Sequence[Item]) -> list[Result]:
        """Write the items as one file; as several where they are too large, or where one of them does not fit."""
        try:
            content = _content(self._options, items)
        except (Refused, TypeError) as error:  # an integer that a `map` made beyond 64 bits is the latter
            if len(items) == 1:
                return [self._refused(error)]
            half = len(items) // 2
            return [*await self._file(name, items[:half]), *await self._file(name, items[half:])]
        try:
            async with asyncio.timeout(self._spec.timeout):
                detail = await self._place(_whole_name(self._options, name, items), content)
        except (Fault, TimeoutError) as error:
            return [self._failed(error)] * len(items)
        return [Result("delivered", 0, detail, quotes=not isinstance(self._options.name, str))] * len(items)

    async def _place(self, name: str, content: bytes) -> str:
        await self._sweep()
        there = await self._folder.look(name) is not None
        if not there:
            path = f"{TEMPORARY}{secrets.token_hex(8)}{UNFINISHED}"
            try:
                await self._folder.write(path, content)
                await self._folder.publish(path, name)
            except Exists:
                there = True  # another worker made the same attempt
            except BaseException:
                with suppress(Fault, TimeoutError, asyncio.CancelledError):
                    await self._folder.remove(path)
                raise
            if there:
                await self._folder.remove(path)
        if there and not await self._same(name, content):
            raise Fault("permanent", f"{name} is there already with other content")
        if self._options.control:
            with suppress(Exists):
                await self._folder.write(name + self._options.control, b"")
        return f"{name} was there already" if there else f"{name}, {len(content)} bytes"

    async def _same(self, name: str, content: bytes) -> bool:
        place = 0
        async for block in self._folder.read(name):
            if content[place : place + len(block)] != block:
                return False
            place += len(block)
        return place == len(content)

    async def _sweep(self) -> None:
        """Remove once what a process that was killed has left half written."""
        if self._swept:
            return
        left = await self._folder.files()
        self._swept = True
        for entry in left:
            ours = entry.name.startswith(TEMPORARY) and entry.name.endswith(UNFINISHED)
            if ours and entry.modified < time.time() - _LEFT:
                await self._folder.remove(entry.name)

    def _failed(self, error: Fault | TimeoutError) -> Result:
        if isinstance(error, Fault):
            return Result(error.outcome, 0, visible(error.detail, self._spec.secrets))
        return Result("in_doubt", 0, f"not done within {self._spec.timeout:g} s")

    def _refused(self, error: Refused | TypeError) -> Result:
        return Result("permanent", 0, visible(str(error), self._spec.secrets))

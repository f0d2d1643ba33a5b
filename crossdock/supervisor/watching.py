"""Puts the folder of the project in force at the start of `up`, and again when it has changed. Called by `up`."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any

from crossdock.bundle import pack
from crossdock.contentfiles import files, revision_of
from crossdock.kernel.pinned import pinned
from crossdock.kernel.problems import Problem, Refused
from crossdock.supervisor.report import Ready, Report

LOOK_EVERY = 1.0
STILL_FOR = 0.5  # seconds in which nothing may change: an editor or a checkout writes many files
ANSWER_WITHIN = 3600.0  # seconds; a check of much content takes long, and whoever ends closes the connection

_HINT = "see its log; the folder is applied again when it changes"

Stamp = frozenset[tuple[str, int, int]]


class Watching:
    """The folder of one installation; what is wrong with it is reported, and what is in force goes on."""

    def __init__(self, root: Path, at: Ready, report: Report) -> None:
        self._root = root
        self._at = at
        self._report = report
        self._seen = _stamp(root)

    async def first(self) -> None:
        """Put the folder in force if something else is, of an earlier run."""
        found = await asyncio.to_thread(self._call, "GET", None)
        try:
            same = found.get("revision") == revision_of(self._root)
        except OSError:
            return
        except Refused:  # which applying it will tell
            same = False
        if not same:
            await self._apply()

    async def run(self) -> None:
        """Apply what changes, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = _stamp(self._root)
            if now == self._seen:
                continue
            while now != (now := await _later(self._root)):
                pass
            self._seen = now
            await self._apply()

    async def _apply(self) -> None:
        try:
            archive = await asyncio.to_thread(lambda: pack(self._root).encode())
            told = await asyncio.to_thread(self._call, "PUT", archive)
            if problems := told.get("problems"):
                raise Refused([Problem(**problem) for problem in problems])
        except Refused as refused:
            self._report.rejected(refused.problems)
        except OSError:  # a file went away while it was read: it is seen at the next look
            self._seen = frozenset()
        else:
            if told.get("changed"):
                self._report.content(told["revision"])

    def _call(self, method: str, archive: bytes | None) -> dict[str, Any]:
        """Return what the operations side answers; nothing when it does not, as it is being started again."""
        request = urllib.request.Request(f"{self._at.console}/ops/v1/content?by=folder", archive, method=method)
        request.add_header("authorization", f"Bearer {self._at.ops_token}")
        try:
            trust = pinned(self._at.cert) if self._at.cert else None
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN, context=trust) as answer:
                document: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            document = _refusal(error)
        except (OSError, HTTPException, ValueError):
            document = {}
        if not document:
            self._seen = frozenset()
        return document


def _refusal(error: urllib.error.HTTPError) -> dict[str, Any]:
    """Return an answer with problems; none when it may be another one soon."""
    if error.code == HTTPStatus.UNPROCESSABLE_ENTITY:
        document: dict[str, Any] = json.loads(error.read())
        return document
    if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
        return {}
    problem = Problem("check_failed", f"the operations side answers with {error.code}", _HINT)
    return {"problems": [problem.as_dict()]}


async def _later(root: Path) -> Stamp:
    await asyncio.sleep(STILL_FOR)
    return _stamp(root)


def _stamp(root: Path) -> Stamp:
    """Return names, times and sizes of all content; far cheaper than its hash."""
    found = set()
    for path in files(root):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.add((str(path), stat.st_mtime_ns, stat.st_size))
    return frozenset(found)

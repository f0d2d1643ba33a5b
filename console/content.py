"""`/ops/v1/content`: what is in force and in which process, and changing it."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from fastapi import FastAPI, HTTPException, Request, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note
from crossdock.bundle import decode
from crossdock.contentfiles import MOST_BYTES
from crossdock.kernel.problems import Refused
from dlq.audit import Audit

Word = Literal["drain", "discard"]


class Told(Protocol):
    """What came of a change."""

    def as_dict(self) -> Mapping[str, Any]:
        """Return it for an answer."""


class Office(Protocol):
    """Where content is put in force."""

    async def apply(self, archive: bytes, word: Word | None) -> Told:
        """Put the files of a project in force.

        Raises:
            Refused: with everything that is wrong; what was in force goes on.
            Unavailable: the broker does not answer.
        """

    async def files(self) -> bytes:
        """Return the files in force, in the form in which they are applied.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def state(self) -> Mapping[str, Any]:
        """Return what is in force, and what was rejected last.

        Raises:
            Unavailable: the broker does not answer.
        """


def add_content(app: FastAPI, office: Office, audit: Audit, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/content", dependencies=[gate(Role.VIEWER)])
    async def show() -> Response:
        return json_answer(await office.state())

    @app.get("/ops/v1/content/files", dependencies=[gate(Role.ARCHITECT)])
    async def files() -> Response:
        return json_answer({"archive": base64.b64encode(await office.files()).decode()})

    @app.put("/ops/v1/content", dependencies=[gate(Role.ARCHITECT)])
    async def change(request: Request, removed: Word | None = None, by: Literal["", "folder"] = "") -> Response:
        try:
            archive = await body_of(request)
            bundle = await asyncio.to_thread(decode, archive)
            told = {"by": by} if by else {}  # such as `folder`, of which `up` applies each change
            await note(audit, request, "content.apply", bundle.revision, removed=removed or "", **told)
            return json_answer((await office.apply(archive, removed)).as_dict())
        except Refused as error:
            problems = [problem.as_dict() for problem in error.problems]
            return json_answer({"detail": "the content was not put in force", "problems": problems}, 422)


async def body_of(request: Request) -> bytes:
    """Return the body of a request that brings content; 413 for more than content may have."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise HTTPException(413, f"at most {MOST_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)

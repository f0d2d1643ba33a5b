"""Where config asks for a second person: an act is kept as asked for; called by the paths of these acts."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from console.access import person
from console.audit import note
from console.desk import Desk
from crossdock.kernel import jsontext
from dlq.approvals import Act


async def second_person(
    desk: Desk,
    request: Request,
    act: Act,
    letters: int,
    wanted: Mapping[str, Any],
    why: str,
    shown: Mapping[str, Any] | None = None,
) -> Response | None:
    """Ask for an act on so many dead letters and answer 202, or return None: nobody else needs to allow it.

    `wanted` is what it takes to do it, `shown` that for people where it holds personal values.
    """
    least = desk.second_person.get(act)
    if least is None or letters < least:
        return None
    told = wanted if shown is None else shown
    await note(desk.audit, request, "approval.ask", act, letters=letters, why=why)
    asked = await desk.approvals.ask(act, person(request), why, letters, wanted, told)
    return Response(jsontext.dumps({"approval": asked.as_dict()}), 202, media_type="application/json")

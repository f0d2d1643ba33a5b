"""What came of each event of a batch that was sent as one request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast, get_args

from connectors.answers import Answers, document_of, judged, visible
from connectors.batch import Item
from connectors.connection import Response
from connectors.formula import Formula, seen
from connectors.port import Outcome, Result
from connectors.request import listed
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused

Send = Callable[[Sequence[Item]], Awaitable[list[Result]]]


async def isolating(send: Send, items: Sequence[Item]) -> list[Result]:
    """Send a batch, and halves of it where the target refuses it as a whole: one bad event must not stop the others."""
    results = await send(items)
    if len(items) == 1 or any(result.outcome != "permanent" for result in results):
        return results
    half = len(items) // 2
    return [*await isolating(send, items[:half]), *await isolating(send, items[half:])]


def of_each(
    response: Response, answers: Answers, told: Formula, items: Sequence[Item], now: float, secrets: Sequence[str]
) -> list[Result]:
    """Return what an answer says of each event; all are in doubt where it cannot be read."""
    try:
        found = told.value(seen({**document_of(response), "items": listed(items)}, items[0][0]))
        results = found if isinstance(found, list) else [found]
        if len(results) != len(items):
            raise ValueError(f"the answer tells of {len(results)} events, {len(items)} were sent")
        return [_of_one(result, response, answers, now, secrets) for result in results]
    except (Refused, ValueError) as error:
        doubt = Result("in_doubt", response.status, visible(f"batch.results: {error}", secrets))
        return [doubt] * len(items)


def _of_one(told: Any, response: Response, answers: Answers, now: float, secrets: Sequence[str]) -> Result:
    """Return what one entry means: a word for an outcome, or an answer of its own, with a status and a body."""
    said: Mapping[str, Any] = told if isinstance(told, Mapping) else {"is": told}
    if "is" in said:
        if said["is"] not in get_args(Outcome):
            raise ValueError(f"{said['is']!r} is none of {', '.join(get_args(Outcome))}")
        detail = visible(str(said.get("detail", said["is"])), secrets)
        return Result(cast(Outcome, said["is"]), response.status, detail, quotes="detail" in said)
    status, body = said.get("status"), said.get("body", "")
    if not isinstance(status, int):
        raise ValueError("an entry has neither `is` nor a status")
    written = body.encode() if isinstance(body, str) else jsontext.dumps(body)
    return judged(Response(status, response.headers, written), answers, now, secrets)

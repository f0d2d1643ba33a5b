"""A batch of events: each member is judged alone and answered alone."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway.answers import RETRY_AFTER, Answer, problem_document


def batch_limit(project: Project, partner: str) -> int:
    """Return how many events a partner may send at once: the most that one of its sources takes."""
    return max((source.batch_limit for source in project.sources.values() if source.partner == partner), default=0)


def split_batch(raw: bytes, limit: int) -> list[bytes]:
    """Return the members of a batch, each as its own bytes.

    Raises:
        Refused: not an array, or more members than allowed.
    """
    members = jsontext.split_array(raw)
    if len(members) > limit:
        raise refuse("batch_too_large", f"{len(members)} events; at most {limit} are taken", "send smaller batches")
    return members


def check_batch(source: SourceSpec, taken: Counter[str]) -> None:
    """Count one more member of a batch for its source.

    Raises:
        Refused: `batch_too_large`, the source takes no more at once.
    """
    taken[source.name] += 1
    if taken[source.name] > source.batch_limit:
        raise refuse("batch_too_large", f"source {source.name} takes {source.batch_limit} events at once")


def refusal(member: bytes, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the answer for a refused member of a batch, with its id when it has one."""
    document = problem_document(problems)
    answer = {**document, "code": document["status"], "status": "refused"}
    try:
        given = jsontext.loads(member)
    except Refused:
        return answer
    return {"id": given["id"], **answer} if isinstance(given, dict) and isinstance(given.get("id"), str) else answer


def told(answers: Sequence[dict[str, Any]]) -> Answer:
    """Return the answer for a whole batch: 202 when a member is stored, 503 when one has to be sent again."""
    counts = {word: sum(a["status"] == word for a in answers) for word in ("accepted", "duplicate", "refused")}
    stored = counts["accepted"] + counts["duplicate"]
    missing = len(answers) - stored - counts["refused"]
    status = 503 if missing else 202 if stored or not answers else 422
    headers = ((b"retry-after", RETRY_AFTER.encode()),) if missing else ()
    return Answer(status, jsontext.dumps({**counts, "items": answers}), headers=headers)

"""What the handlers beside the hot path share: answers as JSON or problems, and parameters that are known."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import Request, Response

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, refuse
from gateway.answers import Answer
from gateway.caller import Caller

# Lets in who asks, for as long as it is answered; raises `Refused`, unauthorized, and `Limited`.
Who = Callable[[Request], AbstractAsyncContextManager[Caller]]
NOT_FOUND = Problem("not_found", "nothing of yours is known under this name")


def json_answer(document: Any, media: str = "application/json") -> Response:
    """Return an answer that is one JSON document."""
    return Response(jsontext.dumps(document), media_type=media)


def response(made: Answer) -> Response:
    """Return an answer of the hot path in FastAPI's form."""
    headers = {name.decode(): value.decode() for name, value in made.headers}
    return Response(made.body, made.status, headers, media_type=made.media.decode())


def parameters(request: Request, known: Collection[str]) -> Mapping[str, str]:
    """Return the query of a request.

    Raises:
        Refused: `invalid_request`, a parameter that is not known or given twice: a slip would change what is asked.
    """
    given = request.query_params.multi_items()
    for name, _ in given:
        if name not in known:
            raise refuse(
                "invalid_request", f"no parameter is called {name[:80]}", f"known: {', '.join(known) or 'none'}"
            )
    if len(dict(given)) < len(given):
        raise refuse("invalid_request", "a parameter is given twice", "keep one of the two")
    return dict(given)

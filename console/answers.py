"""What every path of the operations API answers with."""

from typing import Any

from fastapi import Response

from crossdock.kernel import jsontext


def json_answer(document: Any, status: int = 200) -> Response:
    """Return a document as JSON, with every number as it is."""
    return Response(jsontext.dumps(document), status, media_type="application/json")

"""Events of the past, from a file or page by page from a running installation."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from crossdock.contenttest import Arrival
from crossdock.kernel import jsontext
from crossdock.kernel.event import STRUCTURED
from crossdock.kernel.problems import Refused, refuse
from crossdock.trial.rehearsal import Stored

PAGE = 1000

Get = Callable[[str], Any]


def read_past(file: Path) -> list[Stored | Arrival]:
    """Return the events of a file, one JSON document a line: CloudEvents, or items of `GET /ops/v1/raw`.

    Raises:
        Refused: `invalid_json` with the line.
    """
    past: list[Stored | Arrival] = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            document = jsontext.loads(line)
            known = isinstance(document, dict) and "headers" in document and "source" in document
            past.append(_stored(document) if known else Arrival("", {"content-type": STRUCTURED}, {}, line))
        except (Refused, KeyError, ValueError) as error:
            raise refuse("invalid_json", f"{file.name}, line {number}: {error}", "one JSON document a line") from None
    return past


def fetch_past(get: Get, since: int, most: int) -> Iterator[Stored]:
    """Yield at most `most` events of an installation: those since Unix milliseconds, or for 0 the newest."""
    after, left = 0, most
    if not since:
        newest = get(f"/ops/v1/raw?{urlencode({'limit': 1})}")["last"]
        after, since = max(0, newest - most), 1  # fewer than that are all, since the beginning of time
    while left > 0:
        query = urlencode({"since": since, "after": after, "limit": min(PAGE, left)})
        page = get(f"/ops/v1/raw?{query}")
        yield from map(_stored, page["items"][:left])
        left -= len(page["items"])
        if page["last"] <= after:
            return
        after = page["last"]


def _stored(item: dict[str, Any]) -> Stored:
    body = base64.b64decode(item["body_base64"]) if "body_base64" in item else item["body"].encode()
    return Stored(item["source"], item["headers"], body)

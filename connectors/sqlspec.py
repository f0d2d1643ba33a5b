"""What a connector file of the kind `sql` may say besides what every connector has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.addresses import Network, allowed, literal
from connectors.formula import Formula, formula
from connectors.port import Staging
from connectors.tlsfiles import TlsFiles, read_tls
from crossdock.kernel import units
from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import Problem
from crossdock.kernel.yamlfile import Document

SERVERS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_FILE = re.compile(r"sqlite:////[^?#]+\Z")


@dataclass(frozen=True, slots=True)
class SqlPoll:
    """What is read: rows of a query in the order of a column that only grows, `limit` of them at once."""

    query: str
    watermark: str
    limit: int


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """Where the database is, and what is written or read; `columns` make the values of the table's, in their order."""

    url: str = field(repr=False)
    tls: TlsFiles | None
    staging: Staging | None = None
    columns: tuple[Formula, ...] = ()
    poll: SqlPoll | None = None
    most: int = 100
    within: float = 0.02


def read_sql(
    document: Document, networks: tuple[Network, ...], problems: list[Problem]
) -> tuple[SqlOptions | None, tuple[str, ...]]:
    """Return the options of a document, and its secrets; see `connectors.spec.Kind`."""
    value, known = document.value, len(problems)
    url = value["url"]
    if UNSET not in url:
        _check_url(document, networks, problems)
    tls = None if value.get("tls") == "off" else read_tls(document, problems) or TlsFiles()
    columns = [formula(document, ("columns", name), problems) for name in value.get("columns", {})]
    staging, poll, batch = _staging(document, problems), value.get("poll"), value.get("batch", {})
    made = SqlOptions(
        url,
        tls,
        staging,
        tuple(column for column in columns if column is not None),
        SqlPoll(poll["query"].strip().rstrip(";"), poll["watermark"], poll.get("limit", 500)) if poll else None,
        batch.get("most", 100),
        units.seconds(batch.get("within", "20ms")),
    )
    return (None if len(problems) > known else made), (url, _password(url))


def _check_url(document: Document, networks: tuple[Network, ...], problems: list[Problem]) -> None:
    """Tell what is wrong with the URL, without showing it."""

    def wrong(message: str, hint: str, code: str = "bad_url") -> None:
        problems.append(document.problem(("url",), code, message, hint))

    url = document.value["url"]
    if url.startswith("sqlite:"):
        if not _FILE.match(url):
            wrong("the url of SQLite is not that of a file", "such as sqlite:////var/lib/staging.db, with four strokes")
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in SERVERS or not host or not parts.path.strip("/"):
        wrong("the url is not that of a database", "such as postgresql://user:password@host:5432/database")
    elif parts.query or parts.fragment:
        wrong("the url has a ?query or #fragment", "encryption is said under tls")
    elif (address := literal(host)) is not None and not allowed(address, networks):
        wrong(f"{address} is not a public address", "if it is meant, name it under networks", "private_address")


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _staging(document: Document, problems: list[Problem]) -> Staging | None:
    value: Mapping[str, Any] = document.value
    if "table" not in value:
        if "poll" not in value:
            hint = "table: where events go, or poll: what is read"
            problems.append(document.problem((), "missing_key", "nothing is written and nothing is read", hint))
        return None
    columns, key = value.get("columns", {}), value.get("key", [])
    for needed, such_as in (("columns", "{sku: sku, delivery: $event.idempotencykey}"), ("key", "[delivery]")):
        if needed not in value:
            hint = f"{needed}: {such_as}"
            problems.append(document.problem(("table",), "missing_key", f"`{needed}` is missing", hint))
    for i, name in enumerate(key):
        if name not in columns:
            problems.append(document.problem(("key", i), "unknown_column", f"{name!r} is not one of the columns"))
    return Staging(value["table"], tuple(columns), tuple(key))

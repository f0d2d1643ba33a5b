"""Reads the `lookups` of a content file; called by the spec modules of transforms."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from crossdock.kernel import units
from crossdock.kernel.content import Spot
from crossdock.kernel.environment import UNSET, expand_known
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Path_
from transforms.engine import Mapping as Mapping_
from transforms.lookuprows import read
from transforms.lookups import DEFAULT, FAIL, PARK, Columns, Fed, Lookup, Lookups, Sql, Table, settled

REFRESH = "5m"
_ORIGINS = ("csv", "sql", "events")
_QUERY = re.compile(r"\s*(select|with)\b[^;]*;?\s*\Z", re.IGNORECASE | re.DOTALL)
_URL = re.compile(r"(sqlite|postgresql(\+psycopg)?)://")

Given = Mapping[str, Any]


class Reader:
    """Reads lookups of one project; those that say the same share one table."""

    def __init__(self, root: Path, folder: str, env: Mapping[str, str]) -> None:
        self._root = root
        self._folder = folder
        self._env = env
        self._tables: dict[str, Table] = {}

    def lookups(self, spot: Spot, problems: list[Problem]) -> Lookups:
        """Return the lookups of a file; what is wrong is added to `problems`."""
        found = {}
        for name, value in spot.value().get("lookups", {}).items():
            given = {"csv": value} if isinstance(value, str) else value
            try:
                found[name] = self._lookup(name, given, spot)
            except Refused as error:
                problems.extend(p if p.file else _placed(spot, name, p) for p in error.problems)
        return Lookups(found)

    def _lookup(self, name: str, given: Given, spot: Spot) -> Lookup:
        if problems := [*_misfits(given)]:
            raise Refused(spot.problem(("lookups", name, *path), "bad_lookup", text) for path, text in problems)
        table = self._table(name, given)
        unresolved = given.get("unresolved", FAIL)
        if isinstance(unresolved, str):
            return Lookup(name, table, unresolved)
        return Lookup(name, table, DEFAULT, settled(unresolved[DEFAULT]))

    def _table(self, name: str, given: Given) -> Table:
        columns = Columns(given.get("key", ""), given.get("valid_from", ""), given.get("valid_to", ""))
        id_ = _id(given, columns)
        if id_ not in self._tables:
            self._tables[id_] = self._made(id_, name, given, columns)
        return self._tables[id_]

    def _made(self, id_: str, name: str, given: Given, columns: Columns) -> Table:
        if "csv" in given:
            table = Table(id_, f"{self._folder}/{given['csv']}", dated=columns.dated)
            table.rows = read(self._root / self._folder, given["csv"], self._root, columns)
            return table
        if "sql" in given:
            return Table(id_, name, self._sql(given["sql"], columns), columns.dated)
        return Table(id_, given["events"], Fed(given["events"], Expression(given["key"])))

    def _sql(self, given: Given, columns: Columns) -> Sql:
        url, missing = expand_known(given["url"], self._env)
        if missing:
            hint = "set the variable, or write the value out"
            raise Refused(Problem("missing_variable", f"the environment has no {name!r}", hint) for name in missing)
        if not url.startswith(UNSET) and not _URL.match(url):
            hint = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
            raise Refused([Problem("bad_url", "this is no address of a database that Crossdock can ask", hint)])
        return Sql(url, given["query"], columns, units.seconds(given.get("refresh", REFRESH)))


class Mapped(Protocol):
    """A piece of content with a `map`: a transform, a cast or a form."""

    @property
    def mapping(self) -> Mapping_:
        """The map and what it looks up in."""

    @property
    def spot(self) -> Spot:
        """Where it stands."""


def parked(of_deliveries: Iterable[Mapped]) -> Iterator[Problem]:
    """Name the lookups of deliveries' maps that would park an event, which only the process step can do."""
    for one in of_deliveries:
        for name, lookup in one.mapping.lookups.by_name.items():
            if lookup.unresolved == PARK:
                message = "an event cannot be parked any more when it is delivered"
                yield one.spot.problem(("lookups", name, "unresolved"), "bad_lookup", message, "say fail or a default")


def _misfits(given: Given) -> list[tuple[Path_, str]]:
    """Return what does not go together in a lookup, each with its place."""
    origins = [origin for origin in _ORIGINS if origin in given]
    if len(origins) != 1:
        return [((), "a lookup has one of csv, sql and events")]
    found: list[tuple[Path_, str]] = []
    if "events" in given:
        found += [((key,), "events have no validity: the newest one holds") for key in given if key.startswith("valid")]
        found += [((), "events need a key: an expression on their data")] if "key" not in given else []
    if "sql" in given and not _QUERY.match(given["sql"]["query"]):
        found.append((("sql", "query"), "a query is one SELECT"))
    return found


def _id(given: Given, columns: Columns) -> str:
    """Return a name for what a lookup reads, the same as long as it reads the same."""
    origin = next(origin for origin in _ORIGINS if origin in given)
    read_ = given[origin]
    where = f"{read_['url']}\n{read_['query']}" if origin == "sql" else read_
    digest = hashlib.blake2b("\n".join((where, *columns)).encode(), digest_size=8).hexdigest()
    return f"{origin}-{digest}"


def _placed(spot: Spot, name: str, problem: Problem) -> Problem:
    return spot.problem(("lookups", name), problem.code, problem.message, problem.hint)

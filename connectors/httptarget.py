"""Where the URLs of a connector file lead, judged as far as that can be done without a look-up."""

import re
from typing import Any

from connectors.addresses import Network, allowed, literal
from connectors.target import Target, joined, parse_target
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document, Path_

_PATH = re.compile(r"[!-~]{0,2000}\Z")


def read_target(
    document: Document, path: Path_, networks: tuple[Network, ...], problems: list[Problem]
) -> Target | None:
    """Return where a URL of the file leads."""
    url = document.value
    for step in path:
        url = url[step]
    try:
        target = parse_target(url)
    except Refused as error:
        problems += [document.problem(path, p.code, p.message, p.hint) for p in error.problems]
        return None
    address = literal(target.host)
    if address is not None and not allowed(address, networks):
        hint = "if it is meant, name it under networks"
        problems.append(document.problem(path, "private_address", f"{address} is not a public address", hint))
    return target


def read_joined(document: Document, base: Target, at: Path_, query: Path_, problems: list[Problem]) -> Target:
    """Return the target with the fixed path and the fixed query that stand at these places of the file."""
    path, fixed = value_at(document, at), value_at(document, query) or {}
    added = path if isinstance(path, str) else ""
    if added and not (added.startswith("/") and _PATH.match(added) and "?" not in added and "#" not in added):
        hint = "percent-encode all others; a query stands under `query`"
        problems.append(document.problem(at, "bad_url", "a path begins with / and is printable ASCII", hint))
        return base
    return joined(base, added, {name: text for name, text in fixed.items() if isinstance(text, str)})


def value_at(document: Document, path: Path_) -> Any:
    """Return what stands at a path, None where nothing does."""
    value = document.value
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value

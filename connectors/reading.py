"""Reads `connectors/*.yaml`; `load` is called by the project loader, so by every start and every check."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from connectors.addresses import Network
from connectors.kinds import KINDS, schema_of
from connectors.spec import BreakerSpec, ConnectorSpec
from crossdock.kernel import units, yamlfile
from crossdock.kernel.content import Spot
from crossdock.kernel.environment import UNSET, fill
from crossdock.kernel.mending import mended
from crossdock.kernel.problems import CONCEALED, Incomplete, Problem, Refused
from crossdock.kernel.yamlfile import Document

_MAY_BE_SECRET = ("auth", "headers", "query", "sign")


def load(root: Path, env: Mapping[str, str]) -> dict[str, ConnectorSpec]:
    """Return the connectors of a project by name.

    Raises:
        Refused: with every problem of every file.
    """
    specs: dict[str, ConnectorSpec] = {}
    problems: list[Problem] = []
    for path in sorted((root / "connectors").glob("*.yaml")):
        if path.name.startswith("_") or path.name.endswith(".test.yaml"):
            continue
        try:
            document, missing = fill(yamlfile.read(path, root), env)
            schema = schema_of(document.value)
            found = _drop_open(document, schema)
            told = [*missing, *(_concealed(document, problem) for problem in found)]
            fitting = mended(document, schema) if found else document
            if fitting is None or schema_of(fitting.value) is not schema:  # it may be the key `kind` that was mended
                raise Refused(told)
            spec = _made(fitting, told)
            if spec.name in specs:
                raise Refused([document.problem(("connector",), "duplicate_name", f"{spec.name!r} is defined twice")])
            specs[spec.name] = spec
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Incomplete(problems, specs)
    return specs


def _made(document: Document, told: list[Problem]) -> ConnectorSpec:
    """Return the connector if nothing is wrong with its file; else tell what is, and what was told already."""
    try:
        made = make(document)
    except Refused as error:
        raise Refused([*told, *error.problems]) from None
    if told:
        raise Refused(told)
    return made


def _drop_open(document: Document, schema: Mapping[str, Any]) -> list[Problem]:
    """Take out the values that only a variable completes which is not set; return what else is wrong.

    What nothing can be made of a file without is wrong all the same.
    """
    problems, left = yamlfile.check(document, schema), []
    for problem in problems:
        here = [path for path, place in document.places.items() if place == (problem.line, problem.column)]
        *steps, last = max(here, key=len, default=()) or ("",)
        parent = document.value
        for step in steps:
            parent = parent[step]
        if problem.code == "bad_value" and isinstance(parent, dict) and UNSET in str(parent.get(last, "")):
            del parent[last]
        else:
            left.append(problem)
    return problems if problems and not left and yamlfile.check(document, schema) else left


def make(document: Document) -> ConnectorSpec:
    """Return the connector of a document that fits the JSON Schema and has its variables replaced.

    Raises:
        Refused: with everything that the JSON Schema cannot say.
    """
    value, problems = document.value, list[Problem]()
    networks = tuple(_networks(document, problems))
    options, secrets = KINDS[value["kind"]].read(document, networks, problems)
    if problems:
        raise Refused(problems)
    limits, breaker = value.get("limits", {}), value.get("breaker", {})
    return ConnectorSpec(
        name=value["connector"],
        kind=value["kind"],
        options=options,
        timeout=units.seconds(value.get("timeout", "15s")),
        rate=int(limits.get("rate", "0/s").removesuffix("/s")),
        in_flight=limits.get("in_flight", 64),
        breaker=BreakerSpec(int(breaker.get("open_at", "50%")[:-1]) / 100, units.seconds(breaker.get("over", "30s"))),
        networks=networks,
        secrets=tuple(sorted({text for text in secrets if text}, key=len, reverse=True)),  # one may be within another
        description=value.get("description", ""),
        reply=(options.reply.type, options.reply.major) if getattr(options, "reply", None) else None,
        spot=Spot(document),
    )


def _concealed(document: Document, problem: Problem) -> Problem:
    """Return the problem without the value when that may be a secret written into the file itself."""
    places = [place for path, place in document.places.items() if path and path[0] in _MAY_BE_SECRET]
    if problem.code == "bad_value" and (problem.line, problem.column) in places:
        return replace(problem, message=CONCEALED)
    return problem


def _networks(document: Document, problems: list[Problem]) -> list[Network]:
    networks: list[Network] = []
    for i, text in enumerate(document.value.get("networks", [])):
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            problems.append(document.problem(("networks", i), "bad_network", str(error), "such as 10.0.0.0/8"))
    return networks

"""What a connector file may say; `load` is called by the project loader, so by every start and every check."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from connectors.addresses import Network, allowed, literal
from connectors.sign import decode_key
from connectors.target import Target, header_fault, parse_target
from crossdock.kernel import units, yamlfile
from crossdock.kernel.environment import UNSET, FromEnvironment, fill
from crossdock.kernel.mending import mended
from crossdock.kernel.problems import Incomplete, Problem, Refused
from crossdock.kernel.yamlfile import Document

_MAY_BE_SECRET = ("auth", "headers", "sign")
_RESERVED = ("ce-", "idempotency-key", "webhook-")


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """When the breaker opens: at a share of failures (0 to 1) over a time in seconds."""

    open_at: float = 0.5
    over: float = 30.0


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """One connector file; `timeout` is in seconds, `rate` in attempts a second (0: unlimited).

    `headers` include those of `auth`, names in lower case; `keys` sign every attempt; `secrets` are texts that must not
    be shown.
    """

    name: str
    kind: str
    target: Target
    timeout: float = 15.0
    rate: int = 0
    in_flight: int = 64
    breaker: BreakerSpec = BreakerSpec()
    networks: tuple[Network, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    description: str = ""


def load(root: Path, env: Mapping[str, str]) -> dict[str, ConnectorSpec]:
    """Return the connectors of a project by name.

    Raises:
        Refused: with every problem of every file.
    """
    schema = json.loads(Path(__file__).with_name("_schema.json").read_bytes())
    specs: dict[str, ConnectorSpec] = {}
    problems: list[Problem] = []
    for path in sorted((root / "connectors").glob("*.yaml")):
        if path.name.startswith("_") or path.name.endswith(".test.yaml"):
            continue
        try:
            document, missing = fill(yamlfile.read(path, root), env)
            found = _drop_open(document, yamlfile.check(document, schema))
            told = [*missing, *(_concealed(document, problem) for problem in found)]
            if (fitting := mended(document, schema) if found else document) is None:
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


def _drop_open(document: Document, problems: list[Problem]) -> list[Problem]:
    """Take out the values that only a variable completes which is not set; return what else is wrong."""
    left = []
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
    return left


def make(document: Document) -> ConnectorSpec:
    """Return the connector of a document that fits the JSON Schema and has its variables replaced.

    Raises:
        Refused: with everything that the JSON Schema cannot say.
    """
    value, problems = document.value, list[Problem]()
    networks = _networks(document, problems)
    target = _target(document, networks, problems)
    headers = _headers(document, problems)
    keys = _keys(document, problems)
    if problems or target is None:
        raise Refused(problems)
    limits, breaker = value.get("limits", {}), value.get("breaker", {})
    return ConnectorSpec(
        name=value["connector"],
        kind=value["kind"],
        target=target,
        timeout=units.seconds(value.get("timeout", "15s")),
        rate=int(limits.get("rate", "0/s").removesuffix("/s")),
        in_flight=limits.get("in_flight", 64),
        breaker=BreakerSpec(int(breaker.get("open_at", "50%")[:-1]) / 100, units.seconds(breaker.get("over", "30s"))),
        networks=tuple(networks),
        headers=headers,
        keys=keys,
        secrets=_secrets(value),
        description=value.get("description", ""),
    )


def _concealed(document: Document, problem: Problem) -> Problem:
    """Return the problem without the value when that may be a secret written into the file itself."""
    places = [place for path, place in document.places.items() if path and path[0] in _MAY_BE_SECRET]
    if problem.code == "bad_value" and (problem.line, problem.column) in places:
        return replace(problem, message="the value does not fit")
    return problem


def _networks(document: Document, problems: list[Problem]) -> list[Network]:
    networks: list[Network] = []
    for i, text in enumerate(document.value.get("networks", [])):
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            problems.append(document.problem(("networks", i), "bad_network", str(error), "such as 10.0.0.0/8"))
    return networks


def _target(document: Document, networks: list[Network], problems: list[Problem]) -> Target | None:
    try:
        target = parse_target(document.value["url"])
    except Refused as error:
        problems += [document.problem(("url",), p.code, p.message, p.hint) for p in error.problems]
        return None
    address = literal(target.host)
    if address is not None and not allowed(address, networks):
        hint = "if it is meant, name it under networks"
        problems.append(document.problem(("url",), "private_address", f"{address} is not a public address", hint))
    return target


def _headers(document: Document, problems: list[Problem]) -> dict[str, str]:
    given = document.value.get("headers", {})
    own = _auth(document.value.get("auth", {}))
    for name, text in {**given, **own}.items():
        path = ("headers", name) if name in given else ("auth",)
        if name.lower().startswith(_RESERVED):
            problems.append(
                document.problem(path, "bad_header", f"{name} is set by Crossdock on every delivery", "leave it out")
            )
        elif fault := header_fault({name: text}):
            problems.append(document.problem(path, "bad_header", fault))
    return {name.lower(): str(text) for name, text in {**given, **own}.items()}


def _auth(auth: Mapping[str, Any]) -> dict[str, str]:
    if "bearer" in auth:
        return {"Authorization": f"Bearer {auth['bearer']}"}
    if "basic" in auth:
        return {"Authorization": f"Basic {_credentials(auth['basic'])}"}
    return dict(auth.get("header", {}))


def _credentials(basic: Mapping[str, str]) -> str:
    return base64.b64encode(f"{basic['user']}:{basic['password']}".encode()).decode()


def _keys(document: Document, problems: list[Problem]) -> tuple[bytes, ...]:
    keys = []
    for secret in _signing(document.value):
        try:
            keys.append(decode_key(secret))
        except Refused as error:
            problems += [document.problem(("sign",), p.code, p.message, p.hint) for p in error.problems]
    return tuple(keys)


def _signing(value: Mapping[str, Any]) -> list[str]:
    given = value.get("sign", {}).get("standard_webhooks", {})
    return [given["secret"]] if "secret" in given else list(given.get("secrets", []))


def _secrets(value: Mapping[str, Any]) -> tuple[str, ...]:
    auth = value.get("auth", {})
    texts = [*auth.get("header", {}).values(), *_signing(value)]
    if "bearer" in auth:
        texts.append(auth["bearer"])
    if "basic" in auth:
        texts += [auth["basic"]["password"], _credentials(auth["basic"])]
    texts += [text for text in value.get("headers", {}).values() if isinstance(text, FromEnvironment)]
    return tuple(sorted({str(text) for text in texts if text}, key=len, reverse=True))  # a secret within a longer one

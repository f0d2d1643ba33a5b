"""What a connector file of the kind `http` may say besides what every connector has."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.addresses import Network, allowed, literal
from connectors.sign import decode_key
from connectors.target import Target, header_fault, parse_target
from crossdock.kernel.environment import FromEnvironment
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document

_RESERVED = ("ce-", "idempotency-key", "webhook-")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Where requests go; `headers` include those of `auth`, names in lower case; `keys` sign every attempt."""

    target: Target
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)


def read_http(
    document: Document, networks: tuple[Network, ...], problems: list[Problem]
) -> tuple[HttpOptions | None, tuple[str, ...]]:
    """Return the options of a document, and its secrets; see `connectors.spec.Kind`."""
    target = _target(document, networks, problems)
    headers = _headers(document, problems)
    keys = _keys(document, problems)
    secrets = _secrets(document.value)
    return None if target is None else HttpOptions(target, headers, keys), secrets


def _target(document: Document, networks: tuple[Network, ...], problems: list[Problem]) -> Target | None:
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
    return tuple(map(str, texts))

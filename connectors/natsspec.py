"""What a connector file of the kind `nats` may say besides what every connector has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.addresses import Network, allowed, literal
from connectors.formula import Formula, formula
from connectors.tlsfiles import TlsFiles, read_tls
from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import STREAMS
from crossdock.kernel.yamlfile import Document

PORT = 4222
SUBJECT = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*\Z")  # of one message: no wildcards, no empty tokens
_OWN = tuple(subject.removesuffix(">") for subjects in STREAMS.values() for subject in subjects)
_RESERVED = (*_OWN, "crossdock.", "$", "_INBOX.")


@dataclass(frozen=True, slots=True)
class NatsPoll:
    """What is read: messages of a stream on a subject, by a durable consumer, `limit` of them at once."""

    subject: str
    stream: str
    durable: str
    limit: int


@dataclass(frozen=True, slots=True)
class NatsOptions:
    """Where the broker is, that of the installation without a URL, and what is published to it or read from it."""

    url: str = field(default="", repr=False)
    auth: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: TlsFiles | None = None
    subject: str | Formula = ""
    stored: bool = True
    poll: NatsPoll | None = None


def reserved(subject: str) -> bool:
    """Tell whether a subject of the installation's own broker is for Crossdock itself."""
    return subject.startswith(_RESERVED) or subject.split(".", maxsplit=1)[0] in ("*", ">")


def read_nats(
    document: Document, networks: tuple[Network, ...], problems: list[Problem]
) -> tuple[NatsOptions | None, tuple[str, ...]]:
    """Return the options of a document, and its secrets; see `connectors.spec.Kind`."""
    value, known = document.value, len(problems)
    url, auth = value.get("url", ""), value.get("auth", {})
    if url and UNSET not in url:
        _check_url(document, networks, problems)
    tls = read_tls(document, problems)
    if url.startswith("tls:") and tls is None:
        tls = TlsFiles()
    subject = value.get("subject", "")
    if isinstance(subject, dict):
        subject = formula(document, ("subject", "expression"), problems) or ""
    elif subject:
        _check_subject(document, ("subject",), not url, problems)
    if "poll" in value:
        _check_poll(document, not url, problems)
    elif not subject and len(problems) == known:
        hint = "subject: where events go, or poll: what is read"
        problems.append(document.problem((), "missing_key", "nothing is written and nothing is read", hint))
    options = NatsOptions(url, auth, tls, subject, value.get("stored", True), _poll(value))
    return (None if len(problems) > known else options), tuple(auth.get(name, "") for name in ("password", "token"))


def _check_url(document: Document, networks: tuple[Network, ...], problems: list[Problem]) -> None:
    try:
        parts = urlsplit(document.value["url"])
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("nats", "tls") or not host or parts.path.strip("/") or "@" in parts.netloc:
        hint = "such as nats://bus.example:4222 or tls://bus.example:4222; who we are is said under auth"
        problems.append(document.problem(("url",), "bad_url", "the url is not that of a broker", hint))
    elif (address := literal(host)) is not None and not allowed(address, networks):
        hint = "if it is meant, name it under networks"
        problems.append(document.problem(("url",), "private_address", f"{address} is not a public address", hint))


def _check_subject(document: Document, path: tuple[str, ...], own: bool, problems: list[Problem]) -> None:
    subject = document.value["subject"]
    if not SUBJECT.match(subject):
        problems.append(document.problem(path, "bad_subject", "a subject is words with dots between, no wildcards"))
    elif own and reserved(subject):
        problems.append(document.problem(path, "bad_subject", f"{subject} is Crossdock's own", "choose another one"))


def _check_poll(document: Document, own: bool, problems: list[Problem]) -> None:
    poll = document.value["poll"]
    if own and (reserved(poll["subject"]) or poll.get("stream") in STREAMS):
        hint = "name the subjects of another stream"
        problems.append(document.problem(("poll",), "bad_subject", "these streams are Crossdock's own", hint))


def _poll(value: Mapping[str, Any]) -> NatsPoll | None:
    if "poll" not in value:
        return None
    poll = value["poll"]
    durable = poll.get("durable", f"from-{value['connector']}")
    return NatsPoll(poll["subject"], poll.get("stream", ""), durable, poll.get("limit", 200))

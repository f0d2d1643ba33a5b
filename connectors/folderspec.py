"""What connector files of the kinds `file` and `sftp` may say besides what every connector has."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from connectors.addresses import Network, allowed, literal
from connectors.formula import Formula, formula
from crossdock.formats.kinds import make_format
from crossdock.formats.port import Format
from crossdock.kernel import units
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document

MOST_NAME = 200  # bytes of a name: a claim, a number and `.reason` are added, and file systems take 255
_LINE = re.compile(
    r"(?:\S+\s+)?(?:ssh-|ecdsa-|sk-)\S+\s+(AAAA[A-Za-z0-9+/]+={0,2})(?:\s.*)?\Z"
)  # a line of known_hosts or a .pub
_NO_KEY = "neither a line of known_hosts nor SHA256:..."
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?\Z")


@dataclass(frozen=True, slots=True)
class FolderPoll:
    """Which files are taken and where they go then; `settle` is how long they stand still, in seconds."""

    glob: str = "*"
    archive: str = "archive"
    errors: str = "errors"
    settle: float = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """An SFTP server; `fingerprints` are those of its keys, `secret` is a password, or a private key if `by_key`."""

    host: str
    port: int
    user: str
    fingerprints: frozenset[str]
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    by_key: bool = False


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """A folder and the files in it; `most` is in bytes, `within` in seconds, `batch` in events, 0 for a file each."""

    folder: str
    format: Format
    name: str | Formula = ""
    control: str = ""
    most: int = 100 << 20
    batch: int = 0
    within: float = 0.2
    poll: FolderPoll | None = None
    writes: bool = False
    server: Server | None = None


def meant(name: str, options: FolderOptions) -> bool:
    """Tell whether a file has a name that a poll asks for."""
    ending = options.control and name.endswith(options.control)
    return options.poll is not None and fnmatchcase(name, options.poll.glob) and not (name.startswith(".") or ending)


def takeable(name: str) -> bool:
    """Tell whether a file can be taken under its name, which stands in logs, journal and `.reason` files too."""
    return name.isprintable() and len(name.encode()) <= MOST_NAME


def read_file(
    document: Document, networks: tuple[Network, ...], problems: list[Problem]
) -> tuple[FolderOptions | None, tuple[str, ...]]:
    """Return the options of a document of the kind `file`; see `connectors.spec.Kind`."""
    return _options(document, problems, None), ()


def read_sftp(
    document: Document, networks: tuple[Network, ...], problems: list[Problem]
) -> tuple[FolderOptions | None, tuple[str, ...]]:
    """Return the options of a document of the kind `sftp`, and its secrets; see `connectors.spec.Kind`."""
    value = document.value
    address = literal(value["host"])
    if address is not None and not allowed(address, networks):
        hint = "if it is meant, name it under networks"
        problems.append(document.problem(("host",), "private_address", f"{address} is not a public address", hint))
    auth = value["auth"]
    secret, passphrase = auth.get("key") or auth.get("password", ""), auth.get("passphrase", "")
    keys = frozenset(_fingerprints(document, problems))
    server = Server(
        value["host"], value.get("port", 22), value["user"], keys, str(secret), str(passphrase), "key" in auth
    )
    return _options(document, problems, server), tuple(map(str, (secret, passphrase)))


def _options(document: Document, problems: list[Problem], server: Server | None) -> FolderOptions | None:
    value, known = document.value, len(problems)
    format_ = _format(document, problems)
    name = _name(document, problems)
    batch, poll = value.get("batch"), value.get("poll")
    if ("name",) not in document.places and poll is None:
        message = "neither `name` nor `poll`: files are neither written nor taken"
        problems.append(document.problem((), "missing_key", message, "add name: orders.csv"))
    if len(problems) > known or format_ is None:
        return None
    return FolderOptions(
        str(value["folder"]).rstrip("/") or "/",
        format_,
        name,
        value.get("control", ""),
        units.size(value.get("most", "100MiB")),
        (batch or {}).get("most", 100) if batch is not None else 0,
        units.seconds((batch or {}).get("within", "200ms")),
        None if poll is None else _poll(poll),
        value.get("check") == "write",
        server,
    )


def _poll(poll: Mapping[str, Any]) -> FolderPoll:
    return FolderPoll(
        poll.get("glob", "*"),
        poll.get("archive", "archive"),
        poll.get("errors", "errors"),
        units.seconds(poll.get("settle", "10s")),
    )


def _name(document: Document, problems: list[Problem]) -> str | Formula:
    said = document.value.get("name", "")
    if isinstance(said, str):
        return said
    return formula(document, ("name", "expression"), problems) or ""


def _format(document: Document, problems: list[Problem]) -> Format | None:
    try:
        return make_format(document.value["format"])
    except Refused as error:
        problems += [document.problem(("format",), p.code, p.message, p.hint) for p in error.problems]
        return None


def _fingerprints(document: Document, problems: list[Problem]) -> list[str]:
    said = document.value["host_key"]
    made = []
    for i, text in enumerate(said if isinstance(said, list) else [said]):
        path = ("host_key", i) if isinstance(said, list) else ("host_key",)
        if _FINGERPRINT.match(text.strip()):
            made.append(text.strip().rstrip("="))
        elif found := _LINE.match(text.strip()):
            digest = hashlib.sha256(base64.b64decode(found[1] + "==")).digest()
            made.append("SHA256:" + base64.b64encode(digest).decode().rstrip("="))
        elif "unset.invalid" not in text:
            hint = "ssh-keyscan HOST prints the keys, ssh-keygen -lf their fingerprints"
            problems.append(
                document.problem(path, "bad_host_key", "neither a line of known_hosts nor SHA256:...", hint)
            )
    return made

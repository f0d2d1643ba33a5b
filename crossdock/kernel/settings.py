"""Settings of one installation, from `config.yaml`; read by the supervisor and by every role it starts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from crossdock.kernel import environment, units, yamlfile
from crossdock.kernel.accesssettings import LockoutLimits, Oidc, SessionLimits, Tls
from crossdock.kernel.problems import Problem, Refused

FILE = "config.yaml"


@dataclass(frozen=True, slots=True)
class Nats:
    """The broker; an empty `url` means the embedded one, which writes to disk every `sync_interval`.

    Bodies of more than `claim_check` bytes are stored beside their messages.
    """

    url: str = ""
    replicas: int = 1
    sync_interval: str = "always"
    claim_check: int = 896 * 2**10


@dataclass(frozen=True, slots=True)
class Dedupe:
    """The dedupe store (Valkey or Redis); an empty `url` means the embedded one."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal's database; an empty `url` means SQLite in the data folder."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where partners push events; `body` is the largest request in bytes, all `processes` share the port."""

    host: str = "127.0.0.1"
    port: int = 8080
    body: int = 2**20
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Console:
    """Where operators work; `url` is its address as their browsers see it, behind a proxy.

    `second_person` says from how many dead letters on an `edit`, `discard` or `plan` must be approved by another one.
    """

    host: str = "127.0.0.1"
    port: int = 8081
    url: str = ""
    tls: Tls = field(default_factory=Tls)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    lockout: LockoutLimits = field(default_factory=LockoutLimits)
    oidc: Oidc = field(default_factory=Oidc)
    second_person: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traces:
    """Where spans are sent, by OTLP over HTTP; an empty `url` means that there are none.

    `sample` is the share of events that is traced, as people write it; with `trust_parents` a caller's own trace
    decides. `trace_url` is the page of a trace, with `{trace_id}` in it.
    """

    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sample: str = "1%"
    trust_parents: bool = False
    trace_url: str = ""

    @property
    def share(self) -> float:
        """The share of events that is traced, 0 to 1."""
        return float(self.sample.rstrip("%")) / 100


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is told to others of what happens here."""

    traces: Traces = field(default_factory=Traces)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each stream, and the journal, keeps what it holds, in seconds."""

    raw: float = 7 * 86400.0
    events: float = 7 * 86400.0
    journal: float = 30 * 86400.0
    dead_letters: float = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    nats: Nats = field(default_factory=Nats)
    dedupe: Dedupe = field(default_factory=Dedupe)
    journal: Journal = field(default_factory=Journal)
    gateway: Gateway = field(default_factory=Gateway)
    console: Console = field(default_factory=Console)
    workers: int = 1
    logs: str = "text"
    retention: Retention = field(default_factory=Retention)
    telemetry: Telemetry = field(default_factory=Telemetry)


SECTIONS = {
    "nats": Nats,
    "dedupe": Dedupe,
    "journal": Journal,
    "gateway": Gateway,
    "console": Console,
    "retention": Retention,
    "telemetry": Telemetry,
}


def load(root: Path, env: Mapping[str, str]) -> Settings:
    """Read `config.yaml` of a project; the defaults where the file or a key is missing.

    Raises:
        Refused: with every problem and its place.
    """
    path = root / FILE
    if not path.is_file():
        return Settings()
    document = environment.expand(yamlfile.read(path, root), env)
    if document.value is None:  # a file of comments only
        return Settings()
    if wrong := yamlfile.check(document, schema()):
        raise Refused(wrong)
    return _settings(document.value)


def problems(root: Path) -> list[Problem]:
    """Return what is wrong with `config.yaml` whatever the environment holds."""
    path = root / FILE
    try:
        document = yamlfile.read(path, root) if path.is_file() else None
    except Refused as error:
        return list(error.problems)
    if document is None or document.value is None:
        return []
    return yamlfile.check(replace(document, value=_unresolved(document.value, schema())), schema())


def _unresolved(value: Any, part: Mapping[str, Any]) -> Any:
    """Put the default in the place of text that only the environment completes."""
    if isinstance(value, dict):
        known = part.get("properties", {})
        return {key: _unresolved(child, known.get(key, {})) for key, child in value.items()}
    default = part.get("default")
    return default if isinstance(default, str) and environment.has_variable(value) else value


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of `config.yaml`, the one that editors use too."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("settings_schema.json").read_bytes())
    return loaded


def _settings(value: Mapping[str, Any]) -> Settings:
    sections = {name: _section(kind, value.get(name, {})) for name, kind in SECTIONS.items()}
    rest = {key: _plain(key, item) for key, item in value.items() if key not in SECTIONS}
    return Settings(**sections, **rest)


def _section(kind: type[Any], value: Mapping[str, Any]) -> Any:
    types: dict[str, Any] = {item.name: item.type for item in fields(kind)}
    return kind(**{key: _field(types[key], key, item) for key, item in value.items()})


def _field(kind: Any, key: str, value: Any) -> Any:
    if is_dataclass(kind):
        return _section(kind, value)  # type: ignore[arg-type]
    return units.seconds(value) if kind is float else _plain(key, value)


def _plain(key: str, value: Any) -> Any:
    return units.size(value) if key in ("body", "claim_check") else value

"""Settings of who may work at the console, parts of `console` in `config.yaml`; see `crossdock.kernel.settings`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate chain and the private key that the console is served with, PEM files; none serves without."""

    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """When a session ends, in seconds: without a request for `idle`, and `longest` after the sign-in."""

    idle: float = 2 * 3600.0
    longest: float = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class LockoutLimits:
    """How many sign-ins may fail, of a name and of an address, until the next has to wait: `most` seconds at most."""

    failures: int = 5
    address_failures: int = 20
    most: float = 900.0


@dataclass(frozen=True, slots=True)
class OidcRoles:
    """Which claim of an ID token holds what a person is, and the role that each of its values stands for."""

    claim: str = "groups"
    map: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Oidc:
    """The identity provider at which people may sign in; an empty `issuer` is none."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scopes: Sequence[str] = ("openid", "profile", "email")
    roles: OidcRoles = field(default_factory=OidcRoles)

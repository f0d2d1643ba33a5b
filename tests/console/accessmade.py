"""Who may work at the operations API of a test: memory for the records, a clock that is moved by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import FastAPI, Request

from console.access import ROLES, Role, gate, person
from console.apitokens import add_tokens
from console.door import Door
from console.headers import Headers
from console.identity import Access, make_access
from console.lockout import Lockout
from console.oidc import add_oidc
from console.people import add_people
from console.signin import add_signin
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.kernel.settings import Console
from dlq.audit import Audit, AuditEntry
from tests.asgi import Answer, call

AT = 1_790_000_000_000
TOKEN = "token-of-the-installation"
HOST = "ops.example:8081"
PASSWORD = "four words make one"
# Made at little cost: the parameters that a hash names count.
DIGEST = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$CILBAC4RA06rLS8k64hncA"


@dataclass
class Clock:
    """A clock of seconds and one of milliseconds that tell the same time."""

    seconds: float = AT / 1000

    def __call__(self) -> float:
        return self.seconds

    def milliseconds(self) -> int:
        return int(self.seconds * 1000)


def open_access(token: str, chosen: Console | None = None, clock: Clock | None = None) -> Access:
    """Return what knows the token of the installation, as admin, and nobody else yet."""
    settings = chosen or Console()
    made = make_access(token, MemoryRecords(), MemoryRecords(), settings)
    if clock is None:
        return made
    return replace(made, clock=clock.milliseconds, lockout=Lockout(settings.lockout, clock))


async def add_users(access: Access) -> None:
    """Add a user of each role, by the name of the role."""
    for name, role in ROLES.items():
        await access.users.add(name, role, DIGEST, AT)


@dataclass
class Browser:
    """A browser: it keeps the cookie, knows the CSRF token, and names the page's origin."""

    house: "House"
    cookie: str = ""
    csrf: str = ""
    origin: str = f"http://{HOST}"

    async def send(self, method: str, path: str, body: Any = None, **changed: str | None) -> Answer:
        headers = {
            "host": HOST, "cookie": self.cookie, "x-csrf-token": self.csrf, "origin": self.origin,
            "content-type": "application/json",
        }  # fmt: skip
        raw = b"" if body is None else json.dumps(body).encode()
        given = {
            name: value for name, value in {**headers, "content-length": str(len(raw)), **changed}.items() if value
        }
        return await call(self.house.app, method, path, given, raw)

    async def sign_in(self, user: str = "operator", password: str = PASSWORD, **more: str) -> Answer:
        answer = await self.send("POST", "/ops/v1/session", {"user": user, "password": password}, **more)
        if answer.status == 200:
            self.keep(answer)
            self.csrf = answer.json()["csrf"]
        return answer

    def keep(self, answer: Answer) -> None:
        self.cookie = answer.headers["set-cookie"].partition(";")[0]


@dataclass
class House:
    """The paths of access, and one act of an operator, behind the door."""

    chosen: Console = field(default_factory=Console)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.access = open_access(TOKEN, self.chosen, self.clock)
        self.log = MemoryAudit()
        self.app, audit = FastAPI(), Audit(self.log)
        add_signin(self.app, self.access, audit, gate)
        add_people(self.app, self.access, audit, gate)
        add_tokens(self.app, self.access, audit, gate)
        if self.access.provider:
            add_oidc(self.app, self.access, self.access.provider, audit)

        @self.app.api_route("/ops/v1/act", methods=["GET", "POST"], dependencies=[gate(Role.OPERATOR)])
        async def act(request: Request) -> str:
            return person(request)

        self.app.add_middleware(Door, access=self.access)
        self.app.add_middleware(Headers, secure=self.access.secure)

    def browser(self) -> Browser:
        return Browser(self)

    async def bearer(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> Answer:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "host": HOST}
        return await call(self.app, method, path, headers, b"" if body is None else json.dumps(body).encode())

    async def acts(self) -> list[tuple[str, str, str, Mapping[str, Any]]]:
        """Return what the audit log has, oldest first."""
        entries: list[AuditEntry] = (await Audit(self.log).newest(100))[0][::-1]
        return [(one.who, one.act, one.on, one.detail) for one in entries]


async def house(chosen: Console | None = None) -> House:
    """Return a house with a user of each role."""
    made = House(chosen or Console())
    await add_users(made.access)
    return made

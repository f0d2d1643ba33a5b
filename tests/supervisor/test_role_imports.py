"""A role loads what it needs and no more: the libraries of all roles together cost each of them 40 MiB."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from crossdock.supervisor import base
base.run = lambda role: print(*sorted(sys.modules))
from crossdock.supervisor.roles import ROLES
ROLES[sys.argv[1]]()
"""
UNUSED = {
    "gateway": {"aiohttp", "faststream", "sqlalchemy", "typer", "rich", "console"},
    "worker": {"aiohttp", "fastapi", "sqlalchemy", "typer", "rich", "console", "gateway"},
    "ops": {"aiohttp", "faststream", "redis", "typer", "rich", "valkey"},
}


@pytest.mark.parametrize("role", UNUSED)
def test_a_role_loads_nothing_that_only_others_use(role: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, role], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "nats" in loaded
    assert not UNUSED[role] & loaded


def test_the_client_still_speaks_websockets_when_an_address_asks_for_them() -> None:
    program = """
from crossdock.adapters import leanclient
from nats.aio import transport
assert transport.aiohttp is None
leanclient.load_websockets()
assert transport.aiohttp.ClientSession and transport.multidict.CIMultiDict
"""
    subprocess.run([sys.executable, "-c", program], check=True)

"""A served role that is told to end closes what it holds instead of dying of the signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.stage import PROJECT
from crossdock.supervisor.datafolder import free_port
from crossdock.supervisor.ready import VARIABLE
from tests.realservers import nats_server


@pytest.mark.parametrize("role", ["gateway", "ops", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_role_told_to_end_closes_and_ends_with_0(tmp_path: Path, role: str, number: signal.Signals) -> None:
    with nats_server(tmp_path) as (url, _):
        # given
        read, write = os.pipe()
        env = {
            "CROSSDOCK_PROJECT": str(PROJECT),
            "CROSSDOCK_NATS_URL": url,
            "CROSSDOCK_DEDUPE_URL": "redis://127.0.0.1:9",
            "CROSSDOCK_JOURNAL_URL": f"sqlite:///{tmp_path / 'journal.db'}",
            "CROSSDOCK_OPS_TOKEN": "token",
            "CROSSDOCK_GATEWAY_PORT": str(free_port()),
            "CROSSDOCK_CONSOLE_PORT": str(free_port()),
            **{f"{name}_URL": "http://127.0.0.1:9" for name in ("ERP", "WMS", "OMS")},
            VARIABLE: str(write),
        }
        role_process = subprocess.Popen(
            [sys.executable, "-m", "crossdock", role],
            env={**os.environ, **env},
            pass_fds=(write,),
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(write)
        try:
            with os.fdopen(read) as pipe:
                assert pipe.readline() == "ready\n"
            # when
            role_process.send_signal(number)
            # then
            _, said = role_process.communicate(timeout=60)
            assert (role_process.returncode, "Traceback" in said) == (0, False), said
        finally:
            role_process.kill()
            role_process.wait()

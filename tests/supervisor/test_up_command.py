"""The command `up` as a person types it."""

import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crossdock.cli import run


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    run.register(app)
    return app


def test_a_project_that_is_not_there_is_wrong_use(app: typer.Typer, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["--project", str(tmp_path / "nowhere")]).exit_code == 2


def test_a_folder_without_content_is_wrong_use(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--project", str(tmp_path), "--data", str(tmp_path / "data")])
    assert result.exit_code == 2 and not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_said_before_anything_starts(app: typer.Typer, tmp_path: Path) -> None:
    # given
    (tmp_path / "routes").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # when
        result = CliRunner().invoke(
            app, ["--project", str(tmp_path), "--data", str(tmp_path / "data"), "--gateway-port", str(port)]
        )
    # then
    assert result.exit_code == 1
    assert f"port {port} of the gateway is taken" in result.stderr and "--gateway-port" in result.stderr
    assert not (tmp_path / "data" / "logs").exists()


def test_a_broken_config_is_shown_with_its_place(app: typer.Typer, tmp_path: Path) -> None:
    # given
    (tmp_path / "routes").mkdir()
    (tmp_path / "config.yaml").write_text("workers: none\n")
    # when
    result = CliRunner().invoke(app, ["--project", str(tmp_path), "--data", str(tmp_path / "data")])
    # then
    assert result.exit_code == 1
    assert result.stderr.startswith("config.yaml:1:1  bad_value")

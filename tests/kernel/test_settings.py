"""config.yaml: the defaults are said once, mistakes have a place."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel import settings, yamlfile
from crossdock.kernel.problems import Refused
from crossdock.kernel.settings import Settings

ROOT = Path(__file__).parents[2]


def load(folder: Path, text: str, **env: str) -> Settings:
    (folder / "config.yaml").write_text(text)
    return settings.load(folder, env)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "{}\n", "gateway: {}\n"])
def test_what_is_not_said_has_its_default(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == Settings()


def test_a_project_without_the_file_has_the_defaults(tmp_path: Path) -> None:
    assert settings.load(tmp_path, {}) == Settings()


def test_the_shipped_file_names_every_setting_with_its_default() -> None:
    shipped = yamlfile.read(ROOT / "config.yaml", ROOT).value
    assert settings.load(ROOT, {}) == Settings()
    assert set(paths(shipped)) == set(paths(always(asdict(Settings()), settings.schema())))


def test_the_schema_names_the_same_defaults_as_the_code(tmp_path: Path) -> None:
    # given
    schema = settings.schema()
    defaults = default(schema)
    # when
    loaded = load(tmp_path, json.dumps(defaults))
    # then
    assert loaded == Settings()
    assert set(paths(defaults)) == set(paths(always(asdict(Settings()), schema)))


def test_durations_and_sizes_become_numbers(tmp_path: Path) -> None:
    loaded = load(tmp_path, "gateway: {body: 256KiB}\nretention: {raw: 36h}\n")
    assert (loaded.gateway.body, loaded.retention.raw) == (262144, 129600.0)


def test_the_environment_fills_in_addresses(tmp_path: Path) -> None:
    loaded = load(tmp_path, "nats: {url: 'nats://crossdock:${PW}@broker:4222'}\n", PW="secret")
    assert loaded.nats.url == "nats://crossdock:secret@broker:4222"


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("gatewai: {}\n", 1, "unknown_key"),
        ("gateway:\n  host: a\n  prot: 80\n", 3, "unknown_key"),
        ("workers: 0\n", 1, "bad_value"),
        ("workers: 1\ngateway:\n  port: 65536\n", 3, "bad_value"),
        ("gateway:\n  body: 1MB\n", 2, "bad_value"),
        ("retention:\n  raw: 0d\n", 2, "bad_value"),
        ("nats:\n  replicas: 2\n", 2, "bad_value"),
        ("nats:\n  sync_interval: 2y\n", 2, "bad_value"),
        ("nats:\n  sync_interval: never\n", 2, "bad_value"),
        ("gateway:\n", 1, "bad_value"),
        ("- a\n", 1, "bad_value"),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, text: str, line: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        load(tmp_path, text)
    assert [(p.file, p.line, p.code) for p in refused.value.problems] == [("config.yaml", line, code)]


@pytest.mark.parametrize("interval", ["always", "90s", "2d", "1w"])
def test_the_broker_may_write_to_disk_at_any_duration(tmp_path: Path, interval: str) -> None:
    assert load(tmp_path, f"nats: {{sync_interval: {interval}}}\n").nats.sync_interval == interval


def test_a_mistake_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("nats:\n  sync_interval: never\n")
    (problem,) = settings.problems(tmp_path)
    assert problem.message == "'never' is not allowed here"
    assert problem.hint.startswith("when the embedded broker writes to disk: always, or how often")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", []),
        ("nats: {url: '${URL}'}\nretention: {raw: '${RAW}'}\n", []),
        ("gateway: {port: '${PORT}'}\n", ["bad_value"]),  # text, whatever it holds
        ("nats: {urll: '${URL}', replicas: 2}\n", ["unknown_key", "bad_value"]),
        ("nats: [\n", ["bad_yaml"]),
    ],
)
def test_what_is_wrong_whatever_the_environment_holds_is_found_without_it(
    tmp_path: Path, text: str, codes: list[str]
) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert sorted(problem.code for problem in settings.problems(tmp_path)) == sorted(codes)


def test_all_mistakes_are_shown_at_once(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        load(tmp_path, "workers: many\nnats: {replicas: 2}\nthing: 1\n")
    assert {problem.line for problem in refused.value.problems} == {1, 2, 3}


def default(part: dict[str, Any]) -> Any:
    return part["default"] if "default" in part else {name: default(p) for name, p in known(part).items()}


def known(part: dict[str, Any]) -> dict[str, Any]:
    """Return what may always be said: a section with something required is said whole or not at all."""
    return {name: p for name, p in part.get("properties", {}).items() if "required" not in p}


def always(value: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    parts = known(part)
    return {k: always(v, parts[k]) if isinstance(v, dict) else v for k, v in value.items() if k in parts}


def paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, dict):
        yield above
        return
    for name, child in value.items():
        yield from paths(child, (*above, name))

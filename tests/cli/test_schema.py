"""The `schema` commands: what they print, in text and JSON, and how they exit."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossdock.cli.app import app
from schemas.registry import load
from tests.smallproject import SALE, write, write_schema

MORE = {**SALE, "properties": {**SALE["properties"], "till": {"type": "string"}}}  # type: ignore[dict-item]
NARROWER = {**SALE, "required": ["store"], "properties": {"store": {"type": "integer"}}}


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["schema", *words, "--project", str(root)])


def project(root: Path, newer: dict[str, Any]) -> Path:
    write(root)
    write_schema(root, "pos.sale", "1.1", newer)
    return root


def test_diff_in_json_has_the_shape_scripts_rely_on(tmp_path: Path) -> None:
    # when
    result = run(project(tmp_path, MORE), "diff", "pos.sale@1.0", "pos.sale@1.1", "--json")
    # then
    found = json.loads(result.stdout)
    assert (result.exit_code, list(found)) == (1, ["backward", "forward", "changes"])
    assert (found["backward"], found["forward"]) == (True, False)
    (change,) = [one for one in found["changes"] if one["breaks"]]
    assert list(change) == ["pointer", "change", "breaks", "why", "witness", "proven"]
    assert (change["pointer"], change["breaks"], change["proven"]) == ("/properties/till", ["forward"], True)
    known = load(tmp_path)
    assert known.problems("pos.sale", "1.1", change["witness"]) == []
    assert known.problems("pos.sale", "1.0", change["witness"]) != []


def test_diff_exits_0_when_both_ways_hold(tmp_path: Path) -> None:
    result = run(project(tmp_path, MORE), "diff", "pos.sale@1.0", "pos.sale@1.1", "--content-model", "lenient")
    assert result.exit_code == 0
    assert result.stdout.startswith("backward: yes\nforward:  yes\n")


def test_diff_of_versions_takes_the_content_model_of_their_type_unless_it_is_told_another(tmp_path: Path) -> None:
    # given
    project(tmp_path, MORE)
    (tmp_path / "schemas/pos.sale/schema.yaml").write_text("content_model: lenient\n")
    versions = "pos.sale@1.0", "pos.sale@1.1"
    # then
    assert run(tmp_path, "diff", *versions).exit_code == 0
    assert run(tmp_path, "diff", *versions, "--content-model", "strict").exit_code == 1


def test_diff_tells_people_the_place_the_why_and_the_witness(tmp_path: Path) -> None:
    for name, kind in (("old", "integer"), ("new", "number")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"type": kind}))
    result = run(tmp_path, "diff", str(tmp_path / "old.json"), str(tmp_path / "new.json"))
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [
            "backward: yes",
            "forward:  NO",
            "",
            'breaks forward    /type  type: "integer" became "number"',
            "                  the new version may send what the old one refuses: the document is not of type "
            '"integer", got 1.5',
            "                  witness: 1.5",
        ],
    )


@pytest.mark.parametrize("old", ["nowhere.json", "pos.sale@7.7", "no.such@1.0", "pos.sale"])
def test_diff_of_what_is_not_there_is_wrong_use(tmp_path: Path, old: str) -> None:
    result = run(write(tmp_path), "diff", old, "pos.sale@1.0")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("text", ["{", '{"type": "strin"}', '{"$schema": "http://example.org/mine"}'])
def test_diff_of_what_is_no_schema_is_wrong_use(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text)
    assert run(write(tmp_path), "diff", str(tmp_path / "old.json"), "pos.sale@1.0").exit_code == 2


def test_check_reports_both_verdicts_of_all_versions_and_what_breaks_a_promise(tmp_path: Path) -> None:
    # when
    result = run(project(tmp_path, NARROWER), "check", "--json")
    # then
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["versions"] == [
        {
            "type": "pos.sale", "old": "1.0", "new": "1.1", "compatibility": "backward_transitive",
            "content_model": "strict", "backward": False, "forward": False, "fine": False,
        }
    ]  # fmt: skip
    assert {problem["code"] for problem in found["problems"]} == {"incompatible_version"}
    assert {problem["file"] for problem in found["problems"]} == {"schemas/pos.sale/1.1.json"}


def test_check_of_one_type_leaves_out_the_others(tmp_path: Path) -> None:
    project(tmp_path, NARROWER)
    assert run(tmp_path, "check", "inventory.sold").exit_code == 0
    assert run(tmp_path, "check", "pos.sale").exit_code == 1
    assert run(tmp_path, "check", "no.such").exit_code == 2


def test_new_writes_a_schema_that_loads_and_takes_the_samples(tmp_path: Path) -> None:
    # given
    write(tmp_path)
    samples = [{"id": 2**53 + 1, "at": "2026-03-01T10:00:00Z"}, {"id": 2, "at": "2026-03-01T11:00:00Z", "note": "x"}]
    (tmp_path / "scans.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    # when
    result = run(tmp_path, "new", "carrier.scan", str(tmp_path / "scans.jsonl"), "--write")
    # then
    assert result.exit_code == 0
    assert result.stdout.endswith("1.0.json from 2 samples\n")
    known = load(tmp_path)
    assert [known.problems("carrier.scan", "1.0", sample) for sample in samples] == [[], []]
    assert [problem.pointer for problem in known.problems("carrier.scan", "1.0", {"id": 1})] == ["/at"]


def test_new_shows_the_schema_and_writes_nothing_unless_told_to(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"a": 1}')
    shown = json.loads(run(tmp_path, "new", "a.b", str(tmp_path / "one.json"), "--version", "2.3").stdout)
    assert (shown["$id"], shown["required"]) == ("crossdock:/a.b/2.3", ["a"])
    assert not (tmp_path / "schemas").exists()


def test_new_never_overwrites_and_refuses_bad_names_and_samples(tmp_path: Path) -> None:
    write(tmp_path)
    good, bad = tmp_path / "one.json", tmp_path / "bad.json"
    good.write_text('{"a": 1}')
    bad.write_text('{"a": 1.00000000000000000001}')
    assert run(tmp_path, "new", "pos.sale", str(good), "--write").exit_code == 2
    assert run(tmp_path, "new", "../up", str(good), "--write").exit_code == 2
    assert run(tmp_path, "new", "a.b", str(good), "--version", "1").exit_code == 2
    assert run(tmp_path, "new", "a.b", str(bad)).exit_code == 2


def test_new_looks_at_the_data_of_samples_in_a_cloudevents_envelope_and_says_so(tmp_path: Path) -> None:
    envelope = {"specversion": "1.0", "id": "1", "source": "/x", "type": "a.b", "data": {"a": 1}}
    (tmp_path / "one.json").write_text(json.dumps(envelope))
    result = run(tmp_path, "new", "a.b", str(tmp_path / "one.json"))
    shown = json.loads(result.stdout)
    assert (shown["required"], list(shown["properties"])) == (["a"], ["a"])
    assert shown["description"].startswith("Inferred from 1 sample; ")
    assert result.stderr == "1 sample in a CloudEvents envelope: only the data is looked at\n"


def test_new_tells_each_bad_sample_with_its_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "scans.jsonl").write_text('{"a": 1}\n\n{"a": }\n{"a": 1.00000000000000000001}\n')
    (tmp_path / "one.json").write_text('{\n  "a": 1\n  2}')
    bad = run(tmp_path, "new", "a.b", str(tmp_path / "scans.jsonl"))
    assert bad.exit_code == 2
    assert [line.split()[0] for line in bad.output.splitlines() if line.startswith("scans")] == [
        "scans.jsonl:3:7",
        "scans.jsonl:4:1",
    ]
    assert "one.json:3:3" in run(tmp_path, "new", "a.b", str(tmp_path / "one.json")).output


def test_the_name_that_every_version_has_of_its_own_is_no_change(tmp_path: Path) -> None:
    found = json.loads(run(project(tmp_path, SALE), "diff", "pos.sale@1.0", "pos.sale@1.1", "--json").stdout)
    assert found == {"backward": True, "forward": True, "changes": []}

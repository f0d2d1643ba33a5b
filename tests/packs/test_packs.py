"""Every pack passes `check` and `test` where it is added, and its system takes what it sends, over real HTTP."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from connectors.kinds import open_connector
from connectors.port import Outside
from crossdock.cli.app import app
from crossdock.cli.pack import packs
from crossdock.kernel import yamlfile
from simulators.systems import erpnext
from simulators.systems.sap import S4Hana
from tests.packs.bench import bench, canonical
from tests.packs.cases import CASES, Case, Refusal

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "crossdock" / "starter"
TARGETS = {case.pack for case in CASES}

every_pack = pytest.mark.parametrize("name", packs())
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.pack)


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each project with one pack lies, made for the first test that wants it."""
    return tmp_path_factory.mktemp("shops")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def shown(pack: str) -> list[dict[str, Any]]:
    """Return the events of the content tests of a pack that go out, as canonical ones."""
    found = []
    for path in sorted((ROOT / "connectors" / "packs" / pack).rglob("routes/*.test.yaml")):
        for test in yamlfile.read(path, ROOT).value["tests"]:
            if "dead_letters" not in test["expect"] and test["expect"].get("routes") != []:
                found.append(test["given"])
    return found


@every_pack
def test_a_project_with_a_pack_passes_check_and_test_at_once(tmp_path: Path, name: str) -> None:
    # given
    assert run("init", str(tmp_path / "shop")).exit_code == 0
    # when
    added = run("pack", "add", name, "--project", str(tmp_path / "shop"), "--json")
    # then
    assert json.loads(added.stdout)["variables"] == packs()[name].variables()
    checked = run("check", "--project", str(tmp_path / "shop"))
    assert checked.exit_code == 0, checked.output
    tested = run("test", "--cover-min", "100", "--project", str(tmp_path / "shop"))
    assert tested.exit_code == 0, tested.output


@every_pack
def test_a_pack_says_what_it_was_written_to_and_what_was_never_tried(name: str) -> None:
    readme = (ROOT / "connectors" / "packs" / name / "README.md").read_text()
    assert all(f"`{variable}`" in readme for variable in packs()[name].variables())
    assert "## Written to" in readme
    assert "## Not run against" in readme


@every_case
def test_the_system_takes_every_event_that_the_tests_of_its_pack_show(shops: Path, case: Case) -> None:
    async def act() -> None:
        async with bench(shops / case.pack, case.pack, case.system(), case.env) as scene:
            for number, given in enumerate(shown(case.pack)):
                # when
                made = await scene.deliver(canonical(given["type"], given["data"], f"e-{number}"))
                # then
                assert [one.result.outcome for one in made] == ["delivered"] * max(1, len(made)), made
            assert len(scene.simulator.system.taken) >= len(shown(case.pack))  # type: ignore[attr-defined]

    asyncio.run(act())


@pytest.mark.parametrize(
    ("case", "refusal"),
    [(case, refusal) for case in CASES for refusal in case.refusals],
    ids=lambda value: value.pack if isinstance(value, Case) else f"{value.outcome}-{value.says}",
)
def test_what_the_system_says_against_an_event_has_the_right_outcome(shops: Path, case: Case, refusal: Refusal) -> None:
    async def act() -> None:
        # given
        system = (refusal.system or case.system)()
        async with bench(shops / case.pack, case.pack, system, {**case.env, **refusal.env}) as scene:
            if refusal.answer is not None:
                scene.instead(refusal.answer)
            # when
            made = await scene.deliver(canonical(case.type, case.data))
            # then
            assert [one.result.outcome for one in made] == [refusal.outcome], made
            assert refusal.says in made[0].result.detail
            assert system.taken == []  # type: ignore[attr-defined]

    asyncio.run(act())


@pytest.mark.parametrize("case", [case for case in CASES if case.once], ids=lambda case: case.pack)
def test_an_event_that_is_delivered_again_has_one_effect(shops: Path, case: Case) -> None:
    async def act() -> None:
        async with bench(shops / case.pack, case.pack, case.system(), case.env) as scene:
            # when
            twice = [await scene.deliver(canonical(case.type, case.data)) for _ in range(2)]
            # then
            assert [one.result.outcome for made in twice for one in made] == ["delivered"] * 2
            assert len(scene.simulator.system.taken) == 1  # type: ignore[attr-defined]

    asyncio.run(act())


@pytest.mark.parametrize("case", [case for case in CASES if case.json], ids=lambda case: f"{case.pack}-{case.type}")
def test_the_system_refuses_a_field_that_its_vendor_does_not_publish(shops: Path, case: Case) -> None:
    async def act() -> None:
        # given
        async with bench(shops / case.pack, case.pack, case.system(), case.env) as scene:
            await scene.deliver(canonical(case.type, case.data))
            call, fresh = scene.simulator.calls[-1], case.system()
            # when
            fresh.answer(call._replace(body=json.dumps(misspelt(call.json())).encode()))
            # then
            assert fresh.taken == []  # type: ignore[attr-defined]

    asyncio.run(act())


def misspelt(document: Any) -> Any:
    """Return a document with one more field in the innermost of its objects."""
    changed = json.loads(json.dumps(document))
    _, innermost = max(reversed([*objects(changed, 0)]), key=lambda found: found[0])
    innermost["quantitty"] = 1
    return changed


def objects(value: Any, depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a document that are not empty, with how deep they lie."""
    if isinstance(value, dict) and value:
        yield depth, value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(child, depth + 1)


def test_an_asn_of_greaterwms_gets_its_goods_under_the_number_that_was_given(shops: Path) -> None:
    async def act() -> None:
        case = next(case for case in CASES if case.type == "shipment.announced" and case.pack == "greaterwms")
        async with bench(shops / case.pack, case.pack, case.system(), case.env) as scene:
            # when
            (opened,) = await scene.deliver(canonical(case.type, case.data))
            reply = opened.result.reply
            assert reply is not None
            (brought,) = await scene.deliver(reply)
            # then
            assert brought.result.outcome == "delivered"
            listed, goods = scene.simulator.system.taken  # type: ignore[attr-defined]
            assert listed == {"creater": "crossdock ASN-1"}
            assert goods["asn_code"] == "ASN00000002"
            assert goods["goods_code"] == ["PASTA-500"]

    asyncio.run(act())


def test_a_session_of_sap_serves_all_postings_until_it_ends(shops: Path) -> None:
    async def act() -> None:
        case, system = next(case for case in CASES if case.pack == "sap-s4hana"), S4Hana()
        async with bench(shops / case.pack, case.pack, system, case.env) as scene:
            connector = open_connector(scene.project.connectors["sap"], cast("Outside", None))
            document = scene.project.form_of(scene.project.routes["receipts-to-sap"])
            assert document is not None
            # when
            outcomes = []
            for number in range(3):
                event = document(canonical(case.type, case.data, f"e-{number}"), "")
                outcomes.append((await connector.deliver(event, f"k-{number}")).outcome)
                if number == 1:
                    system.end_sessions()
            await connector.close()
            # then
            assert outcomes == ["delivered"] * 3
            assert len(system.taken) == 3
            methods = [call.method for call in scene.simulator.calls]
            assert methods == ["GET", "POST", "POST", "POST", "GET", "POST"]

    asyncio.run(act())


@pytest.mark.parametrize(("secret", "outcome"), [(erpnext.SECRET, "delivered"), ("old", "retry")])
def test_a_probe_tells_whether_erpnext_knows_us(shops: Path, secret: str, outcome: str) -> None:
    async def act() -> None:
        case = CASES[0]
        # given
        async with bench(
            shops / case.pack, case.pack, case.system(), {**case.env, "ERPNEXT_API_SECRET": secret}
        ) as scene:
            connector = open_connector(scene.project.connectors["erpnext"], cast("Outside", None))
            # when
            result = await connector.probe()
            # then
            assert result.outcome == outcome, result
            assert secret not in result.detail
            await connector.close()

    asyncio.run(act())

"""A mapping mistake and its way home: looked at, tried dry with the fix, edited, sent, and kept as a content test."""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from simulators.installation import ROOT
from simulators.targets import Control
from tests.faults.installation import Changes, Site, running
from tests.faults.samples import sale

FORM = "transforms/targets/erp_stock.yaml"
MISTAKE, FIX = "map: '$merge([$, {\"amount\": currency}])'\n", "map: '$merge([$, {\"amount\": amount}])'\n"
MAPPED: Changes = {"routes/erp.yaml": [("    to: erp\n    order_by", "    to: erp\n    map: erp_stock\n    order_by")]}
UNKNOWN_ITEM = [{"gtin": "9520123499999", "qty": 1, "price": "6.89"}]


async def letters(site: Site, number: int, **wanted: str) -> list[dict[str, Any]]:
    """Wait for so many dead letters."""
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    while True:
        _, found = await site.ops("GET", f"/ops/v1/dead-letters?{query}")
        if len(found.get("items", ())) == number:
            return list(found["items"])
        await asyncio.sleep(0.1)


async def look(site: Site, letter: str) -> Any:
    status, found = await site.ops("GET", f"/ops/v1/dead-letters/{letter}")
    assert status == 200, found
    return found


async def content_test(root: Path, name: str) -> tuple[int, int]:
    """Run a content test; return how many passed and failed."""
    words = ("-m", "crossdock", "test", "--project", str(root), "--name", name, "--json")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    found = json.loads((await process.communicate())[0])
    return found["passed"], found["failed"]


async def home(site: Site) -> None:
    """Wait until no dead letter is open, and everything adds up."""
    await letters(site, 0, state="open")
    await letters(site, 0, state="replaying")
    assert (await site.settled())["balanced"]


async def try_dry(site: Site, candidate: Path) -> None:
    """Try three by the content in force and by the fix: the amount is different, and nothing else."""
    made = await site.command("dlq", "plan", "--route", "stock-to-erp", "--why", "the map was wrong")
    asked = site.targets["erp"].requests
    by_present = await site.command("dlq", "dry-run", made["id"])
    assert (by_present["passes"], by_present["effects"]) == (3, {"same": 3})
    by_fix = await site.command("dlq", "dry-run", made["id"], "--project", str(candidate))
    assert (by_fix["passes"], by_fix["fails"], by_fix["effects"]) == (3, [], {"different": 3})
    assert by_fix["targets"] == [{"route": "stock-to-erp", "connector": "erp", "count": 3}]
    (example,) = by_fix["examples"]
    assert example["changes"] == ['body of stock-to-erp /amount: "EUR" became "6.89"']
    assert site.targets["erp"].requests == asked
    assert len(await letters(site, 3, state="open")) == 3


async def mend(site: Site, letter: dict[str, Any]) -> None:
    """Send one edited and all others as they are; each comes home once, and the journey tells of the edit."""
    site.targets["erp"].control = Control()
    patch = '[{"op": "add", "path": "/data/till", "value": "T-9"}]'
    assert (await site.command("dlq", "edit", letter["id"], "--patch", patch, "--dry-run"))["problems"] == []
    words = ("--patch", patch, "--why", "the till was unplugged", "--yes")
    done = await site.command("dlq", "edit", letter["id"], *words)
    assert done["outcome"] == "sent"
    await letters(site, 2, state="open")
    await site.command("dlq", "replay", "--route", "stock-to-erp", "--yes")
    await home(site)
    booked = [effect.shown(full=True) for effect in site.targets["erp"].effects.values()]
    assert sorted(str("T-9" in str(one)) for one in booked) == ["False", "False", "True"]
    _, journey = await site.ops("GET", f"/ops/v1/events/{letter['event_id']}")
    (told,) = [hop for hop in journey["hops"] if hop["outcome"] == "replayed"]
    assert told["who"] == "token"
    assert told["detail"].startswith(f"{done['edit']}: the till was unplugged")
    assert (await site.command("audit", "verify"))["valid"]


def test_a_mistake_in_a_map_is_seen_tried_with_its_fix_and_brought_home(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, MAPPED, more={FORM: MISTAKE}) as site:
            # given three sales that the ERP refuses, as the map puts the currency in the place of the amount
            root = tmp_path / "project"
            site.targets["erp"].control = Control("status", status=422)
            for number in range(3):
                assert (await site.post(sale(number)))[0] == 202
            (letter, *_) = await letters(site, 3, state="open", route="stock-to-erp")
            # then it is seen what was sent and answered, and that nothing has changed yet
            found = await look(site, letter["id"])
            assert (found["sent"]["body"]["amount"], found["sent"]["body"]["customer"]) == ("EUR", "***")
            assert (found["answer"]["status"], "misbehaving" in found["answer"]["body"]) == (422, True)
            assert [one["file"] for one in found["rules"]] == ["routes/erp.yaml", "connectors/erp.yaml"]
            assert (found["changes"]["kept"], found["changes"]["changed"]) == (True, [])
            # when the fix is tried dry, then put in force
            shutil.copytree(root, tmp_path / "candidate")
            (tmp_path / "candidate" / FORM).write_text(FIX)
            await try_dry(site, tmp_path / "candidate")
            await site.command("apply", "--project", str(tmp_path / "candidate"))
            # then it is seen what changed since on the way of this event, and nothing else
            found = await look(site, letter["id"])
            (change,) = found["changes"]["changed"]
            assert (change["file"], change["what"]) == (FORM, "changed")
            assert [line for line in change["lines"] if line[0] in "+-"] == [f"-{MISTAKE.strip()}", f"+{FIX.strip()}"]
            assert found["sent"]["body"]["amount"] == "EUR"
            # when one is edited and all are sent
            await mend(site, letter)

    asyncio.run(scenario())


def test_an_event_that_breaks_a_rule_shows_where_is_mended_and_becomes_a_test(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            # given
            assert (await site.post(sale(1, lines=UNKNOWN_ITEM)))[0] == 202
            (letter,) = await letters(site, 1, state="open")
            # then
            found = await look(site, letter["id"])
            (problem,) = found["problems"]
            assert (problem["code"], problem["file"], "$lookup" in problem["text"]) == (
                "lookup_missing", "transforms/pos_sale.yaml", True,
            )  # fmt: skip
            # when
            root = tmp_path / "project"
            made = await site.command("dlq", "promote", letter["id"], "--project", str(root))
            assert made["passes"]
            assert await content_test(root, made["case"]["name"]) == (1, 0)
            patch = '[{"op": "replace", "path": "/data/lines/0/gtin", "value": "9520123400019"}]'
            await site.command("dlq", "edit", letter["id"], "--patch", patch, "--why", "wrong label", "--yes")
            await home(site)
            # then
            assert len(site.targets["erp"].effects) == 1
            _, raw = await site.ops("GET", "/ops/v1/raw?limit=10")
            assert "9520123499999" in raw["items"][0]["body"]

    asyncio.run(scenario())

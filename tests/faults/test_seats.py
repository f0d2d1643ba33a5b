"""Changes that deal the routes out to the workers anew: each goes on at its new seat where the old one left off."""

import asyncio
from pathlib import Path

from crossdock.bundle import Bundle, pack
from crossdock.laneset import share
from tests.faults.installation import running
from tests.faults.test_changes import put
from tests.faults.traffic import Traffic, check_all

EVENTS, WORKERS = 200, 3
ASIDE = {  # before all others, so that their connectors go one seat on
    "connectors/aside.yaml": b"connector: aside\nkind: http\nurl: ${OMS_URL}/never\nnetworks: [127.0.0.0/8]\n",
    "routes/aside.yaml": b'routes: [{route: aside, from: [inventory.sold], when: location = "none", to: aside}]\n',
}


def test_routes_that_move_to_another_seat_lose_double_and_turn_round_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, {"config.yaml": [("workers: 1 ", f"workers: {WORKERS} ")]}) as site:
            # given
            first, traffic = pack(tmp_path / "project"), Traffic(site, EVENTS)
            env = {f"{name.upper()}_URL": target.url for name, target in site.targets.items()}
            moved = Bundle({**first.files, **ASIDE})
            seats = [{route.name for route in share(one.load(env), 1, WORKERS)} for one in (first, moved)]
            assert seats[0].isdisjoint(seats[1])
            # when another connector comes
            async with traffic.flowing():
                await traffic.part(0.4)
                status, told = await put(site, moved)
            # then every worker has taken its new routes over in time
            assert (status, told.get("waiting")) == (200, []), told
            await check_all(site, traffic)

    asyncio.run(scenario())

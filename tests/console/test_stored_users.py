"""Users as they are stored: what a later version of Crossdock wrote of one is read, changed and not lost."""

import asyncio
import json
from dataclasses import replace

from console.access import Role
from console.users import Users
from crossdock.adapters.memoryrecords import MemoryRecords


def test_what_a_later_version_stores_of_a_user_outlives_a_change_by_this_one() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        users = Users(records)
        await users.add("ann", Role.VIEWER, "digest", 1)
        ((name, (stored, version)),) = (await records.all()).items()
        await records.put(name, json.dumps(json.loads(stored) | {"key": "of a token"}).encode(), version)
        # when
        changed = await users.change("ann", 2, lambda user: replace(user, role=Role.ADMIN))
        # then
        assert (changed, (await users.all())[0].role) == (await users.find("ann"), Role.ADMIN)
        stored, _ = (await records.all())[name]
        assert json.loads(stored)["key"] == "of a token"

    asyncio.run(scenario())

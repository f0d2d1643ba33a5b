"""Connections of the delivery client: how many, how long, and what happens when the target closes one."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from connectors.addresses import Address
from connectors.client import Client
from connectors.connection import Limits
from connectors.pool import MOST_DIALS, Pool
from connectors.target import SendFailed, Target
from tests.connectors.servers import LOOPBACK, LOOPS, OK, Served, always, failure, post, run, serving


async def nowhere() -> list[Address]:
    return []


pytestmark = pytest.mark.parametrize("loop", list(LOOPS))


def test_no_more_connections_are_opened_than_allowed_and_all_are_reused(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK, max_connections=3)
            await asyncio.gather(*(post(client, server) for _ in range(60)))
            assert server.connections == 3
            for _ in range(5):
                await post(client, server)
            assert server.connections == 3
            await client.close()
            await server.until_ended(3)

    run(loop, scenario)


def test_the_connection_used_last_is_taken_first_so_that_others_can_age(loop: str) -> None:
    async def behave(served: Served) -> None:
        while True:
            await served.request()
            await served.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % served.number)

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            assert {response.body for response in await asyncio.gather(*(post(client, server) for _ in range(3)))} == {
                b"1", b"2", b"3",
            }  # fmt: skip
            assert len({(await post(client, server)).body for _ in range(4)}) == 1
            await client.close()

    run(loop, scenario)


def test_a_place_goes_to_whoever_waits_longest_and_past_those_who_gave_up(loop: str) -> None:
    async def scenario() -> None:
        pool, got = Pool(1, 60, Limits(1, 1), nowhere), []

        async def wait(name: str) -> None:
            await pool.acquire(asyncio.get_running_loop().time() + 5)
            got.append(name)

        await pool.acquire(0)
        tasks = [asyncio.create_task(wait(name)) for name in "abcd"]
        await asyncio.sleep(0)
        tasks[0].cancel()
        pool.release()
        await tasks[1]
        pool.release()
        tasks[2].cancel()  # its turn has come, but it has not run yet
        await tasks[3]
        assert got == ["b", "d"]
        assert tasks[0].cancelled() and tasks[2].cancelled()
        pool.release()
        await wait("e")

    run(loop, scenario)


def test_who_waits_in_vain_takes_no_place(loop: str) -> None:
    async def scenario() -> None:
        pool = Pool(1, 60, Limits(1, 1), nowhere)
        await pool.acquire(0)
        with pytest.raises(SendFailed, match="timeout"):
            await pool.acquire(asyncio.get_running_loop().time() + 0.01)
        pool.release()
        await pool.acquire(0)

    run(loop, scenario)


def test_a_connection_unused_for_long_is_closed(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK, max_idle=0.05)
            await post(client, server)
            await server.until_ended(1)
            await post(client, server)
            assert server.connections == 2
            await client.close()

    run(loop, scenario)


def test_a_kept_connection_that_the_target_closed_costs_no_attempt(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(OK)
        if served.number == 1:
            await served.request()  # read the second request and close without a byte
            served.reset()
        else:
            await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            assert (await post(client, server)).status == 200
            assert (await post(client, server)).status == 200
            assert server.connections == 2
            await client.close()

    run(loop, scenario)


def test_a_request_that_was_lost_with_a_kept_connection_counts_as_sent(loop: str) -> None:
    async def resolve_once(_: str, __: int) -> list[Address]:
        if asked:
            raise socket.gaierror("gone")
        asked.append(1)
        return [ip_address("127.0.0.1")]

    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(OK)
        await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK, resolve=resolve_once)
            await post(client, server)
            failed = await failure(client, server)
            assert (failed.code, failed.sent) == ("connect", True)
            await client.close()

    asked: list[int] = []
    run(loop, scenario)


def test_a_kept_connection_that_answered_in_part_is_not_tried_again(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(OK)
        await served.request()
        await served.answer(b"HTTP/1.1 200")

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            await post(client, server)
            failed = await failure(client, server)
            assert (failed.code, failed.sent, server.connections) == ("reset", True, 1)
            await client.close()

    run(loop, scenario)


def test_a_fresh_connection_that_closes_without_an_answer_is_a_failure(loop: str) -> None:
    async def behave(served: Served) -> None:
        await served.request()

    async def scenario() -> None:
        async with serving(behave) as server:
            client = Client(LOOPBACK)
            failed = await failure(client, server)
            assert (failed.code, failed.sent, server.connections) == ("reset", True, 1)
            await client.close()

    run(loop, scenario)


def test_those_who_dial_at_the_same_time_share_one_look_up_and_each_its_own_failure(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            client = Client(LOOPBACK, resolve=slow)
            waiting = [asyncio.create_task(post(client, server)) for _ in range(20)]
            assert {(await one).status for one in waiting} == {200}
            await client.close()

            failures = await asyncio.gather(*(failure(Client(LOOPBACK, resolve=gone), server) for _ in range(2)))
            shared = Client(LOOPBACK, resolve=gone)
            failures += await asyncio.gather(*(failure(shared, server) for _ in range(3)))
            assert {one.code for one in failures} == {"connect"}
            assert len({id(one) for one in failures}) == 5

    async def slow(_: str, __: int) -> list[Address]:
        asked.append(1)
        for _turn in range(3):
            await asyncio.sleep(0)
        return [ip_address("127.0.0.1")]

    async def gone(_: str, __: int) -> list[Address]:
        raise socket.gaierror("gone")

    asked: list[int] = []
    run(loop, scenario)
    assert len(asked) <= 2  # the second one is for those who dial when the first dials are over


def test_few_dial_at_a_time_and_who_waits_for_a_turn_takes_what_is_idle_first(loop: str) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as server:
            pool, soon = Pool(64, 60, Limits(1, 1), nowhere), asyncio.get_running_loop().time() + 5
            assert [await pool.acquire(soon) for _ in range(MOST_DIALS)] == [None] * MOST_DIALS
            one, other = (asyncio.create_task(pool.acquire(soon)) for _ in range(2))
            await asyncio.sleep(0)
            assert not one.done()

            target = Target("http", "127.0.0.1", server.port)
            opened = await pool.connect(target, ip_address("127.0.0.1"), None)
            pool.give(opened)
            pool.release()
            assert await one is opened
            assert not other.done()

            pool.dialled()
            assert await other is None
            pool.close()

    run(loop, scenario)

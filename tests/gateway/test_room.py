"""Connections are bounded, and so is what all of them hold: who only connects, drips or floods harms nobody else."""

import asyncio
import hmac
import json
from collections.abc import Iterable
from pathlib import Path

from crossdock.supervisor import ending
from tests.gateway.door import BODY_LIMIT, SALE, document
from tests.gateway.wire import GET, Client, Street, on_the_street, status_of
from tests.smallproject import source


async def half_open(
    street: Street, count: int, sent: bytes = b"POST /v1/events HTTP/1.1\r\nHost: a\r\n"
) -> list[Client]:
    clients = [await street.client() for _ in range(count)]
    for client in clients:
        client.send(sent)
    return clients


async def crowded(street: Street, sent: bytes) -> list[Client]:
    """Let four hold nearly all that unknown senders may, then four more come."""
    first = await half_open(street, 4, sent)
    while street.budget.unproven > len(sent):  # noqa: ASYNC110  # the server tells it no other way
        await asyncio.sleep(0.01)
    return first + await half_open(street, 4, sent)


async def all_gone(street: Street, clients: Iterable[Client]) -> None:
    """Close connections and wait until the server knows."""
    for client in clients:
        client.writer.close()
    while street.server.server_state.connections:  # noqa: ASYNC110  # uvicorn tells it no other way
        await asyncio.sleep(0.01)


def test_half_open_connections_make_room_for_each_other_and_for_everybody(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: one client that has been served, and as many half-open connections as there is room for
        good = await street.client()
        assert await status_of(good, street.post("first")) == 202
        half = await half_open(street, 3)
        assert await status_of(await street.client(), GET) == 200
        # then: the oldest half-open one is closed, and all others stay
        assert await half[0].closed()
        assert await status_of(good, street.post("second")) == 202
        half[1].send(b"Content-Length: 0\r\n\r\n")
        assert (await half[1].answer()).status == 401

    on_the_street(tmp_path, scenario, connections=4)


def test_among_those_that_were_served_the_one_silent_for_longest_makes_room(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        first, second = await street.client(), await street.client()
        for client in (first, second, first):
            assert await status_of(client, GET) == 200
        assert await status_of(await street.client(), GET) == 200
        assert await second.closed()
        assert await status_of(first, GET) == 200

    on_the_street(tmp_path, scenario, connections=2)


def test_no_answer_under_way_is_lost_to_a_newcomer_who_is_told_to_come_again(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        first, second = await street.client(), await street.client()
        street.log.open.clear()
        first.send(street.post("a"))
        second.send(street.batch("b"))
        await street.log.asked.wait()
        third = await street.client()
        third.send(street.post("c"))
        refused = await third.answer()
        assert (refused.status, refused.headers["connection"], refused.headers["retry-after"]) == (503, "close", "2")
        assert refused.json()["type"] == "urn:crossdock:problem:unavailable"
        street.log.open.set()
        assert ((await first.answer()).status, (await second.answer()).status) == (202, 202)
        assert sorted(street.stored()) == ["a", "b"]

    on_the_street(tmp_path, scenario, connections=2)


def test_a_spent_budget_refuses_the_newest_body_of_every_way_and_comes_back(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: most of the budget is held by a body that does not end
        slow, other = await street.client(), await street.client()
        event, batch = street.post("x" * 1000), street.batch("y" * 1000)
        long = street.post("", body=json.dumps(document("long")).encode() + b" " * 1600)
        slow.send(long[:-1])
        while street.budget.proven > 1000:  # noqa: ASYNC110  # the server tells it no other way
            await asyncio.sleep(0.01)
        # then
        for request in (event, batch):
            other.send(request)
            answer = await other.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")
            other = await street.client()
        slow.send(long[-1:])
        assert (await slow.answer()).status == 202
        assert [await status_of(other, street.batch("b")), await status_of(other, event)] == [202, 202]
        # when: everybody goes, one of them midway
        slow.send(long[:-1])
        await all_gone(street, [slow, other])
        # then
        assert street.budget.free == 4800

    on_the_street(tmp_path, scenario, budget=4800)


def test_heads_that_do_not_end_make_room_for_each_other_and_keep_no_key_out(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: more than all may hold whose sender is not known
        clients = await crowded(street, b"POST /v1/events HTTP/1.1\r\nA: " + b"a" * 8100)
        # then: the oldest are told to come again, and keys have the other half to themselves
        refused = [await client.answer() for client in clients[:4]]
        assert [(answer.status, answer.headers["connection"]) for answer in refused] == [(503, "close")] * 4
        assert street.budget.proven == 40_000
        good = [await street.client() for _ in range(2)]
        assert await status_of(good[0], street.post("event")) == 202
        assert await status_of(good[1], street.batch("batch")) == 202
        clients[-1].send(b"\r\n\r\n")
        assert (await clients[-1].answer()).status == 401
        # when
        await all_gone(street, [*clients, *good])
        # then
        assert street.budget.free == 80_000

    on_the_street(tmp_path, scenario, budget=80_000)


def test_bodies_without_a_proof_make_room_for_each_other_and_keep_no_proof_out(tmp_path: Path) -> None:
    vendor = source("vendor", "vendor", "event: {id: body.receipt, type: '\"pos.sale\"'}")
    vendor = vendor.replace("cloudevents", "webhook").replace("api_key: true", "github: {secret: s}")
    head = b"POST /v1/sources/vendor HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"

    def signed(body: bytes) -> bytes:
        proof = hmac.new(b"s", body, "sha256").hexdigest().encode()
        return head + b"X-Hub-Signature-256: sha256=%b\r\nContent-Length: %d\r\n\r\n" % (proof, len(body)) + body

    async def scenario(street: Street) -> None:
        # given: more than all may hold whose sender is not known
        clients = await crowded(street, head + b"Content-Length: 9000\r\n\r\n" + b" " * 8100)
        # then: the oldest are told to come again, and signatures and keys are served
        assert [(await client.answer()).status for client in clients[:4]] == [503] * 4
        good = [await street.client() for _ in range(3)]
        sale = json.dumps(SALE).encode() + b" " * 3000
        assert await status_of(good[0], signed(sale)) == 202
        assert await status_of(good[1], street.post("event")) == 202
        assert await status_of(good[2], street.batch("batch")) == 202
        clients[-1].send(b" " * 900)
        assert (await clients[-1].answer()).status == 401
        # when
        await all_gone(street, [*clients, *good])
        # then
        assert street.budget.free == 80_000

    on_the_street(tmp_path, scenario, budget=80_000, changes={"gateway/vendor.yaml": vendor})


def test_the_budget_is_whole_after_all_kinds_of_refusals(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        for request in (street.post("a"), street.batch("b"), street.post("c", body=b"{"), GET, street.post("d")[:-3]):
            client.send(request)
        assert [(await client.answer()).status for _ in range(4)] == [202, 202, 400, 200]
        chunk = b"%x\r\n%b\r\n" % (BODY_LIMIT + 1, b" " * (BODY_LIMIT + 1))
        large = await street.client()
        large.send(street.post("", "Transfer-Encoding: chunked", body=b"", length=False), chunk)
        assert (await large.answer()).status == 413
        long = await street.client()
        long.send(b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000)
        assert (await long.answer()).status == 431
        await all_gone(street, [client, large, long])
        assert street.budget.free == 100_000

    on_the_street(tmp_path, scenario, budget=100_000)


def test_answers_arrive_before_a_body_that_is_too_large_is_cut(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: the client sends far more than it may before it reads anything
        client = await street.client()
        client.send(
            street.post("a"), street.batch("b"), street.post("", f"Content-Length: {1 << 30}", body=b"", length=False)
        )
        client.send(b" " * (ending.DROPPED // 2))
        await client.writer.drain()
        await asyncio.sleep(0.2)  # the server would have closed by now, and its reset have emptied our socket
        # then
        assert [(await client.answer()).status for _ in range(3)] == [202, 202, 413]
        assert await client.closed()

    on_the_street(tmp_path, scenario)


def test_a_body_that_nobody_wants_is_not_read_to_its_end(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await client.answer()).status == 404
        piece, sent = b"10000\r\n" + b" " * 0x10000 + b"\r\n", 0
        try:
            while sent < 64 << 20:
                client.send(piece)
                sent += len(piece)
                await client.writer.drain()
        except ConnectionError:
            pass
        assert sent < 32 << 20  # what the sockets hold, and what is dropped

    on_the_street(tmp_path, scenario)

"""The feed: what is published reaches every stream once, in order, and a stream that lost some is told so."""

from __future__ import annotations

import asyncio
import threading

from groundswell.console import Feed
from tests.console_world import bins, event


def received(messages: list[bytes], field: bytes = b"event: ") -> list[bytes]:
    return [
        line[len(field) :] for message in messages for line in message.split(b"\n") if line.startswith(field)
    ]


def test_a_record_published_in_another_thread_wakes_a_waiting_stream() -> None:
    feed = Feed()

    async def wait() -> list[bytes]:
        with feed.subscribe() as stream:
            threading.Thread(target=feed.publish, args=([event()], bins("quake", "20+"))).start()
            messages = await stream.take(timeout_seconds=30)
            while len(messages) < 2:
                messages += await stream.take(timeout_seconds=30)
            return messages

    messages = asyncio.run(wait())
    assert received(messages) == [b"record", b"bins"]
    assert b'"deprem oldu"' in messages[0]


def test_a_quiet_feed_gives_nothing_rather_than_waiting_for_ever() -> None:
    async def wait() -> list[bytes]:
        with Feed().subscribe() as stream:
            return await stream.take(timeout_seconds=0.01)

    assert asyncio.run(wait()) == []


def test_a_stream_that_comes_back_goes_on_where_it_was_cut() -> None:
    feed = Feed()

    async def cut_and_resume() -> tuple[list[bytes], list[bytes]]:
        with feed.subscribe() as stream:
            feed.publish([event("a"), event("b")])
            before = await stream.take(1)
        feed.publish([event("c")])
        with feed.subscribe(received(before[:1], b"id: ")[0].decode()) as stream:
            return before, await stream.take(1)

    before, after = asyncio.run(cut_and_resume())
    assert len(before) == 2
    assert [b'"id":"b"' in after[0], b'"id":"c"' in after[1]] == [True, True]


def test_ids_the_ring_does_not_hold_are_answered_with_resync() -> None:
    feed = Feed(keep=2)
    feed.publish([event("old")])

    async def resume(last: str) -> list[bytes]:
        with feed.subscribe(last) as stream:
            return received(await stream.take(1))

    first = f"{feed._run}-1"
    assert asyncio.run(resume(first)) == []
    feed.publish([event("a"), event("b"), event("c")])
    assert asyncio.run(resume(first)) == [b"resync"]
    for foreign in ("deadbeef-1", "", "x", f"{feed._run}--1", f"{feed._run}-{'9' * 40}", f"{feed._run}-²"):
        assert asyncio.run(resume(foreign)) == [b"resync"], foreign


def test_a_slow_stream_is_told_to_resync_and_then_goes_on() -> None:
    feed = Feed(keep=10)

    async def fall_behind() -> tuple[list[bytes], list[bytes]]:
        with feed.subscribe() as stream:
            feed.publish([event(str(number)) for number in range(25)])
            behind = await stream.take(1)
            feed.publish([event("after")])
            return behind, await stream.take(1)

    behind, after = asyncio.run(fall_behind())
    assert received(behind) == [b"resync"]
    assert [b'"id":"after"' in message for message in after] == [True]


def test_the_ring_is_bounded_in_bytes_too() -> None:
    feed = Feed(keep=1000, keep_bytes=4000)
    feed.publish([event(str(number)) for number in range(100)])
    assert 1 < len(feed._ring) < 20
    assert feed._ring_bytes == sum(map(len, feed._ring)) <= 4000


def test_closing_ends_waiting_streams() -> None:
    feed = Feed()

    async def wait() -> list[bytes]:
        with feed.subscribe() as stream:
            threading.Timer(0.05, feed.close).start()
            return await stream.take(timeout_seconds=60)

    assert asyncio.run(asyncio.wait_for(wait(), 30)) == []
    assert feed.closed


def test_every_stream_sees_every_record_in_order_while_two_threads_publish() -> None:
    feed = Feed(keep=2000)

    async def follow() -> list[bytes]:
        with feed.subscribe() as stream:
            seen: list[bytes] = []
            while len(seen) < 400:
                seen += await stream.take(timeout_seconds=30)
            return received(seen, b"id: ")

    def publish(name: str) -> None:
        for number in range(200):
            feed.publish([event(f"{name}{number}")])

    async def all_of_it() -> list[list[bytes]]:
        followers = [asyncio.create_task(follow()) for _ in range(3)]
        await asyncio.sleep(0)
        for name in ("a", "b"):
            threading.Thread(target=publish, args=(name,)).start()
        return await asyncio.gather(*followers)

    first, *others = asyncio.run(all_of_it())
    assert [int(id.rpartition(b"-")[2]) for id in first] == list(range(1, 401))
    assert all(other == first for other in others)


def test_a_full_feed_says_so_until_somebody_leaves() -> None:
    feed = Feed(max_streams=1)

    async def fill() -> list[bool]:
        states = [feed.full]
        with feed.subscribe():
            states.append(feed.full)
        return [*states, feed.full]

    assert asyncio.run(fill()) == [False, True, False]

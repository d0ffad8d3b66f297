"""A crowd beside one good client: as many wrong keys as one machine can send, and sockets that send as slowly as they can. The good client is
answered all the while, the trail doesn't grow with the wrong keys, and the slow sockets are gone in time."""

import asyncio
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import FULL, Target, call, check

WRONG_SECONDS = 20 if FULL else 3
SENDERS = 8
PIPELINED = 64
SLOW = 2_000 if FULL else 300
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
FILES = 8_192 if HARD == resource.RLIM_INFINITY else min(8_192, HARD)
# The limits for the head of a request, for a body that stalls, and for an answer that isn't read, with a reserve for a busy machine.
HEAD_SECONDS, BODY_SECONDS = 12, 32


def message(target, name, arguments, key, extra=""):
    headers, body = call(name, arguments, key)
    lines = [f"POST /mcp HTTP/1.1", f"Host: {target.authority}", f"Content-Length: {len(body)}", *(f"{key}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def answer(reader):
    """The status of one answer, which is read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), None)
    if length is None:
        while (await reader.readline()) not in (b"0\r\n", b""):
            pass
        await reader.readline()
    else:
        await reader.readexactly(length)
    return int(head.split()[1])


async def good_client(target, end, times):
    reader, writer = await asyncio.open_connection(*target.address)
    request = message(target, "get_risk_score", {}, target.read_key)
    while not end.is_set():
        began = time.monotonic()
        writer.write(request)
        status = await asyncio.wait_for(answer(reader), 30)
        assert status == 200, status
        times.append(time.monotonic() - began)
        await asyncio.sleep(0.002)
    writer.close()


def percentile(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1000


async def measured(target, seconds):
    times, end = [], asyncio.Event()
    client = asyncio.create_task(good_client(target, end, times))
    await asyncio.sleep(seconds)
    end.set()
    await client
    return times


async def wrong_sender(target, end, counts):
    key = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR"
    request = message(target, "get_risk_score", {}, key) * PIPELINED
    while not end.is_set():
        try:
            reader, writer = await asyncio.open_connection(*target.address)
            while not end.is_set():
                writer.write(request)
                for _ in range(PIPELINED):
                    status = await asyncio.wait_for(answer(reader), 30)
                    counts[status] = counts.get(status, 0) + 1
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            counts["closed"] = counts.get("closed", 0) + 1


def trail_bytes(target):
    data = Path(target.folder.name) / "data"
    return sum((data / name).stat().st_size for name in ("watchpost.db", "watchpost.db-wal") if (data / name).exists())


async def wrong_keys(target):
    alone = await measured(target, 2)
    before, counts, end = trail_bytes(target), {}, asyncio.Event()
    senders = [asyncio.create_task(wrong_sender(target, end, counts)) for _ in range(SENDERS)]
    await asyncio.sleep(0.5)
    beside = await measured(target, WRONG_SECONDS)
    end.set()
    await asyncio.gather(*senders)
    rate = sum(count for status, count in counts.items() if status != "closed") / (WRONG_SECONDS + 0.5)
    assert set(counts) <= {401, 429, "closed"} and counts.get(429, 0) > counts.get(401, 0), counts
    assert counts[401] <= 40, f"{counts[401]} wrong keys were checked"
    assert len(beside) > WRONG_SECONDS * 5, f"the good client got {len(beside)} answers"
    check(
        percentile(beside, 0.99) < 2_000,
        f"{rate:,.0f} wrong keys a second ({counts}); a good client at the same address: {len(beside)} answers, all 200, "
        f"p99 {percentile(beside, 0.99):.1f} ms, alone {percentile(alone, 0.99):.1f} ms; the load runs on the same cores",
    )
    growth = (trail_bytes(target) - before) / 1024 / 1024 / (WRONG_SECONDS + 0.5) * 60
    # The good client's own entries are in it: about 600 bytes each.
    allowed = 1 + len(beside) * 1_000 / 1024 / 1024 / (WRONG_SECONDS + 0.5) * 60 + 8
    check(growth <= allowed, f"the database grows by {growth:.1f} MiB a minute, the answers to the good client included")


async def slow_head(target, gone):
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(*target.address)
    try:
        writer.write(f"POST /mcp HTTP/1.1\r\nHost: {target.authority}\r\nX-Slow: ".encode())
        reading = asyncio.create_task(reader.read(4096))
        while not reading.done():
            writer.write(b"x")
            await asyncio.wait({reading}, timeout=5)
        reading.exception()
    except OSError:
        pass
    gone.append(time.monotonic() - began)
    writer.close()


async def slow_body(target, gone):
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(*target.address)
    headers, _ = call("get_risk_score", {}, target.read_key)
    try:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(["POST /mcp HTTP/1.1", f"Host: {target.authority}", "Content-Length: 5000", *lines, "", ""]).encode())
        reading = asyncio.create_task(reader.read(4096))
        while not reading.done():
            writer.write(b" ")
            await asyncio.wait({reading}, timeout=1)
        reading.exception()
    except OSError:
        pass
    gone.append(time.monotonic() - began)
    writer.close()


async def slow(target, what, one, count, seconds):
    gone, times, end = [], [], asyncio.Event()
    client = asyncio.create_task(good_client(target, end, times))
    sockets = [asyncio.create_task(one(target, gone)) for _ in range(count)]
    await asyncio.gather(*sockets)
    end.set()
    await client
    check(max(gone) <= seconds, f"{count} {what}: all gone after {max(gone):.1f} s; the good client meanwhile: {len(times)} answers, p99 {percentile(times, 0.99):.1f} ms")


async def main():
    with Target(open_files=(FILES, FILES)) as target:
        await wrong_keys(target)
    # A key's own limits would end its slow sockets at once.
    with Target(open_files=(FILES, FILES)) as target:
        await slow(target, "sockets that send a byte of a header every 5 s", slow_head, SLOW, HEAD_SECONDS)
        if FULL:
            await slow(target, "sockets that send a byte of a body every second", slow_body, 100, BODY_SECONDS)


resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, HARD))
asyncio.run(main())

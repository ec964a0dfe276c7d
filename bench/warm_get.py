"""`get` over one warm connection, 1 and 64 requests in flight, beside `ping`, the floor of the socket, and `changes`.

    python bench/warm_get.py DIR [--rows 1000000] [--requests 5000]

With `rows` the library is so many rows larger (bench/rows.py), and ids and paths asked for are spread over them: 1,000
of each, in random order. CPU is the daemon's own for each request; the client shares the machine with it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import measure
import rows as synthetic
import uvloop

from mediactl import AsyncClient, workcalls

WARM_UP = 300


async def load(call: Callable[[int], Awaitable[object]], requests: int, in_flight: int) -> tuple[list[float], float]:
    """Sends `requests` calls, `in_flight` at a time; returns each one's seconds and the rate a second."""
    numbers = iter(range(requests))
    times: list[float] = []

    async def worker() -> None:
        for number in numbers:
            began = time.perf_counter()
            await call(number)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return times, requests / (time.perf_counter() - began)


@dataclass(frozen=True)
class Taken:
    """One kind of request: seconds of the median and the 99th percentile, requests a second, daemon's CPU seconds of
    each."""

    p50: float
    p99: float
    rate: float
    cpu: float


async def measure_client(
    address: Path, pid: int, ids: list[str], requests: int, most: int
) -> dict[tuple[str, int], Taken]:
    """By the kind of request and how many are in flight, 1 or `most`. `ids`: of the items to ask for; else any."""
    rows = {}
    async with AsyncClient(str(address)) as client:
        ids = ids or [str(item.id) async for item in client.query("", limit=2000)]
        random.Random(1).shuffle(ids)
        found = [(await client.get(ident))[0].item for ident in ids[:1000]]
        paths = [item.files[0].path for item in found if item is not None and item.files[0].path]

        # The newest event: a cursor after the last one is answered by a snapshot of the whole library.
        last = max(1, (await client.status()).last_event)

        async def ping(number: int) -> None:
            await client.ping(b"x")

        async def get(number: int) -> None:
            await client.get(ids[number % len(ids)])

        async def get_light(number: int) -> None:
            await client.get(ids[number % len(ids)], light=True)

        async def get_path(number: int) -> None:
            await client.get(paths[number % len(paths)])

        async def changes(number: int) -> None:
            await client.run(workcalls.changes(last - 1, limit=1))

        for name, call in (
            ("ping", ping), ("get by id", get), ("get by id, light", get_light), ("get by path", get_path),
            ("changes --since, limit 1", changes),
        ):  # fmt: skip
            if call is get_path and not paths:  # rows of a volume that is nowhere
                continue
            await load(call, WARM_UP, 8)
            for in_flight in (1, most):
                before = measure.exact_cpu(pid)
                times, rate = await load(call, requests, in_flight)
                spent = (measure.exact_cpu(pid) - before) / requests
                p50, p99 = measure.percentile(times, 0.5), measure.percentile(times, 0.99)
                rows[name, in_flight] = Taken(p50, p99, rate, spent)
    return rows


def observe(daemon: measure.Daemon, ids: list[str], requests: int, most: int = 64) -> dict[tuple[str, int], Taken]:
    """What `measure_client` finds, on a loop like the daemon's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measure_client(daemon.socket, daemon.process.pid, ids, requests, most))


def report(folder: Path, requests: int, count: int = 0) -> str:
    measure.become_subreaper()
    with measure.private_daemon() as daemon:
        daemon.control("add", "--wait", str(folder))
        # Some 15 s of CPU a 100,000 rows: it says how far it is.
        ids = synthetic.fill(daemon.dsn, count, progress=True) if count else []
        found = observe(daemon, ids, requests)
    rows = [
        [f"{name}, {flight} in flight", f"{each.p50 * 1e3:.3f}", f"{each.p99 * 1e3:.3f}", f"{each.rate:,.0f}",
         f"{each.cpu * 1e6:.0f}"]
        for (name, flight), each in found.items()
    ]  # fmt: skip
    return measure.table(["warm socket", "p50 ms", "p99 ms", "requests/s", "daemon CPU us"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=0)
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.requests, arguments.rows))


if __name__ == "__main__":
    main()

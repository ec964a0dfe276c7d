"""`get` by id over one warm connection, 1 and 64 requests in flight, and `ping` as the floor of the socket.

python bench/warm_get.py DIR [--requests 5000]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import measure
import uvloop

from mediactl import AsyncClient


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


async def measure_client(address: Path, requests: int) -> list[list[str]]:
    rows = []
    async with AsyncClient(str(address)) as client:
        ids = [item.id async for item in client.query("", limit=2000)]

        async def get(number: int) -> None:
            await client.get(ids[number % len(ids)])

        async def ping(number: int) -> None:
            await client.ping(b"x")

        for name, call in (("ping", ping), ("get by id", get)):
            await load(call, 200, 8)
            for in_flight in (1, 64):
                times, rate = await load(call, requests, in_flight)
                p50, p99 = measure.percentile(times, 0.5), measure.percentile(times, 0.99)
                rows.append([f"{name}, {in_flight} in flight", f"{p50 * 1e3:.3f}", f"{p99 * 1e3:.3f}", f"{rate:,.0f}"])
    return rows


def report(folder: Path, requests: int) -> str:
    measure.become_subreaper()
    with measure.private_daemon() as daemon:
        daemon.control("add", "--wait", str(folder))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rows = runner.run(measure_client(daemon.socket, requests))
    return measure.table(["warm socket", "p50 ms", "p99 ms", "requests/s"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=5000)
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.requests))


if __name__ == "__main__":
    main()

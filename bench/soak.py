"""So many clients ask for so many minutes while a library is scanned and files change: does anybody starve?

    python bench/soak.py LIBRARY [--clients 50] [--minutes 10] [--rows 100000]

Each client has a connection of its own and asks one thing after the other: questions of every class of bench/search.py,
with their items; every tenth time a record, every hundredth a count. The library is added at the start; once a second a
file is made, changed, renamed or removed in a watched tree, and found again by its new name.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
from pathlib import Path

import measure
import uvloop

from bench import rows, search
from mediactl import AsyncClient, Client
from mediad.errors import MediadError
from mediadb_contract import mediadb_pb2 as pb


class Figures:
    """What happened, by what was asked."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.errors: dict[str, int] = {}
        self.by_client: dict[int, int] = {}
        self.found_after: list[float] = []

    def add(self, what: str, client: int, seconds: float) -> None:
        self.times.setdefault(what, []).append(seconds)
        self.by_client[client] = self.by_client.get(client, 0) + 1


async def ask(
    number: int, socket: Path, asked: dict[str, list[str]], ids: list[str], until: float, figures: Figures
) -> None:
    r = random.Random(number)
    classes = list(asked)
    async with AsyncClient(str(socket), timeout=60) as client:
        count = 0
        while time.monotonic() < until:
            count += 1
            name = classes[(count + number) % len(classes)]
            text = r.choice(asked[name])
            began = time.perf_counter()
            try:
                if count % 10 == 0:
                    name = "get"
                    await client.get(r.choice(ids))
                elif count % 100 == 1:
                    name = "count"
                    await client.call(pb.Request(query=pb.QueryRequest(text=text, count=True)), deadline=60)
                else:
                    await client.query_page(text, limit=50)
            except MediadError as error:
                figures.errors[error.code] = figures.errors.get(error.code, 0) + 1
            figures.add(name, number, time.perf_counter() - began)
            await asyncio.sleep(r.uniform(0, 0.2))


async def change(tree: Path, socket: Path, until: float, figures: Figures) -> None:
    """A change a second, and how long until it is found."""
    tree.mkdir(exist_ok=True)
    number = 0
    async with AsyncClient(str(socket), timeout=60) as client:
        await client.add([tree])
        while time.monotonic() < until:
            number += 1
            name = f"soaked{os.getpid()}n{number}"
            path = tree / f"{name}.txt"
            path.write_text(f"text {number}")
            began = time.perf_counter()
            while time.perf_counter() - began < 30:
                if (await client.query_page(f'"{name}"', limit=1)).items:
                    figures.found_after.append(time.perf_counter() - began)
                    break
                await asyncio.sleep(0.02)
            if number % 3 == 0:
                path.rename(tree / f"renamed {name}.txt")
            elif number % 3 == 1:
                path.unlink()
            await asyncio.sleep(1)


async def soak(
    daemon: measure.Daemon, clients: int, seconds: float, ids: list[str], asked: dict[str, list[str]], library: Path
) -> Figures:
    figures = Figures()
    until = time.monotonic() + seconds
    tree = daemon.folder / "changing"
    scanner = await asyncio.create_subprocess_exec(
        measure.program("mediactl"), "--socket", str(daemon.socket), "add", "--no-wait", str(library),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    tasks = [ask(number, daemon.socket, asked, ids, until, figures) for number in range(clients)]
    await asyncio.gather(*tasks, change(tree, daemon.socket, until, figures))
    await scanner.wait()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    measure.become_subreaper()
    with measure.private_daemon() as daemon:
        ids = rows.fill(daemon.dsn, given.rows)
        with Client(str(daemon.socket), timeout=60) as client:
            asked = search.questions(client, 50)
            before = client.status()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(soak(daemon, given.clients, given.minutes * 60, ids, asked, given.library))
        with Client(str(daemon.socket), timeout=60) as client:
            after = client.status()
    total = [seconds for times in figures.times.values() for seconds in times]
    print(
        f"{given.clients} clients, {given.minutes:g} minutes, {given.rows:,} rows and a scan: {len(total):,} answers\n"
    )
    print("| asked | answers | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|")
    for name, times in [("all", total), *sorted(figures.times.items())]:
        p50, p99 = measure.percentile(times, 0.5), measure.percentile(times, 0.99)
        print(f"| {name} | {len(times):,} | {p50 * 1e3:.1f} | {p99 * 1e3:.1f} | {max(times) * 1e3:.0f} |")
    served = figures.by_client.values()
    fewest, most, usual = min(served), max(served), statistics.median(served)
    print(f"\nerrors: {figures.errors or 'none'}; a client got {fewest} to {most} answers, {usual:.0f} usually")
    waited = [1e3 * each for each in figures.found_after]
    print(f"{len(waited)} new files were found after {statistics.median(waited):.0f} ms, at most {max(waited):.0f}")
    print(f"loop lag p99 {after.lag_p99_ms:.1f} ms, max {after.lag_max_ms:.1f} ms")
    megabytes = [f"{each / 1e6:.0f}" for each in (before.rss_bytes, after.rss_bytes, after.peak_rss_bytes)]
    print(f"resident {megabytes[0]} -> {megabytes[1]} MB, peak {megabytes[2]} MB")
    print(f"files {before.files:,} -> {after.files:,}, still to be read {after.pending:,}")


if __name__ == "__main__":
    main()

"""How each operation's cost grows with the library: a table and a plot.

    python bench/growth.py 1000,10000,100000,1000000,10000000 [--count 100] [--out results/growth]

For each size a private daemon with rows as bench/rows.py makes them: questions of several classes, get by id and by
path, what changed since, adding and removing 500 real files, tags on 100 items, a facet, a count; and how large tables,
indexes and the daemon are. Latencies are medians over the socket.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

import measure

from bench import rows, search
from mediactl import Client, workcalls
from mediadb_contract import mediadb_pb2 as pb

_CLASSES = ("suffix", "word, rare", "word, common", "word prefix", "substring", "artist", "contradiction",
            "number range", "date", "or", "sort by date")  # fmt: skip
_SIZES = """SELECT c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid) FROM pg_class c
WHERE c.relnamespace = 'mediadb'::regnamespace AND c.relkind = 'r' ORDER BY 2 DESC"""


def median_ms(call: Callable[[int], Any], count: int) -> float:
    taken = []
    for number in range(count):
        started = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3


class _Told(dict[str, float]):
    """Says each figure as soon as it is known."""

    def __setitem__(self, name: str, value: float) -> None:
        print(f"{name}: {value:.3g}", file=sys.stderr, flush=True)
        super().__setitem__(name, value)


def one_size(count: int, repeat: int) -> tuple[dict[str, float], dict[str, float]]:
    """(milliseconds or seconds by operation, bytes a file by table)."""
    found: dict[str, float] = _Told()
    with measure.private_daemon() as daemon:
        dsn = daemon.dsn
        started = time.perf_counter()
        sample = rows.fill(dsn, count, progress=True)
        print(f"\r{count:,} rows in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        with Client(str(daemon.socket), timeout=600) as client:
            asked = search.questions(client, repeat)
            found["ping"] = median_ms(lambda n: client.ping(), repeat)
            for name in _CLASSES:

                def ask(n: int, texts: list[str] = asked[name]) -> None:
                    query = pb.QueryRequest(text=texts[n], limit=search.LIMIT, bare=True)
                    client.call(pb.Request(query=query), deadline=600)

                found[f"query: {name}"] = median_ms(ask, repeat)
            found["query with its items: word, common"] = median_ms(
                lambda n: client.query_page(asked["word, common"][n], limit=search.LIMIT), repeat
            )
            ids = random.Random(1).choices(sample, k=repeat)
            found["get by id"] = median_ms(lambda n: client.get(ids[n]), repeat)
            found["tag one item"] = median_ms(lambda n: client.run(workcalls.tag([ids[n]], add=[f"t{n}"])), 20)
            last = client.run(workcalls.changes(0)).last
            found["what changed since"] = median_ms(lambda n: client.run(workcalls.changes(last - 1)), repeat)
            found["count of a word, s"] = median_ms(lambda n: _counted(client, asked["word, common"][n]), 3) / 1e3
            found["facet of all, s"] = median_ms(lambda n: _facet(client, "kind:video", "codec"), 3) / 1e3
            tree = daemon.folder / "tree"
            tree.mkdir()
            for number in range(500):
                (tree / f"some text {number}.txt").write_text(f"words {number}\n" * 9)
            before = measure.tree_cpu()
            client.add([tree], wait=True)
            found["add a file, CPU ms"] = (measure.tree_cpu() - before) / 500 * 1e3
            paths = [tree / f"some text {number}.txt" for number in range(500)]
            found["get by path"] = median_ms(lambda n: client.get(paths[n % 500]), repeat)
            before = measure.tree_cpu()
            client.add([tree], wait=True)
            found["look at a file again, CPU ms"] = (measure.tree_cpu() - before) / 500 * 1e3
        pid = daemon.process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        found["daemon resident, MB"] = int(status.split("VmRSS:")[1].split()[0]) / 1e3
        sizes: dict[str, float] = {}
        with psycopg.connect(dsn) as link:
            for name, table, indexes in link.execute(_SIZES).fetchall():
                if table + indexes > count * 2:
                    sizes[f"{name}"] = table / count
                    sizes[f"{name}, indexes"] = indexes / count
            total = link.execute("SELECT pg_database_size(current_database())").fetchone()
            assert total is not None
            sizes["the whole database"] = total[0] / count
    return found, sizes


def _counted(client: Client, text: str) -> None:
    client.call(pb.Request(query=pb.QueryRequest(text=text, count=True)), deadline=600)


def _facet(client: Client, text: str, field: str) -> None:
    client.call(pb.Request(query=pb.QueryRequest(text=text, facets=[field])), deadline=600)


# ------------------------------------------------------------------ the plot

_COLOURS = (
    "#1f77b4",
    "#d62728",
    "#2ca02c",
    "#ff7f0e",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#17becf",
    "#7f7f7f",
    "#bcbd22",
)


def plot(sizes: list[int], table: dict[str, list[float]], width: int = 900, height: int = 560) -> str:
    """A double logarithmic plot of operations over sizes, as SVG."""
    values = [v for line in table.values() for v in line if v > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    left, right, top, bottom = 70, 250, 20, 50

    def x(size: float) -> float:
        span = math.log10(sizes[-1] / sizes[0]) or 1
        return left + (width - left - right) * math.log10(size / sizes[0]) / span

    def y(value: float) -> float:
        return height - bottom - (height - top - bottom) * (math.log10(max(value, 10**low)) - low) / max(high - low, 1)

    box = f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for size in sizes:
        out.append(f'<line x1="{x(size):.0f}" x2="{x(size):.0f}" y1="{top}" y2="{height - bottom}" stroke="#ddd"/>')
        out.append(f'<text x="{x(size):.0f}" y="{height - bottom + 18}" text-anchor="middle">{size:,}</text>')
    for power in range(low, high + 1):
        at = y(10**power)
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{at:.0f}" y2="{at:.0f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{at + 4:.0f}" text-anchor="end">{10.0**power:g} ms</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">files</text>')
    for number, (name, line) in enumerate(table.items()):
        colour, dash = _COLOURS[number % len(_COLOURS)], ' stroke-dasharray="5 3"' if number >= len(_COLOURS) else ""
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, line, strict=True))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        at = top + 14 + number * 19
        mark = f'x1="{width - right + 14}" x2="{width - right + 40}" y1="{at - 4}" y2="{at - 4}"'
        out.append(f'<line {mark} stroke="{colour}" stroke-width="2"{dash}/>')
        out.append(f'<text x="{width - right + 46}" y="{at}">{name.replace("&", "&amp;")}</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", type=Path, help="NAME: NAME.md and NAME.svg are written")
    given = parser.parse_args()
    measure.become_subreaper()
    sizes = [int(each) for each in given.sizes.split(",")]
    made = [one_size(size, given.count) for size in sizes]
    lines = [
        "| operation | " + " | ".join(f"{s:,}" for s in sizes) + " | last / first |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for name in made[0][0]:
        values = [each[0][name] for each in made]
        lines.append(
            f"| {name} | " + " | ".join(f"{v:.3g}" for v in values) + f" | {values[-1] / max(values[0], 1e-9):.1f} |"
        )
    lines += ["", "| bytes a file | " + " | ".join(f"{s:,}" for s in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for name in dict.fromkeys(name for each in made for name in each[1]):
        lines.append(f"| {name} | " + " | ".join(f"{each[1].get(name, 0):.0f}" for each in made) + " |")
    text = "\n".join(lines)
    print(text)
    if given.out:
        given.out.with_suffix(".md").write_text(text + "\n")
        names = [name for name in made[0][0] if name.startswith(("query", "get", "ping")) and len(sizes) > 1]
        given.out.with_suffix(".svg").write_text(
            plot(sizes, {name: [each[0][name] for each in made] for name in names})
        )


if __name__ == "__main__":
    main()

"""What does a question cost at so many files? Latencies of first pages over the socket, class by class (goal G7).

    python bench/search.py SOCKET [DSN] [--count 200]

Each class asks different questions in turn, all classes interleaved; `bare`: ids of the first 50 items, so that finding
is measured and not describing. Beside it a `ping`, and where a DSN is given the plain SQL of the same indexes.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

from mediactl import Client
from mediad.fold import fold
from mediadb_contract import mediadb_pb2 as pb

LIMIT = 50


def questions(client: Client, count: int, seed: int = 3) -> dict[str, list[str]]:
    """So many questions of each class, made of what is in the library."""
    r = random.Random(seed)
    titles: list[str] = []
    names: list[str] = []
    artists: list[str] = []
    for kind in ("kind:audio", "kind:video", "kind:document", "kind:image"):
        for item in _some(client, kind, r):
            if item.title:
                titles.append(item.title)
            if item.artist:
                artists.append(item.artist)
            names += [bytes(file.path).decode().rpartition("/")[2] for file in item.files]
    words = [w for t in titles for w in fold(t).split() if len(w) > 4]
    by_size = sorted(set(words), key=words.count)
    rare, common = by_size[: len(by_size) // 2], by_size[-8:]
    made: dict[str, Callable[[], str]] = {
        "suffix": lambda: "*" + r.choice(words)[-5:],
        "suffix of a name": lambda: "*" + (fold(r.choice(names).rpartition(".")[0]) or "x").split()[-1][-6:],
        "word, rare": lambda: f'"{r.choice(rare)}"',
        "word, common": lambda: f'"{r.choice(common)}"',
        "word prefix": lambda: r.choice(words)[:4],
        "two words": lambda: " ".join(fold(r.choice(titles)).split()[:2]),
        "substring": lambda: "*" + r.choice(words)[1:5] + "*",
        "substring, 3": lambda: "*" + r.choice(words)[1:4] + "*",
        "substring, 2": lambda: "*" + r.choice(words)[1:3] + "*",
        "artist": lambda: f'artist="{r.choice(artists)}"',
        "artist and year": lambda: (
            f"artist:{fold(r.choice(artists)).split()[0]} year:{r.randint(1970, 2020)}..{r.randint(2021, 2025)}"
        ),
        "kind": lambda: r.choice(["kind:audio", "kind:image", "kind:video"]),
        "kind and rare word": lambda: f"kind:audio {r.choice(rare)}",
        "contradiction": lambda: f"kind:image title:{r.choice(common)}",
        "number range": lambda: f"iso:>=800 size:{r.randint(1, 9)}M..{r.randint(1, 9)}500k",
        "date": lambda: f"date:{r.randint(2005, 2025)}-{r.randint(1, 12):02d}",
        "near": lambda: f"near:{r.uniform(-60, 70):.3f},{r.uniform(-180, 180):.3f},50km",
        "or": lambda: f"{r.choice(rare)} or {r.choice(rare)} or artist:{r.choice(rare)}",
        "not": lambda: f"{r.choice(common)} -kind:audio",
        "added last week": lambda: "added:-7d",
        "sort by date": lambda: f"kind:image {'iso:400'} sort:-date",
    }  # fmt: skip
    return {name: [make() for _ in range(count)] for name, make in made.items()}


def _some(client: Client, kind: str, r: random.Random) -> list[Any]:
    """Some hundred items of a kind, from all over the library."""
    found: list[Any] = []
    for _ in range(40):
        found += client.query_page(f"{kind} size:{r.randint(1_000_000, 9_999_000)}..", limit=10).items
    return found + list(client.query(f"{kind} sort:-added", limit=100))


def measure(socket: str, count: int) -> list[tuple[str, float, float, float, float]]:
    """(class, items found on average, p50, p99, max in milliseconds)."""
    with Client(socket) as client:
        asked = questions(client, count)
        times: dict[str, list[float]] = {name: [] for name in ["ping", *asked]}
        found: dict[str, int] = dict.fromkeys(asked, 0)
        for number in range(count):
            started = time.perf_counter()
            client.ping()
            times["ping"].append(time.perf_counter() - started)
            for name, texts in asked.items():
                request = pb.Request(query=pb.QueryRequest(text=texts[number], limit=LIMIT, bare=True))
                started = time.perf_counter()
                replies: list[Any] = client.call(request, deadline=60)
                times[name].append(time.perf_counter() - started)
                found[name] += sum(len(reply.query.items) for reply in replies)
    rows = []
    for name, taken in times.items():
        taken.sort()
        p50, p99, most = taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1]
        rows.append((name, found.get(name, 0) / count, p50 * 1e3, p99 * 1e3, most * 1e3))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("socket")
    parser.add_argument("--count", type=int, default=200)
    given = parser.parse_args()
    rows = measure(given.socket, given.count)
    base = rows[0][2]
    print("| question | items | p50 ms | p99 ms | max ms | p50 x ping |\n|---|---|---|---|---|---|")
    for name, items, p50, p99, most in rows:
        print(f"| {name} | {items:.0f} | {p50:.2f} | {p99:.2f} | {most:.2f} | {p50 / base:.1f} |")


if __name__ == "__main__":
    main()

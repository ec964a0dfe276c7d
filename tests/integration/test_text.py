"""The words inside files: real daemons, real documents, PostgreSQL's own search as the judge."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from mutagen.flac import FLAC

from mediactl import AsyncClient, Client, texts
from mediactl.texts import Text, TextIndex
from mediad_handlers.kit.words import PART_WORDS
from tests.daemon import Daemon, write_tree
from tests.daemon.records import rows, song, wait_for

DATA = Path(__file__).parent.parent / "data"
ON = 'text = "on"\n'
SRT = b"1\n00:00:01,000 --> 00:00:02,000\n<i>Quod</i> erat\n\n2\n00:00:03,000 --> 00:00:04,000\ndemonstrandum\n"
ASS = (b"[Script Info]\nTitle: x\n\n[Events]\n"
       b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
       b"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}Quod erat\\Ndemonstrandum\n")  # fmt: skip
VTT = b"WEBVTT\n\nNOTE hidden\n\n00:01.000 --> 00:02.000\nQuod erat demonstrandum\n"
LRC = b"[ti:Proof]\n[00:01.00]Quod <00:01.50>erat\n[00:02.00]demonstrandum\n"
HTML = b"<html><head><title>t</title><script>hidden</script></head><body><p>Quod <b>erat</b> demonstrandum</p></body>"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAW = "http://schemas.openxmlformats.org/drawingml/2006/main"
SHOW = "http://schemas.openxmlformats.org/presentationml/2006/main"


def office(path: Path, parts: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def xlsx(path: Path) -> None:
    row = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    office(path, {
        "[Content_Types].xml": TYPES,
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets><sheet name="one" sheetId="1"/></sheets></workbook>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>Quod erat demonstrandum</t></si></sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{row}</worksheet>',
    })  # fmt: skip


def pptx(path: Path) -> None:
    body = "<p:txBody><a:p><a:r><a:t>Quod erat demonstrandum</a:t></a:r></a:p></p:txBody>"
    tree = f"<p:cSld><p:spTree><p:sp>{body}</p:sp></p:spTree></p:cSld>"
    office(path, {
        "[Content_Types].xml": TYPES, "ppt/presentation.xml": f'<p:presentation xmlns:p="{SHOW}"/>',
        "ppt/slides/slide1.xml": f'<p:sld xmlns:p="{SHOW}" xmlns:a="{DRAW}">{tree}</p:sld>',
    })  # fmt: skip


def encrypted_pdf() -> bytes:
    """A PDF whose security handler nobody knows: it stays encrypted."""
    return (b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
            b"3 0 obj<</Filter/Adobe.PubSec/V 4>>endobj\ntrailer<</Root 1 0 R/Encrypt 3 0 R/Size 4>>\n"
            b"%%EOF\n")  # fmt: skip


@pytest.fixture
def ruled() -> Iterator[Daemon]:
    """A daemon that indexes documents, subtitles and lyrics by itself."""
    made = Daemon(config=ON)
    try:
        yield made.start()
    finally:
        made.remove()


def index(client: Client, query: str) -> TextIndex:
    return client.run(texts.index(query=query))


def text_of(client: Client, path: Path, limit: int = 0) -> Text:
    [found] = client.run(texts.texts([path], limit=limit))
    return found


async def shown_by_the_other_client(daemon: Daemon, path: Path) -> list[Text]:
    async with AsyncClient(str(daemon.socket)) as client:
        return await client.run(texts.texts([path]))


def finds(daemon: Daemon, question: str) -> set[str]:
    """The names of the files with a part that a tsquery matches."""
    found = rows(
        daemon, "SELECT f.name FROM mediadb.file f JOIN mediadb.content_words c ON c.file = f.id "
        "WHERE c.words @@ %s::tsquery AND f.missing_since_ns IS NULL", question,
    )  # fmt: skip
    return {os.fsdecode(bytes(row[0])) for row in found}


def codes(daemon: Daemon) -> dict[str, str | None]:
    found = rows(
        daemon, "SELECT f.name, c.problem_code FROM mediadb.content c JOIN mediadb.file f ON f.id = c.file "
        "WHERE f.missing_since_ns IS NULL"
    )  # fmt: skip
    return {os.fsdecode(bytes(name)): code for name, code in found}


def queued(daemon: Daemon) -> int:
    return int(rows(daemon, "SELECT count(*) FROM mediadb.content_todo")[0][0])


def extracted_at(daemon: Daemon, name: str) -> int:
    """When; 0: never."""
    found = rows(
        daemon, "SELECT c.at_ns FROM mediadb.content c JOIN mediadb.file f ON f.id = c.file WHERE f.name = %s "
        "AND f.missing_since_ns IS NULL", name.encode()
    )  # fmt: skip
    return int(found[0][0]) if found else 0


def has_extracted(daemon: Daemon, count: int) -> bool:
    return int(rows(daemon, "SELECT count(*) FROM mediadb.content")[0][0]) >= count


def mediactl(daemon: Daemon, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *words], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


# ------------------------------------------------------------------ asked for


def test_every_format_by_the_command(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {
        "a.srt": SRT, "a.ass": ASS, "a.vtt": VTT, "a.lrc": LRC, "a.html": HTML,
        "a.md": b"# Proof\n\nQuod *erat* demonstrandum\n", "a.txt": b"QUOD \xc9RAT, demonstrandum!",
        "utf16.txt": "Quod erat demonstrandum".encode("utf-16"),
    })  # fmt: skip
    xlsx(tree / "a.xlsx")
    pptx(tree / "a.pptx")
    sung = FLAC(song(tree / "song.flac", title="x"))
    sung["lyrics"] = "Quod erat\ndemonstrandum"
    sung.save()
    samples = {
        "OOXML.docx": "exiftool<->is<->astounding", "serious_poem.odt": "the<->boy<->stood",
        "sample.doc": "sample<->text", "FlashPix.ppt": "title<->subtitle", "RTF.rtf": "some<->text",
        "fourpages.pdf": "page<->last", "tab.odt": "three<->tabs", "epub2_cover.epub": "pandoc<->epub2",
        "headers.docx": "second<->level", "table_simple.rtf": "a<->b<->c",
    }  # fmt: skip
    for name in samples:
        (tree / name).write_bytes((DATA / "document" / name).read_bytes())
    made = {path.name for path in tree.iterdir()} - set(samples)
    with daemon.client() as client:
        client.add([tree], wait=True)
        assert rows(daemon, "SELECT count(*) FROM mediadb.content") == [(0,)], "nothing is extracted unasked"
        done = index(client, "kind:document")
        assert (done.queued, done.indexed, done.problems) == (len(made) + len(samples) - 1, done.queued, [])
        assert index(client, "song").indexed == 1
        assert finds(daemon, "quod<->erat<->demonstrandum") == made
        assert not finds(daemon, "hidden") and not finds(daemon, "'00'")
        for name, question in samples.items():
            assert name in finds(daemon, question), name
        for name in ("a.srt", "a.ass", "a.vtt", "a.lrc", "song.flac"):
            assert text_of(client, tree / name).text.split() == ["Quod", "erat", "demonstrandum"], name
        [shown] = asyncio.run(shown_by_the_other_client(daemon, tree / "a.html"))
        assert shown == text_of(client, tree / "a.html") and shown.source == "HTML body"
        counts = client.run(texts.index())
        assert (counts.indexed, counts.waiting) == (len(made) + len(samples), 0)
        assert index(client, "kind:document").indexed == done.indexed, "what is there is there"
    assert queued(daemon) == 0


def test_the_command_line(daemon: Daemon) -> None:
    tree = write_tree(
        daemon.folder / "tree", {"a.txt": b"one\ttwo\n\x1b[31mthree\n", "b.txt": b"four", "none.txt": b" \n"}
    )
    (tree / "p.jpg").write_bytes((DATA / "image/01.jpg").read_bytes())
    with daemon.client() as client:
        client.add([tree], wait=True)
        item = client.get(tree / "b.txt")[0].item
    assert item is not None
    a, b = str(tree / "a.txt"), str(tree / "b.txt")
    assert mediactl(daemon, "text", a) == (0, "one\ttwo\n\\x1b[31mthree\n", "")
    assert mediactl(daemon, "text", a, str(item.id)) == (
        0, f"==> {a} <==\none\ttwo\n\\x1b[31mthree\n==> {b} <==\nfour\n", ""
    )  # fmt: skip
    status, out, err = mediactl(daemon, "text", "--limit", "3", b)
    assert (status, out) == (0, "fou\n") and "there is more" in err
    status, out, err = mediactl(daemon, "text", str(tree / "none.txt"))
    assert (status, out) == (0, "") and "there are no words in it" in err
    status, out, err = mediactl(daemon, "text", str(tree / "p.jpg"), b, str(tree / "gone"))
    assert status == 1 and out.endswith("four\n")
    assert "unsupported: the image handler knows no text" in err and "not_found: " in err
    status, out, err = mediactl(daemon, "--format", "json", "text", a, str(tree / "p.jpg"))
    found = json.loads(out)
    assert (found[0]["text"], found[0]["truncated"]) == ("one\ttwo\n\x1b[31mthree\n", False)
    assert found[1]["problem"]["code"] == "unsupported" and status == 1
    assert mediactl(daemon, "text", "--index", "kind:document")[:2] == (0, "2 files in the index, 1 without words\n")
    assert mediactl(daemon, "text", "--index", "--no-wait", "a")[:2] == (0, "1 file queued\n")
    assert mediactl(daemon, "--format", "json", "text")[0] == 0
    assert mediactl(daemon, "text", "--index")[0] == 2
    status, _out, err = mediactl(daemon, "text", "--index", "size:<<")
    assert status == 2 and "query_syntax" in err


def test_damaged_encrypted_and_garbage(daemon: Daemon) -> None:
    dice = random.Random(7)
    tree = write_tree(daemon.folder / "tree", {
        "encrypted.pdf": encrypted_pdf(), "garbage.txt": dice.randbytes(300_000),
        "torn.docx": (DATA / "document/OOXML.docx").read_bytes()[:6000], "good.txt": b"well",
    })  # fmt: skip
    with daemon.client() as client:
        client.add([tree], wait=True)
        done = client.run(texts.index([tree / name for name in sorted(os.listdir(tree))]))
        found = codes(daemon)
        assert found["encrypted.pdf"] == "unsupported" and found["torn.docx"] == "corrupt" and found["good.txt"] is None
        assert [problem.code for problem in done.problems] == ["corrupt"] and done.failed == 1
        assert text_of(client, tree / "encrypted.pdf").problem is not None
        assert finds(daemon, "well") == {"good.txt"}
        before = extracted_at(daemon, "torn.docx")
        again = client.run(texts.index([tree / "torn.docx"]))
        assert (again.failed, extracted_at(daemon, "torn.docx")) == (1, before), "not tried before it changes"
        (tree / "torn.docx").write_bytes((DATA / "document/headers.docx").read_bytes())
        assert wait_for(lambda: codes(daemon).get("torn.docx", "") is None), daemon.text()
        assert finds(daemon, "second<->level") == {"torn.docx"}


def test_five_megabytes(daemon: Daemon) -> None:
    dice = random.Random(3)
    words = [
        dice.choice(["the", "of", "and", *(f"w{dice.randrange(60_000):x}é" for _ in range(20))]) for _ in range(900_000)
    ]
    text = " ".join(words)
    assert len(text.encode()) > 5_000_000
    tree = write_tree(daemon.folder / "tree", {"big.txt": text.encode()})
    with daemon.client() as client:
        client.add([tree], wait=True)
        done = index(client, "big")
        assert (done.indexed, done.problems) == (1, [])
        assert client.status().lag_max_ms < 60.0, "the daemon folds nothing itself"
        shown = text_of(client, tree / "big.txt")
        assert shown.truncated and len(shown.text.encode()) in range((4 << 20) - 1, (4 << 20) + 1)
        whole = text_of(client, tree / "big.txt", 8 << 20)
        assert not whole.truncated and whole.text == text
    [(length, truncated, parts)] = rows(
        daemon, "SELECT bytes, truncated, (SELECT count(*) FROM mediadb.content_words) FROM mediadb.content"
    )
    assert truncated and length == len(shown.text.encode()) and parts < 200
    kept = shown.text.split()[:-1]
    # Any phrase of up to 16 words, wherever it stands: also at the seams, some of which are here for certain.
    assert len(kept) > 20 * PART_WORDS or parts > 20
    for _try in range(100):
        start, count = dice.randrange(len(kept) - 16), dice.randrange(2, 17)
        phrase = "<->".join(word.replace("é", "e") for word in kept[start : start + count])
        assert finds(daemon, phrase) == {"big.txt"}, (start, phrase)
    assert not finds(daemon, "<->".join(["zzz", "the"]))


def test_scripts_without_spaces_and_others(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {
        "ja.txt": ("東京都は日本の首都である。" * 20_000).encode(), "th.txt": "ภาษาไทย ง่ายนิดเดียว".encode(),
        "ru.txt": "Ёлка стоит в углу".encode(), "sjis.srt": SRT.replace(b"demonstrandum", "日本".encode()),
    })  # fmt: skip
    with daemon.client() as client:
        client.add([tree], wait=True)
        assert index(client, "kind:document").indexed == 4
        assert text_of(client, tree / "ja.txt").text.startswith("東京都は")
        asked = {
            text: {bytes(item.files[0].path).decode().rpartition("/")[2] for item in client.query(text)}
            for text in (
                'text:"Ёлка стоит"',
                "text:日本",
                "text:首都",
                "text:京",
                "text:ภาษาไทย",
                "text:ไทย",
                "text:都市",
                "text:สวย",
            )
        }
    assert list(asked.values()) == [
        {"ru.txt"}, {"ja.txt", "sjis.srt"}, {"ja.txt"}, {"ja.txt"}, {"th.txt"}, {"th.txt"}, set(), set()
    ]  # fmt: skip


# ------------------------------------------------------------------ by rule


def test_by_rule_after_reading(ruled: Daemon) -> None:
    tree = write_tree(ruled.folder / "tree", {"a.txt": b"alpha", "sub/a.srt": SRT, "a.lrc": LRC})
    (tree / "p.jpg").write_bytes((DATA / "image/01.jpg").read_bytes())
    song(tree / "silent.flac", title="x")
    sung = FLAC(song(tree / "sung.flac", title="x"))
    sung["lyrics"] = "alpha and omega"
    sung.save()
    with ruled.client() as client:
        client.add([tree], wait=True)
        assert wait_for(lambda: len(codes(ruled)) == 4 and not queued(ruled)), ruled.text()
        assert set(codes(ruled)) == {"a.txt", "a.srt", "a.lrc", "sung.flac"}
        assert finds(ruled, "alpha") == {"a.txt", "sung.flac"}
        # written to: again
        (tree / "a.txt").write_bytes(b"beta now")
        assert wait_for(lambda: finds(ruled, "beta") == {"a.txt"} and finds(ruled, "alpha") == {"sung.flac"}), (
            ruled.text()
        )
        # renamed: kept
        before = extracted_at(ruled, "a.txt")
        (tree / "a.txt").rename(tree / "b.txt")
        assert wait_for(lambda: finds(ruled, "beta") == {"b.txt"}), ruled.text()
        (tree / "sub").rename(tree / "other")
        client.add([tree], wait=True)
        assert finds(ruled, "demonstrandum") == {"a.srt", "a.lrc"}
        # only the tags were written: it is another file to be read, and sings the same
        touched = FLAC(tree / "sung.flac")
        touched["title"] = "y"
        touched.save()
        # deleted, and forgotten: gone
        (tree / "b.txt").unlink()
        assert wait_for(lambda: not finds(ruled, "beta"))
        client.forget(tree, missing_only=True)
        assert rows(ruled, "SELECT count(*) FROM mediadb.content c LEFT JOIN mediadb.file f ON f.id = c.file "
                           "WHERE f.id IS NULL OR f.name = 'b.txt'") == [(0,)]  # fmt: skip
        assert wait_for(lambda: not queued(ruled)) and before
        assert wait_for(lambda: finds(ruled, "omega") == {"sung.flac"}), ruled.text()


def test_the_rule_as_a_query_and_another_rule_later() -> None:
    made = Daemon(config=ON + 'text_rule = "size:<20 keep"\n')
    try:
        made.start()
        tree = write_tree(made.folder / "tree", {
            "keep1.txt": b"alpha", "other.txt": b"alpha", "keep2.txt": b"alpha " * 100,
        })  # fmt: skip
        with made.client() as client:
            client.add([tree], wait=True)
        assert wait_for(lambda: set(codes(made)) == {"keep1.txt"} and not queued(made)), made.text()
        made.stop()
        made.config.write_text(ON)
        made.start()
        assert wait_for(lambda: len(codes(made)) == 3 and not queued(made)), made.text()
        made.stop()
        made.config.write_text('text = "off"\n')
        made.start()
        (tree / "new.txt").write_bytes(b"alpha")
        (tree / "other.txt").write_bytes(b"omega")
        assert wait_for(lambda: finds(made, "omega") == {"other.txt"}), "what was indexed before is kept up to date"
        assert "new.txt" not in codes(made)
    finally:
        made.remove()


def test_a_rule_that_is_no_query_ends_the_start() -> None:
    made = Daemon(config=ON + 'text_rule = "size:<<"\n')
    try:
        done = subprocess.run(made.command(), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and "text_rule" in done.stderr
    finally:
        made.remove()


def test_an_older_handler_or_folding_is_done_again(ruled: Daemon) -> None:
    tree = write_tree(ruled.folder / "tree", {"a.txt": b"alpha", "b.txt": b"alpha", "c.txt": b"alpha"})
    with ruled.client() as client:
        client.add([tree], wait=True)
    assert wait_for(lambda: len(codes(ruled)) == 3 and not queued(ruled))
    before = {name: extracted_at(ruled, name) for name in ("a.txt", "b.txt", "c.txt")}
    ruled.stop()
    assert ruled.dsn is not None
    with psycopg.connect(ruled.dsn) as connection:
        for name, change in ((b"a.txt", "handler_version = 0"), (b"b.txt", "rule = 0")):
            connection.execute(
                f"UPDATE mediadb.content SET {change} "
                f"WHERE file = (SELECT id FROM mediadb.file WHERE name = %s)".encode(),
                (name,),
            )
    ruled.start()
    assert wait_for(lambda: all(extracted_at(ruled, name) > before[name] for name in ("a.txt", "b.txt"))), ruled.text()
    assert wait_for(lambda: not queued(ruled)) and extracted_at(ruled, "c.txt") == before["c.txt"]


def test_killed_in_between(ruled: Daemon) -> None:
    dice = random.Random(11)
    tree = ruled.folder / "tree"
    names = {f"t{number:03}.txt" for number in range(40)}
    for name in names:
        words = [f"mark{name[1:4]}", *(f"w{dice.randrange(99999):x}" for _ in range(25_000))]
        write_tree(tree, {name: " ".join(words).encode()})
    with ruled.client() as client:
        client.add([tree], wait=True)
    kills = 0
    for count in (1, 6, 12, 18, 24, 30):
        if wait_for(partial(has_extracted, ruled, count), 60.0) and queued(ruled):
            ruled.kill()
            kills += 1
            ruled.start()
    assert kills >= 4
    assert wait_for(lambda: not queued(ruled) and len(codes(ruled)) == 40, 90.0), ruled.text()
    assert set(codes(ruled).values()) == {None}
    for name in names:
        assert finds(ruled, f"mark{name[1:4]}") == {name}
    whole = rows(
        ruled, "SELECT min(n), max(n) FROM (SELECT sum(length(words)) AS n FROM mediadb.content_words GROUP BY file) x"
    )
    assert whole[0][0] > 20_000, "no file has a beginning only"


@pytest.mark.parametrize("count", [1, 5000])
def test_other_words_of_the_same_length_and_number(ruled: Daemon, count: int) -> None:
    tree = write_tree(ruled.folder / "tree", {"a.txt": b"alpha " * count})
    with ruled.client() as client:
        client.add([tree], wait=True)
        assert wait_for(lambda: finds(ruled, "alpha") == {"a.txt"})
        (tree / "a.txt").write_bytes(b"kappa " * count)
        assert wait_for(lambda: finds(ruled, "kappa") == {"a.txt"} and not finds(ruled, "alpha")), ruled.text()
        assert wait_for(lambda: not queued(ruled))
        # touched: nothing is new, and nothing is lost
        before = extracted_at(ruled, "a.txt")
        os.utime(tree / "a.txt", (1, 1))
        client.add([tree], wait=True)
        assert finds(ruled, "kappa") == {"a.txt"} and before


def test_a_file_that_moves_to_another_root_takes_its_words_along(daemon: Daemon) -> None:
    words = " ".join(f"w{n}" for n in range(3000)).encode()
    one = write_tree(daemon.folder / "one", {"a.txt": words})
    two = write_tree(daemon.folder / "two", {"b.txt": b"x"})
    with daemon.client() as client:
        client.add([one, two], wait=True)
        assert index(client, "a").indexed == 1
        (one / "a.txt").rename(two / "c.txt")
        client.add([one, two], wait=True)
        assert wait_for(lambda: finds(daemon, "w17<->w18") == {"c.txt"}), daemon.text()
        assert "b.txt" not in codes(daemon)


def test_nobody_waits_for_what_is_forgotten() -> None:
    made = Daemon(config="text_seconds = 60\n")
    try:
        made.start()
        dice = random.Random(2)
        tree = made.folder / "tree"
        for number in range(6):
            write_tree(
                tree, {f"{number}.txt": " ".join(f"w{dice.randrange(10**7):x}" for _ in range(150_000)).encode()}
            )
        with made.client() as client, made.client() as other:
            client.add([tree], wait=True)
            pending = client.submit(texts.index(query="kind:document").request)
            assert wait_for(partial(has_extracted, made, 1), 60.0)
            other.forget(tree / "5.txt")
            replies = list(pending.replies())
        last = replies[-1].text
        assert (last.queued, last.failed) == (6, 0) and last.indexed + last.waiting == 6 and last.waiting <= 1
    finally:
        made.remove()

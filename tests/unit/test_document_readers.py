"""Documents made here: hostile ones, twins that differ in metadata alone, subtitles, encodings."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mediad_handlers import handle
from mediad_handlers.kit.api import HandlerError

DATA = Path(__file__).parent.parent / "data/document"


def rewrite(source: Path, change: Callable[[str, bytes], bytes | None], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP written anew, each member as `change` gives it (None: left out)."""
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else method)
    return out.getvalue()


def keys(path: Path) -> tuple[str, str]:
    found = handle(path, defer_checksum=False)
    return found.to_dict()["keys"][0][2].hex(), found.to_dict()["checksums"]["stream_sha256"].hex()


@pytest.mark.parametrize(
    ("name", "part", "old", "new"),
    [
        ("headers.docx", "docProps/core.xml", b"</cp:coreProperties>", b"<dc:title>New</dc:title></cp:coreProperties>"),
        ("tab.odt", "meta.xml", b"</office:meta>", b"<dc:title>New</dc:title></office:meta>"),
        ("epub2_cover.epub", r".*\.opf", b"<dc:title", b"<dc:subject>x</dc:subject><dc:title"),
    ],
)
def test_metadata_is_no_payload_and_compression_neither(
    tmp_path: Path, name: str, part: str, old: bytes, new: bytes
) -> None:
    before = keys(DATA / name)
    changed = []

    def retag(member: str, content: bytes) -> bytes:
        if re.fullmatch(part, member):
            assert old in content
            changed.append(member)
            return content.replace(old, new, 1)
        return content

    path = tmp_path / name
    path.write_bytes(rewrite(DATA / name, retag, zipfile.ZIP_STORED))
    assert changed
    assert keys(path) == before
    path.write_bytes(rewrite(DATA / name, lambda member, content: content + b" " if "META" not in member else content))
    assert keys(path) != before


def test_a_pdf_with_an_update_behind_it_keeps_its_payload(tmp_path: Path) -> None:
    """As ExifTool edits: new objects, a new table and trailer behind the old end (7.5.6)."""
    content = (DATA / "fourpages.pdf").read_bytes()
    start = int(re.findall(rb"startxref\s+(\d+)", content)[-1])
    root = re.findall(rb"/Root (\d+) 0 R", content)[-1].decode()
    size = int(re.findall(rb"/Size (\d+)", content)[-1])
    at = len(content) + 1
    update = f"\n{size} 0 obj\n<</Title (Another title) /Author (Someone)>>\nendobj\n"
    table = at + len(update) - 1
    update += f"xref\n{size} 1\n{at:010} 00000 n \ntrailer\n<</Size {size + 1} /Root {root} 0 R /Info {size} 0 R "
    update += f"/Prev {start}>>\nstartxref\n{table}\n%%EOF\n"
    path = tmp_path / "edited.pdf"
    path.write_bytes(content + update.encode())
    found = handle(path)
    assert (found.fields["title"], found.fields["creators"], found.fields["page_count"]) == (
        "Another title",
        ["Someone"],
        4,
    )
    assert keys(path) == keys(DATA / "fourpages.pdf")
    assert found.text() == handle(DATA / "fourpages.pdf").text()


def test_a_pdf_without_its_table_is_found_by_scanning(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(
        (DATA / "fourpages.pdf").read_bytes().replace(b"startxref", b"startxxxx").replace(b"\nxref", b"\nyref")
    )
    assert handle(path).fields["page_count"] == 4


def build_pdf(info: str = "", stream: bytes = b"", extra: str = "") -> bytes:
    """A page with a content stream, and a table that is right."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % extra.encode(),
        b"<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 595 842]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>", info.encode("latin-1") or b"<<>>",
    ]  # fmt: skip
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out) + b"trailer\n<</Size 7/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF" % table


def test_pdf_strings_dates_and_words(tmp_path: Path) -> None:
    path = tmp_path / "made.pdf"
    info = (
        r"<</Title(A \(nested\) \351t\351)/Author<FEFF00C9006D0069006C0065>"
        r"/CreationDate(D:20240229123000+02'00')/Keywords(a, b;c)/X(y)>>"
    )
    path.write_bytes(
        build_pdf(info, b"BT /F 12 Tf 72 700 Td (Hello) Tj 40 0 Td [(W) 20 (orld)] TJ 0 -14 Td (caf\xe9) Tj ET")
    )
    found = handle(path)
    assert found.fields["title"] == "A (nested) été"
    assert found.fields["creators"] == ["Émile"]
    assert found.fields["keywords"] == ["a", "b", "c"]
    assert found.fields["date_created_at_local"] == "2024-02-29T12:30:00"
    assert found.meta.date_created_at.isoformat() == "2024-02-29T10:30:00+00:00"
    assert (found.fields["page_width"], found.fields["page_height"]) == (209.9, 297.0)
    assert found.tags["PDF:X"] == ["y"]
    assert found.text() == "Hello World\ncafé\n"


@pytest.mark.parametrize(
    "content",
    [
        build_pdf("<</Title 6 0 R>>"),  # a reference to itself
        build_pdf("<<" + "/A[" * 3000),
        build_pdf(extra="/Metadata 4 0 R", stream=zlib.compress(bytes(50_000_000))),
        b"%PDF-1.4\nstartxref\n9\n%%EOF",
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj trailer<</Root 1 0 R>>",
        b"%PDF-1.4\ntrailer<</Root 1 0 R/Prev 0>>startxref\n9\n%%EOF",
    ],
)
def test_hostile_pdfs_are_a_record_or_a_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hostile.pdf"
    path.write_bytes(content)
    codes = set()
    for use in (lambda: handle(path), lambda: handle(path, defer_checksum=False), lambda: handle(path).text()):
        try:
            use()
        except HandlerError as fault:
            codes.add(fault.code)
    assert codes <= {"corrupt", "limit", "unsupported"}


def test_entities_and_bombs_in_office_files(tmp_path: Path) -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><w:document>&b;</w:document>'
    path = tmp_path / "bomb.docx"
    path.write_bytes(rewrite(DATA / "headers.docx", lambda name, old: laughs if name == "docProps/core.xml" else old))
    assert any("entity" in warning for warning in handle(path).warnings)
    big = b"<w:document><w:body><w:p><w:r><w:t>" + b"a " * 30_000_000 + b"</w:t></w:r></w:p></w:body></w:document>"
    path.write_bytes(rewrite(DATA / "headers.docx", lambda name, old: big if name == "word/document.xml" else old))
    assert len(handle(path).text(1000).encode()) <= 1000


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i> there\n\n2\n00:00:03,000 --> 00:00:04,000\nYou\n",
        "Hello there\nYou\n"),
        ("a.vtt", "WEBVTT\n\nNOTE no\n\n00:01.000 --> 00:02.000\n<v Bob>Hi &amp; bye\n", "Hi & bye\n"),
        ("a.ass", "[Events]\nFormat: x\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8}One\\NTwo, three\n",
         "One\nTwo, three\n"),
        ("a.lrc", "[ti:Song]\n[ar:Band]\n[00:01.00]Line <00:01.50>one\n[00:02.00][00:09.00]two\n", "Line one\ntwo\n"),
        ("a.md", "# Title\n\nwords\n", "# Title\n\nwords\n"),
        ("a.html",
         "<html><head><title>T</title><style>x</style></head><body><p>One</p><script>no</script>two<br>three</body>",
         "One\ntwo\nthree\n"),
    ],
)  # fmt: skip
def test_words_of_text_formats(tmp_path: Path, name: str, content: str, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode())
    assert handle(path).text() == words


@pytest.mark.parametrize(
    ("content", "encoding", "newlines", "bom"),
    [
        (b"plain\nlines\n", "us-ascii", "lf", None), ("é\r\nü\r\n".encode(), "utf-8", "crlf", None),
        ("\ufeffx\n".encode(), "utf-8", "lf", "utf-8"), ("\ufeffx\n".encode("utf-16-le"), "utf-16le", None, "utf-16le"),
        ("é\rx\r".encode("latin-1"), "iso-8859-1", "cr", None),
    ],
)  # fmt: skip
def test_encodings_of_text(
    tmp_path: Path, content: bytes, encoding: str, newlines: str | None, bom: str | None
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    fields = handle(path).fields
    assert (fields["text_encoding"], fields.get("newlines"), fields.get("bom")) == (encoding, newlines, bom)


def test_rtf_groups_unicode_and_code_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.rtf"
    path.write_bytes(
        rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Font;}}{\info{\title \'cf\'f0\'e8}{\author A}"
        rb"{\creatim\yr2020\mo2\dy3\hr4\min5}"
        rb"{\nofpages2}{\*\company C}}{\*\unknown no}Text \u8364? \'e4\par next\~one{\pict 00ff}}"
    )
    found = handle(path)
    assert (found.fields["title"], found.fields["creators"], found.fields["company"]) == ("При", ["A"], "C")
    assert (found.fields["page_count"], found.fields["date_created_at_local"]) == (2, "2020-02-03T04:05:00")
    assert found.text() == "Text € д\nnext one"


def test_encrypted_pdf_is_a_record_that_says_so(tmp_path: Path) -> None:
    """Trap 12 of the vocabulary's section 10. AES, which stays closed."""
    crypt = (
        "<</Filter/Standard/V 4/R 4/Length 128/P -3904/O<00>/U<00>/CF<</StdCF<</CFM/AESV2>>>>/StmF/StdCF/StrF/StdCF>>"
    )
    path = tmp_path / "closed.pdf"
    path.write_bytes(
        build_pdf("<</Title(secret)>>").replace(b"/Info 6 0 R>>", f"/Info 6 0 R/Encrypt {crypt}>>".encode())
    )
    found = handle(path)
    assert found.fields["encrypted"] is True
    assert "title" not in found.fields
    assert "print" not in found.fields.get("permissions", [])
    with pytest.raises(HandlerError, match="encrypted"):
        found.text()

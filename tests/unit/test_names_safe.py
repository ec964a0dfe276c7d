"""mediad.moves.names and namer: what comes out can lie on every file system, and what can lie there is left alone."""

from __future__ import annotations

import unicodedata
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediad.errors import InvalidArgument, NotFound, Unsupported
from mediad.moves.defaults import load_templates
from mediad.moves.namer import Namer
from mediad.moves.names import clash_key, copy_names, cut, force_utf8, safe_name, split_name
from mediad.moves.template import TemplateError

ANY = st.text(max_size=400) | st.text(st.sampled_from('.. _aA:/\\"\0\n\x7f\u0301e👨\u200d👩🇩🇪conCON1'), max_size=300)
DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{p}{d}" for p in ("com", "lpt") for d in "0123456789¹²³"
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain.mp3", "plain.mp3"),
        ("Ágætis.mp3".encode(), "Ágætis.mp3"),
        (b"M\xfcll\x80.mp3", "Müll€.mp3"),
        (b"\x93quoted\x94", "“quoted”"),
        (b"\x81\xfc", "\x81ü"),
        (b"\xed\xa0\x80", "í\xa0€"),  # a surrogate is not UTF-8
        (b"", ""),
    ],
)
def test_force_utf8(name: bytes, text: str) -> None:
    assert force_utf8(name) == text


@given(st.binary(max_size=300))
def test_force_utf8_is_always_utf8(name: bytes) -> None:
    text = force_utf8(name)
    assert text.encode().decode() == text
    assert force_utf8(text.encode()) == text


def test_force_utf8_with_other_fallbacks() -> None:
    assert force_utf8("Москва".encode("koi8-r"), ("koi8-r",)) == "Москва"
    with pytest.raises(UnicodeDecodeError):
        force_utf8(b"\x81", ("cp1252",))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("AC/DC", "AC_DC"),
        ('<a>:"b"/\\|?*', "_a___b______"),
        ("R.E.M.", "R.E.M_"),
        ("trailing. ", "trailing_"),
        ("  spaces  ", "spaces"),
        ("line\nfeed\x00\x85", "line_feed__"),
        ("con", "con_"),
        ("CON.txt", "CON_.txt"),
        ("com1 .txt", "com1_.txt"),
        ("COM¹.tar.gz", "COM¹_.tar.gz"),
        ("console.txt", "console.txt"),
        ("com10", "com10"),
        (".", "_"),
        ("..", "._"),
        ("...", ".._"),
        ("", "_"),
        (".hidden", ".hidden"),
        ("e\u0301", "é"),
        ("\udcff.mp3", "_.mp3"),
    ],
)
def test_known_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [("What? <now>", "What? <now>"), ("R.E.M.", "R.E.M."), ("con", "con"), ("a/b\0", "a_b_"), ("..", "._"), (".", "_")],
)
def test_posix_keeps_what_it_can(name: str, safe: str) -> None:
    assert safe_name(name, fat=False) == safe


@given(ANY, st.booleans(), st.integers(32, 300))
@example("con." + "x" * 300 + ".mp3", True, 255)
@example("c" * 249 + "\u0301\u0301.flac", True, 255)
@example(" \u0301", True, 255)
@example("com1" + " " * 260 + ".txt", True, 255)
def test_every_name_comes_out_safe(name: str, fat: bool, limit: int) -> None:
    safe = safe_name(name, fat=fat, limit=limit)
    assert 0 < len(safe.encode()) <= limit
    assert safe not in (".", "..") and not set(safe) & set("/\0\n\x7f\x85")
    assert safe == safe.strip() and unicodedata.is_normalized("NFC", safe)
    if fat:
        assert not set(safe) & set('<>:"\\|?*') and not safe.endswith((".", " "))
        assert safe.partition(".")[0].strip().lower() not in DEVICES
    assert safe_name(safe, fat=fat, limit=limit) == safe


@given(st.text(st.characters(categories=["Ll", "Lu", "Lo", "Nd"]), min_size=1, max_size=60))
def test_plain_names_stay(name: str) -> None:
    name = unicodedata.normalize("NFC", name)
    if name.lower() not in DEVICES and len(name.encode()) <= 255:
        assert safe_name(name) == name


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("x" * 400 + ".flac") == "x" * 250 + ".flac"
    assert safe_name("é" * 200 + ".mp3") == "é" * 125 + ".mp3"
    assert safe_name("No. " + "sentence " * 60).startswith("No. sentence")
    family = "👨\u200d👩\u200d👧"  # one grapheme of 18 bytes
    assert safe_name(family * 20) == family * 14
    assert safe_name("🇩🇪" * 40) == "🇩🇪" * 31
    assert safe_name("e" + "\u0323\u0302" * 300).startswith("ệ")
    with pytest.raises(ValueError, match="no room"):
        safe_name("x", limit=8)


@given(st.text(max_size=80), st.integers(0, 200))
def test_cut(text: str, limit: int) -> None:
    text = "".join(c for c in text if not "\ud800" <= c <= "\udfff")
    short = cut(text, limit)
    assert text.startswith(short) and len(short.encode()) <= limit
    if len(text.encode()) <= limit:
        assert short == text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.mp3", ("a", ".mp3")),
        (".bashrc", (".bashrc", "")),
        ("a.tar.gz", ("a.tar", ".gz")),
        ("Vol. 2", ("Vol. 2", "")),
        ("a.", ("a.", "")),
        ("a." + "x" * 17, ("a." + "x" * 17, "")),
    ],
)
def test_split_name(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_copies() -> None:
    assert list(islice(copy_names("a.jpg"), 3)) == ["a_copy.jpg", "a_copy2.jpg", "a_copy3.jpg"]
    assert next(copy_names("a_copy.jpg")) == "a_copy_copy.jpg"
    assert next(copy_names(".hidden")) == ".hidden_copy"
    assert next(copy_names("x" * 251 + ".jpg")) == "x" * 246 + "_copy.jpg"


@given(ANY)
def test_copies_differ_and_fit(name: str) -> None:
    safe = safe_name(name)
    some = list(islice(copy_names(safe), 12))
    assert len({safe, *some}) == 13
    assert all(len(one.encode()) <= 255 and safe_name(one) == one for one in some)


def test_clashes() -> None:
    assert clash_key("Straße") == clash_key("STRASSE")
    assert clash_key("e\u0301") == clash_key("É")
    assert clash_key("A", fat=False) != clash_key("a", fat=False)
    assert clash_key("e\u0301", fat=False) == clash_key("é", fat=False)


# ------------------------------------------------------------------------------------------------------ naming of items

SONG = {"artists": ["AC/DC"], "artist_credit": "AC/DC", "album": "T.N.T.", "title": "Who: Made Who?", "track_number": 1}


def name(asked: str, fields: dict[str, object], below: bytes, kind: str = "audio", **options: bool) -> object:
    namer = Namer(load_templates({"mine": "Undated/{stem}.{ext}"}), asked, fat=options.get("fat", False))
    return namer.path(kind, fields, below, b"/lib/" + below, caseless=options.get("caseless", False))


def test_naming_an_item() -> None:
    """By kind, by a template's name, by one itself; safe for the file system; who lacks a field is told which."""
    found = name("{artist}/{title}.{ext}", SONG, b"in/x.MP3")
    assert found == b"AC_DC/Who: Made Who?.mp3"
    assert name("{artist}/{title}.{ext}", SONG, b"in/x.MP3", fat=True) == b"AC_DC/Who_ Made Who_.mp3"
    assert name("{artist}/{title}.{ext}", SONG, b"in/x.MP3", caseless=True) == b"AC_DC/Who_ Made Who_.mp3"
    assert name("mine", SONG, b"in/\xfc\x01.mp3") == "Undated/ü_.mp3".encode()
    lacking = name("auto", {}, b"x.mp3")
    assert isinstance(lacking, InvalidArgument) and "{album}" in lacking.message and lacking.input == b"/lib/x.mp3"
    assert isinstance(name("auto", SONG, b"x", kind="other"), Unsupported)
    assert isinstance(name("auto", {}, b"cover.jpg", kind="image"), Unsupported)
    with pytest.raises(NotFound, match="there is auto, "):
        name("nope", SONG, b"x.mp3")
    with pytest.raises(TemplateError):
        name("{nope}", SONG, b"x.mp3")
    long = name("{title}.{ext}", SONG | {"title": "ö" * 300}, b"x.flac")
    assert isinstance(long, bytes) and len(long) == 255 and long.endswith(b".flac")

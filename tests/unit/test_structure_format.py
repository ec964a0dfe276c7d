"""The parts of the format: ids, URIs, times, JSON, layout. Vectors are the reference's own where it has some."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediad.errors import Corrupt, InvalidArgument
from mediad.moves.structure.gojson import dumps, format_float, loads
from mediad.moves.structure.ids import dst_id, src_id
from mediad.moves.structure.layout import IMAGE_TYPES, data_path, meta_path, type_of
from mediad.moves.structure.moment import ZERO, Moment, parse_moment
from mediad.moves.structure.uri import canonical, decode_path, encode_path, file_path, file_uri, relative_path, resolve

NAME = st.binary(min_size=1, max_size=20).filter(lambda b: not set(b) & {0, 47} and b not in (b".", b".."))
HASH = "f42a59131aaf2e5c475f8a35126b034549c05bd5"


def test_ids() -> None:
    assert src_id("file:///tmp/") == "901e9ee6-64b8-5d44-941c-7e22c7cb4af3"
    assert src_id("file:///tmp/src/") == "e8400c72-f7d0-53f9-98ca-ee23238231fe"
    assert dst_id(*["file:///tmp/dst/"] * 3) == "0e73b6c5-26dc-58a6-8fa9-edd5be9ad99d"
    three = ("file:///tmp/", "file:///tmp/data/", "file:///tmp/meta/")
    assert dst_id(*three) == "0b1bccaf-e8e2-5693-be3c-320031f4850a"
    three = ("file:///tmp/dst/", "file:///tmp/dst/data/", "file:///tmp/dst/meta/")
    assert dst_id(*three) == "b9fa3564-95cb-57b3-b2cd-32123cc2032b"
    assert src_id("https://www.flickr.com/people/rcarver/") == "e83a2534-1f41-5041-8086-8b32aaa94b64"
    assert dst_id(*["file:///Users/rcarver/Desktop/flickrsync/"] * 3) == "7773ef7a-45f9-58de-80e6-3916f92240be"


# ------------------------------------------------------------------------------------------------------------- URIs


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (b"/abs/path", "file:///abs/path"),
        (
            b"/Photos Library/TqFU0duZTV+culxTIy%oVA/thumb.jpg",
            "file:///Photos%20Library/TqFU0duZTV+culxTIy%25oVA/thumb.jpg",
        ),
        (b"/a?b#c%d", "file:///a%3Fb%23c%25d"),
        ("/é".encode(), "file:///%C3%A9"),
        (b"/\xff", "file:///%FF"),
        (b"/-._~$&+,:;=@", "file:///-._~$&+,:;=@"),
        (b"/a(b)[c]!'*\"<>", "file:///a%28b%29%5Bc%5D%21%27%2A%22%3C%3E"),
    ],
)
def test_uri_of_a_path(path: bytes, uri: str) -> None:
    assert file_uri(path) == uri and file_path(uri) == path


@given(st.lists(NAME, max_size=5), st.booleans())
@example([b"A:"], False)
def test_every_path_comes_back(names: list[bytes], folder: bool) -> None:
    path = b"/" + b"/".join(names)
    uri = file_uri(path, folder=folder)
    assert uri.isascii() and not set(uri) & set('?#" \0') and uri.endswith("/") == (folder or not names)
    assert file_path(uri) == path
    assert canonical(uri) == uri
    if names:
        relative = b"/".join(names)
        assert relative_path(encode_path(relative)) == relative
        assert resolve("file:///top/", encode_path(relative)) == b"/top/" + relative
        assert decode_path(uri[7:].rstrip("/")) == path


@pytest.mark.parametrize("path", [b"a", b"", b"//a", b"/a//b", b"/a/../b", b"/.", b"/a\0"])
def test_no_uri(path: bytes) -> None:
    with pytest.raises(InvalidArgument):
        file_uri(path)


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/a",
        "file://host/a",
        "file:/a",
        "a/b",
        "",
        "file:///a/../b",
        "file:///a/%2e%2e/b",
        "file:///a%00",
        "file:///a%2Fb",
        "file:///a//b",
        "file:////a",
    ],
)
def test_no_file(uri: str) -> None:
    assert file_path(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/%2e%2e/%2E%2E/x",
        "file:///etc/passwd",
        "a%2Fb",
        "a%00b",
        "",
        ".",
        "a//b",
        "x?y",
        "x#y",
        "C:x",
        "a/",
        "//host/x",
    ],
)
def test_nothing_leads_out(uri: str) -> None:
    assert relative_path(uri) is None and resolve("file:///top/", uri) is None


def test_spellings_of_one_uri() -> None:
    assert canonical("FILE:///a(b) c/%c3%a9") == canonical("file:///a%28b%29%20c/é") == "file:///a%28b%29%20c/%C3%A9"
    assert canonical("file:///a%2fb") == "file:///a%2Fb" != canonical("file:///a/b")
    for kept in ("https://x/?photo_id=1&a=(b)", "file:///a%zz(", "", "mailto:a(b)", "http://example.com"):
        assert canonical(kept) == kept
    assert file_path("file:///a%zz") == b"/a%zz"


@given(st.text(max_size=30))
def test_canonical_once_is_enough(text: str) -> None:
    text = "".join(c for c in text if not "\ud800" <= c <= "\udfff")
    for uri in (text, f"file:///{text}"):
        assert canonical(canonical(uri)) == canonical(uri)


# ------------------------------------------------------------------------------------------------------------ times


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("2018-12-01T04:52:17.770304Z", ""),
        ("2017-08-04T10:19:44.000000Z", "2017-08-04T10:19:44Z"),
        ("0001-02-03T04:05:06.000000007Z", ""),
        ("2016-02-29T23:59:59.5-04:30", ""),
        ("2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00.1234567899Z", "2020-01-01T00:00:00.123456789Z"),
        ("9999-12-31T23:59:59.999999999+14:00", ""),
        ("0000-03-01T00:00:00Z", ""),
    ],
)
def test_times(text: str, again: str) -> None:
    assert parse_moment(text).text() == (again or text)
    assert parse_moment(text).date() == text[:10]


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-1439, 1439),
    st.integers(0, 999),
)
def test_times_are_datetime_s(at: datetime, offset: int, nanoseconds: int) -> None:
    since = at - datetime(1970, 1, 1)
    ns = (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000 + nanoseconds
    moment = Moment(ns, offset)
    assert parse_moment(moment.text()) == moment
    assert moment.date() == (at + timedelta(minutes=offset)).date().isoformat()
    said = datetime.fromisoformat(moment.text()[:19])
    assert said == (at + timedelta(minutes=offset)).replace(microsecond=0)
    assert Moment(ns).text()[:19] == at.replace(tzinfo=UTC).isoformat()[:19]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2018",
        "2018-12-01",
        "2018-12-01 04:52:17Z",
        "2018-12-01T04:52:17",
        "2018-12-01t04:52:17z",
        "2018-13-01T00:00:00Z",
        "2018-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2018-12-01T24:00:00Z",
        "2018-12-01T23:59:60Z",
        "2018-12-01T04:52Z",
        "2018-12-01T04:52:17+24:00",
        "2018-12-01T04:52:17+0100",
        "2018-12-01T04:52:17,5Z",
        "٢٠18-12-01T04:52:17Z",
        "2018-00-01T00:00:00Z",
    ],
)
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|there is no"):
        parse_moment(text)


def test_time_that_is_none() -> None:
    assert parse_moment("0001-01-01T00:00:00Z") == ZERO and ZERO.is_zero and not Moment(0).is_zero
    with pytest.raises(ValueError, match="no year"):
        Moment(1 << 70).text()


# ------------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (500.0, "500"),
        (1.12345, "1.12345"),
        (1.4, "1.4"),
        (3959.322034, "3959.322034"),
        (-0.0, "-0"),
        (1e20, "1" + "0" * 20),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-10, "1.25e-10"),
        (5e-324, "5e-324"),
        (-2.5, "-2.5"),
        (123456789012345680000.0, "123456789012345680000"),
    ],
)
def test_floats(number: float, text: str) -> None:
    """As Go and ECMAScript print them: checked with node, whose JSON.stringify differs in -0 only."""
    assert format_float(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back(number: float) -> None:
    assert float(format_float(number)) == number


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_floats(number: float) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        dumps([number])


def test_text_is_escaped_as_go_does() -> None:
    said = dumps({"<a>&": 'b"\\\n\r\t\x08\x0c\x1f\x7f\u2028\u2029\udcffé😀/'})
    assert said == ('{"\\u003ca\\u003e\\u0026":"b\\"\\\\\\n\\r\\t\\u0008\\u000c\\u001f\x7f\\u2028\\u2029\\ufffdé😀/"}')
    assert dumps([], indent=2) == "[]" and dumps({"a": {}, "b": [1, [True, None]]}, indent=2) == (
        '{\n  "a": {},\n  "b": [\n    1,\n    [\n      true,\n      null\n    ]\n  ]\n}'
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-(2.0**53), 2.0**53) | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
    max_leaves=12,
)


@given(JSON, st.sampled_from([0, 2]))
@example({"a": [{}, []]}, 2)
def test_json_comes_back(value: object, indent: int) -> None:
    text = dumps(value, indent=indent)  # type: ignore[arg-type]
    assert loads(text.encode(), b"x") == json.loads(text) == value
    assert indent or "\n" not in text


def test_reading() -> None:
    assert loads(b'{"a":"\xff\\ud800"}', b"x") == {"a": "\ufffd\ufffd"}
    for bad in (
        b"",
        b"{",
        b"NaN",
        b"[-Infinity]",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"'a'",
        b"1" * 5000,
        b'"\n"',
    ):
        with pytest.raises(Corrupt, match="JSON") as caught:
            loads(bad, b"the file")
        assert caught.value.input == b"the file"


# ----------------------------------------------------------------------------------------------------------- layout


def test_layout() -> None:
    created = parse_moment("2018-11-10T00:00:00Z")
    assert data_path(HASH, "jpg", created) == f"media/2018/2018-11-10/{HASH}.jpg"
    assert meta_path(HASH) == "meta/f4/2a/59131aaf2e5c475f8a35126b034549c05bd5.json"
    spread = "f4/2a/59131aaf2e5c475f8a35126b034549c05bd5"
    assert data_path(HASH, "jpg", None) == data_path(HASH, "jpg", ZERO) == f"media/Undated/{spread}.jpg"
    assert data_path(HASH, "mkv", created) == f"unknown/{spread}.mkv"
    assert data_path(HASH, "", None) == f"unknown/{spread}"
    # the date is that of its own clock
    assert "/2018-12-31/" in data_path(HASH, "cr2", parse_moment("2018-12-31T23:30:00-05:00"))
    for bad in ("", HASH.upper(), HASH[:-1], "../" + HASH[3:]):
        with pytest.raises(ValueError, match="hexadecimal"):
            data_path(bad, "jpg", created)


@pytest.mark.parametrize(
    ("name", "file_format", "said"),
    [
        ("a.JPEG", "", "jpg"),
        ("a.tiff", "", "tif"),
        ("a.jpe", "", "jpg"),
        ("a", "jpeg", "jpg"),
        ("a.jpg", "png", "png"),
        ("a.jpg", "webp", "webp"),
        ("a.heic", "heic", "heic"),
        ("a.mkv", "matroska", "mkv"),
        ("a", "", ""),
        ("a.b c", "", ""),
        ("a." + "x" * 17, "", ""),
        ("a.é", "", ""),
        ("a.NEF", "nef", "nef"),
    ],
)
def test_types(name: str, file_format: str, said: str) -> None:
    assert type_of(name, file_format) == said
    assert len(IMAGE_TYPES) == 10

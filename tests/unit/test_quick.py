"""The short way of `mediactl query`: its encoding is the generated code's, its options are click's."""

from __future__ import annotations

import uuid

import pytest

from mediactl import decode, quick
from mediactl.itemtable import ItemLines
from mediad.errors import MediadError
from mediadb_contract import mediadb_pb2 as pb


def payload(frame: bytes) -> bytes:
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    return frame[4:]


def test_hello_is_a_hello() -> None:
    hello = pb.ClientFrame.FromString(payload(quick.hello())).hello
    assert (hello.protocol_min, hello.protocol_max) == (1, 1)
    assert hello.client.startswith("mediactl/")


@pytest.mark.parametrize("text", ["", "björk", "x" * 300])
def test_the_question_is_a_query_request(text: str) -> None:
    request = pb.ClientFrame.FromString(payload(quick.query_frame(text, 500, "anna"))).request
    assert (request.id, request.deadline_ms, request.actor) == (1, 30_000, "anna")
    assert request.query == pb.QueryRequest(text=text, limit=500)


def test_items_are_shown_as_the_full_client_shows_them() -> None:
    song = pb.Item(
        id=uuid.uuid4().bytes, kind="audio", format="mp3", title="Jóga", artist="Björk", duration=305.1, date="1997-09",
        work_json='{"starred":true}', keys=[pb.Key(grade="checksum", algorithm="whole/1", value=b"\xff" * 32)],
        files=[
            pb.File(id=-1, path=b"/m/\xff.mp3", path_display="/m/\\xff.mp3", size=1 << 40, mtime_ns=-5, state="read"),
            pb.File(id=2, path=b"/m/b.mp3", path_display="/m/b.mp3", size=7),
        ],
    )  # fmt: skip
    picture = pb.Item(id=uuid.uuid4().bytes, kind="image", width=4000, height=3000, files=[pb.File(size=0)])
    bare = pb.Item(id=uuid.uuid4().bytes, kind="other")
    reply = pb.Reply(id=1, last=True, query=pb.QueryReply(items=[song, picture, bare], cursor=b"more"))
    items, last = quick.read_reply(reply.SerializeToString())
    assert last
    expected = [decode.decode_item(each) for each in (song, picture, bare)]
    for width in (None, 60):
        assert ItemLines(width).add(items) == ItemLines(width).add(expected)


def test_an_error_is_raised_as_it_is() -> None:
    error = pb.Error(code=pb.QUERY_SYNTAX, message="a bracket is open", input=b"(", position=1)
    with pytest.raises(MediadError) as raised:
        quick.read_reply(pb.Reply(id=1, last=True, error=error).SerializeToString())
    assert (raised.value.code, raised.value.input, raised.value.position) == ("query_syntax", b"(", 1)


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05ab", b"\xff\xff", b"\x0b", b"\x09\x00"])
def test_what_is_no_message_is_not_for_the_short_way(data: bytes) -> None:
    with pytest.raises(quick.Unusual):
        list(quick.fields(data))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("query a --limit 20", ("", "a", 20)),
        ("query --limit=20 a b", ("", "a b", 20)),
        ("--socket /s query a --limit 500", ("/s", "a", 500)),
        ("--socket=/s query a --limit 1", ("/s", "a", 1)),
    ],
)
def test_plain_options(arguments: str, expected: tuple[str, str, int]) -> None:
    assert quick.read_options(arguments.split()) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        "", "query", "query a", "query --limit 5", "query a --limit 0", "query a --limit 501", "query a --limit x",
        "query a --limit", "query a --limit 5 --limit 6", "query a --limit 5 --files", "query -h --limit 5",
        "query a --limit 5 --", "status", "get a --limit 5", "--format json query a --limit 5", "--limit 5 query a",
        "query a --limit 5 --socket /s", "--socket query a --limit 5", "query a --lim 5", "query a --limit ²",
    ],
)  # fmt: skip
def test_everything_else_is_left_to_click(arguments: str) -> None:
    assert quick.read_options(arguments.split()) is None

"""Sessions against each other and against noise."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad import errors
from mediad.wire import events
from mediad.wire.convert import error_from_wire, error_to_wire, show_path, show_text, uuid_from_wire, uuid_to_wire
from mediad.wire.parts import SKIPPED_REQUESTS, UNFINISHED_REQUESTS
from mediad.wire.session import ClientSession, Limits, LocalProtocolError, ServerSession
from mediadb_contract import mediadb_pb2 as pb
from mediadb_contract.framing import FrameError, FrameReader, frame


def greeted(limits: Limits | None = None) -> tuple[ClientSession, ServerSession]:
    client, server = ClientSession("test/1"), ServerSession(limits or Limits())
    server.receive_data(client.hello())
    assert isinstance(server.next_event(), events.HelloReceived)
    client.receive_data(server.greet(server="mediad/0", host=bytes(16), role="admin"))
    assert isinstance(client.next_event(), events.Greeted)
    return client, server


def drain(session: ServerSession | ClientSession) -> list[object]:
    found: list[object] = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


# ---------------------------------------------------------------- frames


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20), st.data())
def test_any_split_gives_the_same_frames(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    reader = FrameReader(300)
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[begin:end])
        while (payload := reader.next()) is not None:
            found.append(payload)
    assert found == payloads
    assert reader.pending == 0


@pytest.mark.parametrize("length", [0, 301, 0xFFFFFFFF])
def test_length_outside_the_limits(length: int) -> None:
    reader = FrameReader(300)
    reader.feed(length.to_bytes(4, "big")[:3])
    assert reader.next() is None
    reader.feed(length.to_bytes(4, "big")[3:])
    for _ in range(2):
        with pytest.raises(FrameError):
            reader.next()
    with pytest.raises(FrameError):
        frame(bytes(min(length, 301)), 300)


def test_memory_is_what_was_fed_and_not_taken() -> None:
    reader = FrameReader(1 << 20)
    stream = frame(bytes(1000)) * 1000
    tracemalloc.start()
    try:
        for _ in range(30):
            reader.feed(stream)
            for _ in range(1000):
                assert reader.next() is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(stream)


# ---------------------------------------------------------------- noise


@settings(max_examples=300)
@given(st.binary(max_size=200), st.booleans())
def test_noise_is_at_most_a_protocol_error(noise: bytes, after_greeting: bool) -> None:
    for session in greeted() if after_greeting else (ClientSession("t"), ServerSession()):
        session.receive_data(noise)
        session.receive_data(b"")
        drain(session)
        assert session.closed or session.next_event() is None


REQUESTS = st.lists(
    st.builds(
        lambda ident, more, paths, kind: pb.ClientFrame(
            request=pb.Request(
                id=ident, more=more, **{kind: pb.AddRequest(paths=paths) if kind == "add" else pb.Ping()}  # type: ignore[arg-type]
            )
        )
        if ident < 12
        else pb.ClientFrame(cancel=pb.Cancel(id=ident - 12)),
        st.integers(0, 24), st.booleans(), st.lists(st.binary(max_size=20), max_size=3),
        st.sampled_from(["add", "ping"]),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=200)
@given(REQUESTS, st.integers(0, 2**32))
def test_any_split_of_any_dialogue_gives_the_same_events(sent: list[pb.ClientFrame], seed: int) -> None:
    stream = b"".join(frame(message.SerializeToString() or b"\x12\x00") for message in sent)
    _, whole = greeted()
    whole.receive_data(stream)
    expected = drain(whole)
    _, pieces = greeted()
    cut, found, at = random.Random(seed), [], 0
    while at < len(stream):
        step = cut.randint(1, 40)
        pieces.receive_data(stream[at : at + step])
        found += drain(pieces)
        at += step
    assert [repr(each) for each in found] == [repr(each) for each in expected]
    assert all(isinstance(each, events.RequestReceived | events.Rejected | events.CancelReceived | events.ProtocolError)
               for each in found)  # fmt: skip


# ---------------------------------------------------------------- the rules


def test_requests_wait_for_the_greeting() -> None:
    client, server = ClientSession("t"), ServerSession()
    server.receive_data(client.hello() + frame(pb.ClientFrame(request=pb.Request(id=1, ping={})).SerializeToString()))  # type: ignore[arg-type]
    assert isinstance(server.next_event(), events.HelloReceived)
    assert server.next_event() is None
    assert server.mid_frame
    server.greet(server="s", host=b"", role="read")
    assert isinstance(server.next_event(), events.RequestReceived)


def test_misuse_is_an_error_of_this_side() -> None:
    client, server = greeted()
    with pytest.raises(LocalProtocolError):
        server.reply(pb.Reply(id=1, last=True))
    with pytest.raises(LocalProtocolError):
        server.greet(server="s", host=b"", role="read")
    with pytest.raises(LocalProtocolError):
        client.hello()
    with pytest.raises(LocalProtocolError):
        ClientSession("t").request(pb.Request())
    server.receive_data(client.request(pb.Request(ping=pb.Ping())))
    server.next_event()
    server.reply(pb.Reply(id=1, last=True, pong=pb.Pong()))
    with pytest.raises(LocalProtocolError):
        server.reply(pb.Reply(id=1, last=True, pong=pb.Pong()))


def test_a_reply_over_the_limit_is_not_sent_and_may_be_answered_otherwise() -> None:
    client, server = greeted()
    server.receive_data(client.request(pb.Request(ping=pb.Ping())))
    server.next_event()
    with pytest.raises(errors.LimitExceeded):
        server.reply(pb.Reply(id=1, last=True, pong=pb.Pong(payload=bytes(1 << 20))))
    client.receive_data(server.fail(1, errors.LimitExceeded("too much")))
    event = client.next_event()
    assert isinstance(event, events.ReplyReceived)
    assert event.reply.last
    assert event.reply.error.code == pb.LIMIT_EXCEEDED


@pytest.mark.parametrize("size", [10, 20_000, 250_000])
def test_large_requests_go_in_parts(size: int) -> None:
    client, server = greeted()
    request = pb.Request(operation=bytes(16), actor="ada", add=pb.AddRequest(wait=True, exclude=["*.tmp", "*.bak"]))
    request.add.paths.extend(b"/srv/%d/" % number + bytes(min(size, 40)) for number in range(size))
    wanted = pb.Request()
    wanted.CopyFrom(request)
    server.receive_data(client.request(request))
    (event,) = drain(server)
    assert isinstance(event, events.RequestReceived)
    wanted.id = event.request.id
    assert event.request == wanted


def test_a_value_larger_than_a_frame_or_a_request_over_the_limit_is_refused_before_it_is_sent() -> None:
    client, _ = greeted()
    with pytest.raises(errors.LimitExceeded):
        client.request(pb.Request(query=pb.QueryRequest(text="x" * 300_000)))
    with pytest.raises(errors.LimitExceeded):
        client.request(pb.Request(add=pb.AddRequest(paths=[bytes(300_000)])))
    with pytest.raises(errors.LimitExceeded):
        client.request(pb.Request(add=pb.AddRequest(paths=[b"/"] * 600_000)))
    assert client.in_flight == 0


def _part(ident: int, paths: list[bytes], more: bool = True) -> bytes:
    request = pb.Request(id=ident, more=more, add=pb.AddRequest(paths=paths))
    return frame(pb.ClientFrame(request=request).SerializeToString())


def test_parts_are_bounded_in_bytes_entries_and_number() -> None:
    _, server = greeted(Limits(request_bytes=100_000))
    server.receive_data(_part(1, [bytes(60_000)]) + _part(1, [bytes(60_000)]) + _part(1, [b"x"]) + _part(1, [], False))
    (event,) = drain(server)
    assert isinstance(event, events.Rejected)
    assert event.error.code == "limit_exceeded"
    server.receive_data(_part(2, [b""] * 4000))
    (event,) = drain(server)
    assert isinstance(event, events.Rejected), "entries of two bytes are charged what they cost in memory"
    _, server = greeted()
    server.receive_data(b"".join(_part(number, []) for number in range(1, UNFINISHED_REQUESTS + 2)))
    (event,) = drain(server)
    assert isinstance(event, events.Rejected)
    assert event.id == UNFINISHED_REQUESTS + 1


def test_whoever_goes_on_sending_after_refusals_is_cut_off() -> None:
    _, server = greeted(Limits(requests_in_flight=1))
    server.receive_data(_part(1, [], False))
    found = drain(server)
    server.receive_data(b"".join(_part(number, []) for number in range(2, SKIPPED_REQUESTS + 4)))
    found = drain(server)
    assert len(found) == SKIPPED_REQUESTS + 1
    assert isinstance(found[-1], events.ProtocolError)


def test_client_holds_to_the_number_in_flight_and_reuses_ids_only_when_free() -> None:
    client, server = greeted(Limits(requests_in_flight=2))
    for _ in range(2):
        server.receive_data(client.request(pb.Request(ping=pb.Ping())))
    with pytest.raises(errors.LimitExceeded):
        client.request(pb.Request(ping=pb.Ping()))
    assert [event.request.id for event in drain(server) if isinstance(event, events.RequestReceived)] == [1, 2]
    client.receive_data(server.reply(pb.Reply(id=1, last=True, pong=pb.Pong())))
    drain(client)
    client._last_id = 0xFFFFFFFF
    third = pb.Request(ping=pb.Ping())
    client.request(third)
    assert third.id == 1


def test_end_of_file_between_and_inside_frames() -> None:
    for tail, clean in ((b"", True), (b"\0\0", False)):
        client, server = greeted()
        server.receive_data(tail)
        server.receive_data(b"")
        assert drain(server) == [events.ConnectionEnded(clean=clean)]
        client.receive_data(b"")
        assert drain(client) == [events.ConnectionEnded(clean=True)]


def test_a_reply_that_nobody_asked_for_ends_the_client() -> None:
    client, _ = greeted()
    client.receive_data(frame(pb.ServerFrame(reply=pb.Reply(id=5, last=True)).SerializeToString()))
    assert isinstance(client.next_event(), events.ProtocolError)
    assert client.closed


# ---------------------------------------------------------------- convert


@pytest.mark.parametrize("code", sorted(errors.ERRORS))
def test_errors_there_and_back(code: str) -> None:
    error = errors.ERRORS[code]("a sentence", b"/srv/\xff\x1b", position=3)
    back = error_from_wire(pb.Error.FromString(error_to_wire(error).SerializeToString()))
    assert type(back) is type(error)
    assert (back.message, back.input, back.position, back.retryable) == (
        "a sentence", b"/srv/\xff\x1b", 3, error.retryable,
    )  # fmt: skip
    assert error_from_wire(pb.Error(code=99, message="x")).code == "internal"  # type: ignore[arg-type]


@given(st.binary())
def test_display_text_never_raises_and_never_controls(path: bytes) -> None:
    shown = show_path(path)
    shown.encode("utf-8")
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert pb.File(path_display=shown).path_display == shown


def test_display_text_keeps_what_is_text() -> None:
    assert show_path("/Björk/漢字/👩‍👩‍👧/שלום".encode()) == "/Björk/漢字/👩‍👩‍👧/שלום"
    assert show_path(b"/\xff\n\x1b[31m") == r"/\xff\x0a\x1b[31m"
    assert show_text("a\u202egpj.exe\udc80") == r"a\u202egpj.exe\udc80"


def test_uuids() -> None:
    assert uuid_from_wire(b"") is None
    assert uuid_to_wire(None) == b""
    assert uuid_to_wire(uuid_from_wire(bytes(range(16)))) == bytes(range(16))
    with pytest.raises(errors.InvalidArgument):
        uuid_from_wire(b"short")

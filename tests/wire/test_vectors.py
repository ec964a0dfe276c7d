"""proto/vectors, played against the Python sessions. A client in another language plays the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from mediad.wire import events
from mediad.wire.session import ClientSession, Limits, ServerSession
from mediadb_contract import mediadb_pb2 as pb
from mediadb_contract.framing import FrameReader, frame

VECTORS = Path(__file__).parents[2] / "proto" / "vectors"
FRAMES = json.loads((VECTORS / "frames.json").read_text())["frames"]
VIOLATIONS = json.loads((VECTORS / "violations.json").read_text())["streams"]
DIALOGUES = json.loads((VECTORS / "dialogues.json").read_text())["dialogues"]


def _named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


@_named(FRAMES)
def test_frame(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    kind = pb.ClientFrame if case["sender"] == "client" else pb.ServerFrame
    reader = FrameReader(1 << 20)
    reader.feed(data)
    payload = reader.next()
    assert payload is not None
    assert reader.pending == 0
    assert MessageToDict(kind.FromString(payload), preserving_proto_field_name=True) == case["decoded"]
    assert frame(ParseDict(case["decoded"], kind()).SerializeToString()) == data


@_named(VIOLATIONS)
def test_violation(case: dict[str, Any]) -> None:
    server = ServerSession()
    if case["greeted"]:
        server.receive_data(ClientSession("t").hello())
        assert isinstance(server.next_event(), events.HelloReceived)
        server.greet(server="s", host=bytes(16), role="read")
    server.receive_data(bytes.fromhex(case["hex"]))
    event = server.next_event()
    assert isinstance(event, events.ProtocolError)
    assert server.closed
    assert server.next_event() is None
    (sent,) = _messages(event.data)
    error = sent.reply.error if case["greeted"] else sent.greeting.error
    assert error.code == pb.PROTOCOL_ERROR


def _messages(data: bytes) -> list[pb.ServerFrame]:
    reader = FrameReader(1 << 20)
    reader.feed(data)
    found = []
    while (payload := reader.next()) is not None:
        found.append(pb.ServerFrame.FromString(payload))
    assert reader.pending == 0
    return found


def _bytes_of(step: dict[str, Any]) -> bytes:
    if "send_hex" in step:
        return bytes.fromhex(step["send_hex"])
    return frame(ParseDict(step["send"], pb.ClientFrame()).SerializeToString())


@_named([case for case in DIALOGUES if "server" in case["roles"]])
def test_dialogue_as_server(case: dict[str, Any]) -> None:
    server = ServerSession(Limits(**case.get("limits", {})))
    own: list[bytes] = []  # what the session itself has to say
    for step in case["steps"]:
        if "send" in step or "send_hex" in step:
            server.receive_data(_bytes_of(step))
            while (event := server.next_event()) is not None:
                if isinstance(event, events.Rejected | events.Refused | events.ProtocolError):
                    own.append(event.data)
        elif "end" in step:
            assert server.closed
        else:
            expected = ParseDict(step["expect"], pb.ServerFrame())
            if step["by"] == "session":
                made = own.pop(0)
            elif expected.HasField("greeting"):
                greeting = expected.greeting
                made = server.greet(server=greeting.server, host=greeting.host, role=greeting.role)
            else:
                made = server.reply(expected.reply)
            assert _messages(made) == [expected]
    assert not own
    assert server.in_flight == 0 or server.closed


@_named([case for case in DIALOGUES if "client" in case["roles"]])
def test_dialogue_as_client(case: dict[str, Any]) -> None:
    hello = case["steps"][0]["send"]["hello"]
    client = ClientSession(hello["client"], hello.get("require", ()))
    for step in case["steps"]:
        if "send" in step:
            wanted = ParseDict(step["send"], pb.ClientFrame())
            kind = wanted.WhichOneof("frame")
            if kind == "hello":
                made = client.hello()
                if wanted.hello.protocol_max != 1:
                    continue  # a client of another version
            else:
                made = client.request(wanted.request) if kind == "request" else client.cancel(wanted.cancel.id)
            assert made == frame(wanted.SerializeToString())
        elif "end" in step:
            assert client.closed
        else:
            expected = ParseDict(step["expect"], pb.ServerFrame())
            client.receive_data(frame(expected.SerializeToString()))
            event = client.next_event()
            if isinstance(event, events.Greeted):
                assert event.greeting == expected.greeting
            elif isinstance(event, events.ReplyReceived):
                assert event.reply == expected.reply
            else:
                assert isinstance(event, events.Refused | events.ConnectionEnded)
                assert event.error is not None
                wire = expected.greeting.error if expected.HasField("greeting") else expected.reply.error
                assert event.error.code == pb.Code.Name(wire.code).lower()
    assert client.in_flight == 0 or client.closed

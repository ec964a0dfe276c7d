"""What proto/README.md says in bytes and figures is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from mediad import errors
from mediad.wire import parts, session
from mediadb_contract import mediadb_pb2 as pb
from mediadb_contract.framing import frame

README = (Path(__file__).parents[2] / "proto" / "README.md").read_text()


def test_annotated_example() -> None:
    block = re.search(r"```hex\n(.*?)```", README, re.DOTALL)
    assert block is not None
    stated = bytes.fromhex("".join(re.match(r"[0-9a-f ]+?(?=  |$)", line)[0] for line in block[1].splitlines()))  # type: ignore[index]
    request = pb.Request(id=3, query=pb.QueryRequest(text="björk", limit=10))
    assert stated == frame(pb.ClientFrame(request=request).SerializeToString())
    peer = session.ServerSession()
    client = session.ClientSession("t")
    peer.receive_data(client.hello())
    peer.next_event()
    client.receive_data(peer.greet(server="s", host=b"", role="read"))
    client.next_event()
    assert client.request(request) == stated


def test_every_code_is_listed_with_its_retryability() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \|.*\| ([a-z:, ]+) \|$", README, re.MULTILINE))
    listed = {code: said for code, said in rows.items() if code in errors.ERRORS}
    assert set(listed) == set(errors.ERRORS)
    assert {code for code, said in listed.items() if said == "yes"} == {
        code for code, kind in errors.ERRORS.items() if kind.retryable
    }


def test_limits_times_and_capabilities() -> None:
    limits = session.Limits()
    assert f"| `requests_in_flight` | {limits.requests_in_flight} " in README
    assert f"| `inbound_frame_bytes` | {limits.inbound_frame_bytes >> 10} KiB " in README
    assert f"| `outbound_frame_bytes` | {limits.outbound_frame_bytes >> 20} MiB " in README
    assert f"| `request_bytes` | {limits.request_bytes >> 20} MiB " in README
    assert f"| `query_text_bytes` | {limits.query_text_bytes >> 10} KiB " in README
    assert f"| requests being sent in parts | {parts.UNFINISHED_REQUESTS} |" in README
    assert f"| refused requests still being sent | {parts.SKIPPED_REQUESTS} |" in README
    assert f"at least {parts.ENTRY_BYTES} bytes" in README
    for seconds in (session.HELLO_SECONDS, session.FRAME_SECONDS, session.STALL_SECONDS):
        assert f"| {seconds:.0f} s | " in README
    named = README[README.index("The first capabilities:") :]
    assert all(name in named for name in session.CAPABILITIES)

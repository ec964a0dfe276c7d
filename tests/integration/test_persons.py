"""Persons, keys and sessions through the socket: who is let in, by how many daemons, and what is never told."""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mediactl import Client, accounts, workcalls
from mediactl.accounts import Accounts, LoggedIn
from mediad.errors import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    LimitExceeded,
    MediadError,
    NotFound,
    PermissionDenied,
)
from tests import pg
from tests.daemon import Daemon
from tests.daemon.library import sql
from tests.daemon.records import rows, wait_for

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


@pytest.fixture
def pair() -> Iterator[tuple[Daemon, Daemon]]:
    """Two daemons on one fresh database."""
    dsn = pg.fresh_database()
    one, two = Daemon(dsn=dsn), Daemon(dsn=dsn)
    try:
        yield one.start(), two.start()
    finally:
        try:
            one.remove()
        finally:
            two.remove()


def log_in(client: Client, name: str = "anna", password: str = PASSWORD, origin: str = "") -> LoggedIn:
    return client.run(accounts.log_in(name, password, client="Firefox", origin=origin))


def refused(client: Client, **secret: str) -> MediadError:
    with pytest.raises(MediadError) as caught:
        client.run(accounts.authenticate(**secret))
    return caught.value


def test_a_person_logs_in_and_out(daemon: Daemon) -> None:
    with daemon.client() as client:
        assert client.run(accounts.authenticate()).nobody
        made = client.run(accounts.create(" Anna  Maria ", "admin", PASSWORD))
        assert (made.name, made.role, made.seen_at_ns) == ("Anna Maria", "admin", None)
        known = client.run(accounts.authenticate())
        assert not known.nobody and known.user is None
        with pytest.raises(AlreadyExists):
            client.run(accounts.create("anna MARIA", "read", PASSWORD))
        with pytest.raises(PermissionDenied) as wrong:
            log_in(client, "Anna Maria", "correct horse batterY")
        with pytest.raises(PermissionDenied) as unknown:
            log_in(client, "Ben")
        assert wrong.value.message == unknown.value.message
        session = log_in(client, "ANNA maria")
        assert session.user.name == "Anna Maria" and len(session.session) == 43
        known = client.run(accounts.authenticate(session=session.session))
        assert known.user is not None and known.user.role == "admin" and known.user.seen_at_ns
        found = client.run(accounts.listed("anna maria"))
        assert [(s.id, s.client, s.expires_at_ns) for s in found.sessions] == [
            (known.id, "Firefox", session.expires_at_ns)
        ]
        assert session.expires_at_ns - found.sessions[0].used_at_ns == 30 * 24 * 3600 * 10**9
        assert isinstance(refused(client, session=session.session + "x"), PermissionDenied)
        client.run(accounts.log_out(session.session))
        client.run(accounts.log_out(session.session))
        assert isinstance(refused(client, session=session.session), PermissionDenied)
        with pytest.raises(InvalidArgument):
            client.run(accounts.authenticate(session="a", key="b"))
        for bad in (("", "read", PASSWORD), ("x", "king", PASSWORD), ("x", "read", "short")):
            with pytest.raises(InvalidArgument) as error:
                client.run(accounts.create(*bad))
            assert b"short" not in error.value.input


def test_keys_let_devices_in(daemon: Daemon) -> None:
    with daemon.client() as client:
        client.run(accounts.create("anna", "write", PASSWORD))
        client.run(accounts.create("ben", "read", PASSWORD))
        made = client.run(accounts.create_key("Anna", "phone"))
        assert len(made.secret) == 32 and made.key.name == "phone" and made.key.user == "anna"
        other = client.run(accounts.create_key("anna", "car")).secret
        salt = "c19b2d"
        token = hashlib.md5((made.secret + salt).encode()).hexdigest()
        for how in ({"key": made.secret}, {"key": made.secret, "name": "ANNA"},
                    {"name": "anna", "token": token, "salt": salt}):  # fmt: skip
            known = client.run(accounts.authenticate(**how))
            assert known.user is not None and (known.user.name, known.id) == ("anna", made.key.id)
        for number, how in enumerate((
            {"key": made.secret[:-1]}, {"key": made.secret, "name": "ben"},
            {"name": "ben", "token": token, "salt": salt},
            {"name": "anna", "token": token, "salt": "other"}, {"name": "nobody", "token": token, "salt": salt},
            {"name": "anna", "token": "", "key": PASSWORD}, {"name": "anna", "token": "no hex", "salt": salt},
        )):  # fmt: skip
            assert isinstance(refused(client, origin=f"10.0.0.{number}", **how), PermissionDenied), how
        found = client.run(accounts.listed("anna"))
        assert [(key.name, bool(key.used_at_ns)) for key in found.keys] == [("phone", True), ("car", False)]
        client.run(accounts.remove_key(made.key.id))
        assert isinstance(refused(client, key=made.secret), PermissionDenied)
        with pytest.raises(NotFound):
            client.run(accounts.remove_key(made.key.id))
        client.run(accounts.change_password("anna", PASSWORD + "!"))
        assert client.run(accounts.authenticate(key=other)).user is not None, "keys outlive a password"
        for _ in range(63):
            client.run(accounts.create_key("anna", "one more"))
        with pytest.raises(LimitExceeded):
            client.run(accounts.create_key("anna", "too many"))


def test_a_key_is_made_once_however_often_it_is_asked_for(daemon: Daemon) -> None:
    with daemon.client() as client:
        request = accounts.create("anna", "admin", PASSWORD).request
        for _ in range(2):
            assert client.call(request)[-1].account.user.name == "anna"
        request = accounts.create_key("anna", "phone").request
        first, again = (client.call(request)[-1].account for _ in range(2))
        assert first.secret == again.secret and first.key.id == again.key.id
        assert len(client.run(accounts.listed()).keys) == 1


def test_a_key_of_another_person_is_not_told_for_its_operation(daemon: Daemon) -> None:
    with daemon.client() as client:
        client.run(accounts.create("anna", "admin", PASSWORD))
        client.run(accounts.create("ben", "read", PASSWORD))
        request = accounts.create_key("anna", "phone").request
        assert client.call(request)[-1].account.secret
        request.account.name = "ben"
        with pytest.raises(AlreadyExists):
            client.call(request)


def test_a_login_with_the_password_that_is_just_changed_is_refused(daemon: Daemon) -> None:
    with daemon.client() as client, psycopg.connect(str(daemon.dsn)) as beside:
        client.run(accounts.create("anna", "admin", PASSWORD))
        # As another daemon changes it: the row is held while this one has compared the old password.
        beside.execute('UPDATE mediadb.person SET scrypt = scrypt || \'{"salt": "00112233445566778899"}\'')
        caught: list[MediadError] = []

        def enter() -> None:
            with daemon.client() as other:
                try:
                    log_in(other)
                except MediadError as error:
                    caught.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        assert wait_for(
            lambda: bool(rows(daemon, "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'let_'"))
        )
        beside.commit()
        thread.join(20)
        assert [error.code for error in caught] == ["permission_denied"]
        assert not rows(daemon, "SELECT FROM mediadb.session")


def test_guessing_is_slow_and_a_valid_key_never_waits(daemon: Daemon) -> None:
    with daemon.client() as client:
        client.run(accounts.create("anna", "admin", PASSWORD))
        client.run(accounts.create("ben", "admin", PASSWORD))
        key = client.run(accounts.create_key("anna", "phone")).secret
        session = log_in(client, origin="10.0.0.1").session
        for number in range(5):
            with pytest.raises(PermissionDenied):
                log_in(client, "anna", f"wrong password {number}", origin="10.0.0.1")
        for name, origin in (("anna", "10.0.0.1"), ("ben", "10.0.0.1"), ("nobody", "10.0.0.1")):
            with pytest.raises(LimitExceeded) as caught:
                log_in(client, name, origin=origin)
            assert caught.value.retryable
        # Who guesses keeps nobody out who sits elsewhere, the one whose name it is least of all.
        for name in ("anna", "ben"):
            assert log_in(client, name, origin="10.0.0.2").user.name == name
        assert client.run(accounts.authenticate(session=session, origin="10.0.0.1")).user is not None
        codes = [refused(client, key=f"wrong{number}", origin="10.0.0.1").code for number in range(7)]
        assert codes == ["permission_denied"] * 5 + ["limit_exceeded"] * 2
        assert client.run(accounts.authenticate(key=key, origin="10.0.0.1")).user is not None


def _processor(daemon: Daemon) -> int:
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_wrong_name_costs_what_a_wrong_password_does(daemon: Daemon) -> None:
    spent = {}
    with daemon.client() as client:
        client.run(accounts.create("anna", "admin", PASSWORD))
        for name in ("anna", "nobody"):
            before = _processor(daemon)
            for number in range(4):
                with pytest.raises(PermissionDenied):
                    log_in(client, name, "a wrong password", origin=f"{name} {number}")
            spent[name] = _processor(daemon) - before
    assert 0.6 < spent["anna"] / spent["nobody"] < 1.6, spent


def test_the_last_admin_stays(pair: tuple[Daemon, Daemon]) -> None:
    one, two = pair
    with one.client() as first, two.client() as second:
        first.run(accounts.create("anna", "admin", PASSWORD))
        for call in (accounts.remove("anna"), accounts.change_role("anna", "write")):
            with pytest.raises(Conflict):
                first.run(call)
        assert first.run(accounts.change_role("anna", "admin")).role == "admin"
        for _round in range(5):
            first.run(accounts.create("ben", "admin", PASSWORD))
            done: list[str] = []

            def remove(client: Client, name: str, done: list[str] = done) -> None:
                try:
                    client.run(accounts.remove(name))
                    done.append(name)
                except Conflict:
                    pass

            threads = [
                threading.Thread(target=remove, args=each) for each in ((first, "anna"), (second, "ben"))
            ]  # fmt: skip
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            left = [user.name for user in first.run(accounts.listed()).users]
            assert len(done) == 1 and left == [name for name in ("anna", "ben") if name not in done]
            if left == ["ben"]:
                first.run(accounts.create("anna", "admin", PASSWORD))
                first.run(accounts.remove("ben"))


def test_two_daemons_let_the_same_persons_in(pair: tuple[Daemon, Daemon]) -> None:
    one, two = pair
    with one.client() as first, two.client() as second:
        first.run(accounts.create("anna", "organise", PASSWORD))
        first.run(accounts.create("root", "admin", PASSWORD))
        session, key = log_in(first).session, second.run(accounts.create_key("anna", "tv")).secret
        for client in (first, second):
            assert client.run(accounts.authenticate(session=session)).user is not None
            assert client.run(accounts.authenticate(key=key)).user is not None
        second.run(accounts.change_role("anna", "read"))
        known = first.run(accounts.authenticate(session=session)).user
        assert known is not None and known.role == "read", "from the next request on"
        second.run(accounts.change_password("anna", PASSWORD + "!"))
        assert isinstance(refused(first, session=session), PermissionDenied), "a new password ends sessions"
        session = log_in(first, password=PASSWORD + "!").session
        found = second.run(accounts.listed("anna"))
        second.run(accounts.remove_session(found.sessions[0].id))
        assert isinstance(refused(first, session=session), PermissionDenied)
        session = log_in(first, password=PASSWORD + "!").session
        second.run(accounts.remove("anna"))
        for client in (first, second):
            assert isinstance(refused(client, session=session), PermissionDenied)
            assert isinstance(refused(client, key=key), PermissionDenied)
        assert first.run(accounts.listed()) == Accounts(first.run(accounts.listed("root")).users, [], [])


def test_what_was_answered_survives_a_kill(daemon: Daemon) -> None:
    with daemon.client() as client:
        client.run(accounts.create("anna", "admin", PASSWORD))
        session, key = log_in(client).session, client.run(accounts.create_key("anna", "phone")).secret
    daemon.kill()
    daemon.start()
    with daemon.client() as client:
        for how in ({"session": session}, {"key": key}):
            assert client.run(accounts.authenticate(**how)).user is not None
        assert log_in(client).user.role == "admin"


def test_the_expiry_slides_and_is_written_seldom(daemon: Daemon) -> None:
    assert daemon.dsn is not None
    with daemon.client() as client, sql(daemon.dsn) as ask:
        client.run(accounts.create("anna", "admin", PASSWORD))
        session, key = log_in(client).session, client.run(accounts.create_key("anna", "phone")).secret
        client.run(accounts.authenticate(key=key))
        table = "SELECT s.xmin::text, p.xmin::text, k.xmin::text FROM mediadb.session s, mediadb.person p, "
        table += "mediadb.api_key k"
        before = ask(table)
        for _ in range(20):
            client.run(accounts.authenticate(session=session))
            client.run(accounts.authenticate(key=key))
        assert ask(table) == before, "nothing is written"
        hour = 3600 * 10**9
        ask("UPDATE mediadb.session SET used_ns = used_ns - %s, expires_ns = expires_ns - %s", 2 * hour, 2 * hour)
        [(old,)] = ask("SELECT expires_ns FROM mediadb.session")
        client.run(accounts.authenticate(session=session))
        [(new,)] = ask("SELECT expires_ns FROM mediadb.session")
        assert new - old >= 2 * hour
        ask("UPDATE mediadb.session SET expires_ns = 1")
        assert isinstance(refused(client, session=session), PermissionDenied)
        assert not client.run(accounts.listed()).sessions
        log_in(client)
        assert ask("SELECT count(*) FROM mediadb.session") == [(1,)], "what has ended goes with the next login"
        for _ in range(70):
            ask(
                "INSERT INTO mediadb.session SELECT gen_random_uuid(), person, sha256(gen_random_uuid()::text::bytea), "
                "client, created_ns, used_ns - 1, expires_ns FROM mediadb.session ORDER BY used_ns DESC LIMIT 1"
            )
        last = log_in(client).session
        assert ask("SELECT count(*) FROM mediadb.session") == [(64,)]
        assert client.run(accounts.authenticate(session=last)).user is not None


def test_no_secret_is_kept_where_it_need_not_be(daemon: Daemon) -> None:
    assert daemon.dsn is not None
    with daemon.client() as client:
        client.run(accounts.create("anna", "admin", PASSWORD))
        session, key = log_in(client).session, client.run(accounts.create_key("anna", "phone")).secret
        client.run(accounts.change_password("anna", PASSWORD))
        session = log_in(client).session
        exported = "\n".join(client.run(workcalls.export()))
        with pytest.raises(InvalidArgument):
            client.run(accounts.create("ben", "king", PASSWORD))
    tables = [name for (name,) in rows(daemon, "SELECT tablename FROM pg_tables WHERE schemaname = 'mediadb'")]
    assert {"person", "api_key", "session"} <= set(tables)
    dump = "\n".join(row for name in tables for (row,) in rows(daemon, f"SELECT t::text FROM mediadb.{name} t"))
    assert PASSWORD not in dump and session not in dump and dump.count(key) == 1
    assert rows(daemon, "SELECT command FROM mediadb.operation") == [], "an operation's digest could be guessed from"
    assert rows(daemon, "SELECT count(*) FROM mediadb.event") == [(0,)]
    log = daemon.text()
    for secret in (PASSWORD, session, key):
        assert secret not in log and secret not in exported
    assert '"anna"' in exported


def test_a_backup_has_persons_and_a_restore_keeps_those_that_are_there(daemon: Daemon, folder: Path) -> None:
    with daemon.client() as client:
        client.run(accounts.create("anna", "admin", PASSWORD))
        client.run(accounts.create("ben", "read", PASSWORD))
        lines = client.run(workcalls.export())
    command = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), "backup", str(folder / "b")]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    [path] = (folder / "b").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    other = Daemon()
    try:
        other.start()
        with other.client() as client:
            client.run(accounts.create("Ben", "admin", "another password"))
            client.run(workcalls.restore(lines))
            client.run(workcalls.restore(lines))
            found = client.run(accounts.listed())
            assert [(user.name, user.role) for user in found.users] == [("anna", "admin"), ("Ben", "admin")]
            assert log_in(client).user.name == "anna"
            assert log_in(client, "ben", "another password").user.name == "Ben"
            broken = [line.replace('"n": ', '"n": 1') for line in lines if '"person"' in line]
            with pytest.raises(InvalidArgument) as caught:
                client.run(workcalls.restore(broken))
            assert caught.value.input == b"anna"
    finally:
        other.remove()


@pytest.mark.skipif(os.getuid() != 0, reason="takes root, to speak as another account")
def test_peers_have_the_role_of_their_account(folder: Path) -> None:
    daemon = Daemon(config='peers = { "nobody" = "write" }')
    try:
        daemon.start()
        os.chmod(daemon.socket, 0o666)
        with daemon.client() as client:
            client.run(accounts.create("anna", "admin", PASSWORD))
        other = pwd.getpwnam("nobody")
        client = Client(str(daemon.socket))
        os.setegid(other.pw_gid)
        os.seteuid(other.pw_uid)
        try:
            client.connect()  # the kernel notes who connects (unix(7), SO_PEERCRED)
        finally:
            os.seteuid(0)
            os.setegid(0)
        with client:
            assert log_in(client).user.role == "admin", "hers, not the peer's"
            with pytest.raises(PermissionDenied):
                client.run(accounts.listed())
    finally:
        daemon.remove()


def mediactl(daemon: Daemon, *arguments: str, stdin: str = "", code: int = 0) -> str:
    command = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_the_command(daemon: Daemon) -> None:
    assert "nobody yet" in mediactl(daemon, "user", "list")
    assert mediactl(daemon, "user", "create", "anna", "--role", "admin", stdin=PASSWORD + "\n") == "anna: admin\n"
    assert "already_exists" in mediactl(daemon, "user", "create", "anna", "--role", "read", stdin=PASSWORD, code=1)
    assert "invalid_argument" in mediactl(daemon, "user", "create", "ben", "--role", "read", stdin="short", code=2)
    mediactl(daemon, "user", "create", "ben", "--role", "read", stdin="", code=2)
    mediactl(daemon, "user", "create", "ben", "--role", "read", stdin=PASSWORD)
    assert mediactl(daemon, "user", "role", "ben", "write") == "ben: write\n"
    assert "conflict" in mediactl(daemon, "user", "role", "anna", "read", code=1)
    secret = mediactl(daemon, "key", "create", "ben", "phone").strip()
    with daemon.client() as client:
        known = client.run(accounts.authenticate(key=secret))
        session = log_in(client, "ben").session
    assert "phone" in mediactl(daemon, "key", "list", "ben") and "phone" not in mediactl(daemon, "key", "list", "anna")
    assert secret not in mediactl(daemon, "--format", "json", "key", "list")
    ident = mediactl(daemon, "--format", "ndjson", "session", "list").split('"id": "')[1][:36]
    assert uuid.UUID(ident) and "Firefox" in mediactl(daemon, "session", "list")
    assert "has ended" in mediactl(daemon, "session", "remove", ident)
    assert "is removed" in mediactl(daemon, "key", "remove", str(known.id))
    mediactl(daemon, "key", "remove", "x", code=2)
    mediactl(daemon, "user", "password", "ben", stdin="another password\n")
    assert "ben is removed" in mediactl(daemon, "user", "remove", "ben")
    assert "not_found" in mediactl(daemon, "user", "list", "ben", code=1)
    with daemon.client() as client:
        assert isinstance(refused(client, session=session), PermissionDenied)


def test_a_password_is_typed_twice_and_not_shown(daemon: Daemon) -> None:
    import pty

    command = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket)]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "user", "create", "anna", "--role", "admin"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    os.set_blocking(ours, False)

    def read(until: bytes) -> bool:
        nonlocal shown
        try:
            shown += os.read(ours, 4096)
        except (BlockingIOError, OSError):
            pass
        return until in shown

    try:
        assert wait_for(lambda: read(b"Password: "), 30)
        os.write(ours, PASSWORD.encode() + b"\n")
        assert wait_for(lambda: read(b"confirmation"), 30)
        os.write(ours, PASSWORD.encode() + b"\n")
        assert wait_for(lambda: read(b"anna: admin"), 30), shown
        assert process.wait(30) == 0 and PASSWORD.encode() not in shown
    finally:
        process.kill()
        os.close(ours)

"""Passwords, tokens, names and attempts."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad.config import Config, load_config
from mediad.errors import InvalidArgument, LimitExceeded
from mediad.index.attempts import ATTEMPTS, ATTEMPTS_ON_A_NAME, SECONDS, Attempts
from mediad.index.passwords import (
    COST,
    COST_BOARD,
    Hasher,
    check_password,
    check_stored,
    make_key_secret,
    make_session_secret,
    token_matches,
)
from mediad.index.persons import _about, check_name, fold_name
from mediad.server import role_of


def test_a_hash_is_of_its_password_only_and_never_twice_the_same() -> None:
    async def run() -> None:
        hasher = Hasher(board=True)
        one, two = await hasher.hash("correct horse"), await hasher.hash("correct horse")
        assert one["salt"] != two["salt"] and one["hash"] != two["hash"]
        assert check_stored(one) == one
        assert await hasher.matches("correct horse", one)
        assert not await hasher.matches("correct hors", one)
        assert not await hasher.matches("correct horse", None)
        made = await hasher.hash("caf\u00e9 au lait")
        assert await hasher.matches("cafe\u0301 au lait", made), "two keyboards write one letter in two ways"
        other = Hasher(board=False)  # a database is shared by a board and a PC
        assert await other.matches("correct horse", one)

    asyncio.run(run())


def test_vector_of_rfc_7914() -> None:
    # Section 12: scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1), the first 32 bytes of 64.
    stored = {"n": 16384, "r": 8, "p": 1, "salt": b"SodiumChloride".hex(),
              "hash": "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"}  # fmt: skip
    assert asyncio.run(Hasher(board=False).matches("pleaseletmein", check_stored(stored)))


def test_memory_stays_small() -> None:
    assert 128 * COST["n"] * COST["r"] <= 32 << 20
    assert 128 * COST_BOARD["n"] * COST_BOARD["r"] < 16 << 20


def test_the_loop_goes_on_while_hashes_are_made_and_few_are_at_once() -> None:
    async def run() -> tuple[list[Any], float]:
        hasher = Hasher(board=False)
        worst, ended = 0.0, asyncio.Event()

        async def watch() -> None:
            nonlocal worst
            while not ended.is_set():
                before = time.thread_time()
                await asyncio.sleep(0)
                worst = max(worst, time.thread_time() - before)

        watching = asyncio.create_task(watch())
        results = await asyncio.gather(*(hasher.hash("x" * 8) for _ in range(20)), return_exceptions=True)
        ended.set()
        await watching
        return results, worst

    results, worst = asyncio.run(run())
    refused = [each for each in results if isinstance(each, LimitExceeded)]
    assert len(refused) == 4 and all(each.retryable for each in refused)
    assert worst < 0.01, "processor time of the loop's own thread"


@pytest.mark.parametrize(
    "change",
    [{"n": 3}, {"n": 1 << 30}, {"r": 0}, {"p": 1000}, {"n": "4"}, {"salt": "00"}, {"hash": "00"}, {"salt": "zz" * 8},
     {"n": 1 << 17, "r": 16}, {"n": True}],
)  # fmt: skip
def test_a_stored_hash_that_would_cost_too_much_is_refused(change: dict[str, Any]) -> None:
    good = {**COST, "salt": "00" * 16, "hash": "00" * 32}
    assert check_stored(good) is good
    with pytest.raises((ValueError, TypeError)):
        check_stored({**good, **change})


def test_passwords_have_a_length() -> None:
    assert check_password("eight ch") == "eight ch"
    for bad in ("", "seven c", "x" * 1025):
        with pytest.raises(InvalidArgument) as caught:
            check_password(bad)
        assert not caught.value.input, "an error shows no password"


def test_secrets_are_long_and_plain() -> None:
    keys = {make_key_secret() for _ in range(100)}
    assert len(keys) == 100 and all(len(each) == 32 and each.isalnum() and each.islower() for each in keys)
    assert all(len(make_session_secret()) == 43 for _ in range(100))


def test_token_of_the_subsonic_documentation() -> None:
    # subsonic.org/pages/api.jsp, "Authentication": password sesame, salt c19b2d.
    assert token_matches("sesame", "c19b2d", "26719a1196d2a940705a59634eb18eab")
    assert token_matches("sesame", "c19b2d", "26719A1196D2A940705A59634EB18EAB")
    assert not token_matches("sesame", "c19b2e", "26719a1196d2a940705a59634eb18eab")


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_token(secret: str, salt: str) -> None:
    token = hashlib.md5((secret + salt).encode("utf-8", "surrogatepass")).hexdigest()
    assert token_matches(secret, salt, token)
    assert not token_matches(secret + "x", salt, token)


@given(st.text())
def test_any_text_can_be_asked_for_as_a_name(text: str) -> None:
    assert "\0" not in fold_name(text)
    fold_name(text).encode()  # no lone surrogate


def test_names() -> None:
    assert check_name("  Anna   Maria ") == "Anna Maria"
    assert fold_name("ANNA  maria") == fold_name("Anna Maria") == "anna maria"
    assert fold_name("Stra\u00dfe") == fold_name("STRASSE")
    for bad in ("", "   ", "x" * 65, "a\x07b", "a\u200bb", "a\u202eb"):
        with pytest.raises(InvalidArgument):
            check_name(bad)


def test_attempts_end_and_come_back() -> None:
    now = 100.0
    attempts = Attempts(lambda: now)

    def begin(name: str, origin: str) -> float:
        return attempts.begin(_about(name, origin))

    for _ in range(ATTEMPTS):
        begin("anna", "10.0.0.1")
    for name in ("anna", "ben"):  # whoever it guesses at, that origin has had its attempts
        with pytest.raises(LimitExceeded) as caught:
            begin(name, "10.0.0.1")
        assert caught.value.retryable
    mark = begin("Anna", "10.0.0.2")  # who sits elsewhere is not kept out by that
    attempts.succeed(_about("anna", "10.0.0.2"), mark)
    for number in range(ATTEMPTS_ON_A_NAME - ATTEMPTS):
        begin("anna", f"10.0.1.{number}")
    with pytest.raises(LimitExceeded):  # guessing from ever new addresses ends too
        begin("anna", "10.0.2.1")
    begin("ben", "10.0.2.1")
    now += SECONDS + 1
    begin("anna", "10.0.0.1")


def test_attempts_are_bounded() -> None:
    attempts = Attempts()
    for number in range(20_000):
        attempts.begin({f"name {number}": ATTEMPTS})
    assert len(attempts._times) <= 4096


def test_peers_by_name_of_account(tmp_path: Path) -> None:
    path = tmp_path / "mediad.toml"
    path.write_text('peers = { "nobody" = "organise", "mediadb-app" = "admin" }\n')
    config = load_config(path, {})
    assert dict(config.peers) == {"nobody": "organise", "mediadb-app": "admin"}
    import pwd

    other = pwd.getpwnam("nobody")
    assert role_of(other.pw_uid, other.pw_gid, config) == "organise"
    assert role_of(other.pw_uid, other.pw_gid, Config()) is None
    for wrong in ('peers = { "a" = "king" }', "peers = 3", 'peers = { "a" = 1 }'):
        path.write_text(wrong)
        with pytest.raises(InvalidArgument):
            load_config(path, {})

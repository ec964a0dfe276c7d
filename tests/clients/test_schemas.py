"""Every method of OpenSubsonic against its own response schemas, and XML against JSON.

The schemas are those of https://github.com/opensubsonic/open-subsonic-api, folder openapi; OPENSUBSONIC_SCHEMAS names
a copy of that folder (with endpoints/, responses/ and schemas/), for they are not ours to carry."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.server import PERSON, World

NAMESPACE = "{http://subsonic.org/restapi}"
# answered by chance or by what happens meanwhile
UNSTEADY_METHODS = {
    "getRandomSongs",
    "getSimilarSongs",
    "getSimilarSongs2",
    "getScanStatus",
    "startScan",
    "getNowPlaying",
}

ORDERS = ("random", "newest", "highest", "frequent", "recent", "alphabeticalByName", "alphabeticalByArtist", "starred")

Ask = Callable[..., dict[str, Any]]


def find_schemas() -> Path:
    named = os.environ.get("OPENSUBSONIC_SCHEMAS")
    if not named:
        pytest.skip("OPENSUBSONIC_SCHEMAS names no folder with the schemas of OpenSubsonic")
    folder = Path(named).absolute()
    assert (folder / "endpoints").is_dir(), f"OPENSUBSONIC_SCHEMAS: {folder} has no endpoints/"
    return folder


class Schemas:
    """The response schema of each method."""

    def __init__(self, folder: Path) -> None:
        jsonschema = pytest.importorskip(
            "jsonschema", reason="jsonschema is not installed: pip install 'mediadb[clients]'"
        )
        referencing = pytest.importorskip("referencing", reason="referencing is not installed")
        from referencing.jsonschema import DRAFT202012

        def retrieve(uri: str) -> Any:
            path = Path(urllib.parse.unquote(uri.removeprefix("file://")))
            return referencing.Resource.from_contents(json.loads(path.read_text()), default_specification=DRAFT202012)

        self._folder = folder
        self._registry = referencing.Registry(retrieve=retrieve)
        self._make = jsonschema.Draft202012Validator
        self.methods = {path.stem for path in (folder / "endpoints").glob("*.json")}

    def faults(self, method: str, reply: dict[str, Any]) -> list[str]:
        """Where a reply is not as the schema has it."""
        endpoints = self._folder / "endpoints"
        described = json.loads((endpoints / f"{method}.json").read_text())
        said = described.get("get", described.get("post"))["responses"]["200"]
        below = endpoints
        if "$ref" in said:
            path = (endpoints / said["$ref"]).resolve()
            said, below = json.loads(path.read_text()), path.parent
        schema = (below / said["content"]["application/json"]["schema"]["$ref"]).resolve()
        validator = self._make({"$ref": f"file://{schema}"}, registry=self._registry)
        return [f"{each.json_path}: {each.message[:300]}" for each in validator.iter_errors(reply)]


def fetch(world: World, method: str, form: str, asks: dict[str, Any]) -> bytes:
    user, password = world.credentials
    query = {"u": user, "p": password, "v": "1.16.1", "c": "schemas", "f": form, **asks}
    with urllib.request.urlopen(
        f"{world.url}/rest/{method}?{urllib.parse.urlencode(query, doseq=True)}", timeout=60
    ) as answer:
        return answer.read()  # type: ignore[no-any-return]


def plain(element: ElementTree.Element) -> Any:
    """An element of XML as JSON has it: attributes are members; every child becomes a list, text is `value`."""
    told: dict[str, Any] = dict(element.attrib)
    for child in element:
        assert child.tag.startswith(NAMESPACE), child.tag
        told.setdefault(child.tag.removeprefix(NAMESPACE), []).append(plain(child))
    text = (element.text or "").strip("\n")
    if text and not len(element):
        if not element.attrib:
            return text
        told["value"] = text
    return told


def as_xml(value: Any) -> Any:
    """JSON as `plain` makes it from XML: values are text, what has members is a list, what is empty is not there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        told = {}
        for name, each in value.items():
            if isinstance(each, list):
                if each:
                    told[name] = [as_xml(one) for one in each]
            elif (name, each) != ("value", ""):  # that is text, and an element without text has none
                told[name] = [as_xml(each)] if isinstance(each, dict) else as_xml(each)
        return told
    return str(value)


def walk(ask: Ask, user: str) -> None:
    """Calls every method that is answered, most of them in several ways, on what the ones before have found."""
    plain_ones = (
        "ping getLicense getOpenSubsonicExtensions tokenInfo getMusicFolders getIndexes getArtists getGenres getVideos "
        "getRandomSongs getStarred getStarred2 getNowPlaying getPlaylists getPlayQueue getPlayQueueByIndex "
        "getBookmarks getScanStatus startScan getInternetRadioStations getPodcasts getNewestPodcasts getShares"
    )
    for method in plain_ones.split():
        ask(method)
    ask("getUser", username=user)
    # an artist whose name has what XML must escape
    artist = next(
        each for index in ask("getArtists")["artists"]["index"] for each in index["artist"] if "<" in each["name"]
    )
    album = ask("getArtist", id=artist["id"])["artist"]["album"][0]
    songs = ask("getAlbum", id=album["id"])["album"]["song"]
    song = songs[0]
    ask("getSong", id=song["id"])
    for index in ask("getIndexes")["indexes"]["index"]:
        for each in index["artist"]:
            ask("getMusicDirectory", id=each["id"])
    ask("getMusicDirectory", id=album["id"])
    ask("getMusicDirectory", id=artist["id"])
    for order in ORDERS:
        ask("getAlbumList", type=order)
        ask("getAlbumList2", type=order)
    ask("getAlbumList2", type="byYear", fromYear=2020, toYear=1990)
    ask("getAlbumList2", type="byGenre", genre="Rock")
    ask("getSongsByGenre", genre="Rock")
    ask("getRandomSongs", size=500, genre="Rock", fromYear=1990, toYear=2030)
    for method in ("search2", "search3"):
        ask(method, query="")
        ask(method, query='""', songCount=2, songOffset=1)
        ask(method, query="song")
    ask("search", any="song")
    ask("search", artist="Anna B", title="Song 1")
    ask("star", id=song["id"])
    ask("star", albumId=album["id"], artistId=artist["id"])
    starred = ask("getStarred2")["starred2"]
    assert starred["song"] and starred["album"] and starred["artist"]
    ask("getStarred")
    ask("unstar", id=song["id"])
    ask("unstar", albumId=album["id"], artistId=artist["id"])
    ask("setRating", id=song["id"], rating=4)
    ask("setRating", id=album["id"], rating=5)
    ask("getAlbum", id=album["id"])
    ask("setRating", id=song["id"], rating=0)
    ask("scrobble", id=song["id"], submission="false")
    assert ask("getNowPlaying")["nowPlaying"]["entry"]
    ask("scrobble", id=[each["id"] for each in songs[:2]], time=[1_600_000_000_000, 1_600_000_100_000])
    ask("getTopSongs", artist=song["artist"])
    for method in (
        "getSimilarSongs",
        "getSimilarSongs2",
        "getArtistInfo",
        "getArtistInfo2",
        "getAlbumInfo",
        "getAlbumInfo2",
    ):
        ask(method, id=song["id"])
    ask("getLyrics", artist=song["artist"], title=song["title"])
    ask("getLyricsBySongId", id=song["id"])
    playlist = ask("createPlaylist", name="schemas", songId=[each["id"] for each in songs])["playlist"]
    ask("updatePlaylist", playlistId=playlist["id"], songIdToAdd=song["id"], songIndexToRemove=0, name="other")
    ask("getPlaylist", id=playlist["id"])
    ask("getPlaylists")
    ask("createPlaylist", playlistId=playlist["id"], songId=song["id"])
    ask("deletePlaylist", id=playlist["id"])
    ask("savePlayQueue", id=[song["id"], song["id"]], current=song["id"], position=1234)
    assert ask("getPlayQueue")["playQueue"]["position"] == 1234
    ask("savePlayQueueByIndex", id=[song["id"]], currentIndex=0, position=5)
    ask("getPlayQueueByIndex")
    ask("createBookmark", id=song["id"], position=5000, comment="x")
    assert ask("getBookmarks")["bookmarks"]["bookmark"]
    ask("deleteBookmark", id=song["id"])


def test_every_reply_is_as_the_schemas_have_it(world: World) -> None:
    schemas = Schemas(find_schemas())
    faults: list[str] = []
    asked: list[str] = []

    def ask(method: str, **asks: Any) -> dict[str, Any]:
        reply = json.loads(fetch(world, method, "json", asks))
        asked.append(method)
        faults.extend(f"{method} {asks}: {fault}" for fault in schemas.faults(method, reply))
        told: dict[str, Any] = reply["subsonic-response"]
        assert told["status"] == "ok", (method, asks, told)
        return told

    walk(ask, world.user or PERSON)
    if not world.key:
        ask("getUsers")  # an administrator's
    assert not faults, "\n".join(faults)
    assert len(asked) >= 95 and len(set(asked)) >= 55
    # What is left answers with bytes, or says that it is not done (docs/opensubsonic.md); nothing is unknown.
    for method in sorted(schemas.methods - set(asked)):
        try:
            body = fetch(world, method, "json", {"id": "00000000-0000-4000-8000-000000000000"})
        except urllib.error.HTTPError as error:
            with error:
                faults.extend([] if error.code in (404, 410, 501) else [f"{method}: HTTP {error.code}"])
        else:
            assert json.loads(body)["subsonic-response"]["status"] == "failed", method
    assert not faults


def test_xml_says_the_same(world: World) -> None:
    """Well-formed, in its namespace, and member for member what JSON says."""

    def ask(method: str, **asks: Any) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(fetch(world, method, "json", asks))["subsonic-response"]
        assert reply["status"] == "ok", (method, asks, reply)
        if (
            method.startswith(("get", "search", "ping", "tokenInfo"))
            and method not in UNSTEADY_METHODS
            and asks.get("type") != "random"
        ):
            root = ElementTree.fromstring(fetch(world, method, "xml", asks))
            assert root.tag == f"{NAMESPACE}subsonic-response"
            assert plain(root) == as_xml(reply), (method, asks)
        return reply

    walk(ask, world.user or PERSON)
    failed = ElementTree.fromstring(fetch(world, "getSong", "xml", {"id": "nothing <&>"}))
    (error,) = failed
    assert (failed.get("status"), error.get("code")) == ("failed", "70")

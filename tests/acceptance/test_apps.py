"""What consumer applications show (vocabulary section 9) is filled, container by container,
when the file has it.
Tags are written by mutagen under the names that those applications and MusicBrainz Picard use; images and documents
have tests of their own (tests/unit/test_image_acceptance.py, test_document_acceptance.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mutagen.flac
import mutagen.id3
import mutagen.mp4
import pytest

from mediad_handlers import handle

DATA = Path(__file__).parent.parent / "data"
PNG = (DATA / "image/PNG.png").read_bytes()
UUID = "0b1c2d3e-4f50-4617-8283-949596979899"


def borrow(folder: Path, name: str) -> Path:
    path = folder / Path(name).name
    path.write_bytes((DATA / name).read_bytes())
    return path


def filled(path: Path, wanted: dict[str, Any]) -> None:
    found = handle(path)
    assert {name: found.fields.get(name) for name in wanted} == wanted
    assert set(wanted) <= set(found.sources)  # every value can name where it stood


# iTunes / Apple Music, in its own container
ITUNES_ATOMS = {
    "\xa9nam": ["Name"], "\xa9ART": ["Artist"], "aART": ["Album Artist"], "\xa9wrt": ["Composer"], "\xa9alb": ["Album"],
    "\xa9gen": ["Genre"], "\xa9day": ["2009-10-02"], "\xa9cmt": ["Comments"], "\xa9grp": ["Grouping"],
    "\xa9wrk": ["Work"], "\xa9mvn": ["Movement"], "\xa9mvi": [2], "\xa9mvc": [4], "shwm": [1], "cpil": True,
    "pgap": True,
    "tmpo": [120], "\xa9lyr": ["Words"], "sonm": ["Sort Name"], "soal": ["Sort Album"], "soar": ["Sort Artist"],
    "soaa": ["Sort Album Artist"], "soco": ["Sort Composer"], "sosn": ["Sort Series"], "tvsh": ["Series"], "tvsn": [3],
    "tves": [7], "tven": ["S03E07"], "tvnn": ["Network"], "stik": [1], "rtng": [1], "apID": ["me@example.org"],
    "purd": ["2009-10-02 08:00:00"], "cnID": [5], "atID": [6], "plID": [7], "sfID": [143441], "catg": ["Talk"],
    "keyw": ["a b"], "pcst": True, "purl": ["http://example.org/feed"], "\xa9too": ["iTunes 12.6"],
    "cprt": ["(c) 2009"],
    "desc": ["Short"], "trkn": [(1, 12)], "disk": [(1, 2)],
}  # fmt: skip
ITUNES = {
    "title": "Name", "artist_credit": "Artist", "album_artist_credit": "Album Artist", "composers": ["Composer"],
    "album": "Album", "genres": ["Genre"], "date_released": "2009-10-02", "comments": ["Comments"],
    "groupings": ["Grouping"], "work": "Work", "movement": "Movement", "movement_number": 2, "movement_total": 4,
    "show_movement": True, "compilation": True, "gapless": True, "bpm": 120.0, "lyrics": "Words",
    "title_sort": "Sort Name", "album_sort": "Sort Album", "artist_sort": "Sort Artist",
    "album_artist_sort": "Sort Album Artist", "composer_sort": "Sort Composer", "show_sort": "Sort Series",
    "show": "Series", "season_number": 3, "episode_number": 7, "episode_id": "S03E07", "network": "Network",
    "purchase_account": "me@example.org", "store_item_id": 5, "store_artist_id": 6, "store_album_id": 7,
    "store_country": 143441, "podcast_category": "Talk", "podcast": True, "podcast_url": "http://example.org/feed",
    "encoder": "iTunes 12.6", "copyright": "(c) 2009", "track_number": 1, "track_total": 12, "disc_number": 1,
    "disc_total": 2, "codec": "aac",
}  # fmt: skip


def test_itunes(tmp_path: Path) -> None:
    path = borrow(tmp_path, "audio/picard.m4a")
    song = mutagen.mp4.MP4(path)
    song.tags.clear()
    for key, value in ITUNES_ATOMS.items():
        song.tags[key] = value
    song.tags["covr"] = [mutagen.mp4.MP4Cover(PNG, mutagen.mp4.MP4Cover.FORMAT_PNG)]
    song.save()
    filled(path, ITUNES)
    fields = handle(path).fields
    assert fields["media_type"] and fields["explicit"] and fields["duration"] > 0 and fields["bit_rate"] > 0
    assert fields["pictures"][0]["mime"] == "image/png" and fields["sample_rate"] and fields["purchase_date"]


# MPD's tags and OpenSubsonic's Child, by their Vorbis names
VORBIS = {
    "ARTIST": "Artist", "ARTISTSORT": "Artist, The", "ALBUM": "Album", "ALBUMSORT": "Album, An",
    "ALBUMARTIST": "Album Artist", "ALBUMARTISTSORT": "Artist, Album", "TITLE": "Title", "TITLESORT": "Title, A",
    "TRACKNUMBER": "3", "TRACKTOTAL": "12", "GENRE": ["Rock", "Jazz"], "MOOD": "Calm", "DATE": "2009",
    "ORIGINALDATE": "1999-05", "COMPOSER": "Composer", "COMPOSERSORT": "Poser, Com", "PERFORMER": "Player",
    "CONDUCTOR": "Conductor", "WORK": "Work", "MOVEMENTNAME": "Movement", "MOVEMENT": "2", "SHOWMOVEMENT": "1",
    "GROUPING": "Grouping", "COMMENT": "Comment", "DISCNUMBER": "1", "LABEL": "Label", "LOCATION": "Basel",
    "MUSICBRAINZ_ARTISTID": UUID, "MUSICBRAINZ_ALBUMID": UUID, "MUSICBRAINZ_ALBUMARTISTID": UUID,
    "MUSICBRAINZ_TRACKID": UUID, "MUSICBRAINZ_RELEASETRACKID": UUID, "MUSICBRAINZ_WORKID": UUID,
    "MUSICBRAINZ_RELEASEGROUPID": UUID, "BPM": "120", "ISRC": "USRC17607839", "REPLAYGAIN_TRACK_GAIN": "-6.50 dB",
    "REPLAYGAIN_TRACK_PEAK": "0.98", "REPLAYGAIN_ALBUM_GAIN": "-7.00 dB", "REPLAYGAIN_ALBUM_PEAK": "0.99",
    "RELEASETYPE": "album", "RELEASESTATUS": "official", "BARCODE": "0123456789012", "LYRICS": "Words",
}  # fmt: skip
MPD = {
    "artist_credit": "Artist", "artist_sort": "Artist, The", "album": "Album", "album_sort": "Album, An",
    "album_artist_credit": "Album Artist", "album_artist_sort": "Artist, Album", "title": "Title",
    "title_sort": "Title, A", "track_number": 3, "track_total": 12, "genres": ["Rock", "Jazz"], "moods": ["Calm"],
    "date_released": "2009", "date_original": "1999-05", "composers": ["Composer"], "composer_sort": "Poser, Com",
    "performers": ["Player"], "conductors": ["Conductor"], "work": "Work", "movement": "Movement", "movement_number": 2,
    "show_movement": True, "groupings": ["Grouping"], "comments": ["Comment"], "disc_number": 1, "labels": ["Label"],
    "mb_artist_ids": [UUID], "mb_release_id": UUID, "mb_album_artist_ids": [UUID], "mb_recording_id": UUID,
    "mb_track_id": UUID, "mb_work_ids": [UUID], "mb_release_group_id": UUID, "bpm": 120.0, "isrcs": ["USRC17607839"],
    "replaygain_track_gain": -6.5, "replaygain_track_peak": 0.98, "replaygain_album_gain": -7.0,
    "replaygain_album_peak": 0.99, "release_types": ["album"], "release_status": "official",
    "barcode": "0123456789012", "lyrics": "Words",
}  # fmt: skip


@pytest.mark.parametrize("name", ["picard.flac", "picard.opus", "year.ogg"])
def test_mpd_and_opensubsonic(tmp_path: Path, name: str) -> None:
    path = borrow(tmp_path, f"audio/{name}")
    song = mutagen.File(path)
    song.delete()
    song = mutagen.File(path)
    if song.tags is None:
        song.add_tags()
    for key, value in VORBIS.items():
        song.tags[key] = value
    song.save()
    filled(path, MPD)
    fields = handle(path).fields
    assert {"duration", "bit_rate", "sample_rate", "channels", "codec"} <= set(fields)


@pytest.mark.parametrize("version", [3, 4])
def test_plex_tracks_and_mpd_in_id3(tmp_path: Path, version: int) -> None:
    path = borrow(tmp_path, "audio/lame.mp3")
    tags = mutagen.id3.ID3()
    for name, texts in {
        "TIT2": ["Title"], "TPE1": ["Artist"], "TPE2": ["Album Artist"], "TALB": ["Album"], "TRCK": ["3/12"],
        "TPOS": ["1/2"], "TCON": ["Rock"], "TCOM": ["Composer"], "TDRC": ["2009"], "TSOP": ["Artist, The"],
        "TSOA": ["Album, An"], "TSOT": ["Title, A"], "TSO2": ["Artist, Album"], "TBPM": ["120"],
        "TSRC": ["USRC17607839"], "TPUB": ["Label"], "TCOP": ["(c)"], "TCMP": ["1"], "TKEY": ["Am"],
    }.items():  # fmt: skip
        tags.add(mutagen.id3.Frames[name](encoding=1, text=texts))
    tags.add(mutagen.id3.COMM(encoding=1, lang="eng", desc="", text=["Comment"]))
    tags.add(mutagen.id3.USLT(encoding=1, lang="eng", desc="", text="Words"))
    tags.add(mutagen.id3.TXXX(encoding=1, desc="MusicBrainz Album Id", text=[UUID]))
    tags.add(mutagen.id3.UFID(owner="http://musicbrainz.org", data=UUID.encode()))
    tags.add(mutagen.id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=PNG))
    if version == 3:
        tags.update_to_v23()  # which drops the sort names: ID3v2.3 has no frames for them
    tags.save(path, v2_version=version)
    filled(path, {
        "title": "Title", "artist_credit": "Artist", "album_artist_credit": "Album Artist", "album": "Album",
        "track_number": 3, "track_total": 12, "disc_number": 1, "disc_total": 2, "genres": ["Rock"],
        "composers": ["Composer"], "date_released": "2009", "bpm": 120.0,
        "isrcs": ["USRC17607839"], "labels": ["Label"], "copyright": "(c)",
        "compilation": True, "initial_key": "Am", "comments": ["Comment"], "lyrics": "Words", "mb_release_id": UUID,
        "mb_recording_id": UUID,
    } | ({"artist_sort": "Artist, The", "album_sort": "Album, An", "title_sort": "Title, A"} if version == 4 else {})
    )  # fmt: skip
    assert handle(path).fields["pictures"][0]["mime"] == "image/png"


def test_films_and_episodes_of_plex_and_itunes(tmp_path: Path) -> None:
    path = borrow(tmp_path, "video/mp4-basic.mp4")
    film = mutagen.mp4.MP4(path)
    if film.tags is None:
        film.add_tags()
    for key, value in {
        "\xa9nam": ["Title"], "sonm": ["Title, A"], "tvsh": ["Show"], "tvsn": [2], "tves": [5], "tven": ["205"],
        "tvnn": ["Network"], "ldes": ["A long summary"], "\xa9day": ["2009-10-02"], "\xa9gen": ["Drama"], "hdvd": [2],
        "stik": [10], "cprt": ["(c)"],
    }.items():  # fmt: skip
        film.tags[key] = value
    film.save()
    found = handle(path).fields
    assert (found["title"], found["title_sort"], found["show"], found["network"]) == (
        "Title",
        "Title, A",
        "Show",
        "Network",
    )
    assert (found["season_number"], found["episode_number"], found["episode_id"]) == (2, 5, "205")
    assert (found["summary"], found["date_released"], found["genres"]) == ("A long summary", "2009-10-02", ["Drama"])
    assert found["media_type"] and found["copyright"] == "(c)"
    # Plex Media, VideoStream, AudioStream; Google Photos' fps; gThumb's codecs
    assert {"duration", "bit_rate", "width", "height", "video_codec", "frame_rate", "tracks", "fast_start"} <= set(
        found
    )
    assert all(
        {"type", "codec", "index"} <= set(track) for track in found["tracks"] if track["type"] in ("audio", "video")
    )

"""mediad.moves.template, titles, values, defaults: the names that templates make of items."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediad.errors import InvalidArgument, NotFound, Unsupported
from mediad.moves import template as template_module
from mediad.moves.defaults import PLEX, choose_template, load_templates
from mediad.moves.template import Expansion, TemplateError, parse, plain_text
from mediad.moves.titles import Episode, Movie, read_episode, read_ids, read_movie, season_of_folder
from mediad.moves.values import DERIVED, KNOWN, item_date, template_values

MOVIE = {"title": "Alien", "year": 1979, "ext": "mkv"}
EPISODE = {"show": "Dark", "year": 2017, "season": 1, "episode": 2, "title": "Lies", "ext": "mkv"}
SONG = {"albumartist": "Björk", "album": "Debut", "year": 1993, "track": 3, "title": "Venus as a Boy", "ext": "flac"}
PHOTO = {"date": "2020-07-10T10:20:30", "stem": "IMG_1", "ext": "jpg"}


def path(template: str, values: dict[str, Any]) -> str:
    expansion = parse(template).expand(values)
    assert not expansion.missing
    return "/".join(expansion.parts)


def missing(template: str, values: dict[str, Any]) -> tuple[str, ...]:
    expansion = parse(template).expand(values)
    assert not expansion.parts
    return expansion.missing


# ---------------------------------------------------------------- the templates of the settled page, letter by letter


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("movies/{title} ({year})/{title} ({year}){ - edition}.{ext}", MOVIE, "movies/Alien (1979)/Alien (1979).mkv"),
        (
            "movies/{title} ({year})/{title} ({year}){ - edition}.{ext}",
            MOVIE | {"edition": "Director's Cut"},
            "movies/Alien (1979)/Alien (1979) - Director's Cut.mkv",
        ),
        (
            "tv/{show} ({year})/Season {season:02}/"
            "{show} ({year}) - S{season:02}E{episode:02}{-E{last:02}} - {title}.{ext}",
            EPISODE,
            "tv/Dark (2017)/Season 01/Dark (2017) - S01E02 - Lies.mkv",
        ),
        (
            "tv/{show} ({year})/Season {season:02}/"
            "{show} ({year}) - S{season:02}E{episode:02}{-E{last:02}} - {title}.{ext}",
            EPISODE | {"season": 0, "last": 13},
            "tv/Dark (2017)/Season 00/Dark (2017) - S00E02-E13 - Lies.mkv",
        ),
        ("anime/tv/{show} - S01E01 - {absolute:03} - {title}.{ext}", EPISODE | {"absolute": 7},
         "anime/tv/Dark - S01E01 - 007 - Lies.mkv"),
        ("music/{albumartist}/{album} ({year})/{track:02} - {title}.{ext}", SONG,
         "music/Björk/Debut (1993)/03 - Venus as a Boy.flac"),
        ("music/{albumartist}/{album} ({year})/{Disc {disc}/}{track:02} - {title}.{ext}", SONG | {"disc": 2},
         "music/Björk/Debut (1993)/Disc 2/03 - Venus as a Boy.flac"),
        ("{albumartist}/{album}/{track:02} - {title}.{ext}", SONG, "Björk/Debut/03 - Venus as a Boy.flac"),
        ("books/{author}/{title}/{title}.{ext}", {"author": "A", "title": "T", "ext": "epub"}, "books/A/T/T.epub"),
        ("photos/{YYYY}/{YYYY-MM-DD}/{stem}.{ext}", PHOTO, "photos/2020/2020-07-10/IMG_1.jpg"),
    ],
)  # fmt: skip
def test_settled_templates(template: str, values: dict[str, Any], expected: str) -> None:
    assert path(template, values) == expected


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ('{albumartist|artist|"Unknown Artist"}', {"artist": "B"}, "B"),
        ('{albumartist|artist|"Unknown Artist"}', {}, "Unknown Artist"),
        ('{albumartist|artist|"Unknown Artist"}', {"albumartist": " ", "artist": ""}, "Unknown Artist"),
        ('a{ (edition|"x")}', {}, "a (x)"),
        ('a{edition|""}', {}, "a"),
        ('{track:02|"00"} {title:upper}', {"title": "é", "track": 7}, "07 É"),
        ("{title:lower:first}", {"title": "Ágætis"}, "A"),
        ("{title:first}", {"title": "…And Justice"}, "A"),
        ("{title:first}", {"title": "2001"}, "#"),
        ("{title:first}", {"title": "Ёлка"}, "Е"),
        ("{artists}", {"artists": ["A", "", "B"]}, "A, B"),
        ("{series_index:02} {number}", {"series_index": 2.0, "number": 1.5}, "02 1.5"),
        ("{track:03}", {"track": "3/12"}, "003_12"),
        ("{track:03}", {"track": "A1"}, "A1"),
        ("{track:02}", {"track": 123}, "123"),
        ("{YYYY}{MM}{DD}_{HHmmss}", PHOTO, "20200710_102030"),
        ("{YYYY.MM}{ (HH-mm)}", {"date": "2020-07"}, "2020.07"),
        ('{YYYY-MM-DD|YYYY|"Undated"}', {"date": "1999"}, "1999"),
        ('{YYYY-MM-DD|YYYY|"Undated"}', {}, "Undated"),
        (r"a{ \{edition-{edition}\}}", {"edition": "X"}, "a {edition-X}"),
        (r"\{\}\\\"", {}, '{}\\"'),
        ("a{ - {year}{ [{edition}]}}", {"year": 1}, "a - 1"),
        ("a{ - {year}{ [{edition}]}}", {"year": 1, "edition": "e"}, "a - 1 [e]"),
        ("a{ - {year}{ [{edition}]}}", {"edition": "e"}, "a"),
        ("a{{ year}{ edition}}", {"edition": "e"}, "a e"),
        ("{year - }{title}", MOVIE, "1979 - Alien"),
        ("{第{season}季/}{title}", EPISODE, "第1季/Lies"),
        ("{artist/}{title}", {"title": "t"}, "t"),
        ("{compilation}{explicit|\"no\"}", {"compilation": True, "explicit": False}, "trueno"),
        (".hidden/.{ext}", MOVIE, ".hidden/.mkv"),
        (' {title} / {title} ', MOVIE, "Alien/Alien"),
    ],
)  # fmt: skip
def test_grammar(template: str, values: dict[str, Any], expected: str) -> None:
    assert path(template, values) == expected


@pytest.mark.parametrize(
    ("template", "values", "labels"),
    [
        ("{title} ({year})/{title}.{ext}", {"title": "a"}, ("year", "ext")),
        ("{albumartist|artist}/{title}", {}, ("albumartist|artist", "title")),
        ("{YYYY}/{YYYY-MM-DD}/{stem}", PHOTO | {"date": "2020"}, ("YYYY-MM-DD",)),
        ("{YYYY}", {"date": "the fourth"}, ("YYYY",)),
        ("{ - edition}", {}, ("edition",)),
        ("a/{ - edition}/b", {}, ("edition",)),
        ('a/{edition|""}', {}, ("edition",)),
        ("{pictures}", {"pictures": [{"type": "cover"}]}, ("pictures",)),
    ],
)
def test_missing(template: str, values: dict[str, Any], labels: tuple[str, ...]) -> None:
    assert missing(template, values) == labels


@pytest.mark.parametrize(
    ("template", "position", "expected"),
    [
        ("", 0, "a template was expected"),
        ("x" * 2001, 2000, "at most 2000 characters"),
        ("a\nb", 1, "control character"),
        ("/a", 0, "a name was expected"),
        ("a//b", 2, "a name was expected"),
        ("a/ /b", 2, "a name was expected"),
        ("{a}/", 4, "a name was expected"),
        ("{a/}", 3, "the last part is the file's name"),
        ("a/../b", 2, "no part of a path is . or .."),
        ("./{a}", 0, "no part of a path is . or .."),
        ("a{b", 1, "the } of this group"),
        ("a{b{c}", 1, "the } of this group"),
        ("a}b", 1, "a } without its {"),
        ("{}", 1, "a field was expected"),
        ("{ - }", 4, "a field was expected"),
        ("{a|}", 3, "a field, a date"),
        ("{Title}", 1, "a field, a date"),
        ("{7}", 1, "a field, a date"),
        ("{a b}", 3, "the } or | was expected"),
        ("{a:2}", 3, ":02, :lower, :upper or :first"),
        ("{a:}", 3, ":02, :lower, :upper or :first"),
        ("{a:title}", 3, ":02, :lower, :upper or :first"),
        ("{YYYY:02}", 6, ":lower or :upper"),
        ('{a|"b}', 3, 'the closing "'),
        ('{a|"b/c"}', 5, "has no /"),
        ('{"b"}', 1, "a field was expected beside"),
        ("a\\b", 1, "was expected; \\ alone"),
        ("{" * 9 + "a" + "}" * 9, 8, "at most 8 deep"),
        ("{titel}", 1, "there is no field titel; near it are title"),
    ],
)
def test_errors(template: str, position: int, expected: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(template, KNOWN | {"a", "b", "c"})
    fault = caught.value
    assert (fault.code, fault.position) == ("invalid_argument", position)
    assert expected in fault.message and fault.input == template.encode()
    assert fault.quote == f"{template}\n{' ' * position}^"
    assert str(fault).endswith("^")


FIELD = st.sampled_from(["a", "b", "c", "d", "date"])
TEXT = st.text(st.sampled_from("xy .-()'_é"), max_size=4)
CHOICE = st.builds(
    lambda names, pad, default: "|".join([*(f"{n}{pad}" for n in names), *default]),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3),
    st.sampled_from(["", ":02", ":first", ":upper"]),
    st.sampled_from([[], ['""'], ['"."'], ['"z"']]),
)
SIMPLE = st.builds(lambda lead, choice: f"{{{lead}{choice}}}", st.sampled_from(["", " - ", ".", " (", "/"]), CHOICE)
GROUP = st.recursive(
    SIMPLE | st.sampled_from(["{YYYY}", "{YYYY-MM-DD}"]),
    lambda one: st.builds(lambda t, g, u, h: f"{{{t}{g}{u}{h}}}", TEXT, one, st.sampled_from(["", "/", ".", "x"]), one),
    max_leaves=4,
)  # fmt: skip
PART = st.lists(TEXT | GROUP, min_size=1, max_size=4).map("".join)
TEMPLATE = st.lists(PART, min_size=1, max_size=4).map("/".join)
VALUE = (
    st.text(max_size=12)
    | st.sampled_from([".", "..", "../..", "/", "/etc/passwd", ".hidden", " ", "\0", "a/b", "…", "\u2028", "\udcff"])
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.lists(st.text(max_size=5), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


@given(TEMPLATE, st.dictionaries(FIELD, VALUE, max_size=5))
@example("{a}/{b}", {"a": "..", "b": "."})
@example(".{a}", {"a": "."})
@example("{a}{b}", {"a": ".", "b": "."})
def test_values_are_data(template: str, values: dict[str, Any]) -> None:
    """Whatever the values are: as many folders as the template has, and no part that leads anywhere else."""
    try:
        read = parse(template)
    except TemplateError:
        return
    expansion = read.expand(values)
    assert bool(expansion.parts) != bool(expansion.missing)
    assert read.expand(values) == expansion
    for part in expansion.parts:
        assert part and part == part.strip() and part not in (".", "..")
        assert not set(part) & set("/\0\n\u2028\udcff")
        part.encode()
    assert len(expansion.parts) <= template.count("/") + 1
    # a leading dot comes from the template: without a dot in it there is none
    assert "." in template or not any(part.startswith(".") for part in expansion.parts)


@given(st.text(max_size=40))
def test_any_text_is_a_template_or_an_error_with_its_place(text: str) -> None:
    fault: TemplateError | None = None
    try:
        assert isinstance(parse(text).expand({}), Expansion)
    except TemplateError as caught:
        fault = caught
    assert fault is None or (0 <= fault.position <= len(text) and fault.message)


def test_plain_text() -> None:
    assert plain_text("AC/DC") == "AC_DC"
    assert plain_text(" a \n b ") == "a _ b"
    assert plain_text("a\tb") == "a_b"
    assert plain_text("\0\n") == plain_text("  ") == plain_text(None) == plain_text([]) == ""
    assert plain_text("/") == "_"


# ------------------------------------------------------------------------------------------- what a name of a file says


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("Show.Name.S01E02-E03.Title", Episode("Show Name", None, 1, 2, 3, None, "Title")),
        ("Show Name (2005) - S01E02 - The Title", Episode("Show Name", 2005, 1, 2, None, None, "The Title")),
        ("Show.Name.2005.s01e02e03.1080p.WEB-DL.x264-GRP", Episode("Show Name", 2005, 1, 2, 3)),
        ("Mr. Robot 1x02 eps1.1_ones", Episode("Mr. Robot", None, 1, 2, None, None, "eps1.1_ones")),
        ("Band of Brothers - 01x02-03 - x", Episode("Band of Brothers", None, 1, 2, 3, None, "x")),
        ("S.W.A.T.2017.S01E01.Pilot.720p", Episode("S.W.A.T.", 2017, 1, 1, None, None, "Pilot")),
        ("S01E02 - Title", Episode("My Show", 1999, 1, 2, None, None, "Title")),
        ("my show - S01E02", Episode("my show", 1999, 1, 2)),
        ("The 100 - S02E03", Episode("The 100", None, 2, 3)),
        ("24.S01E05.HDTV", Episode("24", None, 1, 5)),
        ("Show - S01E02-1080p", Episode("Show", None, 1, 2)),
        ("Star.Trek.DS9.S04E01-E02.The.Way", Episode("Star Trek DS9", None, 4, 1, 2, None, "The Way")),
        ("Show - S00E12 - Making of", Episode("Show", None, 0, 12, None, None, "Making of")),
        ("[Group] Kimi no Na - 05v2 [1080p][ABCD1234]", Episode("Kimi no Na", absolute=5)),
        ("[G] Show S2 - 113 - The End (BD 1080p)", Episode("Show S2", absolute=113, title="The End")),
        ("Movie.2001.1080p", None),
        ("Artist - 05 - Title", None),
    ],
)
def test_episodes(stem: str, said: Episode | None) -> None:
    assert read_episode(stem, ["tv", "My Show (1999)", "Season 01"], until=2027) == said


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("Title (2001) {edition-Director's Cut}", Movie("Title", 2001, "Director's Cut")),
        ("Title.2001.1080p.x264-GRP", Movie("Title", 2001)),
        ("2001.A.Space.Odyssey.1968.1080p.BluRay", Movie("2001 A Space Odyssey", 1968)),
        ("Blade.Runner.2049.2017.2160p", Movie("Blade Runner 2049", 2017)),
        ("Blade Runner 2049", Movie("Blade Runner 2049")),
        ("1917.2019.DC.1080p", Movie("1917", 2019, "Director's Cut")),
        ("2012", Movie("2012")),
        ("1984 (1984)", Movie("1984", 1984)),
        ("The.Matrix.1999.REMASTERED.1080p", Movie("The Matrix", 1999, "Remastered")),
        ("Alien (1979) - Fan Edit", Movie("Alien", 1979, "Fan Edit")),
        ("Alien (1979) - 1080p", Movie("Alien", 1979)),
        ("Alien (1979) [imdbid-tt0078748] - Extended Cut", Movie("Alien", 1979, "Extended")),
        ("Web of Lies (2010)", Movie("Web of Lies", 2010)),
        ("The.Web.1947.DVDRip", Movie("The Web", 1947)),
        ("(500) Days of Summer (2009)", Movie("(500) Days of Summer", 2009)),
        ("[YTS] Foo.Bar.2010.EXTENDED.720p", Movie("Foo Bar", 2010, "Extended")),
        ("E.T.1982", Movie("E.T.", 1982)),
        ("movie_title_2003_hdtv", Movie("movie title", 2003)),
        ("Proper Movie 1080p", Movie("Proper Movie")),
    ],
)
def test_movies(stem: str, said: Movie) -> None:
    assert read_movie(stem, until=2027) == said


@given(st.text(max_size=200))
def test_no_name_is_too_odd(stem: str) -> None:
    read_episode(stem, [stem, "Season 1"])
    read_movie(stem)


def test_ids_and_seasons() -> None:
    assert read_ids("T (1999) {tmdb-603} [imdbid-tt0133093] [tvdbid=1]") == {
        "tmdb_id": "603", "imdb_id": "tt0133093", "tvdb_id": "1",
    }  # fmt: skip
    assert [season_of_folder(name) for name in ("Season 01", "S2", "Specials", "Extras")] == [1, 2, 0, None]


# ------------------------------------------------------------------------------------------- values of an item's fields


def test_a_song() -> None:
    fields = {"artist_credit": "A feat. B", "artists": ["A", "B"], "album": "X", "track_number": 3, "disc_number": 1}
    values = template_values("audio", fields | {"date_released": "1999-05"}, b"/m/03 Song.FLAC")
    assert values["albumartist"] == values["artist"] == "A feat. B"
    assert (values["track"], values["year"], values["date"]) == (3, 1999, "1999-05")
    assert (values["name"], values["stem"], values["ext"]) == ("03 Song.FLAC", "03 Song", "flac")
    assert "disc" not in values and "title" not in values
    assert template_values("audio", fields | {"disc_total": 2}, b"x")["disc"] == 1
    assert template_values("audio", {"disc_number": 2}, b"x")["disc"] == 2
    assert template_values("audio", fields | {"album_artists": ["C", "D"]}, b"x")["albumartist"] == ["C", "D"]
    assert template_values("audio", fields | {"compilation": True}, b"x")["albumartist"] == "Various Artists"
    assert template_values("audio", fields | {"compilation": False}, b"x")["albumartist"] == "A feat. B"
    assert template_values("audio", {"title": "t", "user_title": "mine"}, b"x")["title"] == "mine"
    assert "ext" not in template_values("audio", {}, b"README")


def test_an_episode_by_fields_then_by_name() -> None:
    said = template_values("video", {}, b"/tv/Show (2005)/Season 02/Show.S02E03-E04.Title.mkv")
    wanted = {"show": "Show", "year": 2005, "season": 2, "episode": 3, "last": 4, "title": "Title"}
    assert wanted.items() <= said.items()
    fields = {"show": "The Show", "season_number": 9, "episode_number": 8, "title": "T", "date_released": "2011"}
    said = template_values("video", fields, b"Show.S02E03-E04.mkv")
    assert {"show": "The Show", "season": 9, "episode": 8, "title": "T"}.items() <= said.items()
    # the file's year is that of the episode, and its own last number belongs to another first
    assert "year" not in said and "last" not in said
    said = template_values("video", {"show": "S", "episode_number": 2}, b"Season 03/x.mkv")
    assert (said["season"], said["episode"]) == (3, 2)
    said = template_values("video", {}, b"[G] Show - 105 [1080p].mkv")
    assert (said["season"], said["episode"], said["absolute"]) == (1, 105, 105)


def test_a_film() -> None:
    said = template_values("video", {}, b"/m/T (2001) {tmdb-603}/T.2001.EXTENDED.1080p.mkv")
    assert {"title": "T", "year": 2001, "edition": "Extended", "tmdb_id": "603"}.items() <= said.items()
    assert template_values("video", {"date_released": "1979-05-25"}, b"A.mkv")["year"] == 1979


@pytest.mark.parametrize(
    ("fields", "date"),
    [
        ({"date_taken_local": "2020-07-10T10:20:30.5"}, "2020-07-10T10:20:30"),
        ({"date_taken_local": "2020-07-10T00:00:00", "date_taken_precision": "month"}, "2020-07"),
        ({"date_taken": 0, "utc_offset": -90}, "1969-12-31T22:30:00"),
        ({"date_taken": 86400.75}, "1970-01-02T00:00:00"),
        ({"date_taken": -62135596800}, "0001-01-01T00:00:00"),
        ({"date_taken": 1e18, "date_released": "2001-02"}, "2001-02"),
        ({"date_created_at_local": "2001-02-03T04:05:06", "date_released": "1999"}, "2001-02-03T04:05:06"),
        ({"mtime": 5}, ""),
    ],
)
def test_dates(fields: dict[str, Any], date: str) -> None:
    said = item_date(fields)
    assert said[:19] == date


# ------------------------------------------------------------------------------------------------ defaults and settings


@pytest.mark.parametrize(
    ("kind", "fields", "name", "template", "made"),
    [
        ("video", {}, b"Show.S01E02.mkv", "tv", "tv/Show/Season 01/Show - S01E02.mkv"),
        ("video", {}, b"Show (2005) - S00E02 - T.mkv", "tv", "tv/Show (2005)/Season 00/Show (2005) - S00E02 - T.mkv"),
        ("video", {}, b"anime/T (2001).mkv", "anime-movie", "anime/movies/T (2001)/T (2001).mkv"),
        ("video", {}, b"[G] Show - 05 [x].mkv", "anime-tv", "anime/tv/Show/Season 01/Show - S01E05 - 005.mkv"),
        ("video", {}, b"T.2001.1080p.MKV", "movie", "movies/T (2001)/T (2001).mkv"),
        ("video", {"camera_make": "Apple", "date_taken_local": "2020-01-02T03:04:05"}, b"IMG_1234.MOV", "photo",
         "photos/2020/2020-01-02/IMG_1234.mov"),
        ("video", {"date_created_at_local": "2020-01-02T03:04:05"}, b"VID_20200102_030405.mp4", "photo",
         "photos/2020/2020-01-02/VID_20200102_030405.mp4"),
        ("image", {"date_taken_local": "2020-01-02T03:04:05"}, b"a.JPG", "photo", "photos/2020/2020-01-02/a.jpg"),
        ("audio", {"artist_credit": "A", "album": "B", "title": "C", "track_number": 1, "date_released": "1999"},
         b"x.mp3", "music", "music/A/B (1999)/01 - C.mp3"),
        ("document", {"creators": ["A"], "title": "T", "format": "epub"}, b"x.epub", "book", "books/A/T/T.epub"),
    ],
)  # fmt: skip
def test_defaults(kind: str, fields: dict[str, Any], name: bytes, template: str, made: str) -> None:
    values = template_values(kind, fields, name)
    assert choose_template(kind, fields, values, name) == template
    assert load_templates({})[template].expand(values).parts == tuple(made.split("/"))


def test_what_has_no_default() -> None:
    for kind, name in (("document", b"letter.odt"), ("other", b"x.bin"), ("", b"x")):
        with pytest.raises(Unsupported) as caught:
            choose_template(kind, {}, template_values(kind, {}, name), name)
        assert caught.value.input == name


def test_settings_stand_over_the_defaults() -> None:
    templates = load_templates({"movie": "m/{title}.{ext}", "my_own-2": "{name}"})
    assert templates.keys() == PLEX.keys() | {"my_own-2"}
    assert templates["movie"].expand(MOVIE).parts == ("m", "Alien.mkv")
    assert templates["tv"].fields >= {"show", "season"}
    with pytest.raises(TemplateError, match="template mine: there is no field titel") as caught:
        load_templates({"mine": "{titel}"})
    assert caught.value.position == 1
    with pytest.raises(InvalidArgument, match="a template's name"):
        load_templates({"My Own": "{name}"})
    with pytest.raises(InvalidArgument, match="takes text"):
        load_templates({"movie": 1})
    with pytest.raises(NotFound, match="plex"):
        load_templates({}, "kodi")


def test_known_fields() -> None:
    assert "pictures" not in KNOWN and "title" in KNOWN and DERIVED.keys() <= KNOWN


def test_the_page_says_what_is() -> None:
    """docs/names.md has every derived name, every built-in template and the grammar of the module."""
    page = (Path(__file__).resolve().parents[2] / "docs/names.md").read_text("utf-8")
    for name in DERIVED:
        assert f"`{name}`" in page
    for name, text in PLEX.items():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"`{text}`" in row
    grammar = re.search(r"    template    = .*?(?=\n\n)", template_module.__doc__ or "", re.DOTALL)
    assert grammar is not None and "\n".join(grammar[0].splitlines()[:5]) in page

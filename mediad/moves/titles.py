"""What a film's or an episode's file name says, as people who use Plex and Jellyfin name them. Pure.

Understood: `Show (2005) - S01E02-E03 - Title.mkv`, `Show.Name.S01E02E03.Title.1080p.WEB-DL.x264-GRP.mkv`, `Show 1x02`,
`Season 01/S01E02.mkv` in the show's folder, `[Group] Show - 05v2 [1080p].mkv`; `Title (2001) {edition-Director's Cut}`,
`Title (2001) - Extended`, `Title.2001.REMASTERED.2160p.BluRay-GRP`, and ids: `{tmdb-603}`, `[imdbid-tt0133093]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

# Words about the release; what stands before them is the title. Some are words of titles too: they count only behind
# the year or the episode's number.
_STRONG = r"""(?:480|540|576|720|1080|1440|2160|4320)[pi] | 4k | uhd | [hx][ ._]?26[45] | hevc | av1 | xvid
    | divx | blu-?ray | b[dr]rip | bdremux | remux | web-?dl | web-?rip | hdtv | pdtv | dvd(?:rip|scr)? | hdrip | 10bit
    | ac3"""
_WEAK = r"""web | avc | dsr | hdr(?:10\+?)? | dolby[ ._]?vision | 8bit | aac | e-?ac3 | dts(?:-?hd)? | truehd | atmos
    | flac | ddp?5 | proper | repack | internal | limited | multi | dual[ ._-]?audio | dubbed | subbed | amzn | nf
    | dsnp | hmax"""
_RELEASE = re.compile(rf"(?ix)(?<![^\W_])(?: {_STRONG} | {_WEAK} )(?![^\W_])")
_SURE_RELEASE = re.compile(rf"(?ix)(?<![^\W_])(?: {_STRONG} )(?![^\W_])")
_EDITIONS = (
    ("Director's Cut", r"director'?s[ ._]cut|dc"),
    ("Final Cut", r"final[ ._]cut"),
    ("Extended", r"extended(?:[ ._](?:cut|edition|version))?"),
    ("Theatrical", r"theatrical(?:[ ._](?:cut|edition|version))?"),
    ("Special Edition", r"special[ ._]edition|se"),
    ("Ultimate Edition", r"ultimate[ ._](?:edition|cut)"),
    ("Unrated", r"unrated(?:[ ._](?:cut|edition|version))?"),
    ("Uncut", r"uncut"),
    ("Remastered", r"remastered"),
    ("IMAX", r"imax(?:[ ._]edition)?"),
    ("Criterion", r"criterion(?:[ ._](?:collection|edition))?"),
    ("Redux", r"redux"),
)
_EDITION = tuple((name, re.compile(rf"(?i)(?<![^\W_])(?:{pattern})(?![^\W_])")) for name, pattern in _EDITIONS)

_EPISODE = re.compile(
    r"""(?ix)(?<![^\W_])(?:
        s(?P<season>\d{1,4})[ ._-]*e(?P<episode>\d{1,4})
            (?:(?:[ ._]*-[ ._]*e?|[ ._]*e)(?P<last>\d{1,4})(?!\w|[ ._]*[pi]\b))*
        | (?P<season_x>\d{1,2})x(?P<episode_x>\d{2,3})(?:-(?:\d{1,2}x)?(?P<last_x>\d{2,3})(?!\w))?
    )(?![^\W_])"""
)
# [Group] Show - 05v2 [tags]: the number stands alone, behind a dash
_ABSOLUTE = re.compile(
    r"^(?:\[[^\]]*\]\s*)(?P<show>.+?)\s+-\s+(?P<absolute>\d{1,4})(?:v\d)?(?:\s+-\s+(?P<title>[^\[(]+))?(?=\s*(?:[\[(]|$))"
)
_GROUP = re.compile(r"^\[[^\]]*\]\s*")
_SEASON_FOLDER = re.compile(r"(?i)^(?:season[ ._]*(\d{1,4})|s(\d{1,4})|(specials))$")
_YEAR_IN_BRACKETS = re.compile(r"[(\[]((?:18|19|20|21)\d\d)[)\]]")
_YEAR = re.compile(r"(?<![^\W_])(?:18|19|20|21)\d\d(?![^\W_])")
_EDITION_TAG = re.compile(r"(?i)\{edition-([^}]*)\}")
_ID = re.compile(r"(?i)[{\[](imdb|tmdb|tvdb)(?:id)?[-=]([A-Za-z0-9]+)[}\]]")
_BRACKETS = re.compile(r"\[[^\]]*\]|\{[^}]*\}")
_INITIALS = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}")  # S.W.A.T. keeps its dots
_FIRST_YEAR = 1888  # Roundhay Garden Scene


@dataclass(frozen=True, slots=True)
class Episode:
    """What the name of an episode says. `season` 0 is the specials; `absolute` counts through all seasons."""

    show: str = ""
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    last: int | None = None
    absolute: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Movie:
    """What the name of a film says."""

    title: str = ""
    year: int | None = None
    edition: str = ""


def read_ids(text: str) -> dict[str, str]:
    """`{tmdb-603}`, `[tvdbid-81189]`, `{imdb-tt0133093}`: as the fields `tmdb_id`, `tvdb_id`, `imdb_id`."""
    return {f"{kind.lower()}_id": number for kind, number in _ID.findall(text)}


def read_episode(stem: str, folders: Sequence[str] = (), *, until: int | None = None) -> Episode | None:
    """The episode that a file's name without its extension tells, or None when it tells none.

    `folders`: names of the folders above, the nearest last; the one above a season's gives what the name lacks of the
    show and its year.
    `until`: the latest year that is taken for one; default next year."""
    until = until or date.today().year + 1
    season: int | None
    episode: int | None
    last: int | None
    absolute: int | None = None
    if match := _EPISODE.search(stem):
        season = int(match["season"] or match["season_x"])
        episode = int(match["episode"] or match["episode_x"])
        last_text = match["last"] or match["last_x"]
        before, after = _GROUP.sub("", stem[: match.start()]), stem[match.end() :]
        title = _title_behind(after, _is_dotted(stem))
        last = int(last_text) if last_text and int(last_text) > episode else None
    elif match := _ABSOLUTE.search(stem):
        season = episode = last = None
        absolute = int(match["absolute"])
        before, title = match["show"], (match["title"] or "").strip()
    else:
        return None
    show, year = _show(before, until, _is_dotted(stem))
    for folder in reversed(folders) if not (show and year) else ():
        if not _SEASON_FOLDER.match(folder):
            # The series' folder gives the name where there is none, and the year to the same name.
            folder_show, folder_year = _show(folder, until, _is_dotted(folder))
            if not show or show.casefold() == folder_show.casefold():
                show, year = show or folder_show, folder_year
            break
    return Episode(show, year, season, episode, last, absolute, title)


def season_of_folder(folder: str) -> int | None:
    """`Season 01`, `S01`: 1; `Specials`: 0; None for any other folder."""
    match = _SEASON_FOLDER.match(folder)
    if match is None:
        return None
    return 0 if match[3] else int(match[1] or match[2])


def read_movie(stem: str, *, until: int | None = None) -> Movie:
    """The film that a file's name without its extension tells; `title` is at worst the whole name, cleaned.

    The year is the one in brackets, else the last that is not the beginning and stands before the words about the
    release: `2001.A.Space.Odyssey.1968.1080p` is of 1968, `Blade.Runner.2049.2017` of 2017. `until`: as above."""
    until = until or date.today().year + 1
    tag = _EDITION_TAG.search(stem)
    plain = _GROUP.sub("", _without_brackets(stem)).strip()
    year_at = _find_year(plain, until)
    if year_at is None:
        release = _SURE_RELEASE.search(plain, 1)
        title, rest = (plain[: release.start()], plain[release.start() :]) if release else (plain, "")
    else:
        title, rest = plain[: year_at.start()], plain[year_at.end() :]
    year = int(year_at[1] if year_at.re is _YEAR_IN_BRACKETS else year_at[0]) if year_at else None
    dotted = _is_dotted(stem)
    edition = tag[1].strip() if tag else _edition(rest, dotted)
    return Movie(_clean(title, dotted), year, edition)


def _without_brackets(stem: str) -> str:
    """Without [tags] and {ids}, but for a year in brackets."""
    return _BRACKETS.sub(lambda found: found[0] if _YEAR_IN_BRACKETS.fullmatch(found[0]) else " ", stem)


def _find_year(text: str, until: int) -> re.Match[str] | None:
    for match in _YEAR_IN_BRACKETS.finditer(text):
        if match.start() and _FIRST_YEAR <= int(match[1]) <= until:
            return match
    release = _SURE_RELEASE.search(text, 1)
    years = [
        match
        for match in _YEAR.finditer(text, 0, release.start() if release else len(text))
        if match.start() and _FIRST_YEAR <= int(match[0]) <= until
    ]
    return years[-1] if years else None


def _show(text: str, until: int, dotted: bool) -> tuple[str, int | None]:
    text = _without_brackets(text).strip(" ._-")
    match = _find_year(text, until)
    if match is None or text[match.end() :].strip(" ._-"):
        return _clean(text, dotted), None
    return _clean(text[: match.start()], dotted), int(match[1] if match.re is _YEAR_IN_BRACKETS else match[0])


def _title_behind(text: str, dotted: bool) -> str:
    text = _BRACKETS.sub(" ", text)
    release = _RELEASE.search(text)
    return _clean(text[: release.start()] if release else text, dotted)


def _edition(text: str, dotted: bool) -> str:
    """An edition among the words behind the year; or what Jellyfin calls a version: ` - Extended Cut`."""
    release = _RELEASE.search(text)
    words = text[: release.start()] if release else text
    for name, pattern in _EDITION:
        # The two letters DC and SE are titles as well: only capitals between dots are an edition.
        match = pattern.search(words)
        if match and (len(match[0]) > 2 or match[0].isupper()):
            return name
    version = re.match(r"^\s*[)\]]?\s+-\s+(.+)$", words)
    return _clean(version[1], dotted) if version else ""


def _is_dotted(name: str) -> bool:
    """A name without any space has dots or underscores in their place."""
    return " " not in _BRACKETS.sub("", name).strip()


def _clean(text: str, dotted: bool) -> str:
    """Dots and underscores stand for spaces in a `dotted` name; what is left of brackets and dashes goes."""
    text = text.lstrip(" ._-)]}").rstrip(" ._-([{")
    if dotted:
        kept = _INITIALS.sub(lambda found: found[0].replace(".", "\0") + " ", text + ".")
        text = re.sub(r"[._]+", " ", kept).replace("\0", ".")
    return " ".join(text.split()).strip(" -_")

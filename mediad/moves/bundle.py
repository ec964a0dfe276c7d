"""What goes along with a file: side files, subtitles, lyrics, the other half of a pair, the cover of a folder. Pure.

A companion is known by its name, as the programs name theirs that write them: XMP in both styles (`photo.jpg.xmp` by
digiKam, darktable and RawTherapee, `photo.xmp` by Adobe: XMP specification part 3, 1.1.4), subtitles with a language
(`film.de.forced.srt`: Plex, Jellyfin, Kodi), artwork with a suffix (`film-poster.jpg`: Kodi).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import cast

# Beside one file, by its stem: `film.mkv` has `film.srt`, `film.en.srt`, `film.nfo`.
BESIDE = frozenset(
    b"xmp lrc srt sub idx ass ssa vtt smi sup nfo cue log txt thm pp3 dop cos on1 aae accurip ffp m3u m3u8 edl".split()
)
# Written behind the whole name: `photo.cr2.xmp`, `photo.nef.pp3`.
BEHIND = frozenset(b"xmp pp3 dop cos on1 json".split())
# Of the whole folder, when all its media go to one place.
FOLDER_STEMS = frozenset(
    b"cover folder front back albumart albumartsmall album artist poster fanart banner thumb logo clearart landscape "
    b"disc backdrop season".split()
)
FOLDER_ENDINGS = frozenset(b"jpg jpeg png webp gif nfo cue log m3u m3u8 txt xmp pdf accurip ffp md5 sfv".split())
_ARTWORK = tuple(
    b"-" + kind for kind in b"poster fanart thumb banner logo clearart landscape disc backdrop cover".split()
)

RAW = frozenset(
    b"3fr arw cr2 cr3 crw dcr dng erf gpr iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw "
    b"x3f".split()
)
STILL = frozenset(b"jpg jpeg jpe heic heif hif avif png tif tiff".split())
MOTION = frozenset(b"mov mp4".split())

_PAUSE = 250  # names between two breaths: some 2 ms on a desk, 30 on a board
_MEDIA = RAW | STILL | MOTION


def split_name(name: bytes) -> tuple[bytes, bytes]:
    """(stem, extension in lower case without the dot); a dot at the beginning is no extension's."""
    stem, dot, extension = name.rpartition(b".")
    return (stem, extension.lower()) if dot and stem else (name, b"")


def companions(name: bytes, names: Iterable[bytes]) -> dict[bytes, bytes]:
    """Names of one folder that go along with `name`, and what each has behind the stem of it, which is what stays when
    that stem is renamed: `{b"film.de.srt": b".de.srt"}`. Without regard to case in extensions, exactly in stems."""
    stem, extension = split_name(name)
    found: dict[bytes, bytes] = {}
    for other in names:
        if other == name or not other.startswith(stem):
            continue
        rest = other[len(stem) :]
        _, ending = split_name(other)
        if other.startswith(name + b".") and ending in BEHIND and other.count(b".") == name.count(b".") + 1:
            found[other] = rest
        elif rest.startswith(b".") and (ending in BESIDE or _is_pair(extension, ending)) and _is_plain(rest, ending):
            found[other] = rest
        elif rest.startswith(_ARTWORK) and ending in FOLDER_ENDINGS:
            found[other] = rest
        elif rest.startswith(b".") and ending in BEHIND and _behind_pair(rest, extension):
            found[other] = rest
    return found


def _is_plain(rest: bytes, ending: bytes) -> bool:
    """`.srt`, or with languages and flags of subtitles between: `.pt-BR.forced.srt`."""
    middle = rest[1 : -len(ending)].strip(b".")
    if not middle:
        return True
    if ending in _MEDIA:
        return False
    return all(0 < len(part) <= 12 for part in middle.split(b".")) and middle.count(b".") < 3


def _is_pair(extension: bytes, ending: bytes) -> bool:
    """RAW + JPEG of one exposure; a live photo's film beside its picture."""
    if extension in RAW:
        return ending in STILL or ending in MOTION
    return extension in STILL and ending in MOTION and extension in (b"jpg", b"jpeg", b"heic", b"heif")


def _behind_pair(rest: bytes, extension: bytes) -> bool:
    """The side file of the other half: `photo.jpg.xmp` goes with `photo.cr2` when `photo.jpg` does."""
    inner = split_name(rest[:-1] if rest.endswith(b".") else rest)[0]
    return _is_pair(extension, split_name(b"x" + inner)[1])


Mains = dict[bytes, dict[bytes, bytes]]


def mains(names: Iterable[bytes]) -> Mains:
    """The files of a folder that nothing else is the main one of, each with its companions (`companions`). A RAW is the
    main one of its pair, a picture that of its film; each companion goes with one main only: that with the longest
    stem."""
    steps = mains_in_steps(names)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("Mains", end.value)


def mains_in_steps(names: Iterable[bytes]) -> Generator[None, None, Mains]:
    """The same with a pause every so many names: a loop that has others to serve can take a breath there."""
    names = list(names)
    by_main: Mains = {}
    stems: dict[bytes, list[bytes]] = {}
    for count, name in enumerate(names):
        # every beginning of a name that ends before a dot or a dash may be another's stem
        for at, byte in enumerate(name):
            if byte in b".-" and at:
                stems.setdefault(name[:at], []).append(name)
        if count % _PAUSE == 0:
            yield
    for count, name in enumerate(names):
        stem, extension = split_name(name)
        if extension not in BESIDE:  # a side file is nobody's main
            by_main[name] = companions(name, stems.get(stem, ()))
        if count % _PAUSE == 0:
            yield
    claims: dict[bytes, bytes] = {}
    owners = sorted(
        (name for name, others in by_main.items() if others), key=lambda n: (len(split_name(n)[0]), _rank(n))
    )
    for name in owners:
        claims.update(dict.fromkeys(by_main[name], name))
    yield
    for name, owner in claims.items():
        if name in by_main and claims.get(owner) != name:
            del by_main[name]
    yield
    found: Mains = {}
    taken: set[bytes] = set()
    for count, (name, others) in enumerate(by_main.items()):
        mine = {other: rest for other, rest in others.items() if claims[other] == name or claims[other] not in by_main}
        found[name] = mine
        taken.update(mine)
        if count % _PAUSE == 0:
            yield
    for name in names:
        if name not in found and name not in taken:
            found[name] = {}
    return found


def _rank(name: bytes) -> int:
    """Of two with one stem the later claims: pictures before films, RAW before pictures."""
    extension = split_name(name)[1]
    return 2 if extension in RAW else 1 if extension in STILL else 0


def is_of_folder(name: bytes) -> bool:
    """A cover, a rip's log, a playlist: it describes the folder it lies in."""
    stem, extension = split_name(name)
    folded = stem.lower()
    return extension in FOLDER_ENDINGS and (
        folded in FOLDER_STEMS
        or extension in (b"log", b"cue", b"m3u", b"m3u8", b"nfo", b"accurip", b"ffp", b"sfv", b"md5")
    )


def renamed(main: bytes, companion: bytes, new_main: bytes) -> bytes:
    """A companion's new name when its main file gets one: what stands behind the whole old name stands behind the whole
    new one (`A.JPG.xmp`, `b.jpg.xmp`), else what stands behind the old stem behind the new (`A.de.srt`, `b.de.srt`)."""
    if companion.startswith(main + b"."):
        return new_main + companion[len(main) :]
    return split_name(new_main)[0] + companion[len(split_name(main)[0]) :]

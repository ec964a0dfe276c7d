"""ID3v2.2, v2.3 and v2.4: the frames of a tag, by a table of their names, in one pass over the tag's bytes.

`read_tag` gives a dictionary of frames: what the specifications call unique is one entry. Of several with one key the
last counts, except texts, which are joined, and pictures, which are all kept. A frame that breaks its own form is left
out, the ones behind it are read.

What taggers really wrote is read too: ID3v2.4 frames with sizes that are not syncsafe (old iTunes), ID3v2.2 names in an
ID3v2.3 tag, UTF-16 without its byte order mark or with half a terminator, several texts in ID3v2.3.

Sources: ID3v2.4.0 structure sections 3-6 and frames section 4, ID3v2.3.0 sections 3-4, ID3v2.2.0 sections 3-4, ID3v2
Chapter Frame Addendum 1.0; iTunes' frames as the vocabulary's section 4.1 lists them. Frames that are only shown as
tags are in audio.id3rare.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple

from mediad_handlers.audio.bounds import inflate
from mediad_handlers.audio.id3text import (
    BOMS,
    Junk,
    find_wide_end,
    normalise_stamp,
    split_texts,
    take_latin,
    take_text,
)

_FRAME = Struct(">4sIH").unpack_from  # ID3v2.3.0 section 3.3: name, size, flags
_SYNC = re.compile(rb"\xff[\xe0-\xff]")  # cannot occur in unsynchronised bytes (ID3v2.4.0 structure section 6.1)
DEPTH = 3  # chapters in chapters
NUMBER = 32  # bytes of a counter


class Tag(NamedTuple):
    """{key: (name, value)} in the order of the file, and (name, bytes) of what has no name here or is encrypted. What
    `value` is, the frame's function in _READERS says."""

    frames: dict[str, tuple[str, Any]]
    unknown: list[tuple[str, bytes]]


class Form(NamedTuple):
    """What a tag's header says of its frames."""

    version: int  # 2, 3, 4
    unsynchronised: bool
    depth: int = 0

    @property
    def old(self) -> bool:
        """Texts of v2.2 and v2.3 end at their terminator; what pads them is none."""
        return self.version < 4

    def inside(self) -> Form:
        """Of the frames in a frame, whose bytes are already as they were before unsynchronisation."""
        return self._replace(unsynchronised=False, depth=self.depth + 1)


Reader = Callable[[str, bytes, Form], tuple[str, Any]]


def read_tag(body: bytes, form: Form) -> Tag:
    """The frames in `body`, which is what lies between the (extended) header and the end of a tag."""
    tag = Tag({}, [])
    if form.unsynchronised and form.version < 4:
        body = resynchronise(body)
    if form.version == 2:
        _walk_short(body, form, tag)
    else:
        _walk(body, form, tag)
    return tag


def resynchronise(data: bytes) -> bytes:
    """`data` without the zeros that unsynchronisation put in; as it is when it cannot have been unsynchronised, which
    taggers that set the flag and wrote plain data leave (ID3v2.4.0 structure section 6.1)."""
    if data[-1:] == b"\xff" or _SYNC.search(data) is not None:
        return data
    return data.replace(b"\xff\0", b"\xff")


def _walk(body: bytes, form: Form, tag: Tag) -> None:
    """ID3v2.3 and v2.4: frame headers of ten bytes."""
    frames, old = tag.frames, form.version < 4
    plain: bool | None = True if old else None  # whether sizes are plain numbers; not known before a size tells
    at, end = 0, len(body)
    while end - at >= 10:
        code, size, flags = _FRAME(body, at)
        known = FRAMES.get(code)
        if known is None and code == b"\0\0\0\0":
            return
        if size > 127 and not plain:
            if plain is None:
                plain = has_plain_sizes(body)
            if not plain:
                size = (size & 127) | (size >> 1 & 127 << 7) | (size >> 2 & 127 << 14) | (size >> 3 & 127 << 21)
        at += 10
        data = raw = body[at : at + size]
        at += size
        if not data:
            continue
        if known is None:
            known = _OLD_NAMES.get(code[:3]) if code[3] == 0 else None
            if known is None:
                _keep_unknown(tag, code, raw)
                continue
        try:
            if flags or form.unsynchronised:
                unwrapped = _unwrap(data, flags, form)
                if unwrapped is None:
                    tag.unknown.append((known[0], raw))
                    continue
                data = unwrapped
            name, reader = known
            if reader is read_texts:
                encoding, text = data[0], data[1:]
                if encoding == 3 and text and 0 not in text:
                    texts = [text.decode()]
                else:
                    texts = split_texts(encoding, text, old)
                if name not in frames:
                    frames[name] = (name, texts)
                else:
                    _join(frames[name][1], texts)
            else:
                _add(frames, name, reader, data, form)
        except (Junk, UnicodeError, IndexError):
            continue  # this frame alone


def _walk_short(body: bytes, form: Form, tag: Tag) -> None:
    """ID3v2.2: frame headers of six bytes; each frame is read as the later one of its meaning."""
    at, end = 0, len(body)
    while end - at >= 6:
        code, size = body[at : at + 3], int.from_bytes(body[at + 3 : at + 6], "big")
        if code == b"\0\0\0":
            return
        at += 6
        data = body[at : at + size]
        at += size
        if not data or code == b"CRM":  # an encrypted frame around another one: there is no later one like it
            continue
        known = _OLD_NAMES.get(code)
        if known is None:
            _keep_unknown(tag, code, data)
            continue
        name, reader = known
        try:
            _add(tag.frames, name, _OLD_READERS.get(code, reader), data, form)
        except (Junk, UnicodeError, IndexError):
            continue


def _keep_unknown(tag: Tag, code: bytes, data: bytes) -> None:
    """Frame names are capital letters and digits (ID3v2.4.0 structure section 4); anything else is no frame."""
    if code.isascii() and code.isalnum() and code.isupper():
        tag.unknown.append((code.decode("ascii"), data))


def _add(frames: dict[str, tuple[str, Any]], name: str, reader: Reader, data: bytes, form: Form) -> None:
    key, value = reader(name, data, form)
    if name == "APIC":
        while key in frames:
            key += " "  # several pictures of one description are several pictures
    elif key in frames:
        if reader is read_texts or reader is _read_stamps:
            _join(frames[key][1], value)
            return
        if reader is _read_described or reader is _read_comment:
            _join(frames[key][1][1], value[1])
            return
    frames[key] = (name, value)


def _join(texts: list[str], more: list[str]) -> None:
    for one in more:
        if one not in texts:
            texts.append(one)


def _unwrap(data: bytes, flags: int, form: Form) -> bytes | None:
    """A frame's data as its flags say (ID3v2.3.0 section 3.3.1, ID3v2.4.0 structure section 4.1); None when it is
    encrypted. Raises Junk for compressed data that is broken, or larger than `bounds.INFLATED`."""
    if form.version == 3:
        if flags & 0x40:
            return None
        if flags & 0x80:
            if len(data) < 4:
                raise Junk
            data = data[4:]  # its size behind decompression
        if flags & 0x20:
            data = data[1:]  # its group
        return _inflate(data) if flags & 0x80 else data
    if flags & 0x40:
        data = data[1:]
    if flags & 0x04:
        return None
    length = data[:4]
    if flags & 0x09:
        data = data[4:]
    if flags & 0x02 or form.unsynchronised:
        data = resynchronise(data)
    if not flags & 0x08:
        return data
    try:
        return inflate(data)
    except zlib.error:
        return _inflate(length + data)  # some taggers wrote no data length


def _inflate(data: bytes) -> bytes:
    try:
        return inflate(data)
    except zlib.error as fault:
        raise Junk from fault


def has_plain_sizes(body: bytes) -> bool:
    """Whether the frame sizes of an ID3v2.4 tag are plain numbers instead of syncsafe ones, as iTunes wrote them: the
    reading under which more known frames are met wins; of two equal ones that which does not end behind the tag."""
    plain, plain_end = _count_frames(body, 8)
    syncsafe, syncsafe_end = _count_frames(body, 7)
    return plain > syncsafe or (plain == syncsafe and syncsafe_end >= 1 and plain_end <= 1)


def _count_frames(body: bytes, bits: int) -> tuple[int, int]:
    """(known frames, bytes by which the last one ends behind the body; negative for padding)."""
    at = found = 0
    while at < len(body) - 10:
        if not any(body[at : at + 10]):
            return found, -((len(body) - at) % 10)
        size = 0
        for byte in body[at + 4 : at + 8]:
            size = size << bits | byte & (1 << bits) - 1
        found += body[at : at + 4] in FRAMES
        at += 10 + size
    return found, at - len(body)


# One function a form: (name, data, form of the tag) -> (key, value). Each raises Junk, UnicodeError, IndexError.


def read_texts(name: str, data: bytes, form: Form) -> tuple[str, list[str]]:
    """ID3v2.4.0 frames section 4.2: the texts."""
    return name, split_texts(data[0], data[1:], form.old)


def _read_stamps(name: str, data: bytes, form: Form) -> tuple[str, list[str]]:
    return name, [normalise_stamp(text) for text in split_texts(data[0], data[1:], form.old)]


def _read_described(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, list[str]]]:
    """TXXX, section 4.2.6: (description, texts)."""
    description, rest = _take_some(data[0], data[1:], form)
    return f"TXXX:{description}", (description, split_texts(data[0], rest, form.old))


def _take_some(encoding: int, data: bytes, form: Form) -> tuple[str, bytes]:
    if not data or encoding > 3:
        raise Junk
    return take_text(encoding, data, form.old)


def _take_language(data: bytes) -> str:
    return data[1:4].decode("ascii")


def _read_comment(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, list[str]]]:
    """COMM, section 4.10: (description, texts)."""
    language = _take_language(data)
    description, rest = _take_some(data[0], data[4:], form)
    return f"COMM:{description}:{language}", (description, split_texts(data[0], rest, form.old))


def _read_lyrics(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, list[str]]]:
    """USLT, section 4.8: (description, [text])."""
    language = _take_language(data)
    description, rest = _take_some(data[0], data[4:], form)
    return f"USLT:{description}:{language}", (description, [_take_some(data[0], rest, form)[0]])


def _read_synced_lyrics(name: str, data: bytes, form: Form) -> tuple[str, tuple[int, list[tuple[str, int]]]]:
    """SYLT, section 4.9: (format of the times, [(text, time)])."""
    language, encoding = _take_language(data), data[0]
    description, rest = _take_some(encoding, data[6:], form)
    if not rest:
        raise Junk
    lines = []
    while rest:
        wide = encoding in (1, 2)
        end = find_wide_end(rest) if wide else rest.find(b"\0")
        if end < 0 or (encoding == 1 and rest[:2] not in BOMS):
            raise Junk
        text = rest[:end].decode(("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding])
        rest = rest[end + (2 if wide else 1) :]
        if len(rest) < 4:
            raise Junk
        lines.append((text, int.from_bytes(rest[:4], "big")))
        rest = rest[4:]
    return f"SYLT:{description}:{language}", (data[4], lines)


def _read_pairs(name: str, data: bytes, form: Form) -> tuple[str, list[tuple[str, str]]]:
    """TIPL, TMCL, IPLS, section 4.2.2: [(role, person)]."""
    encoding, rest = data[0], data[1:]
    if not rest or encoding > 3:
        raise Junk
    pairs = []
    while rest:
        role, rest = take_text(encoding, rest, form.old)
        person, rest = take_text(encoding, rest, form.old)
        pairs.append((role, person))
    return name, pairs


def _read_url(name: str, data: bytes, form: Form) -> tuple[str, str]:
    """Section 4.3: the address. Several WCOM and WOAR may be there when they differ."""
    url = take_latin(data)[0]
    return f"{name}:{url}" if name in ("WCOM", "WOAR") else name, url


def _read_described_url(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, list[str]]]:
    """WXXX, section 4.3.2: (description, [address])."""
    description, rest = _take_some(data[0], data[1:], form)
    return f"WXXX:{description}", (description, [take_latin(rest)[0]])


def _read_owned(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, bytes]]:
    """UFID (section 4.1) and PRIV (4.27): (owner, data)."""
    owner, rest = take_latin(data)
    return f"PRIV:{owner}:{rest.hex()}" if name == "PRIV" else f"UFID:{owner}", (owner, rest)


def _read_popularity(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, int, int]]:
    """POPM, section 4.17: (e-mail, rating 0-255, counter)."""
    email, rest = take_latin(data)
    return f"POPM:{email}", (email, rest[0], int.from_bytes(rest[1:], "big"))


def _read_number(name: str, data: bytes, form: Form) -> tuple[str, int]:
    """PCNT (section 4.16), iTunes' PCST: the number. Raises Junk for one that nobody has counted up to."""
    if len(data) > NUMBER:
        raise Junk
    return name, int.from_bytes(data, "big")


def _read_volume(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, int, float]]:
    """RVA2, section 4.11: (identification, channel, gain in dB)."""
    description, rest = take_latin(data)
    if len(rest) < 4 or len(rest) < 4 + min(4, rest[3] + 7 >> 3):
        raise Junk  # channel, adjustment, bits of the peak, peak
    return f"RVA2:{description}", (description, rest[0], int.from_bytes(rest[1:3], "big", signed=True) / 512)


def _read_picture(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, int, str, bytes]]:
    """APIC, section 4.14: (MIME type, picture type, description, picture)."""
    if data[0] > 3:
        raise Junk
    end = data.find(b"\0", 1)
    if end < 0:
        raise Junk
    mime = data[1:end].decode("latin-1")
    description, picture = _take_some(data[0], data[end + 2 :], form)
    return f"APIC:{description}", (mime, data[end + 1], description, picture)


def _read_old_picture(name: str, data: bytes, form: Form) -> tuple[str, tuple[str, int, str, bytes]]:
    """PIC, ID3v2.2.0 section 4.15: a format of three letters in place of the MIME type."""
    description, picture = _take_some(data[0], data[5:], form)
    return f"APIC:{description}", (data[1:4].decode("ascii"), data[4], description, picture)


def _read_chapter(name: str, data: bytes, form: Form) -> tuple[str, tuple[int, int, Tag]]:
    """CHAP, addendum section 3.1: (start, end in milliseconds, the frames in it)."""
    element, rest = take_latin(data)
    if len(rest) < 13 or form.depth >= DEPTH:
        raise Junk
    inner = read_tag(rest[16:], form.inside())
    return f"CHAP:{element}", (int.from_bytes(rest[:4], "big"), int.from_bytes(rest[4:8], "big"), inner)


def _read_rare(name: str, data: bytes, form: Form) -> tuple[str, bytes | str]:
    """What is only shown: bytes, or a text."""
    from mediad_handlers.audio.id3rare import read_rare

    return read_rare(name, data, form)


_READERS: dict[Reader, str] = {
    read_texts: "TALB TBPM TCAT TCMP TCOM TCON TCOP TDAT TDES TDLY TENC TEXT TFLT TGID TIME TIT1 TIT2 TIT3 TKEY TKWD "
    "TLAN TLEN TMED TMOO TOAL TOFN TOLY TOPE TORY TOWN TPE1 TPE2 TPE3 TPE4 TPOS TPRO TPUB TRCK TRDA TRSN TRSO TSIZ "
    "TSO2 TSOA TSOC TSOP TSOT TSRC TSSE TSST TYER MVNM MVIN GRP1 "
    "XSOA XSOP XSOT",  # v2.3's experimental names of TSOA, TSOP, TSOT, which Picard writes
    _read_stamps: "TDEN TDOR TDRC TDRL TDTG", _read_described: "TXXX", _read_comment: "COMM", _read_lyrics: "USLT",
    _read_synced_lyrics: "SYLT", _read_pairs: "TIPL TMCL IPLS", _read_described_url: "WXXX",
    _read_url: "WCOM WCOP WFED WOAF WOAR WOAS WORS WPAY WPUB", _read_owned: "UFID PRIV", _read_popularity: "POPM",
    _read_number: "PCNT PCST", _read_volume: "RVA2", _read_picture: "APIC", _read_chapter: "CHAP",
    _read_rare: "AENC ASPI COMR CTOC ENCR EQU2 ETCO GEOB GRID LINK MCDI MLLT OWNE POSS RBUF RVAD RVRB SEEK SIGN "
    "SYTC USER",
}  # fmt: skip
FRAMES: dict[bytes, tuple[str, Reader]] = {
    name.encode("ascii"): (name, reader) for reader, names in _READERS.items() for name in names.split()
}
# ID3v2.2.0 section 4: each frame, and the later one of the same meaning
_OLD = (
    "UFI=UFID TT1=TIT1 TT2=TIT2 TT3=TIT3 TP1=TPE1 TP2=TPE2 TP3=TPE3 TP4=TPE4 TCM=TCOM TXT=TEXT TLA=TLAN "
    "TCO=TCON TAL=TALB TPA=TPOS TRK=TRCK TRC=TSRC TYE=TYER TDA=TDAT TIM=TIME TRD=TRDA TMT=TMED TFT=TFLT "
    "TBP=TBPM TCP=TCMP TCR=TCOP TPB=TPUB TEN=TENC TST=TSOT TSA=TSOA TS2=TSO2 TSP=TSOP TSC=TSOC TSS=TSSE "
    "TOF=TOFN TLE=TLEN TSI=TSIZ TDY=TDLY TKE=TKEY TOT=TOAL TOA=TOPE TOL=TOLY TOR=TORY TXX=TXXX WAF=WOAF "
    "WAR=WOAR WAS=WOAS WCM=WCOM WCP=WCOP WPB=WPUB WXX=WXXX IPL=IPLS MCI=MCDI ETC=ETCO MLL=MLLT STC=SYTC "
    "ULT=USLT SLT=SYLT COM=COMM RVA=RVAD REV=RVRB PIC=APIC GEO=GEOB CNT=PCNT POP=POPM BUF=RBUF CRA=AENC "
    "LNK=LINK MVN=MVNM MVI=MVIN GP1=GRP1"
)
_OLD_NAMES = {
    old.encode("ascii"): FRAMES[new.encode("ascii")] for old, new in (pair.split("=") for pair in _OLD.split())
}
_OLD_READERS: dict[bytes, Reader] = {b"PIC": _read_old_picture}  # of another form than the later frame

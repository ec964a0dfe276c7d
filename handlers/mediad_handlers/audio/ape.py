"""APEv2 tags, and the formats that carry them: Monkey's Audio, WavPack, Musepack, TAK, OptimFROG; and TTA, DSD, AC-3.

Sources: APEv2 specification (APE key, UTF-8 values separated by NUL), WavPack 5 file format, Musepack SV7 and SV8.
Payload: the whole file (`whole/1`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mediad_handlers.audio import facts
from mediad_handlers.audio.bounds import bound_mutagen, corrupt_when_it_leaks
from mediad_handlers.audio.frames import skip_leading_tags
from mediad_handlers.audio.id3 import read_id3, show_binary
from mediad_handlers.audio.pictures import TYPES, describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags
from mediad_handlers.kit.api import HandlerError, Record

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

# format -> (module, class of the stream facts, codec, lossless)
STREAMS: dict[str, tuple[str, str, str, bool]] = {
    "ape": ("mutagen.monkeysaudio", "MonkeysAudioInfo", "ape", True),
    "wavpack": ("mutagen.wavpack", "WavPackInfo", "wavpack", True),
    "musepack": ("mutagen.musepack", "MusepackInfo", "musepack", False),
    "optimfrog": ("mutagen.optimfrog", "OptimFROGInfo", "optimfrog", True),
    "tak": ("mutagen.tak", "TAKInfo", "tak", True),
    "tta": ("mutagen.trueaudio", "TrueAudioInfo", "tta", True),
    "aac": ("mutagen.aac", "AACInfo", "aac", False),
    "ac3": ("mutagen.ac3", "AC3Info", "ac3", False),
    "dsf": ("mutagen.dsf", "DSF", "dsd", True),
    "dff": ("mutagen.dsdiff", "DSDIFF", "dsd", True),
}


def read_ape_tag(record: Record, file: File) -> bool:
    """Reads an APEv2 tag at the end (or start) of the file into `record`; false when there is none."""
    from mutagen.apev2 import APENoHeaderError, APEv2

    try:
        with corrupt_when_it_leaks("APEv2"):
            try:
                tag = APEv2(file.stream())
            except APENoHeaderError:
                return False
            native: dict[str, tuple[str, list[Any]]] = {}
            pictures: list[dict[str, Any]] = []
            for key, value in tag.items():
                _take_item(native, pictures, key, value)
    except HandlerError as fault:
        if fault.code != "corrupt":
            raise
        record.warnings.append(fault.message)
        return True
    map_tags(record, RULES["ape"], native, "APE")
    record.put("pictures", pictures, "APE:Cover Art")
    return True


def read_stream(record: Record, file: File) -> None:
    """A format of STREAMS: its facts, and whichever of ID3v2 and APEv2 tags it has."""
    module, name, codec, lossless = STREAMS[record.format]
    source = f"{record.format}:header"
    with corrupt_when_it_leaks(record.format):
        stream = file.stream()
        kind = getattr(import_module(module), name)
        if record.format == "wavpack":
            channels = count_wavpack_channels(file)
        if record.format in ("dsf", "dff"):
            bound_mutagen()  # it reads their ID3v2 tags beside the header
            info = kind(stream).info
        else:
            info = kind(stream, skip_leading_tags(file)) if record.format == "tta" else kind(stream)
        if record.format == "tta":  # TTA1 header: format, channels, bits (16 bits each), which mutagen does not keep
            head = file.read(skip_leading_tags(file), 10)
            info.channels, info.bits_per_sample = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
        if record.format == "wavpack" and channels:
            info.channels = channels  # mutagen knows mono and stereo only
        facts.put_codec(record, codec, lossless, source)
        facts.put_stream(record, info, source)
    if record.format == "musepack":
        record.put("encoder", name_musepack_encoder(file), source)
    if record.format in ("dsf", "dff"):
        place = find_dsd_tag(file)
        if place is not None:
            read_id3(record, file, *place)
    else:
        if file.head.startswith(b"ID3"):
            read_id3(record, file)
        read_ape_tag(record, file)
    if "bit_rate" not in record.fields:
        facts.put_average(record, file.size, source)


def find_dsd_tag(file: File) -> tuple[int, int] | None:
    """(start, bytes) of the ID3v2 tag: DSF states its place (DSF 1.01, DSD chunk), DSDIFF has a chunk for it (sizes
    of eight bytes, DSDIFF 1.5 section 3); None when there is none."""
    if file.head.startswith(b"DSD "):
        start = int.from_bytes(file.read(20, 8), "little")
        return (start, file.size - start) if 0 < start < file.size else None
    at = 16
    for _ in range(64):
        header = file.read(at, 12)
        if len(header) < 12:
            break
        size = int.from_bytes(header[4:], "big")
        if header[:4] == b"ID3 ":
            return at + 12, min(size, file.size - at - 12)
        at += 12 + size + (size & 1)
    return None


def name_musepack_encoder(file: File) -> str | None:
    """Which encoder wrote it: Musepack SV7, the 25th byte of the header, hundredths of its version; odd ones are alpha,
    multiples of ten released, the other even ones beta. SV8 has it in the packet EI: major, minor, build."""
    start = skip_leading_tags(file)
    header = file.read(start, 25)
    if header[:3] == b"MP+" and len(header) == 25 and header[3] & 15 == 7:
        version = header[24]
        stage = "" if version % 10 == 0 else " Alpha" if version % 2 else " Beta"
        return f"{version // 100}.{version % 100:02d}{stage}" if version else None
    if header[:4] != b"MPCK":
        return None
    at = start + 4
    for _ in range(32):  # packets: two letters, their size with these (7 bits a byte, most significant first), contents
        head = file.read(at, 16)
        size, length = 0, 2
        while length < len(head):
            size = size << 7 | head[length] & 127
            length += 1
            if not head[length - 1] & 128:
                break
        if head[:2] == b"EI" and len(head) >= length + 4:
            return ".".join(str(number) for number in head[length + 1 : length + 4])
        if head[:2] in (b"AP", b"SE") or size < length:
            return None
        at += size
    return None


def count_wavpack_channels(file: File) -> int:
    """WavPack 5 file format: the blocks of one moment carry one or two channels each, from the block flagged as first
    (0x800) to the one flagged as last (0x1000)."""
    position, channels = 0, 0
    for _ in range(32):
        header = file.read(position, 32)
        if len(header) < 32 or header[:4] != b"wvpk":
            return 0
        flags = int.from_bytes(header[24:28], "little")
        channels += 1 if flags & 4 else 2
        if flags & 0x1000:
            return channels
        position += 8 + int.from_bytes(header[4:8], "little")
    return 0


def _take_item(native: dict[str, tuple[str, list[Any]]], pictures: list[dict[str, Any]], key: str, value: Any) -> None:
    if key.lower().startswith("cover art ("):
        description, _, data = bytes(value.value).partition(b"\0")
        type_name = key[11:].rstrip(")").strip().lower().replace(" ", "_").replace("front", "front_cover")
        type_name = "back_cover" if type_name == "back" else type_name
        number = TYPES.index(type_name) if type_name in TYPES else 0
        pictures.append(describe_picture(data, number, "", description.decode("utf-8", "replace")))
    elif value.kind == 1:  # binary
        native[key.upper()] = (key, [show_binary(bytes(value.value))])
    else:
        native[key.upper()] = (key, list(value) if value.kind == 0 else [str(value)])

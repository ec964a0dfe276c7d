"""Tracks as every container gives them, and the summary fields made of the first video and the first audio track.

Section 6.2 of the vocabulary. A track is a flat record: type, index, id, codec, language, name, default, forced, and
width, height, frame_rate, rotation or channels, sample_rate.
"""

from __future__ import annotations

from typing import Any

from mediad_handlers.kit.api import Record

Track = dict[str, Any]
_UNKNOWN_LANGUAGES = frozenset(("", "und", "```", "mis", "zxx", "unk"))
_FILLER_NAMES = frozenset((
    "videohandler", "soundhandler", "video handler", "sound handler", "apple video media handler",
    "apple sound media handler", "core media video", "core media audio", "core media data handler",
))  # fmt: skip

# Codec names by four-character code (14496-12 sample entries, RIFF compressor codes) and Matroska codec ids.
CODECS = {
    "avc1": "h264", "avc2": "h264", "avc3": "h264", "h264": "h264", "x264": "h264", "davc": "h264", "hvc1": "hevc",
    "hev1": "hevc", "dvh1": "hevc", "dvhe": "hevc", "hevc": "hevc", "av01": "av1", "vp08": "vp8", "vp80": "vp8",
    "vp09": "vp9", "vp90": "vp9", "mp4v": "mpeg4", "xvid": "mpeg4", "divx": "mpeg4", "dx50": "mpeg4", "fmp4": "mpeg4",
    "s263": "h263", "h263": "h263", "jpeg": "mjpeg", "mjpg": "mjpeg", "mjpa": "mjpeg", "mjpb": "mjpeg",
    "apcn": "prores", "apch": "prores", "apcs": "prores", "apco": "prores", "ap4h": "prores", "mp4a": "aac",
    "enca": "aac", "alac": "alac", "ac-3": "ac3", "ec-3": "eac3", "samr": "amr", "sawb": "amr_wb", "opus": "opus",
    "flac": "flac", "fLaC": "flac", ".mp3": "mp3", "mp3 ": "mp3", "sowt": "pcm", "twos": "pcm", "lpcm": "pcm",
    "raw ": "pcm", "in24": "pcm", "in32": "pcm", "fl32": "pcm", "ulaw": "pcm_mulaw", "alaw": "pcm_alaw",
    "ima4": "adpcm_ima", "wmv1": "wmv1", "wmv2": "wmv2", "wmv3": "wmv3", "wvc1": "vc1", "wmva": "vc1", "mp42":
    "msmpeg4v2",
    "mp43": "msmpeg4v3", "div3": "msmpeg4v3", "mpg4": "msmpeg4v1", "mpg1": "mpeg1video", "mpg2": "mpeg2video",
    "cvid": "cinepak",
    "svq1": "svq1", "svq3": "svq3", "dvsd": "dv", "dvc ": "dv", "dvcp": "dv", "rle ": "rle", "flv1": "flv1",
    "tx3g": "tx3g", "text": "text", "c608": "cea608", "stpp": "ttml", "wvtt": "webvtt", "mp4s": "vobsub",
    "V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc", "V_AV1": "av1", "V_VP8": "vp8", "V_VP9": "vp9",
    "V_MPEG4/ISO/ASP": "mpeg4", "V_MPEG4/ISO/SP": "mpeg4", "V_MPEG4/MS/V3": "msmpeg4v3", "V_MPEG1": "mpeg1video",
    "V_MPEG2": "mpeg2video", "V_THEORA": "theora", "V_MJPEG": "mjpeg", "V_FFV1": "ffv1", "V_PRORES": "prores",
    "A_AAC": "aac", "A_AC3": "ac3", "A_EAC3": "eac3", "A_DTS": "dts", "A_TRUEHD": "truehd", "A_VORBIS": "vorbis",
    "A_OPUS": "opus", "A_FLAC": "flac", "A_MPEG/L3": "mp3", "A_MPEG/L2": "mp2", "A_MPEG/L1": "mp1", "A_PCM/INT/LIT":
    "pcm",
    "A_PCM/INT/BIG": "pcm", "A_PCM/FLOAT/IEEE": "pcm", "A_ALAC": "alac", "A_WAVPACK4": "wavpack",
    "S_TEXT/UTF8": "srt", "S_TEXT/ASS": "ass", "S_TEXT/SSA": "ssa", "S_TEXT/WEBVTT": "webvtt", "S_HDMV/PGS": "pgs",
    "S_VOBSUB": "vobsub", "S_TEXT/USF": "usf", "S_DVBSUB": "dvbsub",
}  # fmt: skip
# WAVEFORMATEX.wFormatTag (mmreg.h)
WAVE_FORMATS = {
    0x0001: "pcm", 0x0002: "adpcm_ms", 0x0003: "pcm", 0x0006: "pcm_alaw", 0x0007: "pcm_mulaw", 0x0011: "adpcm_ima",
    0x0031: "gsm", 0x0050: "mp2", 0x0055: "mp3", 0x00FF: "aac", 0x0160: "wmav1", 0x0161: "wmav2", 0x0162: "wmapro",
    0x0163: "wmalossless", 0x000A: "wmavoice", 0x1610: "aac", 0x2000: "ac3", 0x2001: "dts", 0x566F: "vorbis",
    0x674F: "vorbis", 0x6750: "vorbis", 0xF1AC: "flac", 0xFFFE: "pcm",
}  # fmt: skip


def codec_name(code: str) -> str | None:
    """The vocabulary's name of a four-character code or codec id; the code itself in lower case when it has none."""
    found = CODECS.get(code) or CODECS.get(code.lower())
    if found is None and code.startswith(("A_AAC", "A_PCM", "A_DTS")):
        found = {"A_A": "aac", "A_P": "pcm", "A_D": "dts"}[code[:3]]
    return found or (code.strip().lower() if code.strip().isprintable() else None) or None


def language_tag(written: str) -> str | None:
    """A language as written, unless it says that there is none."""
    found = written.strip("\0 ")
    return None if found.lower() in _UNKNOWN_LANGUAGES or not found.isprintable() else found


def track_name(written: str) -> str | None:
    """A track's name, unless it is a writer's filler."""
    found = written.strip("\0 \t\r\n")
    lower = found.lower()
    filler = lower in _FILLER_NAMES or lower.startswith(("gpac iso", "iso media file produced", "l-smash"))
    return found if found and not filler and found.isprintable() else None


def summarise(record: Record, tracks: list[Track], group: str) -> None:
    """Sets `tracks` and the summary fields. A file without a video track becomes kind audio."""
    if not tracks:
        return
    record.put("tracks", [{key: value for key, value in track.items() if value is not None} for track in tracks], group)
    video = next((track for track in tracks if track["type"] == "video"), None)
    audio = next((track for track in tracks if track["type"] == "audio"), None)
    if video is not None:
        for name in (
            "width", "height", "frame_rate", "rotation", "frame_count", "pixel_aspect", "color_primaries",
            "color_transfer", "color_matrix", "bit_depth", "video_profile", "video_level", "scan_type", "hdr",
        ):  # fmt: skip
            record.put(name, video.get(name), group)
        record.put("video_codec", video.get("codec"), group)
        record.put("video_bit_rate", video.get("bit_rate"), group)
        record.put("hd", definition(video.get("width"), video.get("height")), group)
    elif audio is not None:
        record.kind = "audio"
        record.put("codec", audio.get("codec"), group)
        record.put("channels", audio.get("channels"), group)
        record.put("sample_rate", audio.get("sample_rate"), group)
    if audio is not None:
        record.put("audio_codec", audio.get("codec"), group)
        record.put("audio_channels", audio.get("channels"), group)
        record.put("audio_sample_rate", audio.get("sample_rate"), group)
        record.put("audio_bit_rate", audio.get("bit_rate"), group)
    for kind, name in (("audio", "audio_languages"), ("subtitle", "subtitle_languages")):
        found = dict.fromkeys(t["language"] for t in tracks if t["type"] == kind and t.get("language"))
        record.put(name, list(found), group)
    subtitle = next((track for track in tracks if track["type"] == "subtitle"), None)
    if subtitle is not None:
        record.put("subtitle_format", subtitle.get("codec"), group)


def definition(width: int | None, height: int | None) -> str | None:
    """sd 720p 1080p 2160p, by the longer side: a film in 2.39:1 has fewer lines than its class."""
    if not width or not height:
        return None
    long, short = max(width, height), min(width, height)
    for name, least, lines in (("2160p", 3800, 2100), ("1080p", 1900, 1060), ("720p", 1260, 700)):
        if long >= least or short >= lines:
            return name
    return "sd"


def put_bit_rate(record: Record, size: int) -> None:
    """`bit_rate` from the file's size, bytes, and the duration, when nothing else gave one."""
    duration = record.fields.get("duration")
    if duration and duration > 0.001:
        record.put("bit_rate", int(size * 8 / duration), "Composite:AvgBitrate")

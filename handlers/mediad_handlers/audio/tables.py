"""Which native key of which container is which field (docs: the metadata vocabulary, section 4.1; MusicBrainz Picard
tag map). One row a field; earlier rows and earlier keys win.

Native keys: `id3` frame ids of ID3v2.4.0 and v2.3.0 ("TXXX:DESCRIPTION" upper case), `vorbis` comment names (upper
case), `mp4` atoms of the iTunes item list ("----:NAME" upper case for free-form atoms), `ape` APEv2 keys (upper case),
`asf` attribute names (upper case), `info` RIFF INFO chunk ids.
"""

from __future__ import annotations

from typing import NamedTuple

CONTAINERS = ("id3", "vorbis", "mp4", "ape", "asf", "info")


class Rule(NamedTuple):
    """`rank` orders the calls: the lowest first. `kind` names the reading in `values.SETTERS`."""

    rank: int
    field: str
    kind: str


# (field, kind, id3, vorbis, mp4, ape, asf, info): keys of one container are separated by "|".
ROWS: tuple[tuple[str, str, str, str, str, str, str, str], ...] = (
    ("title", "text", "TIT2", "TITLE", "©nam", "TITLE", "TITLE", "INAM"),
    ("title_sort", "text", "TSOT|XSOT|TXXX:TITLESORT", "TITLESORT", "sonm", "TITLESORT", "WM/TITLESORTORDER", ""),
    ("subtitle", "text", "TIT3", "SUBTITLE", "----:SUBTITLE", "SUBTITLE", "WM/SUBTITLE", ""),
    ("artists", "texts", "TXXX:ARTISTS", "ARTISTS", "----:ARTISTS", "ARTISTS", "WM/ARTISTS", ""),
    ("artist_credit", "credit", "TPE1", "ARTIST", "©ART", "ARTIST", "AUTHOR", "IART"),
    ("artist_sort", "text", "TSOP|XSOP|TXXX:ARTISTSORT", "ARTISTSORT", "soar", "ARTISTSORT", "WM/ARTISTSORTORDER", ""),
    ("album", "text", "TALB", "ALBUM", "©alb", "ALBUM", "WM/ALBUMTITLE", "IPRD"),
    ("album_sort", "text", "TSOA|XSOA|TXXX:ALBUMSORT", "ALBUMSORT", "soal", "ALBUMSORT", "WM/ALBUMSORTORDER", ""),
    ("album_artists", "texts", "TXXX:ALBUMARTISTS|TXXX:ALBUM_ARTISTS", "ALBUMARTISTS|ALBUM_ARTISTS",
     "----:ALBUMARTISTS", "ALBUMARTISTS", "WM/ALBUMARTISTS", ""),
    ("album_artist_credit", "credit", "TPE2|TXXX:ALBUM ARTIST|TXXX:ALBUMARTIST",
     "ALBUMARTIST|ALBUM ARTIST|ALBUM_ARTIST", "aART", "ALBUM ARTIST|ALBUMARTIST", "WM/ALBUMARTIST", ""),
    ("album_artist_sort", "text", "TSO2|TXXX:ALBUMARTISTSORT", "ALBUMARTISTSORT", "soaa", "ALBUMARTISTSORT",
     "WM/ALBUMARTISTSORTORDER", ""),
    ("composers", "texts", "TCOM", "COMPOSER", "©wrt", "COMPOSER", "WM/COMPOSER", "IMUS"),
    ("composer_sort", "text", "TSOC|TXXX:COMPOSERSORT", "COMPOSERSORT", "soco", "COMPOSERSORT",
     "WM/COMPOSERSORTORDER", ""),
    ("lyricists", "texts", "TEXT", "LYRICIST", "----:LYRICIST", "LYRICIST", "WM/WRITER", ""),
    ("writers", "texts", "TXXX:WRITER", "WRITER", "----:WRITER", "WRITER", "", "IWRI"),
    ("arrangers", "texts", "TIPL:ARRANGER", "ARRANGER", "----:ARRANGER", "ARRANGER", "", ""),
    ("conductors", "texts", "TPE3", "CONDUCTOR", "----:CONDUCTOR", "CONDUCTOR", "WM/CONDUCTOR", ""),
    ("performers", "texts", "TMCL", "PERFORMER", "----:PERFORMER", "PERFORMER", "", ""),
    ("remixers", "texts", "TPE4", "REMIXER", "----:REMIXER", "MIXARTIST", "WM/MODIFIEDBY", ""),
    ("producers", "texts", "TIPL:PRODUCER", "PRODUCER", "----:PRODUCER", "PRODUCER", "WM/PRODUCER", "IPRO"),
    ("engineers", "texts", "TIPL:ENGINEER", "ENGINEER", "----:ENGINEER", "ENGINEER", "WM/ENGINEER", "IENG"),
    ("mixers", "texts", "TIPL:MIX", "MIXER", "----:MIXER", "MIXER", "WM/MIXER", ""),
    ("dj_mixers", "texts", "TIPL:DJ-MIX", "DJMIXER", "----:DJMIXER", "DJMIXER", "WM/DJMIXER", ""),
    ("directors", "texts", "TXXX:DIRECTOR", "DIRECTOR", "©dir", "DIRECTOR", "WM/DIRECTOR", ""),
    ("narrators", "texts", "TXXX:NARRATOR", "NARRATOR", "----:NARRATOR", "NARRATOR", "", ""),
    ("genres", "genres", "TCON", "GENRE", "©gen|gnre", "GENRE", "WM/GENRE", "IGNR"),
    ("moods", "texts", "TMOO", "MOOD", "----:MOOD", "MOOD", "WM/MOOD", ""),
    ("groupings", "texts", "GRP1|TIT1", "GROUPING", "©grp", "GROUPING", "WM/CONTENTGROUPDESCRIPTION", ""),
    ("track_number", "position", "TRCK", "TRACKNUMBER|TRACK", "trkn", "TRACK", "WM/TRACKNUMBER|WM/TRACK", "ITRK|IPRT"),
    ("track_total", "integer", "TXXX:TRACKTOTAL", "TRACKTOTAL|TOTALTRACKS", "", "TRACKTOTAL|TOTALTRACKS",
     "TRACKTOTAL", ""),
    ("disc_number", "position", "TPOS", "DISCNUMBER", "disk", "DISC", "WM/PARTOFSET", ""),
    ("disc_total", "integer", "TXXX:DISCTOTAL", "DISCTOTAL|TOTALDISCS", "", "DISCTOTAL|TOTALDISCS", "DISCTOTAL", ""),
    ("disc_subtitle", "text", "TSST", "DISCSUBTITLE", "----:DISCSUBTITLE", "DISCSUBTITLE", "WM/SETSUBTITLE", ""),
    ("date_released", "released", "TDRL|TDRC|TYER", "DATE|YEAR", "©day", "YEAR|DATE", "WM/YEAR", "ICRD"),
    ("date_original", "date", "TDOR|TORY|TXXX:ORIGINALYEAR", "ORIGINALDATE|ORIGINALYEAR",
     "----:ORIGINALDATE|----:ORIGINALYEAR", "ORIGINALDATE|ORIGINALYEAR",
     "WM/ORIGINALRELEASETIME|WM/ORIGINALRELEASEYEAR", ""),
    ("compilation", "flag", "TCMP|TXXX:COMPILATION", "COMPILATION", "cpil", "COMPILATION", "WM/ISCOMPILATION", ""),
    ("gapless", "flag", "", "", "pgap", "", "", ""),
    ("bpm", "number", "TBPM", "BPM", "tmpo", "BPM", "WM/BEATSPERMINUTE", ""),
    ("initial_key", "text", "TKEY", "KEY|INITIALKEY", "----:INITIALKEY", "KEY", "WM/INITIALKEY", ""),
    ("isrcs", "texts", "TSRC", "ISRC", "----:ISRC", "ISRC", "WM/ISRC", ""),
    ("languages", "languages", "TLAN", "LANGUAGE", "----:LANGUAGE", "LANGUAGE", "WM/LANGUAGE", "ILNG"),
    ("script", "text", "TXXX:SCRIPT", "SCRIPT", "----:SCRIPT", "SCRIPT", "WM/SCRIPT", ""),
    ("labels", "texts", "TPUB", "LABEL|ORGANIZATION|PUBLISHER", "----:LABEL", "LABEL", "WM/PUBLISHER", ""),
    ("catalog_numbers", "texts", "TXXX:CATALOGNUMBER", "CATALOGNUMBER", "----:CATALOGNUMBER", "CATALOGNUMBER",
     "WM/CATALOGNO", ""),
    ("barcode", "text", "TXXX:BARCODE", "BARCODE", "----:BARCODE", "BARCODE", "WM/BARCODE", ""),
    ("asin", "text", "TXXX:ASIN", "ASIN", "----:ASIN", "ASIN", "ASIN", ""),
    ("release_country", "text", "TXXX:MUSICBRAINZ ALBUM RELEASE COUNTRY", "RELEASECOUNTRY",
     "----:MUSICBRAINZ ALBUM RELEASE COUNTRY", "RELEASECOUNTRY", "MUSICBRAINZ/ALBUM RELEASE COUNTRY", "ICNT"),
    ("release_status", "text", "TXXX:MUSICBRAINZ ALBUM STATUS", "RELEASESTATUS", "----:MUSICBRAINZ ALBUM STATUS",
     "MUSICBRAINZ_ALBUMSTATUS", "MUSICBRAINZ/ALBUM STATUS", ""),
    ("release_types", "texts", "TXXX:MUSICBRAINZ ALBUM TYPE", "RELEASETYPE", "----:MUSICBRAINZ ALBUM TYPE",
     "MUSICBRAINZ_ALBUMTYPE", "MUSICBRAINZ/ALBUM TYPE", ""),
    ("medium", "text", "TMED", "MEDIA", "----:MEDIA", "MEDIA", "WM/MEDIA", "IMED"),
    ("copyright", "text", "TCOP", "COPYRIGHT", "cprt", "COPYRIGHT", "COPYRIGHT", "ICOP"),
    ("licenses", "texts", "WCOP|TXXX:LICENSE", "LICENSE", "----:LICENSE", "LICENSE", "", ""),
    ("comments", "texts", "COMM", "COMMENT|DESCRIPTION", "©cmt", "COMMENT", "DESCRIPTION", "ICMT"),
    ("lyrics", "text", "USLT", "LYRICS|UNSYNCEDLYRICS", "©lyr", "LYRICS", "WM/LYRICS", ""),
    ("synced_lyrics", "text", "SYLT", "SYNCEDLYRICS", "", "", "WM/LYRICS_SYNCHRONISED", ""),
    ("description", "text", "TDES", "", "ldes|desc", "", "", ""),
    ("encoded_by", "text", "TENC", "ENCODEDBY|ENCODED-BY", "----:ENCODED-BY", "ENCODEDBY", "WM/ENCODEDBY", "IENC"),
    ("encoder", "text", "", "ENCODER", "©too", "ENCODER", "WM/TOOLNAME", "ISFT"),
    ("encoder_settings", "text", "TSSE", "ENCODERSETTINGS|ENCODER_OPTIONS", "", "ENCODERSETTINGS",
     "WM/ENCODINGSETTINGS", ""),
    ("original_artists", "texts", "TOPE", "", "", "ORIGINAL ARTIST", "WM/ORIGINALARTIST", ""),
    ("original_album", "text", "TOAL", "", "", "", "WM/ORIGINALALBUMTITLE", ""),
    ("original_filename", "text", "TOFN", "ORIGINALFILENAME", "", "ORIGINALFILENAME", "WM/ORIGINALFILENAME", ""),
    ("artist_url", "url", "WOAR", "WEBSITE", "", "WEBLINK", "WM/AUTHORURL", ""),
    ("work", "text", "TXXX:WORK", "WORK", "©wrk", "WORK", "WM/WORK", ""),
    ("movement", "text", "MVNM", "MOVEMENTNAME", "©mvn", "MOVEMENTNAME", "", ""),
    ("movement_number", "position", "MVIN", "MOVEMENT", "©mvi", "MOVEMENT", "", ""),
    ("movement_total", "integer", "", "MOVEMENTTOTAL", "©mvc", "MOVEMENTTOTAL", "", ""),
    ("show_movement", "flag", "TXXX:SHOWMOVEMENT", "SHOWMOVEMENT", "shwm", "SHOWMOVEMENT", "", ""),
    ("rating", "rating", "TXXX:RATING", "RATING|FMPS_RATING", "----:RATING", "RATING", "WM/SHAREDUSERRATING", ""),
    ("replaygain_track_gain", "decibels", "TXXX:REPLAYGAIN_TRACK_GAIN", "REPLAYGAIN_TRACK_GAIN",
     "----:REPLAYGAIN_TRACK_GAIN", "REPLAYGAIN_TRACK_GAIN", "REPLAYGAIN_TRACK_GAIN", ""),
    ("replaygain_track_peak", "number", "TXXX:REPLAYGAIN_TRACK_PEAK", "REPLAYGAIN_TRACK_PEAK",
     "----:REPLAYGAIN_TRACK_PEAK", "REPLAYGAIN_TRACK_PEAK", "REPLAYGAIN_TRACK_PEAK", ""),
    ("replaygain_album_gain", "decibels", "TXXX:REPLAYGAIN_ALBUM_GAIN", "REPLAYGAIN_ALBUM_GAIN",
     "----:REPLAYGAIN_ALBUM_GAIN", "REPLAYGAIN_ALBUM_GAIN", "REPLAYGAIN_ALBUM_GAIN", ""),
    ("replaygain_album_peak", "number", "TXXX:REPLAYGAIN_ALBUM_PEAK", "REPLAYGAIN_ALBUM_PEAK",
     "----:REPLAYGAIN_ALBUM_PEAK", "REPLAYGAIN_ALBUM_PEAK", "REPLAYGAIN_ALBUM_PEAK", ""),
    ("r128_track_gain", "integer", "", "R128_TRACK_GAIN", "", "", "", ""),
    ("r128_album_gain", "integer", "", "R128_ALBUM_GAIN", "", "", "", ""),
    ("mb_recording_id", "uuid", "UFID:HTTP://MUSICBRAINZ.ORG", "MUSICBRAINZ_TRACKID", "----:MUSICBRAINZ TRACK ID",
     "MUSICBRAINZ_TRACKID", "MUSICBRAINZ/TRACK ID", ""),
    ("mb_release_id", "uuid", "TXXX:MUSICBRAINZ ALBUM ID", "MUSICBRAINZ_ALBUMID", "----:MUSICBRAINZ ALBUM ID",
     "MUSICBRAINZ_ALBUMID", "MUSICBRAINZ/ALBUM ID", ""),
    ("mb_release_group_id", "uuid", "TXXX:MUSICBRAINZ RELEASE GROUP ID", "MUSICBRAINZ_RELEASEGROUPID",
     "----:MUSICBRAINZ RELEASE GROUP ID", "MUSICBRAINZ_RELEASEGROUPID", "MUSICBRAINZ/RELEASE GROUP ID", ""),
    ("mb_track_id", "uuid", "TXXX:MUSICBRAINZ RELEASE TRACK ID", "MUSICBRAINZ_RELEASETRACKID",
     "----:MUSICBRAINZ RELEASE TRACK ID", "MUSICBRAINZ_RELEASETRACKID", "MUSICBRAINZ/RELEASE TRACK ID", ""),
    ("mb_artist_ids", "uuids", "TXXX:MUSICBRAINZ ARTIST ID", "MUSICBRAINZ_ARTISTID", "----:MUSICBRAINZ ARTIST ID",
     "MUSICBRAINZ_ARTISTID", "MUSICBRAINZ/ARTIST ID", ""),
    ("mb_album_artist_ids", "uuids", "TXXX:MUSICBRAINZ ALBUM ARTIST ID", "MUSICBRAINZ_ALBUMARTISTID",
     "----:MUSICBRAINZ ALBUM ARTIST ID", "MUSICBRAINZ_ALBUMARTISTID", "MUSICBRAINZ/ALBUM ARTIST ID", ""),
    ("mb_work_ids", "uuids", "TXXX:MUSICBRAINZ WORK ID", "MUSICBRAINZ_WORKID", "----:MUSICBRAINZ WORK ID",
     "MUSICBRAINZ_WORKID", "MUSICBRAINZ/WORK ID", ""),
    ("mb_disc_id", "text", "TXXX:MUSICBRAINZ DISC ID", "MUSICBRAINZ_DISCID", "----:MUSICBRAINZ DISC ID",
     "MUSICBRAINZ_DISCID", "MUSICBRAINZ/DISC ID", ""),
    ("acoustid_id", "uuid", "TXXX:ACOUSTID ID", "ACOUSTID_ID", "----:ACOUSTID ID", "ACOUSTID_ID", "ACOUSTID/ID", ""),
    ("acoustid_fingerprint", "text", "TXXX:ACOUSTID FINGERPRINT", "ACOUSTID_FINGERPRINT",
     "----:ACOUSTID FINGERPRINT", "ACOUSTID_FINGERPRINT", "ACOUSTID/FINGERPRINT", ""),
    ("podcast", "flag", "PCST", "", "pcst", "", "", ""),
    ("podcast_url", "url", "WFED", "", "purl", "", "", ""),
    ("podcast_category", "text", "TCAT", "", "catg", "", "", ""),
    ("podcast_keywords", "text", "TKWD", "", "keyw", "", "", ""),
    ("explicit", "advisory", "TXXX:ITUNESADVISORY", "ITUNESADVISORY", "rtng", "ITUNESADVISORY", "", ""),
    ("media_type", "media_type", "", "", "stik", "", "", ""),
    ("date_recorded", "date", "TDRC:RECORDED", "", "", "", "", ""),
    ("purchase_date", "time", "", "", "purd", "", "", ""),
    ("purchase_account", "text", "", "", "apID", "", "", ""),
    ("purchase_owner", "text", "", "", "ownr", "", "", ""),
    ("store_country", "integer", "", "", "sfID", "", "", ""),
    ("store_item_id", "integer", "", "", "cnID", "", "", ""),
    ("store_artist_id", "integer", "", "", "atID", "", "", ""),
    ("store_album_id", "integer", "", "", "plID", "", "", ""),
    ("store_description", "text", "", "", "sdes", "", "", ""),
    ("show", "text", "", "", "tvsh", "", "", ""),
    ("show_sort", "text", "", "", "sosn", "", "", ""),
    ("season_number", "integer", "", "", "tvsn", "", "", ""),
    ("episode_number", "integer", "", "", "tves", "", "", ""),
    ("episode_id", "text", "", "", "tven", "", "", ""),
    ("network", "text", "", "", "tvnn", "", "", ""),
    ("keywords", "texts", "", "", "", "", "", "IKEY"),
    ("subject", "text", "", "", "", "", "", "ISBJ"),
)  # fmt: skip

RULES: dict[str, dict[str, Rule]] = {container: {} for container in CONTAINERS}
for _row_number, (_field, _kind, *_cells) in enumerate(ROWS):
    for _container, _cell in zip(CONTAINERS, _cells, strict=True):
        for _place, _key in enumerate(filter(None, _cell.split("|"))):
            RULES[_container][_key] = Rule(_row_number * 8 + _place, _field, _kind)

FIELDS = tuple(dict.fromkeys(row[0] for row in ROWS))

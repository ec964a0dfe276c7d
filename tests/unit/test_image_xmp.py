"""XMP in pictures and in side files: forms of RDF, precedence against EXIF and IPTC, extended and hostile packets."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.readers.xmp import MAX_DEPTH, parse_xmp
from tests.unit.pictures import (
    alternative,
    bag,
    exif,
    exif_segment,
    iptc,
    jpeg,
    packet,
    photoshop_segment,
    read,
    resource,
    segment,
    text,
    xmp_segment,
)  # fmt: skip

EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"


def test_a_side_file_is_a_document_of_its_own(tmp_path: Path) -> None:
    content = packet(f"<dc:title>{alternative('Hill')}</dc:title><xmp:Rating>4</xmp:Rating>")
    record = read(content, tmp_path / "photo.jpg.xmp")
    assert (record.kind, record.format, record.mime_type) == ("other", "xmp", "application/rdf+xml")
    assert record.fields["title"] == "Hill" and record.fields["rating"] == 4
    assert record.sources["rating"] == "XMP-xmp:Rating"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_side_files_of_other_encodings(encoding: str, tmp_path: Path) -> None:
    inner = packet("<xmp:Label>Grün</xmp:Label>").decode().partition("?>")[2].rpartition("<?xpacket")[0]
    content = f'<?xml version="1.0" encoding="{encoding}"?>{inner}'.encode(encoding)
    assert read(content, tmp_path / "a.xmp").fields["color_label"] == "Grün"


@pytest.mark.parametrize("content", [
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "boom">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&e;</x:xmpmeta>',
    b"<?xpacket begin='' id='x'?><x:xmpmeta",
    b'<?xml version="1.0" encoding="windows-1252"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b"<a>" * 50_000,
])  # fmt: skip
def test_hostile_side_files_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(HandlerError) as caught:
        read(content, tmp_path / "a.xmp")
    assert caught.value.code in ("corrupt", "limit")


def test_a_packet_cut_anywhere_keeps_what_came_before() -> None:
    whole = packet("<xmp:Label>one</xmp:Label><xmp:CreatorTool>two</xmp:CreatorTool>")
    kept: set[str] = set()
    codes: set[str] = set()
    for end in range(len(whole)):
        try:
            kept |= set(parse_xmp(whole[:end]))
        except HandlerError as fault:
            codes.add(fault.code)
    assert codes == {"corrupt"}
    assert kept == {"xmp:Label", "xmp:CreatorTool"}


def test_depth_is_limited() -> None:
    deep = "<dc:x>" * (MAX_DEPTH + 2) + "</dc:x>" * (MAX_DEPTH + 2)
    with pytest.raises(HandlerError) as caught:
        parse_xmp(packet(deep))
    assert caught.value.code == "limit"


def test_nodes_by_name_are_joined_and_cannot_nest_each_other() -> None:
    content = packet('<dc:subject rdf:nodeID="words"/><dc:relation rdf:nodeID="loop"/>').decode()
    nodes = (
        '<rdf:Bag rdf:nodeID="words"><rdf:li>a</rdf:li><rdf:li>b</rdf:li></rdf:Bag>'
        '<rdf:Description rdf:nodeID="loop" xmlns:q="urn:q"><q:self rdf:nodeID="loop"/><q:name>n</q:name>'
        "</rdf:Description>"
    )
    found = parse_xmp(content.replace("</rdf:RDF>", nodes + "</rdf:RDF>").encode())
    assert found["dc:subject"] == ["a", "b"]
    assert found["dc:relation"] == {"q:name": "n"}


def test_numbers_flash_gps_and_lens(tmp_path: Path) -> None:
    record = read(packet(
        '<exif:Flash exif:Fired="True" exif:Mode="3" exif:RedEyeMode="False"/>'
        "<exif:GPSLatitude>47,22.5N</exif:GPSLatitude><exif:GPSLongitude>8,32.25W</exif:GPSLongitude>"
        "<exif:GPSAltitude>4085/10</exif:GPSAltitude><exif:GPSAltitudeRef>1</exif:GPSAltitudeRef>"
        "<exif:GPSTimeStamp>2020-02-03T04:05:06Z</exif:GPSTimeStamp>"
        "<exif:ExposureTime>1/250</exif:ExposureTime><exif:FNumber>28/10</exif:FNumber>"
        "<aux:LensInfo>18/1 55/1 35/10 56/10</aux:LensInfo><aux:Lens>18-55mm</aux:Lens>"
        "<MicrosoftPhoto:Rating>75</MicrosoftPhoto:Rating>"
    ), tmp_path / "a.xmp")  # fmt: skip
    fields = record.fields
    assert (fields["flash_fired"], fields["flash_mode"]) == (True, "auto")
    assert (fields["latitude"], fields["longitude"], fields["altitude"]) == (47.375, -8.5375, -408.5)
    assert (fields["exposure_time"], fields["f_number"], fields["gps_at"]) == (0.004, 2.8, 1580702706)
    assert (fields["lens_spec"], fields["lens_model"], fields["rating"]) == ("18-55mm f/3.5-5.6", "18-55mm", 4)


def test_keyword_trees(tmp_path: Path) -> None:
    lightroom = f"<lr:hierarchicalSubject>{bag('A|B', 'A|C|D')}</lr:hierarchicalSubject>"
    digikam = f"<digiKam:TagsList>{bag('P/Q', kind='Seq')}</digiKam:TagsList>"
    acdsee = (
        "<acdsee:categories>&lt;Categories&gt;&lt;Category Assigned=\"0\"&gt;Places&lt;Category Assigned=\"1\"&gt;Rome"
        "&lt;/Category&gt;&lt;/Category&gt;&lt;/Categories&gt;</acdsee:categories>"
    )  # fmt: skip
    leaf = "<rdf:li rdf:parseType='Resource'><mwg-kw:Keyword>Leaf</mwg-kw:Keyword></rdf:li>"
    tree = (
        "<mwg-kw:Keywords rdf:parseType='Resource'><mwg-kw:Hierarchy><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        f"<mwg-kw:Keyword>Root</mwg-kw:Keyword><mwg-kw:Children><rdf:Bag>{leaf}</rdf:Bag></mwg-kw:Children>"
        "</rdf:li></rdf:Bag></mwg-kw:Hierarchy></mwg-kw:Keywords>"
    )

    def paths(properties: str) -> object:
        return read(packet(properties), tmp_path / "a.xmp").fields["keyword_paths"]

    assert paths(lightroom) == ["A/B", "A/C/D"]
    assert paths(digikam) == ["P/Q"]
    assert paths(acdsee) == ["Places/Rome"]
    assert paths(tree) == ["Root/Leaf"]
    assert paths(digikam + lightroom) == ["A/B", "A/C/D"]  # the first row of the table wins, not the packet's order


def test_develop_settings_are_no_tags(tmp_path: Path) -> None:
    record = read(packet("<crs:Exposure>1</crs:Exposure><xmp:Nickname>n</xmp:Nickname>"), tmp_path / "a.xmp")
    assert record.tags == {"XMP-xmp:Nickname": ["n"]}


def regions() -> str:
    area = "<mwg-rs:Area stArea:x='0.5' stArea:y='0.25' stArea:w='0.1' stArea:h='0.2' stArea:unit='normalized'/>"
    face = (
        f"<rdf:li rdf:parseType='Resource'><mwg-rs:Name>Ann</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>{area}</rdf:li>"
    )
    pet = "<rdf:li rdf:parseType='Resource'><mwg-rs:Name>Rex</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type></rdf:li>"
    return (
        "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag>"
        f"{face}{pet}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def test_regions_of_mwg_and_microsoft(tmp_path: Path) -> None:
    fields = read(packet(regions()), tmp_path / "a.xmp").fields
    assert fields["regions"] == [
        {"name": "Ann", "type": "Face", "x": 0.5, "y": 0.25, "w": 0.1, "h": 0.2, "unit": "normalized"},
        {"name": "Rex", "type": "Pet"},
    ]
    assert fields["people"] == ["Ann"]
    microsoft = (
        "<MP:RegionInfo rdf:parseType='Resource'><MPRI:Regions><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        "<MPReg:Rectangle>0.1, 0.2, 0.4, 0.2</MPReg:Rectangle><MPReg:PersonDisplayName>Bob</MPReg:PersonDisplayName>"
        "</rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"
    )
    fields = read(packet(microsoft), tmp_path / "b.xmp").fields
    assert fields["people"] == ["Bob"]
    assert fields["regions"][0] == {
        "type": "Face", "name": "Bob", "x": pytest.approx(0.3), "y": pytest.approx(0.3), "w": 0.4, "h": 0.2,
        "unit": "normalized",
    }  # fmt: skip


def extended(main: str, whole: bytes, guid: bytes, *, pieces: int = 3, drop: int = -1) -> bytes:
    size = -(-len(whole) // pieces)
    parts = [
        segment(0xE1, EXTENDED + guid + len(whole).to_bytes(4, "big") + at.to_bytes(4, "big") + whole[at : at + size])
        for at in range(0, len(whole), size)
    ]
    if drop >= 0:
        del parts[drop]
    return jpeg(xmp_segment(main), *reversed(parts))


def test_extended_packets_are_put_together_by_their_guid(tmp_path: Path) -> None:
    whole = packet(f"<dc:subject>{bag('far', 'away')}</dc:subject><xmp:Label>late</xmp:Label>")
    guid = hashlib.md5(whole).hexdigest().upper().encode()
    main = f"<xmpNote:HasExtendedXMP>{guid.decode()}</xmpNote:HasExtendedXMP><xmp:Label>main</xmp:Label>"
    record = read(extended(main, whole, guid), tmp_path / "a.jpg")
    assert record.fields["keywords"] == ["far", "away"]
    assert record.fields["color_label"] == "main"
    assert record.warnings == []
    stranger = read(extended(main, whole, b"0" * 32), tmp_path / "b.jpg")
    assert "keywords" not in stranger.fields and "names it" in stranger.warnings[0]
    holed = read(extended(main, whole, guid, drop=1), tmp_path / "c.jpg")
    assert "missing" in holed.warnings[0]


def mwg(digest: bytes | None) -> bytes:
    block = iptc((120, "from IPTC"), (25, "iptc word"), (90, "Bern"), (55, "20200102"), (60, "030405+0100"))
    resources = [resource(0x0404, block)]
    if digest is not None:
        resources.append(resource(0x0425, hashlib.md5(block).digest() if digest == b"" else digest))
    return jpeg(
        photoshop_segment(*resources),
        xmp_segment(
            f"<dc:description>{alternative('from XMP')}</dc:description><dc:subject>{bag('xmp word')}</dc:subject>"
            "<photoshop:DateCreated>2019-05-06T07:08:09</photoshop:DateCreated>"
        ),
    )


@pytest.mark.parametrize(("digest", "winner"), [(None, "XMP"), (b"", "XMP"), (b"x" * 16, "IPTC"), (bytes(16), "XMP")])
def test_the_iptc_digest_decides(digest: bytes | None, winner: str, tmp_path: Path) -> None:
    fields = read(mwg(digest), tmp_path / "a.jpg").fields
    assert fields["description"] == f"from {winner}"
    assert fields["keywords"] == [f"{winner.lower()} word"]
    assert fields["city"] == "Bern"
    expected = "2019-05-06T07:08:09" if winner == "XMP" else "2020-01-02T03:04:05"
    assert fields["date_taken_local"] == expected


def test_exif_description_comes_first(tmp_path: Path) -> None:
    content = jpeg(exif_segment(exif([text(0x010E, "from EXIF")], [])), mwg(None)[2:])
    assert read(content, tmp_path / "a.jpg").fields["description"] == "from EXIF"


@pytest.mark.parametrize(("utf8", "raw", "expected"), [
    (True, "Zürich".encode(), "Zürich"), (False, b"Z\xfcrich", "Zürich"), (False, "Zürich".encode(), "Zürich"),
])  # fmt: skip
def test_iptc_character_sets(utf8: bool, raw: bytes, expected: str, tmp_path: Path) -> None:
    content = jpeg(photoshop_segment(resource(0x0404, iptc((90, raw), utf8=utf8))))
    assert read(content, tmp_path / "a.jpg").fields["city"] == expected


def test_a_truncated_iptc_text_gives_way_to_its_xmp_twin(tmp_path: Path) -> None:
    """Trap 9: IIM cuts a keyword at 64 bytes; XMP has all of it."""
    word = "w" * 80
    content = jpeg(
        photoshop_segment(resource(0x0404, iptc((25, word[:64])))), xmp_segment(f"<dc:subject>{bag(word)}</dc:subject>")
    )
    assert read(content, tmp_path / "a.jpg").fields["keywords"] == [word]


def test_motion_photo_and_panorama(tmp_path: Path) -> None:
    properties = (
        "<GCamera:MotionPhoto>1</GCamera:MotionPhoto><GPano:ProjectionType>equirectangular</GPano:ProjectionType>"
    )
    fields = read(jpeg(xmp_segment(properties)), tmp_path / "a.jpg").fields
    assert fields["motion_photo"] is True and fields["panorama"] == "equirectangular"

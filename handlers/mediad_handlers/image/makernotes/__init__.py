"""Maker notes: what a camera's maker wrote in a form of its own (Exif 3.0 tag 0x927C), for the fields that EXIF lacks.

A row of FORMS says how a note is told, where its directory starts and where its offsets count from. Only the tags that
a table asks for are decoded. Source of the forms: ExifTool's documentation of maker notes and their makers' samples.
"""

from __future__ import annotations

from typing import NamedTuple

from mediad_handlers.image.makernotes.directory import Note, read_note
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.tiff import MAKER_NOTE, Exif, Tiff


class Form(NamedTuple):
    """`mark` begins the note, else `make` begins the camera's make. `start`: of the directory, from the note's; -1: as
    the number at byte 8 says. `own`: offsets count from the note's start plus this; None: from the TIFF header.
    `order`: "<", ">", or the byte where "II" or "MM" stands; None: the TIFF's."""

    maker: str
    mark: bytes
    make: str
    start: int
    own: int | None
    order: str | int | None


FORMS: tuple[Form, ...] = (
    Form("apple", b"Apple iOS\0", "", 14, 0, 12),
    Form("nikon", b"Nikon\0\2", "", 18, 10, 10),
    Form("", b"Nikon\0\1", "", 8, None, None),  # type 1: tags of the first Coolpix, none of them a field
    Form("olympus", b"OLYMPUS\0", "", 12, 0, 8),
    Form("olympus", b"OM SYSTEM\0", "", 16, 0, 12),
    Form("olympus", b"OLYMP\0", "", 8, None, None),
    Form("olympus", b"EPSON\0", "", 8, None, None),
    Form("olympus", b"MINOL\0", "", 8, None, None),
    Form("olympus", b"CAMER\0", "", 8, None, None),
    Form("panasonic", b"Panasonic\0", "", 12, None, None),
    Form("panasonic", b"LEICA\0\0\0", "LEICA", 8, None, None),
    Form("panasonic", b"LEICA CAMERA AG\0", "", 18, None, None),
    Form("fujifilm", b"FUJIFILM", "", -1, 0, "<"),
    Form("fujifilm", b"GENERALE", "", -1, 0, "<"),
    Form("sony", b"SONY DSC", "", 12, None, None),
    Form("sony", b"SONY CAM", "", 12, None, None),
    Form("sony", b"SONY MOBILE", "", 12, None, None),
    Form("pentax", b"PENTAX \0", "", 10, 0, 8),
    Form("pentax", b"S1\0\0\0\0\0\0\x0c\0\0\0", "", 12, 0, None),
    Form("pentax", b"AOC\0", "", 6, None, 4),
    Form("pentax", b"RICOH\0II", "", 8, 0, "<"),
    Form("pentax", b"RICOH\0MM", "", 8, 0, ">"),
    Form("sigma", b"SIGMA\0", "", 10, None, None),
    Form("sigma", b"FOVEON\0", "", 10, None, None),
    Form("canon", b"", "Canon", 0, None, None),
    Form("nikon", b"", "NIKON", 0, None, None),
    Form("minolta", b"", "Minolta", 0, None, None),
    Form("minolta", b"", "KONICA MINOLTA", 0, None, None),
    Form("minolta", b"", "Konica Minolta", 0, None, None),
    Form("sony", b"", "SONY", 0, None, None),
    Form("samsung", b"", "SAMSUNG", 0, 0, None),
)


_MARKED: dict[bytes, list[Form]] = {}  # by the first three bytes of the mark
_UNMARKED: list[Form] = []
for _form in FORMS:
    (_MARKED.setdefault(_form.mark[:3], []) if _form.mark else _UNMARKED).append(_form)


def _find_form(head: bytes, make: str) -> Form | None:
    for form in _MARKED.get(head[:3], ()):
        if head.startswith(form.mark) and make.startswith(form.make):
            return form
    if not head.startswith(b"\0"):
        for form in _UNMARKED:
            if make.startswith(form.make):
                return form
    return None


def map_maker_note(record: Record, exif: Exif) -> str | None:
    """Sets the fields that the maker note holds and nothing before it set. Gives the name of the lens as the note can
    only describe it ("18.0 - 55.0 mm"), for the caller to use when no other source knows a better one."""
    tiff = exif.tiff
    offset, size = tiff.spans.get(MAKER_NOTE, (0, 0))
    main = exif.directories["IFD0"]
    return map_note_at(record, tiff, offset, size, main.get(0x010F), main.get(0x0110)) if size >= 14 else None


def map_note_at(
    record: Record, tiff: Tiff, offset: int, size: int, make: object, model: object, shift: int = 0, order: str = ""
) -> str | None:
    """The same for a note at `offset` of `tiff`; `shift` is how far it was moved from where its offsets fit, `order`
    its byte order where that is not the TIFF's."""
    head = tiff.bytes_at(offset, min(size, 24))
    maker = make if isinstance(make, str) else ""
    form = _find_form(head, maker)
    if form is None:
        if (head[:4] == b"IIII" and head[5:8] == b"waR") or head[:7] == b"MMMMRaw":
            from mediad_handlers.image.makernotes.phaseone import map_phase_one

            map_phase_one(record, tiff, offset, size)
        return None
    if not form.maker:
        return None
    order = order or tiff.layout.order
    if isinstance(form.order, str):
        order = form.order
    elif form.order is not None:
        order = {b"II": "<", b"MM": ">"}.get(head[form.order : form.order + 2], order)
    start = form.start
    if start < 0:
        start = int.from_bytes(head[8:12], "little")
        if not 8 <= start < size:
            return None
    base = shift if form.own is None else offset + form.own
    return _map(record, form.maker, tiff, (offset + start, base, order), model if isinstance(model, str) else "")


def _map(record: Record, maker: str, tiff: Tiff, place: tuple[int, int, str], model: str) -> str | None:
    if maker == "canon":
        from mediad_handlers.image.makernotes import canon

        return canon.map_canon(record, read_note(tiff, *place, canon.WANTED).entries, model)
    if maker == "nikon":
        from mediad_handlers.image.makernotes import nikon

        return nikon.map_nikon(record, read_note(tiff, *place, nikon.WANTED), model)
    if maker == "olympus":
        from mediad_handlers.image.makernotes import olympus

        return olympus.map_olympus(record, read_note(tiff, *place, olympus.WANTED))
    from mediad_handlers.image.makernotes import makers

    makers.map_maker(record, read_note(tiff, *place, makers.WANTED[maker]), maker)
    return None


__all__ = ["FORMS", "Form", "Note", "map_maker_note", "map_note_at"]

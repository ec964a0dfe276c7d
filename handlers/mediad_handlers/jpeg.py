"""`jpeg-handler`: the image handler for JPEG files alone, as a command of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mediad_handlers import image
from mediad_handlers.kit.api import HandlerError, Match
from mediad_handlers.kit.main import run

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Payload, Record
    from mediad_handlers.kit.file import File

_Answer = TypeVar("_Answer", "Record", "Payload")


def _only_jpeg(function: Callable[[File], _Answer]) -> Callable[[File], _Answer]:
    def answer(file: File) -> _Answer:
        if not file.head.startswith(b"\xff\xd8"):  # ITU-T T.81 B.1.1.3: SOI
            raise HandlerError("unsupported", "this is not a JPEG file", hint="image")
        return function(file)

    return answer


def _payload(file: File) -> Payload:
    return image.payload(file)


HANDLER = replace(
    image.HANDLER,
    name="jpeg",
    summary="JPEG pictures: EXIF, IPTC, XMP, ICC",
    match=Match(extensions=("jpg", "jpeg", "jpe", "jfif"), mime_types=("image/jpeg",), magic=((0, b"\xff\xd8\xff"),)),
    read=_only_jpeg(image.read),
    payload=_only_jpeg(_payload),
)


def main() -> int:
    """The command `jpeg-handler`; its exit status."""
    return run("jpeg", lambda: (HANDLER,))


if __name__ == "__main__":
    sys.exit(main())

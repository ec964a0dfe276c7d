"""Pictures for the page's tests: landscapes that can be told apart, with dates, cameras and places as cameras and editors write them.

    python pictures.py FOLDER NUMBER
"""

import math
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

from PIL import Image, ImageDraw
from PIL.ExifTags import IFD, Base

SIZES = [(1200, 800), (800, 1200), (1200, 900), (1000, 1000)]
PLACES = [
    ("Norway", "Nordland", "Bodø"),
    ("Norway", "Vestland", "Bergen"),
    ("Italy", "Toscana", "Siena"),
    ("Italy", "Liguria", "Camogli"),
    ("Japan", "Kyoto", "Kyoto"),
    None,
]
SKIES = [
    ((38, 70, 110), (236, 179, 120)),
    ((120, 170, 210), (235, 240, 240)),
    ((20, 24, 56), (122, 74, 120)),
    ((250, 200, 140), (240, 110, 90)),
    ((90, 120, 120), (200, 214, 200)),
]
CAMERAS = [("Canon", "EOS R6"), ("FUJIFILM", "X-T4"), ("Google", "Pixel 7")]
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Country={0} photoshop:State={1} photoshop:City={2}/>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def landscape(size: tuple[int, int], seed: int) -> Image.Image:
    """Sky, sun and hills; another seed is another picture."""
    chance = random.Random(seed)
    width, height = size
    upper, lower = chance.choice(SKIES)
    column = Image.new("RGB", (1, height))
    for y in range(height):
        part = y / height
        column.putpixel((0, y), tuple(round(a + (b - a) * part) for a, b in zip(upper, lower, strict=True)))
    picture = column.resize(size)
    draw = ImageDraw.Draw(picture)
    x, y, r = chance.uniform(0.15, 0.85) * width, chance.uniform(0.15, 0.45) * height, chance.uniform(0.03, 0.07) * width
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 244, 214))
    hue = [chance.randint(20, 90), chance.randint(40, 110), chance.randint(40, 110)]
    for layer in range(4):
        base = height * (0.45 + layer * 0.14)
        waves = [(chance.uniform(0.02, 0.1) * height, chance.uniform(0.6, 3), chance.uniform(0, 7)) for _ in range(3)]
        line = [
            (px, base - sum(a * math.sin(f * 2 * math.pi * px / width + p) for a, f, p in waves))
            for px in range(0, width + 8, 8)
        ]
        shade = tuple(round(each * (1.25 - layer * 0.27)) for each in hue)
        draw.polygon([*line, (width, height), (0, height)], fill=shade)
    return picture


def write(folder: Path, number: int) -> None:
    """Writes so many JPEG files below `folder`, a folder a year: from 2016 to 2024, unevenly spread."""
    chance = random.Random(7)
    for each in range(number):
        at = datetime(2016, 3, 4, 10, 12) + timedelta(hours=round(74_000 * (each / number) ** 0.7), minutes=chance.randint(0, 50))
        exif = Image.Exif()
        exif[Base.Make], exif[Base.Model] = CAMERAS[each % 3]
        details = exif.get_ifd(IFD.Exif)
        details[Base.DateTimeOriginal] = at.strftime("%Y:%m:%d %H:%M:%S")
        details[Base.FNumber], details[Base.ISOSpeedRatings] = 5.6, 100 * 2 ** (each % 4)
        place = PLACES[(each // 4) % len(PLACES)]
        named = {"xmp": XMP.format(*map(quoteattr, place)).encode()} if place else {}
        where = folder / str(at.year)
        where.mkdir(parents=True, exist_ok=True)
        landscape(SIZES[each % 4], each).save(where / f"IMG_{4200 + each}.jpg", quality=82, exif=exif, **named)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))

"""Samsung NX: LensType (maker note tag 0xA003):
a line an identifier and a lens, separated by a tab; several lines of one identifier are lenses that share it.

Source of the numbers and names: the lists that ExifTool 12.57 documents (Image::ExifTool::TagNames).
"""

from __future__ import annotations

NAMES = """\
1	Samsung NX 30mm F2 Pancake
2	Samsung NX 18-55mm F3.5-5.6 OIS
3	Samsung NX 50-200mm F4-5.6 ED OIS
4	Samsung NX 20-50mm F3.5-5.6 ED
5	Samsung NX 20mm F2.8 Pancake
6	Samsung NX 18-200mm F3.5-6.3 ED OIS
7	Samsung NX 60mm F2.8 Macro ED OIS SSA
8	Samsung NX 16mm F2.4 Pancake
9	Samsung NX 85mm F1.4 ED SSA
10	Samsung NX 45mm F1.8
11	Samsung NX 45mm F1.8 2D/3D
12	Samsung NX 12-24mm F4-5.6 ED
13	Samsung NX 16-50mm F2-2.8 S ED OIS
14	Samsung NX 10mm F3.5 Fisheye
15	Samsung NX 16-50mm F3.5-5.6 Power Zoom ED OIS
20	Samsung NX 50-150mm F2.8 S ED OIS
21	Samsung NX 300mm F2.8 ED OIS
"""

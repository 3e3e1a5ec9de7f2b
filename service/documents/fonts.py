"""The one font of printed pages: what it can print, and how wide a text becomes."""

from __future__ import annotations

import re
import struct
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from noto_cjk_sans_otc import FONT_PATH
from PIL import ImageFont

FAMILY = "Noto Sans CJK SC"
_INDEX = 2  # the simplified Chinese one of the collection
_MEASURED_AT = 100
GETA = "〓"  # what printers set for a character that they don't have


def font_folder() -> Path:
    """Where the package has put the font."""
    return Path(str(FONT_PATH)).parent


def printable(text: str) -> str:
    """One line without controls and without marks that turn the writing's direction; what the font lacks as 〓.

    >>> printable("张\\u202e三\\n (\\U0001F600)")
    '张三 (〓)'
    """
    out = []
    has = coverage()
    for sign in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(sign)
        if kind[0] == "Z" or sign in "\t\n\r":
            out.append(" ")
        elif kind in ("Cc", "Cf", "Cs"):  # the marks that turn the direction are Cf too
            continue
        elif ord(sign) in has:
            out.append(sign)
        elif kind not in ("Mn", "Me"):
            out.append(GETA)
    return " ".join("".join(out).split())


def breakable(text: str, most: int = 12) -> str:
    """Printable text whose long runs without a place to break get some (zero-width spaces), as a cell needs them.

    >>> breakable("张三丰 Longfellow"), breakable("abcdefgh", 3).split("\\u200b")
    ('张三丰 Longfellow', ['abc', 'def', 'gh'])
    """
    return re.sub(rf"([!-\u2e7f]{{{most}}})(?=[!-\u2e7f])", "\\1\u200b", text)


def width(text: str, size: float) -> float:
    """How wide a line becomes, in the unit of `size`."""
    return float(_measuring().getlength(text)) * size / _MEASURED_AT if text else 0.0


def cut(text: str, size: float, room: float) -> str:
    """The text, or its beginning with … where it is wider than the room."""
    if width(text, size) <= room:
        return text
    kept = text
    while kept and width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept + "…"


@lru_cache(maxsize=1)
def _measuring() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_PATH), _MEASURED_AT, index=_INDEX, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1)
def coverage() -> frozenset[int]:
    """Code points that the font has a glyph for: its cmap, read by hand (OpenType 1.9, cmap format 12)."""
    with Path(str(FONT_PATH)).open("rb") as file:
        head = file.read(12)
        count = struct.unpack(">I", head[8:12])[0]
        offsets = struct.unpack(f">{count}I", file.read(4 * count))
        at = _table(file, offsets[_INDEX], b"cmap")
        file.seek(at)
        _version, tables = struct.unpack(">HH", file.read(4))
        records = [struct.unpack(">HHI", file.read(8)) for _ in range(tables)]
        for platform, encoding, offset in records:
            if (platform, encoding) not in ((3, 10), (0, 4), (0, 6)):
                continue
            file.seek(at + offset)
            form, _, _, _, groups = struct.unpack(">HHIII", file.read(16))
            if form == 12:
                found = struct.unpack(f">{3 * groups}I", file.read(12 * groups))
                ranges = zip(found[::3], found[1::3], found[2::3], strict=True)
                return frozenset(
                    code for first, last, glyph in ranges for code in range(first, last + 1) if glyph + code - first
                )
    raise ValueError(f"{FONT_PATH} has no cmap of format 12")


def _table(file: BinaryIO, offset: int, tag: bytes) -> int:
    """Where a table of the font at `offset` begins."""
    file.seek(offset)
    _, count = struct.unpack(">IH6x", file.read(12))
    for _ in range(count):
        name, _sum, begins, _length = struct.unpack(">4sIII", file.read(16))
        if name == tag:
            return int(begins)
    raise ValueError(f"no table {tag!r}")

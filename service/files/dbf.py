"""The encoding of a shapefile's table: stated in a .cpg, or found by looking, because most offices send none."""

from __future__ import annotations

import codecs
import struct
from pathlib import Path

from service.files.text import chinese_share

_SAMPLE = 4 << 20
_CODE_PAGES = {
    "936": "GBK",
    "54936": "GB18030",
    "65001": "UTF-8",
    "950": "BIG5",
    "1252": "CP1252",
    "88591": "ISO-8859-1",
}
_LANGUAGE_DRIVERS = {0x4D: "GBK", 0x7A: "GBK", 0x4F: "BIG5", 0x78: "BIG5"}


def table_encoding(dbf: Path, stated: str | None) -> tuple[str | None, str]:
    """(encoding for GDAL, note). `stated` is the text of the .cpg; it counts only when the table can be read by it."""
    texts, driver = _texts(dbf)
    named = _name(stated) if stated else _LANGUAGE_DRIVERS.get(driver)
    if not texts:
        return named or "UTF-8", "文字编码：只有英文字母和数字"
    if named and _fits(texts, named):
        return named, f"文字编码：{named}（文件里注明）"
    if _fits(texts, "UTF-8"):
        return "UTF-8", "文字编码：UTF-8（判断所得）"
    if _fits(texts, "GB18030") or chinese_share(b"\n".join(texts)) >= 0.5:
        encoding = "GBK" if _fits(texts, "GBK") else "GB18030"
        return encoding, f"文字编码：{encoding}（判断所得）"
    return "CP1252", "文字编码：Windows-1252（判断所得，若文字不对请用 --encoding 指明）"


def sibling(path: Path, suffix: str) -> Path | None:
    """The file of the same name with another ending, whatever the case of its letters."""
    wanted = (path.stem + suffix).lower()
    return next((p for p in sorted(path.parent.iterdir()) if p.name.lower() == wanted), None)


def _texts(dbf: Path) -> tuple[list[bytes], int]:
    """Non-ASCII text cells and field names of the first records, and the language driver's byte."""
    with dbf.open("rb") as file:
        data = file.read(_SAMPLE)
    if len(data) < 33:
        return [], 0
    header, width = struct.unpack("<HH", data[8:12])
    fields, offset = [], 1
    texts = []
    for start in range(32, min(header, len(data)) - 31, 32):
        if data[start] == 0x0D:
            break
        texts.append(data[start : start + 11].split(b"\x00")[0])
        length = data[start + 16]
        if data[start + 11 : start + 12] == b"C":
            fields.append((offset, length))
        offset += length
    for record in range(header, len(data) - width + 1, max(width, 1)):
        texts += [data[record + at : record + at + length].rstrip(b" \x00") for at, length in fields]
    return [text for text in dict.fromkeys(texts) if not text.isascii()], data[29]


def _fits(texts: list[bytes], encoding: str) -> bool:
    """Whether every cell can be read, one character at its end aside (fields are cut at a number of bytes).

    Single-byte encodings read anything, so they have to make usual characters; Chinese ones too.
    """
    try:
        decoder = codecs.getincrementaldecoder(encoding)
        for text in texts:
            decoder().decode(text, final=False)
    except (LookupError, UnicodeDecodeError):
        return False
    if encoding in {"GBK", "GB18030"}:
        return chinese_share(b"\n".join(texts)) >= 0.5
    return encoding not in {"ISO-8859-1", "CP1252"} or chinese_share(b"\n".join(texts)) < 0.5


def _name(stated: str) -> str | None:
    digits = "".join(c for c in stated if c.isdigit())
    if digits in _CODE_PAGES:
        return _CODE_PAGES[digits]
    try:
        return codecs.lookup(stated.strip()).name.upper()
    except LookupError:
        return None

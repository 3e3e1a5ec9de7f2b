"""Bytes to text: byte-order marks, UTF-8, GBK and GB18030, UTF-16, and text that was spoilt before it came here."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from service.files.table import refuse

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (BOM)"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# UTF-8 read once as Western or as GBK and stored again; "锟斤拷" is U+FFFD in UTF-8 read as GBK.
_SPOILT = re.compile("锟斤拷|\ufffd{2}|[äåæçè][\u0080-\u00bf\u2018-\u203a\u0152-\u0192€™]{1,2}[äåæçè]")
_WORD = re.compile(r"[^\x00-\x7f]{3,}")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_ODD_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c\x1d\x1f]")
_SAMPLE = 1 << 20
_SEVERAL = 3


def decode(data: bytes, path: Path, encoding: str | None = None) -> tuple[str, str]:
    """The text and the name of its encoding, as given or as detected. Raises UnreadableFile."""
    name, label = _given(path, encoding) if encoding else detect(data, path)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        text = _nearly(data, name, path, label, error)
    return _checked(text, path), label


def as_utf8(data: bytes, path: Path, encoding: str | None = None) -> tuple[bytes, str]:
    """The same text in UTF-8 without a mark, and the name of its own encoding; UTF-8 is checked, not copied."""
    name, label = _given(path, encoding) if encoding else detect(data, path)
    if name == "utf-8" or (name == "utf-8-sig" and decodes(data, "utf-8")):
        _checked(data[:_SAMPLE].decode("utf-8", errors="ignore"), path)
        return data.removeprefix(codecs.BOM_UTF8), label
    text, label = decode(data, path, encoding)
    return text.removeprefix("\ufeff").encode("utf-8", errors="replace"), label


def detect(data: bytes, path: Path) -> tuple[str, str]:
    """(codec, label) of text. Raises UnreadableFile for what is not text."""
    for mark, codec, label in _MARKS:
        if data.startswith(mark):
            return codec, label
    head = data[:_SAMPLE]
    if wide := _wide(head):
        return wide
    if len(_ODD_CONTROLS.findall(head)) > len(head) // 1000:
        raise refuse(
            path, "不是能识别的数据文件（内容是二进制）。请另存为 CSV、XLSX、GeoJSON、GeoPackage 或 Shapefile 再导入。"
        )
    if decodes(data, "utf-8"):
        return "utf-8", "UTF-8"
    if chinese_share(head) >= 0.5:
        return "gb18030", "GBK" if decodes(data, "gbk") else "GB18030"
    if chinese_share(head, "big5", "big5") >= 0.9:
        return "big5", "Big5"
    return "cp1252", "Windows-1252"


def decodes(data: bytes, codec: str) -> bool:
    """Whether all of it is valid; in pieces, because the whole as text would take several times the room."""
    decoder = codecs.getincrementaldecoder(codec)()
    view = memoryview(data)
    try:
        for start in range(0, len(data), _SAMPLE):
            decoder.decode(view[start : start + _SAMPLE], final=start + _SAMPLE >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def chinese_share(data: bytes, codec: str = "gb18030", usual: str = "gb2312") -> float:
    """Share of the non-ASCII characters that are usual ones when read as `codec`.

    Western letters read as GBK make rare characters, real Chinese hardly any.
    """
    text = data.decode(codec, errors="replace")
    foreign = [c for c in text if c > "\x7f"][:20_000]
    if not foreign:
        return 1.0
    return sum(1 for c in foreign if c.encode(usual, errors="ignore")) / len(foreign)


def _wide(head: bytes) -> tuple[str, str] | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if max(even, odd) < half * 0.2 or min(even, odd) > half * 0.02:
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    return (codec, "UTF-16") if decodes(head[: len(head) // 2 * 2], codec) else None


def _given(path: Path, encoding: str) -> tuple[str, str]:
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        raise refuse(
            path, f"的编码“{encoding}”不认识。可以写 UTF-8、GBK、GB18030 或 UTF-16，也可以不写，由系统判断。"
        ) from None
    # GB18030 contains GBK and GB2312 and reads the characters that offices type beyond them.
    widened = {"gbk": "gb18030", "gb2312": "gb18030", "utf-8": "utf-8-sig"}.get(codec, codec)
    return widened, encoding.upper()


def _nearly(data: bytes, codec: str, path: Path, label: str, error: UnicodeDecodeError) -> str:
    """A few broken characters in a long file don't spoil it (systems cut names in mid-character)."""
    text = data.decode(codec, errors="replace")
    if text.count("\ufffd") > max(2, len(text) // 1000):
        line = data.count(b"\n", 0, error.start) + 1
        raise refuse(
            path, f"按 {label} 读不出文字（从第 {line} 行起）。请用 --encoding 指明编码，或另存为 UTF-8 再导入。"
        ) from error
    return text


def _checked(text: str, path: Path) -> str:
    head = text[:_SAMPLE]
    if len(_SPOILT.findall(head)) >= _SEVERAL:
        raise refuse(path, "里的中文已经变成乱码（如“锟斤拷”“ä¸­”），原字找不回来。请从原系统重新导出，保存为 UTF-8。")
    words, spoilt = _read_as_gbk(head)
    if spoilt and (len(spoilt) == words or (len(spoilt) >= _SEVERAL and 2 * len(spoilt) >= words)):
        raise refuse(
            path, f"里的中文变成了乱码（{_example(spoilt)}）：文字编码弄错了。请从原系统重新导出，保存为 UTF-8。"
        )
    return text


def doubts(data: bytes) -> list[str]:
    """Notes on a few words that look spoilt in text (UTF-8) that is accepted."""
    head = data[:_SAMPLE].decode("utf-8", errors="ignore")
    _, spoilt = _read_as_gbk(head)
    notes = []
    if spoilt:
        notes.append(f"有 {len(spoilt)} 个词像乱码（{_example(spoilt)}），请对照原件，必要时从原系统重新导出")
    if found := _SPOILT.search(head):
        notes.append(f"有的字已经变成乱码（“{found[0]}”），原字找不回来，请对照原件")
    return notes


def _read_as_gbk(text: str) -> tuple[int, dict[str, str]]:
    """(how many words, those that are UTF-8 read as GBK, with their meaning). Real words are never such bytes.

    >>> _read_as_gbk("聚鹤社区,龙江社区,龙水社区".encode().decode("gbk"))[1]["鑱氶工绀惧尯"]
    '聚鹤社区'
    """
    words = dict.fromkeys(_WORD.findall(text))
    return len(words), {word: meant for word in words if (meant := _as_utf8_again(word))}


def _example(spoilt: dict[str, str]) -> str:
    word, meant = next(iter(spoilt.items()))
    return f"“{word[:12]}”应是“{meant[:8]}”"


def _as_utf8_again(word: str) -> str:
    """What a word says when its GBK bytes are read as UTF-8; nothing when they are none. The end may be cut."""
    data = word.encode("gbk", errors="ignore")
    meant = data.decode("utf-8", errors="ignore")
    return meant if len(meant.encode()) >= len(data) - 2 and len(_IDEOGRAPH.findall(meant)) >= 2 else ""

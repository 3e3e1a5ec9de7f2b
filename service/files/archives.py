"""Zip and gzip files from strangers: sizes are counted while unpacking, names cannot leave the folder."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from service.files.table import refuse

MAX_UNPACKED = 1 << 30
MAX_MEMBERS = 20_000
# Deflate packs zeros 1000:1, honest tables 5:1 to 60:1 (a .dbf is mostly spaces).
MAX_RATIO = 150
RATIO_APPLIES_FROM = 32 << 20
_CHUNK = 1 << 20
_IGNORED_FOLDERS = {"__MACOSX", ".git"}


def check_zip(path: Path) -> list[zipfile.ZipInfo]:
    """Members worth reading, after every check that needs no unpacking. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise refuse(path, "是损坏或不完整的压缩包。请重新压缩或重新下载后再导入。") from error
    if len(members) > MAX_MEMBERS:
        raise refuse(path, f"里有 {len(members)} 个文件，太多了。请只压缩要导入的文件。")
    for member in members:
        _check_name(path, member_name(member))
        if member.flag_bits & 0x1:
            raise refuse(path, "设有密码。请去掉密码后重新压缩。")
    total, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    _check_size(path, total, packed)
    return [m for m in members if not m.is_dir() and not _ignored(m) and not stat.S_ISLNK(m.external_attr >> 16)]


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The zip's files in a temporary folder that is gone afterwards."""
    members = check_zip(path)
    with TemporaryDirectory(prefix="steward-") as folder:
        root, budget = Path(folder), _Budget(path)
        try:
            with zipfile.ZipFile(path) as archive:
                for member in members:
                    target = root / member_name(member)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, target.open("wb") as sink:
                        budget.copy(source, sink, member.compress_size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise refuse(path, "里有损坏的内容，解不开。请重新压缩后再导入。") from error
        yield root


def check_unpacked(path: Path) -> None:
    """Unpack into nothing and count: for what another library will unpack, which believes what the zip says."""
    budget = _Budget(path)
    try:
        with zipfile.ZipFile(path) as archive, Path(os.devnull).open("wb") as nowhere:
            for member in archive.infolist():
                with archive.open(member) as source:
                    budget.copy(source, nowhere, member.compress_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise refuse(path, "里有损坏的内容，解不开。请重新保存后再导入。") from error


def gunzip(path: Path) -> bytes:
    """The unpacked bytes of a .gz file. Raises UnreadableFile."""
    sink = io.BytesIO()
    try:
        with gzip.open(path) as source:
            _Budget(path).copy(source, sink, path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise refuse(path, "是损坏或不完整的 gz 压缩文件。请重新压缩或重新下载后再导入。") from error
    return sink.getvalue()


def member_name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: Chinese Windows writes GBK without saying so, zipfile then reads CP437."""
    name = member.filename.replace("\\", "/")
    if member.flag_bits & 0x800 or name.isascii():
        return name
    raw = name.encode("cp437", errors="ignore")
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return name


class _Budget:
    """Counts what really comes out; the sizes that a zip states are only claims."""

    def __init__(self, path: Path) -> None:
        self.path, self.used = path, 0

    def copy(self, source: IO[bytes] | gzip.GzipFile, sink: IO[bytes], packed: int) -> None:
        written = 0
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            self.used += len(chunk)
            _check_size(self.path, written, packed)
            _check_size(self.path, self.used, self.used)
            sink.write(chunk)


def _check_size(path: Path, unpacked_size: int, packed_size: int) -> None:
    if unpacked_size > MAX_UNPACKED:
        raise refuse(path, f"解压后超过 {MAX_UNPACKED >> 20} MB，没有读取。请拆成几个文件分别导入。")
    if unpacked_size > RATIO_APPLIES_FROM and unpacked_size > packed_size * MAX_RATIO:
        raise refuse(path, "压缩得异常紧（可能是压缩炸弹），没有读取。请直接导入未压缩的文件。")


def _check_name(path: Path, name: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in name or "\x00" in name:
        raise refuse(path, "里有指向压缩包之外的文件名，不安全，没有读取。请重新压缩要导入的文件。")


def _ignored(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member_name(member)).parts
    return any(part in _IGNORED_FOLDERS or part.startswith("._") for part in parts) or parts[-1] in {
        ".DS_Store",
        "Thumbs.db",
    }

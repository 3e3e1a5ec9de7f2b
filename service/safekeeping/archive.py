"""The file of a backup: a tar in one Zstandard frame, its manifest last. Written and read as a stream."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import zstandard

from service.errors import UnreadableFile
from service.safekeeping.manifest import MOST_BYTES, NAME, Manifest, Member

SUFFIX = ".tar.zst"
_LEVEL = 3
_WINDOW = 1 << 27
# A few bytes may unpack to megabytes: so little is fed at once that a hostile file cannot fill the memory.
_FED, _READ = 1024, 1 << 20
_PART = re.compile(r"[^\x00-\x1f/\\:]{1,200}")
_DAMAGED = "备份不完整或已损坏（{}）。什么也没有写。换一份备份，或重新拷贝一次。"


class Writer:
    """Adds members one after the other and remembers their digests."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members: dict[str, Member] = {}

    def add(self, name: str, source: BinaryIO, size: int) -> None:
        """`size` bytes of `source` under `name`; what is behind them is left out (a log may have grown)."""
        check_name(name)
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        told = _Hashing(source)
        self._tar.addfile(info, told)
        self.members[name] = Member(size, told.digest.hexdigest())

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as source:
            self.add(name, source, path.stat().st_size)

    def finish(self, manifest: Manifest) -> None:
        data = manifest.to_json()
        info = tarfile.TarInfo(NAME)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


@contextmanager
def writing(out: IO[bytes]) -> Iterator[Writer]:
    """A writer over an open file; the frame is closed at the end."""
    packing = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with (
        packing.stream_writer(out, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        yield Writer(tar)


def check_name(name: str) -> None:
    """Only plain relative names: no way out of the folder. Raises UnreadableFile."""
    parts = name.split("/")
    if len(name) > 500 or any(part in ("", ".", "..") or not _PART.fullmatch(part) for part in parts):
        raise UnreadableFile(f"备份里有不能用的文件名“{name[:80]}”。什么也没有写。")


def verify(path: Path) -> Manifest:
    """Read all of it and compare every digest; nothing is written. Raises UnreadableFile."""
    return _through(path, lambda _name, _data: None)


def extract(path: Path, target: Callable[[str], BinaryIO]) -> Manifest:
    """Write every member to the file that `target` opens for its name, comparing again. Raises UnreadableFile."""
    current: list[tuple[str, BinaryIO]] = []

    def keep(name: str, data: bytes) -> None:
        if not current or current[0][0] != name:
            if current:
                current.pop()[1].close()
            current.append((name, target(name)))
        current[0][1].write(data)

    try:
        return _through(path, keep)
    finally:
        if current:
            current[0][1].close()


def _through(path: Path, take: Callable[[str, bytes], None]) -> Manifest:
    """Every member in turn, an empty one too; then the manifest must tell exactly what came."""
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    try:
        with path.open("rb") as raw:
            frame = _Frame(raw)
            with tarfile.open(fileobj=frame, mode="r|") as tar:
                for info in tar:
                    check_name(info.name)
                    if not info.isreg() or info.issparse() or info.name in found or manifest is not None:
                        raise UnreadableFile(_DAMAGED.format("里面有不该有的东西"))
                    body = tar.extractfile(info)
                    assert body is not None
                    if info.name == NAME:
                        manifest = _manifest(info, body)
                    else:
                        found[info.name] = _member(info, body, take)
            frame.drain()
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as fault:
        raise UnreadableFile(_DAMAGED.format("读到一半就断了")) from fault
    except OSError as fault:
        raise UnreadableFile(f"读不了 {path}：{fault.strerror or fault}。") from fault
    if manifest is None:
        raise UnreadableFile(_DAMAGED.format("没有清单"))
    if found != manifest.members:
        wrong = sorted(name for name in {*found, *manifest.members} if found.get(name) != manifest.members.get(name))
        raise UnreadableFile(_DAMAGED.format(f"{wrong[0]} 等 {len(wrong)} 个文件与清单不符"))
    return manifest


def _manifest(info: tarfile.TarInfo, body: IO[bytes]) -> Manifest:
    if info.size > MOST_BYTES:
        raise UnreadableFile(_DAMAGED.format("清单太大"))
    return Manifest.parse(body.read())


def _member(info: tarfile.TarInfo, body: IO[bytes], take: Callable[[str, bytes], None]) -> Member:
    digest, size = hashlib.sha256(), 0
    take(info.name, b"")
    while data := body.read(_READ):
        digest.update(data)
        size += len(data)
        take(info.name, data)
    if size != info.size:
        raise UnreadableFile(_DAMAGED.format("读到一半就断了"))
    return Member(size, digest.hexdigest())


class _Frame(io.RawIOBase):
    """The one frame of a file, unpacked little by little. A frame that isn't closed, or more behind it, is a fault."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._unpacking = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        self._ready = bytearray()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while (size < 0 or len(self._ready) < size) and not self._unpacking.eof:
            fed = self._raw.read(_FED)
            if not fed:
                raise EOFError
            self._ready += self._unpacking.decompress(fed)
        cut = len(self._ready) if size < 0 else size
        out = bytes(self._ready[:cut])
        del self._ready[:cut]
        return out

    def drain(self) -> None:
        """To the end of the frame: only the tar's own zeros may be left."""
        while data := self.read(_READ):
            if data.strip(b"\0"):
                raise EOFError
        if self._unpacking.unused_data or self._raw.read(1):
            raise EOFError

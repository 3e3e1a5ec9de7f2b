"""Photos as they are kept: a JPEG of at most 1600 px and a thumbnail, upright, without EXIF, place or camera."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from service.errors import InvalidValue, NotFound

FIELD = "photo"
MOST_BYTES = 15 * 1024 * 1024
_LONGEST, _THUMB = 1600, 360
_QUALITY, _THUMB_QUALITY = 85, 80
_MOST_PIXELS = 50_000_000
_MOST_JPEG_PIXELS = 150_000_000  # a JPEG is read at a fraction of its size
_SHORTEST_SIDE = 16
_FORMATS = ("JPEG", "PNG", "WEBP")
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"}
_BROKEN = "这张照片读不出来，文件可能没有传完整。重新拍一张或另存后再传。"

# Pillow's own guard only warns up to twice its limit: sizes are judged here, before anything is unpacked.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Photo:
    """A cleaned photo; `sha256` names its content."""

    jpeg: bytes
    thumb: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.jpeg).hexdigest()


def clean(data: bytes) -> Photo:
    """The photo in a file of JPEG, PNG or WebP (HEIC where pi-heif is installed), judged by its content.

    Raises InvalidValue that says what to do: empty, too large, no picture, too many pixels, broken.
    """
    if not data:
        raise InvalidValue(FIELD, "文件是空的。选一张照片再上传。")
    if len(data) > MOST_BYTES:
        raise InvalidValue(FIELD, f"照片有 {len(data) / 2**20:.1f} MB，最多 15 MB。在手机上选小一些的尺寸再传。")
    image = _opened(data)
    try:
        return _rendered(image)
    except (OSError, SyntaxError, ValueError, EOFError) as fault:
        raise InvalidValue(FIELD, _BROKEN) from fault
    finally:
        image.close()


def _opened(data: bytes) -> Image.Image:
    """Opened, not yet unpacked; what would unpack to too much is refused."""
    formats = [*_FORMATS, "HEIF"] if _heif(data) else list(_FORMATS)
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as fault:
        raise InvalidValue(
            FIELD, "这不是 JPEG、PNG 或 WebP 照片（看的是内容，不是文件名）。换成照片文件再上传。"
        ) from fault
    width, height = image.size
    most = _MOST_JPEG_PIXELS if image.format == "JPEG" else _MOST_PIXELS
    if width * height > most:
        raise InvalidValue(FIELD, f"照片有 {width} × {height} 像素，最多 {most // 1_000_000} 百万。缩小后再传。")
    if min(width, height) < _SHORTEST_SIDE:
        raise InvalidValue(FIELD, f"照片只有 {width} × {height} 像素，太小了。换一张原图。")
    return image


def _heif(data: bytes) -> bool:
    """Whether the file is HEIC and can be read; InvalidValue when it is and cannot."""
    if data[4:8] != b"ftyp" or data[8:12] not in _HEIF_BRANDS:
        return False
    if importlib.util.find_spec("pi_heif") is None:
        raise InvalidValue(
            FIELD,
            "这是 HEIC 照片（苹果手机的格式），服务器没有装读它的组件。"
            "在手机“设置 → 相机 → 格式”里选“兼容性最佳”重拍，或转成 JPEG 再上传。",
        )
    importlib.import_module("pi_heif").register_heif_opener()
    return True


def _rendered(image: Image.Image) -> Photo:
    if image.format == "JPEG":
        image.draft("RGB", (_LONGEST, _LONGEST))
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in ("RGB", "RGBA", "L"):  # others can be made small only roughly
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    upright.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    plain = _opaque(upright)
    small = plain.copy()
    small.thumbnail((_THUMB, _THUMB), Image.Resampling.LANCZOS)
    return Photo(_jpeg(plain, _QUALITY), _jpeg(small, _THUMB_QUALITY), *plain.size)


def _opaque(image: Image.Image) -> Image.Image:
    """New pixels on white, nothing else of the file: no EXIF, no comment, no profile."""
    layer = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    sheet = Image.new("RGB", layer.size, "white")
    sheet.paste(layer, mask=layer if layer.mode == "RGBA" else None)
    return sheet


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def keep(folder: Path, photo: Photo) -> None:
    """Write both pictures under their content's name, whole or not at all, readable by the service alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, data in ((photo_path(folder, photo.sha256), photo.jpeg), (thumb_path(folder, photo.sha256), photo.thumb)):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.exists():
            continue
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)


def photo_path(folder: Path, sha256: str) -> Path:
    """`folder` is DATA_DIR/photos."""
    return folder / sha256[:2] / f"{sha256}.jpg"


def thumb_path(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / f"{sha256}-{_THUMB}.jpg"


def read(folder: Path, sha256: str, thumb: bool = False) -> bytes:
    """A kept picture. Raises NotFound when its file is gone."""
    path = thumb_path(folder, sha256) if thumb else photo_path(folder, sha256)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound("照片文件不在了，请管理员从备份恢复 photos 文件夹。") from None

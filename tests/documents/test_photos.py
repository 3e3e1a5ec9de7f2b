"""Photos as phones and clerks make them: judged by content, cleaned of place and camera, kept for the service alone."""

from __future__ import annotations

import io
import stat
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from service.documents import photos
from service.documents.photos import clean, keep, photo_path, read, thumb_path
from service.errors import InvalidValue, NotFound

GPS, MAKE, ORIENTATION = 0x8825, 0x010F, 0x0112


def picture(width: int = 2400, height: int = 1800, mode: str = "RGB") -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new(mode, (width, height), "red")
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), fill="blue")
    return image


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def from_a_phone(orientation: int = 1) -> bytes:
    """A JPEG with the place where it was taken, the camera's name, and a comment."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = orientation, "Camera of Zhang San"
    exif[GPS] = {1: "N", 2: (31.0, 4.0, 12.0), 3: "E", 4: (109.0, 52.0, 48.0)}
    return saved(picture(), exif=exif, comment=b"taken at home")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_place_camera_and_comment_are_gone() -> None:
    source = from_a_phone()
    assert opened(source).getexif().get_ifd(GPS) and b"Zhang San" in source
    photo = clean(source)
    for data in (photo.jpeg, photo.thumb):
        assert not opened(data).getexif()
        assert b"Exif" not in data and b"Zhang San" not in data and b"home" not in data
        assert opened(data).format == "JPEG"


def test_sizes() -> None:
    photo = clean(from_a_phone())
    assert (photo.width, photo.height) == opened(photo.jpeg).size == (1600, 1200)
    assert opened(photo.thumb).size == (360, 270)
    small = clean(saved(picture(300, 200)))
    assert (small.width, small.height) == (300, 200), "nothing is made larger"


@pytest.mark.parametrize(("orientation", "red_corner"), [(1, (0, 0)), (3, (-1, 0)), (6, (0, 0)), (8, (0, -1))])
def test_photos_stand_upright(orientation: int, red_corner: tuple[int, int]) -> None:
    photo = clean(from_a_phone(orientation))
    image = opened(photo.jpeg).convert("RGB")
    assert (image.width > image.height) == (orientation in (1, 3))
    at = tuple(5 if c == 0 else size - 6 for c, size in zip(red_corner, image.size, strict=True))
    red, _, blue = image.getpixel(at)
    assert red > 180 > 90 > blue


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_formats(kind: str) -> None:
    assert clean(saved(picture(800, 600), kind)).width == 800


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
def test_every_way_of_keeping_colours(mode: str) -> None:
    image = Image.new(mode, (400, 300))
    kind = "JPEG" if mode in ("L", "CMYK") else "PNG"
    assert opened(clean(saved(image, kind)).jpeg).mode == "RGB"


def test_what_is_transparent_becomes_white() -> None:
    photo = clean(saved(Image.new("RGBA", (400, 300), (0, 0, 0, 0)), "PNG"))
    assert opened(photo.jpeg).getpixel((10, 10)) == (255, 255, 255)


def test_the_same_file_gives_the_same_name() -> None:
    assert clean(from_a_phone()).sha256 == clean(from_a_phone()).sha256


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of few bytes that says it is 3,600 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "空的"),
        (b"<html><script>alert(1)</script></html>", "不是 JPEG"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "不是 JPEG"),
        (b"%PDF-1.7 ...", "不是 JPEG"),
        (from_a_phone()[:20_000], "没有传完整"),
        (saved(picture(), "PNG")[:3_000], "没有传完整"),
        (bomb(), "60000 × 60000 像素"),
        (bomb(9_000, 9_000), "最多 50 百万"),
        (saved(picture(8, 800)), "太小了"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 64, "HEIC"),
    ],
)
def test_what_is_no_usable_photo_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(InvalidValue, match=said) as fault:
        clean(data)
    assert fault.value.field == "photo"


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MOST_BYTES", 1_000)
    with pytest.raises(InvalidValue, match="最多 15 MB"):
        clean(from_a_phone())


def test_kept_files_are_the_services_own(tmp_path: Path) -> None:
    folder, photo = tmp_path / "photos", clean(from_a_phone())
    keep(folder, photo)
    keep(folder, photo)
    path = photo_path(folder, photo.sha256)
    assert path == folder / photo.sha256[:2] / f"{photo.sha256}.jpg"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(thumb_path(folder, photo.sha256).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read(folder, photo.sha256) == photo.jpeg and read(folder, photo.sha256, thumb=True) == photo.thumb
    assert len(list(path.parent.iterdir())) == 2, "nothing half written is left"
    path.unlink()
    with pytest.raises(NotFound, match="备份"):
        read(folder, photo.sha256)

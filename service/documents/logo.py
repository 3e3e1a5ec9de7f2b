"""The office's logo: a picture that came as a file, decoded and written anew."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from service.errors import InvalidValue

MOST_BYTES = 1024 * 1024
_MOST_SIDE = 6000
_BOX = (640, 160)
_FORMATS = ("PNG", "JPEG", "WEBP")


def clean_logo(data: bytes) -> bytes:
    """A PNG of at most 640 × 160 px without anything but its pixels. Raises InvalidValue (logo).

    SVG is refused: it is a program as much as a picture.
    """
    if len(data) > MOST_BYTES:
        raise InvalidValue("logo", f"图片有 {len(data) / 1_048_576:.1f} MB，最多 1 MB。缩小后再传。")
    if data.lstrip()[:5].lower() in (b"<?xml", b"<svg ", b"<svg>") or b"<svg" in data[:1000].lower():
        raise InvalidValue("logo", "SVG 不能用。请另存为 PNG、JPEG 或 WebP 再传。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                if max(image.size) > _MOST_SIDE:
                    raise InvalidValue("logo", f"图片有 {image.width} × {image.height} 像素，边长最多 {_MOST_SIDE}。")
                plain = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as fault:
        raise InvalidValue("logo", "这个文件不是能读的图片。请用 PNG、JPEG 或 WebP。") from fault
    plain.thumbnail(_BOX, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    plain.save(out, "PNG", optimize=True)
    return out.getvalue()

"""An address as a QR code."""

from __future__ import annotations

import io

import segno


def qr_svg(text: str) -> str:
    """An SVG with the quiet zone around it that readers need; error correction M, as paper gets creased."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=4, xmldecl=False, svgns=True, light="#fff")
    return out.getvalue().decode()

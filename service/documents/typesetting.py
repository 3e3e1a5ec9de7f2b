"""Pages by typst: a template of ours, plain data as JSON, our own font; no network, no markup from data."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

from service.documents.fonts import font_folder

TEMPLATES = Path(__file__).parent / "typst"


def typeset_pdf(template: str, data: Any, made_at: datetime) -> bytes:
    """A PDF. `template`: a file's name in service/documents/typst, which reads the data from `sys.inputs.data` as JSON:
    texts stay texts, whatever is written in them."""
    return _compiled(template, data, "pdf", made_at=made_at)[0]


def typeset_png(template: str, data: Any, ppi: float) -> list[bytes]:
    """A picture of each page."""
    return _compiled(template, data, "png", ppi=ppi)


def _compiled(
    template: str, data: Any, form: Any, made_at: datetime | None = None, ppi: float | None = None
) -> list[bytes]:
    out: Any = typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format=form,
        ppi=ppi,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=made_at.replace(microsecond=0) if made_at else None,
        package_path=TEMPLATES,  # nothing is fetched
        package_cache_path=TEMPLATES,
    )
    assert out is not None
    return [out] if isinstance(out, bytes) else list(out)


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font_folder()])

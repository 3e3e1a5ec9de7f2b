"""PDFs as a reader reads them."""

from __future__ import annotations

import io
from dataclasses import dataclass

from pypdf import PdfReader


@dataclass(frozen=True)
class Read:
    """Texts and sizes (mm) of the pages, and the fonts."""

    pages: list[str]
    sizes: list[tuple[int, int]]
    fonts: set[str]

    @property
    def text(self) -> str:
        return "\n".join(self.pages)

    def says(self, words: str) -> bool:
        """Whatever spaces a reader puts between letters."""
        return _tight(words) in _tight(self.text)


def _tight(text: str) -> str:
    return "".join(text.split())


def read_pdf(data: bytes) -> Read:
    reader = PdfReader(io.BytesIO(data))
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"].get_object().get("/Font", {}).get_object().values()
    }
    sizes = [
        (round(float(page.mediabox.width) / 72 * 25.4), round(float(page.mediabox.height) / 72 * 25.4))
        for page in reader.pages
    ]
    return Read([page.extract_text() for page in reader.pages], sizes, fonts)

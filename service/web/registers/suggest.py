"""What a reference field proposes while somebody types."""

from __future__ import annotations

from collections import Counter

from sqlalchemy.orm import Session

from service.registers.asked import Asked
from service.registers.queries import page
from service.web.register_view import reads_names
from service.web.registers.asking import Asking

_MOST = 10


def suggestions(session: Session, ask: Asking, words: str) -> list[dict[str, str]]:
    """The value that the form takes (the name, or the code where a name is several's) and what tells them apart."""
    filters = {"q": (words,)} if words else {}
    asked = Asked(ask.on, ask.now, filters, "", _MOST, 0, ask.area, reads_names(ask.viewer))
    rows = page(session, ask.register, asked, ask.located).rows
    titles = [ask.words.title(row) for row in rows]
    names = Counter(titles)
    out = []
    for row, title in zip(rows, titles, strict=True):
        alone = names[title] == 1 and title == row.title
        more = [ask.words.text(row, one) for one in ask.look.columns if one not in (ask.register.title, "account")]
        told = " ".join([*([] if alone else [title]), *(text for text in more if text)])
        out.append({"value": title if alone else row.code, "label": told[:60]})
    return out

"""Sheets as files: one PDF of many, a picture of one; and the line that the trail keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.documents.fonts import printable
from service.documents.typesetting import typeset_pdf, typeset_png
from service.places.ground import GroundData
from service.records.audit import Actor, Subject, append
from service.responsibility.showing import Showing
from service.wall.asked import NAMES, PAPERS, WHATS, Asked
from service.wall.content import Content, Teller, content_of
from service.wall.sheets import Setting, sheet

_TEMPLATE = "wall.typ"
_PREVIEW_PX = 1240
_LONG_SIDE_IN = {"a3": 420 / 25.4, "a4": 297 / 25.4}
KIND = "wall"


@dataclass(frozen=True)
class Printed:
    """The sheets of one printing. `whole`: codes of the persons whose whole number stands on them."""

    title: str
    sheets: list[dict[str, Any]]
    whole: frozenset[str]


def lay_out(
    showing: Showing,
    ground: GroundData,
    asked: Asked,
    setting: Setting,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Printed:
    """Every sheet that was asked for; the codes have been checked (asked.check)."""
    teller = Teller(showing, asked.names)
    sheets, titles = [], []
    for i, code in enumerate(asked.codes):
        content = content_of(teller, asked.what, code)
        sheets.append(sheet(showing.snapshot, ground, content, asked.paper, setting))
        titles.append(content.title)
        progress(i + 1, len(asked.codes))
    return Printed(title_of(asked, titles), sheets, frozenset(teller.whole))


def contents(showing: Showing, asked: Asked) -> tuple[list[Content], frozenset[str]]:
    """The words alone of what was asked for, and whose whole numbers are in them."""
    teller = Teller(showing, asked.names)
    return [content_of(teller, asked.what, code) for code in asked.codes], frozenset(teller.whole)


def title_of(asked: Asked, titles: Sequence[str]) -> str:
    """Of the file: the sheet's own, or how many of what."""
    return titles[0] if len(titles) == 1 else f"{WHATS[asked.what]}责任图 {len(titles)} 张"


def page_title(asked: Asked, titles: Sequence[str], office: str) -> str:
    """Of the page that holds all of it on one map."""
    return titles[0] if len(titles) == 1 else f"{office}{WHATS[asked.what]}责任图"


def file_name(title: str, asked: Asked, form: str) -> str:
    """
    >>> from datetime import date
    >>> file_name("聚鹤/社区责任图", Asked("community", ("1",), date(2026, 11, 23)), "pdf")
    '聚鹤 社区责任图-2026-11-23.pdf'
    """
    kept = "".join(" " if sign in '\\/:*?"<>|' else sign for sign in printable(title))[:80].strip(" .")
    return f"{kept or KIND}-{asked.on.isoformat()}.{form}"


def as_pdf(printed: Printed, setting: Setting) -> bytes:
    """All of them in one file, in order."""
    data = {"title": printable(printed.title), "office": printable(setting.office), "sheets": printed.sheets}
    return typeset_pdf(_TEMPLATE, data, setting.made_at)


def as_picture(printed: Printed, setting: Setting, paper: str) -> bytes:
    """The first page as a PNG for the screen."""
    data = {"title": printable(printed.title), "office": printable(setting.office), "sheets": printed.sheets[:1]}
    return typeset_png(_TEMPLATE, data, _PREVIEW_PX / _LONG_SIDE_IN[paper])[0]


def log_print(
    session: Session, actor: Actor, now: datetime, asked: Asked, title: str, form: str, whole: int, verb: str = "export"
) -> None:
    """Who took which responsibility maps, and how many whole numbers were on them; never the numbers."""
    told: dict[str, Any] = {"sheets": len(asked.codes), "format": form, "paper": PAPERS[asked.paper]}
    told |= {"printed": NAMES[asked.names], "held_on": asked.on.isoformat()}
    told |= {"codes": list(asked.codes)} if len(asked.codes) > 1 else {}
    told |= {"whole_numbers": whole} if whole else {}
    code = asked.codes[0] if len(asked.codes) == 1 else None
    append(session, actor, f"{KIND}.{verb}", now, Subject(KIND, code, title[:200]), after=told)

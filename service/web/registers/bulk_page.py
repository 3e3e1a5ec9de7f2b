"""One change over the ticked rows: first what it would touch, then the verdict of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.errors import InvalidValue
from service.records.register import DATE, REFERENCE, RegisterField
from service.registers.bulk import CHANGED, REFUSED, UNCHANGED, Outcome
from service.registers.queries import some
from service.registers.rows import Row
from service.web.registers.asking import Asking
from service.web.registers.links import list_url, row_url
from service.web.registers.query import Query

_VERDICTS = {
    CHANGED: {"word": "已改", "look": "done", "icon": "s-done"},
    UNCHANGED: {"word": "本来就是", "look": "none", "icon": "minus"},
    REFUSED: {"word": "没有改", "look": "late", "icon": "s-late"},
}


def ticked(session: Session, ask: Asking, codes: Sequence[str]) -> list[Row]:
    """The ticked rows that the asker may read, in order, each once."""
    return some(session, ask.register, codes, ask.area, ask.located)


def bulk_field(ask: Asking, name: str) -> RegisterField:
    """Raises InvalidValue for a field that isn't changed in bulk."""
    if name not in ask.look.bulk:
        able = "、".join(ask.register.by_name[one].label for one in ask.look.bulk)
        raise InvalidValue("field", f"选一项要改的：{able}。")
    return ask.register.by_name[name]


def bulk_context(
    ask: Asking, rows: Sequence[Row], asked: int, field: RegisterField, value: str, query: Query, error: str = ""
) -> dict[str, Any]:
    """Before: what the rows hold now."""
    now = Counter(ask.words.text(row, field.name) for row in rows)
    return {
        **_both(ask, field, query),
        "verdicts": None,
        "action": f"/{ask.register.name}/bulk",
        "query": query.text(),
        "field": field.name,
        "value": value,
        "codes": [(row.code, row.version) for row in rows],
        "missing": asked - len(rows),
        "now": now.most_common(12),
        "options": list(field.choices.items()) if field.choices else None,
        "type": "date" if field.kind == DATE else "text",
        "needed": field.needed,
        "help": _(field.help) if field.help else "",
        "suggest": f"/{field.reference}/suggest" if field.kind == REFERENCE else None,
        "error": error,
    }


def verdict_context(
    ask: Asking, rows: Sequence[Row], outcomes: Sequence[Outcome], field: RegisterField, value: str, query: Query
) -> dict[str, Any]:
    """After: what became of each row."""
    by_code: Mapping[str, Row] = {row.code: row for row in rows}
    lines = []
    for one in outcomes:
        row = by_code.get(one.code)  # None: outside the asker's area, or gone
        lines.append(
            {
                "name": ask.words.title(row) if row else one.code,
                "url": row_url(ask.register.name, one.code, query) if row else None,
                "before": ask.words.text(row, field.name) if row else "",
                **_VERDICTS[one.verdict],
                "word": _(_VERDICTS[one.verdict]["word"]),
                "why": one.message,
            }
        )
    said = Counter(one.verdict for one in outcomes)
    return {
        **_both(ask, field, query),
        "verdicts": sorted(lines, key=lambda line: line["look"] != "late"),
        "done": said[CHANGED],
        "same": said[UNCHANGED],
        "failed": said[REFUSED],
        "shown": field.shown(value),
    }


def _both(ask: Asking, field: RegisterField, query: Query) -> dict[str, Any]:
    return {
        "list_title": _(ask.look.title),
        "back_url": list_url(ask.register.name, query),
        "unit": _(ask.register.unit),
        "thing": _(ask.look.thing),
        "label": _(field.label),
    }

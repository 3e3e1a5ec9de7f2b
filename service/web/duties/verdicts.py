"""The verdicts of a step as templates/duties/verdicts.html shows them: before it is saved, and afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from service.duties.ledger import Facts, Verdict
from service.duties.queries import DutyRow
from service.duties.rules import SUBJECT_KINDS, period_words, role_name
from service.web.registers.duty_detail import PAGES_OF
from service.web.registers.links import row_url


def page_of(kind: str, code: str) -> str | None:
    """The page of what a duty is for."""
    return row_url(PAGES_OF[kind], code) if kind in PAGES_OF else None


def verdict_page(
    title: str,
    verdicts: Sequence[Verdict],
    facts: Facts,
    *,
    saved: bool,
    action: str,
    back_url: str,
    kept: Iterable[tuple[str, str]],
    duties: Mapping[str, DutyRow] | None = None,
    crumbs: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """`kept`: the form's fields, sent again to save; `duties`: those that were named, by code, as they are."""
    lines = [_line(one, facts, saved, duties or {}) for one in verdicts]
    return {
        "title": title,
        "saved": saved,
        "action": action,
        "back_url": back_url,
        "kept": [(name, value) for name, value in kept if name not in ("step", "csrf_token")],
        "crumbs": [("/duties", _("责任")), *crumbs],
        "lines": sorted(lines, key=lambda line: line["look"] != "late"),
        "done": sum(one.ok and bool(one.changes) for one in verdicts),
        "same": sum(one.ok and not one.changes for one in verdicts),
        "failed": sum(not one.ok for one in verdicts),
    }


def _line(verdict: Verdict, facts: Facts, saved: bool, duties: Mapping[str, DutyRow]) -> dict[str, Any]:
    kind, code = verdict.subject
    named = duties.get(verdict.code or "") or (verdict.changes[0].before if verdict.changes else None)
    made = next((change.after for change in verdict.changes if change.before is None), None)
    shown = made or (verdict.changes[-1].after if verdict.changes else named)
    told = shown or verdict.clash
    name = facts.subject_name(verdict.subject) if kind else verdict.code or ""
    will = verdict.ok and bool(verdict.changes)
    return {
        "name": name,
        "kind": SUBJECT_KINDS.get(kind, ""),
        "role": role_name(told.role) if told else "",
        "url": row_url("duties", made.code if made else shown.code)
        if saved and shown and will
        else page_of(kind, code),
        "now": _now(verdict, facts, named),
        "message": verdict.message,
        "word": (_("已做") if saved else _("可以")) if will else _("不用改") if verdict.ok else _("不能"),
        "look": "done" if will else "none" if verdict.ok else "late",
        "icon": "s-done" if will else "minus" if verdict.ok else "s-late",
        "clash_url": row_url("duties", verdict.clash.code) if verdict.clash else None,
    }


def _now(verdict: Verdict, facts: Facts, named: DutyRow | None) -> str:
    """Who answers before the step, as far as it touches them."""
    before = named or verdict.clash
    if before is None:
        return ""
    return f"{facts.person_name(before.person_code)}（{period_words(before.starts_on, before.ends_on)}）"

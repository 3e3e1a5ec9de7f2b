"""The trail's page: filters in the URL, the newest first, one line's before and after beside the list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import quote, urlencode

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from service.clock import SHANGHAI, local_date, spoken
from service.errors import InvalidValue
from service.people.rules import ROLES
from service.records import trail
from service.records.models import AuditEntry
from service.records.trail import GROUPS, Question
from service.web.context import now, parse_day, services
from service.web.trail_words import action_words, change_words, kind_words

bp = Blueprint("trail", __name__)
_PERIODS = {"1": "今天", "7": "近 7 天", "30": "近 30 天", "all": "全部"}
_RESULTS = {"yes": "成功", "no": "没成功"}
_NAMES = ("days", "from", "to", "actor", "group", "kind", "code", "ok")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: words as they stand there."""

    words: dict[str, str]

    @classmethod
    def parse(cls) -> Asked:
        words = {name: request.args.get(name, "").strip()[:200] for name in _NAMES}
        for name, known in (("days", _PERIODS), ("group", GROUPS), ("ok", _RESULTS)):
            if words[name] and words[name] not in known:
                raise InvalidValue(name, f"筛选 {name}={words[name][:40]} 不认识。可用：{'、'.join(known)}。")
        if not (words["days"] or words["from"] or words["to"]):
            words["days"] = "all" if words["code"] else "30"
        return cls({name: word for name, word in words.items() if word})

    def question(self) -> Question:
        """The same as filters; days are Shanghai's, `to` is counted in."""
        word = self.words
        since, until = word.get("from"), word.get("to")
        first = parse_day(since) if since else None
        last = parse_day(until) + timedelta(days=1) if until else None
        days = word.get("days", "all")
        if first is None and last is None and days != "all":
            first = local_date(now()) - timedelta(days=int(days) - 1)
        ok = {"yes": True, "no": False}.get(word.get("ok", ""))
        return Question(
            _midnight(first),
            _midnight(last),
            word.get("actor"),
            word.get("group"),
            word.get("kind"),
            word.get("code"),
            ok,
        )

    def url(self, **changed: str | int) -> str:
        """The page's address with some of it changed; empty ones are left out."""
        told = urlencode({name: word for name, word in (self.words | changed).items() if word != ""})
        return f"{url_for('trail.index')}{'?' + told if told else ''}"

    def chips(self) -> list[dict[str, str]]:
        """Each filter in words, with the address without it."""
        word = self.words
        out = []
        if "from" in word or "to" in word:
            told = f"{word.get('from', '最早')} 至 {word.get('to', '今天')}"
            out.append({"word": "期间", "value": told, "without": self.url(**{"from": "", "to": "", "days": "all"})})
        elif word.get("days", "all") != "all":
            out.append({"word": "期间", "value": _PERIODS[word["days"]], "without": self.url(days="all")})
        told_by: dict[str, tuple[str, Callable[[str], str]]] = {
            "actor": ("谁", lambda one: one),
            "group": ("动作", lambda one: GROUPS[one].word),
            "kind": ("对象", kind_words),
            "code": ("编号", lambda one: one),
            "ok": ("结果", lambda one: _RESULTS[one]),
        }
        for name, (title, say) in told_by.items():
            if name in word:
                out.append({"word": title, "value": say(word[name]), "without": self.url(**{name: ""})})
        return out


@bp.get("/trail")
def index() -> Response | str:
    """A page of lines; `line=` opens one beside the list, `below=` pages on."""
    asked, chosen, below = Asked.parse(), _number("line"), _number("below")
    if "" in request.args.values():  # a form sends its empty fields too; the address keeps what was chosen
        return redirect(asked.url())
    question = asked.question()
    with services().database.read() as session:
        found = trail.page(session, question, below)
        one = trail.line(session, chosen) if chosen is not None else None
        kinds = trail.kinds(session)
    lines = [_line(entry) for entry in found.lines]
    paging: dict[str, str | int] = {"below": below} if below is not None else {}
    return render_template(
        "trail/list.html",
        asked=asked,
        chips=asked.chips(),
        groups={name: group.word for name, group in GROUPS.items()},
        periods=_PERIODS,
        results=_RESULTS,
        kinds=[(kind, kind_words(kind)) for kind in kinds],
        lines=lines,
        page=found,
        one=_detail(one) if one else None,
        opened=lambda number: asked.url(**paging, line=number),
        closed=asked.url(**paging),
        older=asked.url(below=found.lines[-1].id) if found.more else None,
        newest=asked.url() if below is not None else None,
        until=spoken(now()),
    )


def _number(name: str) -> int | None:
    given = request.args.get(name, "")
    if not given:
        return None
    if not given.isdecimal():
        raise InvalidValue(name, f"{name}={given[:40]} 要是一个行号。")
    return int(given[:12])


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), SHANGHAI) if day else None


def _line(entry: AuditEntry) -> dict[str, object]:
    there = entry.at.astimezone(SHANGHAI)
    same_year = there.year == now().astimezone(SHANGHAI).year
    return {
        "id": entry.id,
        "ok": entry.ok,
        "what": action_words(entry.action),
        "subject": entry.subject_name or entry.subject_code or "",
        "kind": kind_words(entry.subject_kind),
        "actor": entry.actor,
        "role": ROLES.get(entry.role or "", ""),
        "when": f"{there:%m-%d %H:%M}" if same_year else f"{there:%Y-%m-%d}",
        "address": entry.address or "",
        "note": entry.note or "",
    }


def _detail(entry: AuditEntry) -> dict[str, object]:
    """One line with all that it holds."""
    return _line(entry) | {
        "at": f"{spoken(entry.at)}:{entry.at:%S}",
        "code": entry.subject_code or "",
        "changes": change_words(entry.before, entry.after, entry.subject_kind),
        "only_after": entry.before is None,
        "hash": entry.hash,
        "link": _link(entry.subject_kind, entry.subject_code),
        "history": url_for("trail.index", kind=entry.subject_kind, code=entry.subject_code, days="all")
        if entry.subject_kind and entry.subject_code
        else None,
    }


def _link(kind: str | None, code: str | None) -> str | None:
    """The record's own page, where there is one: registers have /kind/code, accounts open beside their list."""
    if not kind or not code:
        return None
    if kind == "accounts":
        return url_for("accounts.index", account=code)
    path = f"/{kind}/{quote(code, safe='')}"
    try:
        endpoint, _given = current_app.url_map.bind("localhost").match(path, method="GET")
    except HTTPException:
        return None
    return path if endpoint.startswith("registers.") else None

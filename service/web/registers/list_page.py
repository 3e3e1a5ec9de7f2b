"""A register's list as templates/registers/list.html shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import current_app, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.clock import spoken
from service.incidents.rules import SOURCES
from service.people.access import NOWHERE, reach
from service.records.models import SavedView
from service.records.register import LONG
from service.registers.asked import Asked
from service.registers.filters import ENDED, order_of, sortable
from service.registers.queries import page as read_page
from service.registers.rows import Page
from service.web.access import ROUTES
from service.web.context import account, area, require_account
from service.web.duty_pages import duty_pages
from service.web.register_view import reads_names
from service.web.registers.asking import Asking
from service.web.registers.links import list_url, row_url
from service.web.registers.looks import LOOKS, State
from service.web.registers.query import PAGE_ROWS, Query, filter_kind, shown_columns
from service.web.registers.saved import views_of

_FORMATS = (
    ("xlsx", "Excel 表格", "可改完再导入"),
    ("csv", "CSV", "别的系统用"),
    ("geojson", "GeoJSON", "地图用"),
    ("gpkg", "GeoPackage", "QGIS 用"),
)
_NO_PLACE = ("people", "organisations")
BULK_STEPS = {"hand_over": "交接给别人", "leave": "安排代理", "end": "终止"}
_ZONES = ("grids", "communities")
_MOST_STRIP = 9
_MOST_NARROWER = 10


@dataclass(frozen=True)
class Listed:
    """The rows with what was asked: what the page is made of."""

    ask: Asking
    query: Query
    found: Page

    @property
    def name(self) -> str:
        return self.ask.register.name


def read_list(session: Session, ask: Asking, query: Query) -> Listed:
    """Raises InvalidValue naming the filter or sort at fault."""
    asked = asked_of(ask, query)
    found = read_page(session, ask.register, asked, ask.located)
    if not found.rows and found.total and query.page > 1:
        query = replace(query, page=-(-found.total // PAGE_ROWS))
        found = read_page(session, ask.register, asked_of(ask, query), ask.located)
    return Listed(ask, query, found)


def asked_of(ask: Asking, query: Query) -> Asked:
    """The question to the register; a look's default filters hold where the address says nothing of them."""
    filters = {**ask.look.default, **query.filters}
    if filters.get("group") == ("all",):
        filters.pop("group")
    first = (query.page - 1) * PAGE_ROWS
    return replace(_asked(ask), filters=filters, sort=sort_of(ask, query), limit=PAGE_ROWS, offset=first)


def sort_of(ask: Asking, query: Query) -> str:
    """Deadlines order what is open, not what is closed. An address of somebody who may sort by more is read without."""
    closed = "done" in query.filters.get("group", ()) or "all" in query.filters.get("group", ())
    wanted = query.sort or ("" if closed else ask.look.sort)
    return order_of(ask.register, replace(_asked(ask), sort=wanted if wanted.removeprefix("-") in _able(ask) else ""))


def _asked(ask: Asking) -> Asked:
    return Asked(ask.on, ask.now, area=ask.area, names=reads_names(ask.viewer))


def _able(ask: Asking) -> tuple[str, ...]:
    """What the asker may sort by."""
    return sortable(ask.register, _asked(ask))


def list_context(session: Session, listed: Listed, selected: str | None, told: str = "") -> dict[str, Any]:
    """All that the template shows."""
    ask, query = listed.ask, listed.query
    register, look, name = ask.register, ask.look, listed.name
    total = listed.found.total
    columns = shown_columns(look, query, register)
    plain = query.without(*query.filters)
    words = ask.words
    return {
        "name": name,
        "title": _(look.title),
        "thing": _(look.thing),
        "unit": _(register.unit),
        "icon": look.icon,
        "url": list_url(name),
        "query": query.text(),
        "q": " ".join(query.filters.get("q", ())),
        "kin": _kin(look.kin, name),
        "views": _views(session, name, query),
        "view_url": url_for("registers.view_save"),
        "may_share": require_account().role in ("admin", "supervisor"),
        "columns": [
            {"name": one, "label": register.columns[one], "on": one in columns, "fixed": one == register.title}
            for one in register.columns
        ],
        "columns_reset": list_url(name, replace(query, columns=())),
        "kept_without_q": query.without("q").pairs(),
        "kept_without_columns": replace(query, columns=()).pairs(),
        "kept_plain": replace(plain, page=1).pairs() + [("q", one) for one in query.filters.get("q", ())],
        "exports": _exports(name, asked_of(ask, query)),
        "wall_url": _wall_url(name),
        "new_url": f"/{name}/new" if ask.may_create and register.creates else None,
        "counts": _counts(listed),
        **_mix(listed),
        "chips": _chips(listed),
        "filters": _filters(listed),
        "narrower": _narrower(listed),
        "clear_url": list_url(name, plain),
        "filtered": bool(query.filters),
        "heads": [_head(listed, one) for one in columns],
        "rows": [
            {
                "code": row.code,
                "title": words.title(row),
                "url": row_url(name, row.code, query),
                "selected": row.code == selected,
                "over": row.ended(ask.on),
                "cells": [words.cell(row, one) for one in columns],
            }
            for row in listed.found.rows
        ],
        "bulk_url": f"/{name}/bulk" if ask.may_change_any and look.bulk else None,
        "bulk_fields": [(one, _(BULK_STEPS.get(one) or register.by_name[one].label)) for one in look.bulk],
        "bulk_ask": _("做什么…") if register.own_writing else _("改哪一项…"),
        "more_url": ("/duties/assign", _("指派")) if name == "duties" and ask.may_change_any else None,
        "total": total,
        "first": (query.page - 1) * PAGE_ROWS + 1,
        "last": (query.page - 1) * PAGE_ROWS + len(listed.found.rows),
        "number": query.page,
        "pages": -(-total // PAGE_ROWS),
        "prev_url": list_url(name, replace(query, page=query.page - 1)) if query.page > 1 else None,
        "next_url": list_url(name, replace(query, page=query.page + 1)) if query.page * PAGE_ROWS < total else None,
        "empty": _empty(ask),
        "nothing": _("换一个条件，或者清除筛选看全部。"),
        "told": told,
        "photos": look.photos and "photos.add" in current_app.view_functions,
    }


def _kin(kin: Sequence[str], name: str) -> list[dict[str, Any]]:
    if name == "duties":  # beside pages that are no registers
        return [one | {"here": one["name"] == name} for one in duty_pages()]
    out = [{"url": list_url(one), "word": LOOKS[one].title, "here": one == name} for one in kin]
    if name in _ZONES:
        out.append({"url": url_for("drafts.editions"), "word": _("版本与草稿"), "here": False})
    return out


def _views(session: Session, name: str, query: Query) -> list[dict[str, Any]]:
    mine = require_account()
    now = replace(query, page=1).text()
    first = {"url": list_url(name), "name": _("全部"), "here": not now, "shared": False, "drop_url": None}
    return [first] + [
        {
            "url": f"/{name}?{one.query}",
            "name": one.name,
            "here": one.query == now,
            "shared": one.shared,
            "drop_url": url_for("registers.view_drop", number=one.id) if _own(one, mine.id, mine.role) else None,
        }
        for one in views_of(session, mine.id, name)
    ]


def _own(view: SavedView, account_id: int, role: str) -> bool:
    return view.account_id == account_id or (view.shared and role == "admin")


def _exports(name: str, asked: Asked) -> list[dict[str, str]]:
    """The formats, once the exports' route exists and the asker may use it; with the filters that the list applies."""
    who = account()
    if "exports.list" not in current_app.view_functions or reach(who.role if who else None, "registers.export") is None:
        return []
    filters = {word: list(values) for word, values in sorted(asked.filters.items())}
    more = urlencode({**filters, "sort": asked.sort}, doseq=True, safe=",.")
    formats = _FORMATS if name not in _NO_PLACE else _FORMATS[:2]
    return [
        {"url": f"/{name}/export?format={one}&{more}", "word": _(word), "why": _(why)} for one, word, why in formats
    ]


def _wall_url(name: str) -> str | None:
    """To the responsibility maps of what the list holds, for those who may print any."""
    what = {"grids": "grid", "communities": "community"}.get(name)
    return url_for("wall.page", what=what) if what and area("duties.print") != NOWHERE else None


def _counts(listed: Listed) -> list[dict[str, Any]]:
    """The strip: all of them, then each state that has rows."""
    ask, query, name = listed.ask, listed.query, listed.name
    field = "group" if ask.register.groups else ask.register.state
    counts = listed.found.counts
    if field is None:
        return [{"url": list_url(name, query), "n": listed.found.total, "word": _(ask.look.all_word), "here": True}]
    everything = sum(counts.values()) - (counts.get("done", 0) if ask.look.default else 0)
    chosen = query.filters.get(field, ())
    out: list[dict[str, Any]] = [
        {"url": list_url(name, query.without(field)), "n": everything, "word": _(ask.look.all_word), "here": not chosen}
    ]
    shown = [key for key in (*ask.register.states, *counts) if counts.get(key) or key in chosen]
    for key in list(dict.fromkeys(shown))[:_MOST_STRIP]:
        look, icon = ask.look.states.get(key, ("none", None))
        out.append(
            {
                "url": list_url(name, query.with_words(field, key)),
                "n": counts.get(key, 0),
                "state": State(ask.register.states.get(key, key), look, icon),
                "here": chosen == (key,),
            }
        )
    return out


def _mix(listed: Listed) -> dict[str, Any]:
    """The bar of the strip, only where states have colours."""
    parts, at = [], 0
    for key, (look, _icon) in listed.ask.look.states.items():
        n = listed.found.counts.get(key, 0)
        if n and look != "none" and not (listed.ask.look.default and key == "done"):
            parts.append({"look": look, "x": at, "w": n})
            at += n
    return {"mix": parts if len(parts) > 1 else [], "mix_total": at, "as_of": spoken(listed.ask.now)}


def _chips(listed: Listed) -> list[dict[str, str]]:
    ask, query = listed.ask, listed.query
    out = []
    for name, said in query.filters.items():
        label = label_of(ask, name)
        value = "、".join(word_of(ask, name, one) for one in said)
        out.append({"label": label, "value": value, "url": list_url(listed.name, query.without(name))})
    return out


def _narrower(listed: Listed) -> list[dict[str, Any]]:
    """Of a very long list: filters that would leave less of it, the periods first, then the communities."""
    ask, query, found = listed.ask, listed.query, listed.found
    out = []
    for (name, word), n in found.narrower.items():
        if n is None or 0 < n < found.total:
            said = _period(ask, word) if name == "reported_at" else word_of(ask, name, word)
            out.append({"word": said, "n": n, "url": list_url(listed.name, query.with_words(name, word))})
    return out[:_MOST_NARROWER]


def _period(ask: Asking, word: str) -> str:
    day = date.fromisoformat(word.removesuffix(".."))
    return _("本月上报") if day.day == 1 and day.month == ask.on.month else _("近 7 天上报")


def label_of(ask: Asking, name: str) -> str:
    known = {"q": _("搜索"), "ended": _("期限内外"), "missing": _("缺少"), "group": _("状态")}
    return known.get(name) or ask.register.columns.get(name, name)


def word_of(ask: Asking, name: str, word: str) -> str:
    """A filter's word as a person says it."""
    described = ask.register.by_name.get(name)
    if name == "ended":
        return ENDED.get(word, word)
    if name == "group":
        return {"all": _("全部"), "open": _("未结")}.get(word) or ask.register.groups.get(word, word)
    if name == "missing":
        return ask.register.columns.get(word, word)
    if name == "community":
        return ask.located.communities.get(word, word)
    if name == "grid":
        zone = ask.located.zones.get(word)
        return f"{zone.community_name.removesuffix('社区')} {zone.short}" if zone else word
    if name == "source":
        return SOURCES.get(word, word)
    if ".." in word:
        first, _dots, last = word.partition("..")
        return f"{first} 至 {last}" if first and last else f"{first} 起" if first else f"{last} 止"
    return described.shown(word) if described else word


def _filters(listed: Listed) -> list[dict[str, Any]]:
    """The boxes of "add a filter"; what has its own place in the page (search, the strip) is not among them."""
    ask, query = listed.ask, listed.query
    out: list[dict[str, Any]] = []
    for one in ask.register.filters:
        said = query.filters.get(one.name, ())
        kind = filter_kind(ask.register, one.name)
        options = _options(ask, one.name)
        if kind == "day":
            first, _dots, last = (said[0] if said else "..").partition("..")
            out.append(_box(one.name, one.label, None, first, "period") | {"until": last})
        else:
            out.append(_box(one.name, one.label, options, said[0] if said else "", "text"))
    gaps = [(n, label) for n, label in ask.register.columns.items() if n in _gaps(ask)]
    if gaps:
        out.append(_box("missing", _("缺少"), gaps, "".join(query.filters.get("missing", ())[:1]), "text"))
    if ask.register.ends:
        said = query.filters.get("ended", ("no",))
        out.append(_box("ended", _("期限内外"), [("yes", ENDED["yes"]), ("all", ENDED["all"])], said[0], "text"))
    return sorted(out, key=lambda box: (box["options"] is None) + (box["type"] == "period"))


def _box(name: str, label: str, options: Any, value: str, kind: str) -> dict[str, Any]:
    return {"name": name, "label": label, "options": options, "value": value, "type": kind, "hint": ""}


def _options(ask: Asking, name: str) -> list[tuple[str, str]] | None:
    if name == "community":
        return sorted(ask.located.communities.items(), key=lambda one: one[0])
    if name == "grid":
        zones = [one for one in ask.located.zones.values() if ask.area.holds_grid(one.code, one.community)]
        return [(one.code, f"{one.community_name.removesuffix('社区')} {one.short}") for one in zones]
    if name == "account":
        return [("yes", _("有账号")), ("no", _("没有账号"))]
    if name == "source":
        return list(SOURCES.items())
    described = ask.register.by_name.get(name)
    return list(described.choices.items()) if described and described.choices else None


def _gaps(ask: Asking) -> Mapping[str, None]:
    """Columns whose absence is worth finding."""
    fields = [one.name for one in ask.register.fields if not one.needed and one.kind not in (LONG,) and one.editable]
    derived = [one.name for one in ask.register.derived if one.name in ("grid", "leader", "duties")]
    if ask.register.own_writing:
        fields = ["starts_on", "ends_on", "acting_code"]
    if ask.register.read_only:
        fields = ["due_at"]
    return dict.fromkeys([*fields, *derived])


def _head(listed: Listed, column: str) -> dict[str, Any]:
    """A column's head: a link that sorts by it, the other way when it already does."""
    register, query = listed.ask.register, listed.query
    sort = sort_of(listed.ask, query)
    up = sort == column
    here = sort.removeprefix("-") == column
    cls = listed.ask.look.places.get(column, "far") + (" r" if column in listed.ask.look.numeric else "")
    can = column in _able(listed.ask)
    return {
        "label": register.columns[column],
        "cls": cls,
        "sorted": ("ascending" if up else "descending") if here else None,
        "url": list_url(listed.name, replace(query, sort=f"-{column}" if up else column, page=1)) if can else None,
    }


def _empty(ask: Asking) -> dict[str, Any]:
    """What the register is for, and one button to begin."""
    name = ask.register.name
    links = []
    if "imports.index" in current_app.view_functions and _may(ROUTES.get("imports.index", "files.import")):
        links.append({"url": url_for("imports.index"), "word": _("从文件导入")})
    if ask.may_create and ask.register.creates:
        links.append({"url": f"/{name}/new", "word": _("登记") + _(ask.look.thing)})
    thing = _(ask.look.thing)
    if ask.area.everywhere:
        return {"title": f"{_('还没有')}{thing}", "text": _(ask.look.empty), "links": links}
    return {"title": f"{_('你的范围里没有')}{thing}", "text": _own_part(ask), "links": links}


def _own_part(ask: Asking) -> str:
    """What somebody with an area sees at all: an empty list of theirs says nothing of the office's."""
    who = require_account()
    return {
        "manager": _("这里只列出你的社区里的。少了什么，请管理员核对你账号的社区。"),
        "officer": _("这里只列出你今天担任或代理的网格里的。少了什么，请主管核对你的责任。"),
        "unit": _("这里只列出派给你们单位的，和你们单位自己的。"),
    }[who.role]


def _may(right: str) -> bool:
    who = account()
    return reach(who.role if who else None, right) is not None

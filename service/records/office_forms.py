"""What may be typed into the office's settings. Pure: a section's text in, its values or one sentence per field out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

Form = Mapping[str, str]
LEAST_TRAIL_DAYS = 183  # GB/T 22239: logs are kept for six months
_HOTLINE = re.compile(r"^[0-9+()\- ]{3,30}$")
_KEY = re.compile(r"^[0-9A-Za-z]{8,64}$")
_MOST_DEGREES = 8.0


class Faults(Exception):
    """One sentence for each field at fault."""

    def __init__(self, by_field: dict[str, str]) -> None:
        super().__init__("；".join(by_field.values()))
        self.by_field = by_field


class _Reading:
    """Takes fields one after the other and keeps what was wrong."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.faults: dict[str, str] = {}

    def text(self, name: str) -> str:
        return unicodedata.normalize("NFKC", self.form.get(name, "")).strip()

    def number(self, name: str, what: str, least: float, most: float, unit: str) -> float:
        typed = self.text(name)
        try:
            value = float(typed)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            said = f"“{typed[:20]}”" if typed else "空着"
            self.faults[name] = f"{what}要填 {least:g} 到 {most:g} 之间的{unit}数，现在{said}。"
            return least
        return value

    def whole(self, name: str, what: str, least: int, most: int, unit: str) -> int:
        typed = self.text(name)
        if not re.fullmatch(r"\d{1,6}", typed) or not least <= int(typed) <= most:
            said = f"“{typed[:20]}”" if typed else "空着"
            self.faults[name] = f"{what}要填 {least} 到 {most} 之间的整数（{unit}），现在{said}。"
            return least
        return int(typed)

    def done(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.faults:
            raise Faults(self.faults)
        return values


def read(section: str, form: Form, kept: Mapping[str, Any], offered: Collection[str]) -> dict[str, Any]:
    """The section's values from a form. `kept`: what holds now; `offered`: ids of the base maps that can be chosen.

    Raises Faults; KeyError for a section that there is not.
    """
    return _READERS[section](_Reading(form), kept, offered)


def _identity(given: _Reading, kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    name, hotline = given.text("name"), given.text("hotline")
    if not 1 <= len(name) <= 40 or any(unicodedata.category(one).startswith("C") for one in name):
        given.faults["name"] = "名称要写 1 到 40 个字，例如“龙门街道”。"
    if hotline and not _HOTLINE.match(hotline):
        given.faults["hotline"] = f"“{hotline[:30]}”不像电话。写成 023-57681234 或 12345，不公布就空着。"
    return given.done({"name": name, "hotline": hotline, "logo": kept["logo"]})


def _view(given: _Reading, _kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    if given.form.get("frame") != "box":
        return {"box": None}
    sides = (("west", "西边经度", 180), ("south", "南边纬度", 85), ("east", "东边经度", 180), ("north", "北边纬度", 85))
    box = [given.number(name, what, -most, most, "") for name, what, most in sides]
    if not given.faults:
        if not (box[0] < box[2] and box[1] < box[3]):
            given.faults["west"] = "西边要小于东边，南边要小于北边。在图上重新框一次。"
        elif max(box[2] - box[0], box[3] - box[1]) > _MOST_DEGREES:
            given.faults["west"] = "范围太大了，一个街道用不着超过 8 度。在图上放大后再框。"
    return given.done({"box": [round(value, 6) for value in box]})


def _basemaps(given: _Reading, kept: Mapping[str, Any], offered: Collection[str]) -> dict[str, Any]:
    typed = given.text("tianditu_key")
    key = "" if given.form.get("drop_key") else typed or kept["tianditu_key"]
    if typed and not _KEY.match(typed):
        given.faults["tianditu_key"] = "密钥是一串字母和数字，从天地图网站的“应用管理”里原样复制。"
    known = {*offered, "tianditu"}
    chosen = [name for name in given.form.get("chosen", "").split("\n") if name in known]
    if "tianditu" in chosen and not key and "tianditu_key" not in given.faults:
        given.faults["tianditu_key"] = "天地图要有密钥才能用。填上密钥，或不选天地图。"
    return given.done({"chosen": chosen, "tianditu_key": key})


def _distances(given: _Reading, _kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    return given.done(
        {
            "border_m": given.number("border_m", "近边界距离", 1, 200, "米"),
            "frontage_m": given.number("frontage_m", "找门店距离", 1, 200, "米"),
            "street_m": given.number("street_m", "找街路距离", 1, 200, "米"),
            "place_m": given.number("place_m", "找场所和河湖林距离", 1, 500, "米"),
            "here_m": given.number("here_m", "“此处”距离", 1, 1000, "米"),
        }
    )


def _audit(given: _Reading, _kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    return given.done(
        {
            "days": given.whole("days", "提前多少天", 1, 365, "天"),
            "leader_grids": given.whole("leader_grids", "网格长最多", 1, 100, "个网格"),
            "officer_grids": given.whole("officer_grids", "专职网格员最多", 1, 200, "个网格"),
        }
    )


def _public(given: _Reading, _kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    rule = given.form.get("rule", "")
    if rule not in ("off", "basic", "names"):
        given.faults["rule"] = "三种里选一种。"
    return given.done({"rule": rule})


def _retention(given: _Reading, _kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    out = {
        "uploads_days": given.whole("uploads_days", "上传文件保留", 1, 3650, "天"),
        "ended_days": given.whole("ended_days", "已终止记录的个人信息保留", 0, 36500, "天"),
        "trail_days": given.whole("trail_days", "操作记录至少保留", LEAST_TRAIL_DAYS, 36500, "天"),
    }
    if "ended_days" not in given.faults and 0 < out["ended_days"] < 30:
        given.faults["ended_days"] = "至少 30 天，好让误终止的记录还能恢复；0 表示一直保留。"
    return given.done(out)


def _backup(given: _Reading, _kept: Mapping[str, Any], _offered: Collection[str]) -> dict[str, Any]:
    folder = given.text("folder")
    if folder and (not folder.startswith("/") or "\0" in folder):
        given.faults["folder"] = "写从 / 开始的完整路径，例如 /mnt/backup；空着就放在数据文件夹里。"
    return given.done(
        {
            "on": given.form.get("on") == "1",
            "hour": given.whole("hour", "几点备份", 0, 23, "时"),
            "daily": given.whole("daily", "每日备份留几份", 1, 60, "份"),
            "weekly": given.whole("weekly", "每周备份留几份", 0, 52, "份"),
            "folder": folder.rstrip("/"),
        }
    )


_READERS: dict[str, Callable[[_Reading, Mapping[str, Any], Collection[str]], dict[str, Any]]] = {
    "identity": _identity,
    "view": _view,
    "basemaps": _basemaps,
    "distances": _distances,
    "audit": _audit,
    "public": _public,
    "retention": _retention,
    "backup": _backup,
}

"""From raw cells to a kind's values: each takes the intake, rejects what can't be used and returns an array (n,)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from service.errors import InvalidValue
from service.files.clocks import parse_day_and_clock
from service.files.parsed import Parsed
from service.files.table import objects, present
from service.files.values import parse_code, parse_date, parse_int, parse_lonlat, parse_phone, parse_text, parse_time
from service.geo.coverage import repair
from service.geo.crs import parse_crs, to_wgs84
from service.geo.points import Points
from service.records.importing import Column, Intake

_ACCEPTED = {
    "line": {1, 2, 5},
    "polygon": {3, 6},
    "point": {0},
    "line_or_point": {0, 1, 2, 5},
    "any": {0, 1, 2, 3, 4, 5, 6},
}
_WORDS = {"line": "线", "polygon": "面", "point": "点", "line_or_point": "线或点", "any": "点、线或面"}
_NAMES = ("点", "线", "环线", "面", "多点", "多线", "多面", "混合图形")  # in the order of Shapely's type ids
# Characters that a field takes. Names and codes stand in lists, on the map and in links; more is a file cut wrongly.
_CODE, _NAME = 100, 200
_ENDLESS = ("长期", "长期有效", "永久", "永久有效", "无期限", "无固定期限", "不限")
_LONGEST = {"description": 20_000, "notes": 5_000, "address": 500, "trade": 1_000}
_MULTI = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)  # by dimension


def _parsed(intake: Intake, name: str, parse: Callable[..., Parsed], *more: Any, strict: bool = True) -> Column:
    """A field through a parser; cells that can't be read reject their row, or are left out with a warning."""
    if not intake.has(name):
        return np.full(len(intake.rows), None, dtype=object)
    found = parse(intake.values[name], intake.headers.get(name, name), *more)
    for note in found.notes:
        intake.verdicts.warn(note)
    if strict:
        for problem in found.problems:
            intake.reject(problem.row, name, problem.value, problem.reason)
    else:
        intake.verdicts.warn_problems(found.problems, intake.rows)
    return found.values


def text(intake: Intake, name: str, needed: bool = False) -> Column:
    """Trimmed text; None for an empty cell, which rejects the row where the field is needed."""
    return _need(intake, name, _parsed(intake, name, parse_text, _LONGEST.get(name, _NAME)), needed)


def texts(intake: Intake, names: Iterable[str]) -> dict[str, Column]:
    """Those of the fields that the file has."""
    return {name: text(intake, name) for name in names if intake.has(name)}


def code(intake: Intake, name: str, needed: bool = False) -> Column:
    """A text code; what a spreadsheet turned into a number is restored where nothing was lost."""
    return _need(intake, name, _parsed(intake, name, parse_code, _CODE), needed)


def phone(intake: Intake, name: str) -> Column:
    """Digits; a cell that is no phone number is left out with a warning."""
    return _parsed(intake, name, parse_phone, strict=False)


def whole(intake: Intake, name: str) -> Column:
    """Whole numbers from 0; others are left out with a warning."""
    values = _parsed(intake, name, parse_int, strict=False)
    return np.array(
        [None if value is None or value != value or value < 0 else int(value) for value in values.tolist()],
        dtype=object,
    )


def day(intake: Intake, name: str) -> Column:
    """Dates as datetime.date, None where empty."""
    _without_end(intake, name)
    values = _parsed(intake, name, parse_date)
    if values.dtype.kind == "M":
        days = values.astype("datetime64[D]").astype(object)
        days[np.isnat(values)] = None
        values = days
    return values


def _without_end(intake: Intake, name: str) -> None:
    """Words for a period without an end stand for no date."""
    if not intake.has(name):
        return
    endless = np.isin(intake.values[name].astype(str), _ENDLESS)
    if endless.any():
        intake.values[name] = intake.values[name].copy()
        intake.values[name][endless] = None
        header = intake.headers.get(name, name)
        told = f"“{header}”写的是长期，按没有截止日期存入"
        intake.verdicts.warn(told, int(endless.sum()), intake.rows[endless].tolist())


def moment(intake: Intake, name: str, needed: bool = False, clock: str | None = None) -> Column:
    """Times as datetime64[ms], UTC; NaT where empty. `clock`: a field with the time of day, where the file has it.

    The field's texts are given up: there may be millions.
    """
    raw, zone, header = intake.values.pop(name), intake.asked.time_zone, intake.headers.get(name, name)
    if clock is not None and intake.has(clock):
        found = parse_day_and_clock(raw, intake.values.pop(clock), name, clock, zone)
    else:
        found = parse_time(raw, header, zone)
    for note in found.notes:
        intake.verdicts.warn(note)
    for problem in found.problems:
        if needed:
            stated = name if problem.field == header else problem.field
            intake.reject(problem.row, stated, problem.value, problem.reason)
    if not needed:
        intake.verdicts.warn_problems(found.problems, intake.rows)
    values = np.asarray(found.values).astype("datetime64[ms]")
    if needed:
        intake.reject_where(np.isnat(values), name, raw, "这一格是空的，必须有时间。")
    return values


def _need(intake: Intake, name: str, values: Column, needed: bool) -> Column:
    if needed:
        intake.reject_where(~present(values), name, values, "这一格是空的，必须填写。")
    return values


def filled(values: Column, instead: Sequence[Any] | Column) -> Column:
    """Empty cells taken from another column."""
    empty = ~present(values)
    if not empty.any():
        return values
    out = values.copy()
    out[empty] = objects(instead)[empty]
    return out


def translated(values: Column, meaning: Callable[[Any], Any]) -> Column:
    """Each value's meaning, asked once per distinct value; None stays None."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    return np.asarray(objects([*(meaning(one) for one in distinct.tolist()), None])[codes], dtype=object)


def worded(intake: Intake, name: str, words: Mapping[str, str], otherwise: str) -> Column:
    """A cell's word as the code it stands for; empty and unknown words give `otherwise`, the latter with a warning."""
    return worded_by(
        intake, name, lambda word: words.get(word.strip().lower()), otherwise, "、".join(list(words)[:8]), lenient=True
    )


def worded_by(
    intake: Intake, name: str, known: Callable[[str], str | None], otherwise: Any, choices: str, lenient: bool = False
) -> Column:
    """Words by a rule. `otherwise`: a value, an array (n,), or None when the cell is needed."""
    raw = text(intake, name, needed=otherwise is None and intake.has(name))
    default = otherwise if isinstance(otherwise, np.ndarray) else np.full(len(raw), otherwise, dtype=object)
    out = translated(raw, known)
    nothing = ~present(out)
    out[nothing] = default[nothing]
    strange: dict[str, list[int]] = {}
    for i in np.flatnonzero(nothing & present(raw)).tolist():
        strange.setdefault(raw[i], []).append(i)
    for word, indexes in strange.items():
        if lenient:
            header = intake.headers.get(name, name)
            intake.verdicts.warn(f"不认识“{word[:30]}”（{header}），按 {default[indexes[0]]} 存入", len(indexes))
        else:
            for i in indexes:
                intake.reject(i, name, word, f"不认识“{word[:30]}”。可以写：{choices}。")
    return out


def mapped(intake: Intake, name: str, words: Mapping[str, str]) -> Column:
    """Known words as their codes, others as they are."""
    raw = text(intake, name)
    return translated(raw, lambda one: words.get(one.strip().lower(), one))


def unique(intake: Intake, name: str, values: Column) -> Column:
    """Repeated keys: the later rows are rejected, or numbered when that was asked for. Returns the keys in use."""
    used = values[intake.alive]
    if present(used).all() and len(pd.unique(used)) == len(used):
        return values
    first: dict[Any, int] = {}
    out = values.copy()
    times: dict[Any, int] = {}
    for i in np.flatnonzero(intake.alive).tolist():
        key = values[i]
        if key is None:
            intake.reject(i, name, "", "没有编码，也没有别的内容可以识别这一行。")
            continue
        if key not in first:
            first[key] = i
            continue
        if intake.asked.number_duplicates:
            while out[i] in first:
                times[key] = times.get(key, 1) + 1
                out[i] = f"{key}-{times[key]}"
            first[out[i]] = i
            continue
        row = int(intake.rows[first[key]])
        given = intake.column(name)[i]
        if given is not None and str(given).strip():
            reason = f"编码“{key}”重复：第 {row} 行已经用了它。改正编码，或加 --duplicates number 收下。"
        else:
            key, reason = "", f"没有编码，内容又和第 {row} 行一样。补上编码，或加 --duplicates number 收下。"
        intake.reject(i, name, key, reason)
    return out


def alive(intake: Intake, columns: Mapping[str, Column]) -> dict[str, Column]:
    """Only the rows that were not rejected."""
    if intake.alive.all():
        return dict(columns)
    return {name: values[intake.alive] for name, values in columns.items()}


def alive_with(intake: Intake, columns: Mapping[str, Column], geometry: Column) -> tuple[dict[str, Column], Column]:
    """The same with geometry, for Rows."""
    return alive(intake, columns), geometry[intake.alive]


def shapes(intake: Intake, kind: str, needed: bool = True) -> Column:
    """Geometry of the right kind, repaired where that is unambiguous; else the row is rejected in words."""
    if intake.geometry is None:
        if needed:
            raise InvalidValue("geometry", f"这个文件没有图形，需要{_WORDS[kind]}。")
        return np.full(len(intake.rows), None, dtype=object)
    out = intake.geometry.copy()
    types = shapely.get_type_id(out)
    empty = shapely.is_missing(out) | shapely.is_empty(out)
    if needed:
        intake.reject_where(empty, "geometry", np.full(len(out), "", dtype=object), _no_shape(intake))
    wrong = ~np.isin(types, list(_ACCEPTED[kind])) & ~empty
    for i in np.flatnonzero(wrong & intake.alive).tolist():
        part = _extract(out[i], kind)
        if part is None:
            intake.reject(i, "geometry", "", f"图形是{_NAMES[types[i]]}，这里需要{_WORDS[kind]}。")
        elif types[i] == 7 and shapely.get_num_geometries(part) < len(_simple(out[i])):
            taken = _NAMES[shapely.get_type_id(part)]
            intake.verdicts.warn(f"混合图形里只取了{taken}", rows=[int(intake.rows[i])])
        out[i] = part
    out[empty] = None
    _in_range(intake, out)
    if kind in ("polygon", "any"):
        out = _repaired(intake, out)
    if kind in ("polygon", "line"):
        for i in np.flatnonzero(intake.alive).tolist():
            out[i] = as_multi(out[i], kind)
    return np.asarray(shapely.force_2d(out), dtype=object)


def _no_shape(intake: Intake) -> str:
    if "lon" in intake.headers and "lat" in intake.headers:
        return f"这一行的“{intake.headers['lon']}”“{intake.headers['lat']}”是空的，没有位置。"
    return "这一行没有图形。"


def _extract(geom: Any, kind: str) -> Any:
    """The usable part of a collection; the outline of a polygon where lines are wanted; None when there is none."""
    if geom.geom_type == "GeometryCollection":
        parts = _simple(geom)
        parts = parts[np.isin(shapely.get_type_id(parts), list(_ACCEPTED[kind])) & ~shapely.is_empty(parts)]
        dimension = shapely.get_dimensions(parts)
        parts = parts[dimension == dimension.max(initial=0)]
        return None if not len(parts) else parts[0] if len(parts) == 1 else _MULTI[dimension.max()](parts)
    if kind == "line_or_point":
        return shapely.point_on_surface(geom)
    if geom.geom_type == "LinearRing" and kind in ("line", "any"):
        return shapely.linestrings(geom.coords)
    return None


def _simple(geom: Any) -> Column:
    """Its points, lines and polygons, however deep collections are nested."""
    parts = np.array([geom], dtype=object)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    return parts


def _repaired(intake: Intake, out: Column) -> Column:
    polygons = np.flatnonzero(np.isin(shapely.get_type_id(out), (3, 6)) & intake.alive)
    if not len(polygons):
        return out
    fixed, notes, rejected = repair(out[polygons])
    for place, index in enumerate(polygons.tolist()):
        if rejected[place]:
            intake.reject(index, "geometry", "", notes[place] or "图形不能用。")
        else:
            out[index] = fixed[place]
            if notes[place]:
                intake.verdicts.warn(str(notes[place]), rows=[int(intake.rows[index])])
    return out


def _in_range(intake: Intake, out: Column) -> None:
    """Degrees must be degrees."""
    boxes = shapely.bounds(out)
    with np.errstate(invalid="ignore"):
        bad = (
            (boxes[:, 0] < -180)
            | (boxes[:, 2] > 180)
            | (boxes[:, 1] < -90)
            | (boxes[:, 3] > 90)
            | np.isinf(boxes).any(axis=1)
        )
    for i in np.flatnonzero(bad & intake.alive).tolist():
        w, s, _e, _n = boxes[i].tolist()
        swapped = -90 <= w <= 90 and abs(s) > 90
        why = "像是经纬度对调了，交换后重新导入。" if swapped else "坐标若是投影的，请用 --crs EPSG:编号 说明。"
        intake.reject(i, "geometry", f"{w:g},{s:g}", f"坐标超出经纬度的范围。{why}")


def as_multi(geom: Any, kind: str) -> Any:
    """Lines as MultiLineString, polygons as MultiPolygon."""
    if geom is None or geom.geom_type.startswith("Multi"):
        return geom
    return shapely.multilinestrings([geom]) if kind == "line" else shapely.multipolygons([geom])


def points(intake: Intake) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) float64 of each row, NaN where there is none; rows whose coordinates can't be right are rejected."""
    n = len(intake.rows)
    lon, lat = np.full(n, np.nan), np.full(n, np.nan)
    if intake.points is not None:
        return intake.points.lon, intake.points.lat
    if intake.geometry is not None:
        spots = intake.geometry.copy()
        types = shapely.get_type_id(spots)
        other = (types > 0) & ~shapely.is_empty(spots)
        spots[other] = shapely.point_on_surface(spots[other])
        spots[shapely.is_empty(spots)] = None
        lon, lat = shapely.get_x(spots), shapely.get_y(spots)
        _in_range(intake, spots)
        return lon, lat
    return lon, lat


def coordinates(intake: Intake, x_name: str, y_name: str, crs: str | None) -> Points:
    """Two columns as WGS-84 degrees, none where both are empty; rejected rows in words. Their texts are given up."""
    found = parse_lonlat(
        intake.values.pop(x_name),
        intake.values.pop(y_name),
        x_name,
        y_name,
        projected=parse_crs(crs or "EPSG:4326").kind == "projected",
    )
    for note in found.notes:
        intake.verdicts.warn(note)
    for problem in found.problems:
        intake.reject(problem.row, problem.field, problem.value, problem.reason)
    return Points(*to_wgs84(found.values[:, 0], found.values[:, 1], parse_crs(crs or "EPSG:4326")))


def fingerprints(prefix: str, *columns: Column | None) -> list[str]:
    """A stable key per row from some of its values."""
    keys: dict[str, int] = {}
    out = []
    for row in zip(*(column.tolist() for column in columns if column is not None), strict=True):
        digest = hashlib.blake2s("|".join(map(str, row)).encode(), digest_size=8).hexdigest()
        keys[digest] = keys.get(digest, 0) + 1
        out.append(f"{prefix}{digest}" + (f"-{keys[digest]}" if keys[digest] > 1 else ""))
    return out

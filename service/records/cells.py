"""From raw cells to a kind's values: each takes the intake, rejects what can't be used and returns an array (n,)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from service.errors import InvalidValue
from service.files.parsed import Parsed
from service.files.values import parse_code, parse_date, parse_int, parse_lonlat, parse_phone, parse_text, parse_time
from service.geo.coverage import repair
from service.geo.crs import parse_crs, to_wgs84
from service.records.importing import Column, Intake

_ACCEPTED = {
    "line": {1, 2, 5},
    "polygon": {3, 6},
    "point": {0},
    "line_or_point": {0, 1, 2, 5},
    "any": {0, 1, 2, 3, 4, 5, 6},
}
_WORDS = {"line": "线", "polygon": "面", "point": "点", "line_or_point": "线或点", "any": "点、线或面"}


def _parsed(intake: Intake, name: str, parse: Callable[..., Parsed], *more: Any, strict: bool = True) -> Column:
    """A field through a parser; cells that can't be read reject their row, or are left out with a warning."""
    if not intake.has(name):
        return np.full(len(intake.rows), None, dtype=object)
    found = parse(intake.values[name], name, *more)
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
    return _need(intake, name, _parsed(intake, name, parse_text), needed)


def texts(intake: Intake, names: Iterable[str]) -> dict[str, Column]:
    """Those of the fields that the file has."""
    return {name: text(intake, name) for name in names if intake.has(name)}


def code(intake: Intake, name: str, needed: bool = False) -> Column:
    """A text code; what a spreadsheet turned into a number is restored where nothing was lost."""
    return _need(intake, name, _parsed(intake, name, parse_code), needed)


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
    values = _parsed(intake, name, parse_date)
    if values.dtype.kind == "M":
        days = values.astype("datetime64[D]").astype(object)
        days[np.isnat(values)] = None
        values = days
    return values


def moment(intake: Intake, name: str, needed: bool = False) -> Column:
    """Times as datetime64[ms], UTC; NaT where empty."""
    found = parse_time(intake.values[name], name, intake.asked.time_zone)
    for note in found.notes:
        intake.verdicts.warn(note)
    for problem in found.problems:
        if needed:
            intake.reject(problem.row, name, problem.value, problem.reason)
    if not needed:
        intake.verdicts.warn_problems(found.problems, intake.rows)
    values = np.asarray(found.values).astype("datetime64[ms]")
    if needed:
        intake.reject_where(np.isnat(values), name, intake.values[name], "这一格是空的，必须有时间。")
    return values


def _need(intake: Intake, name: str, values: Column, needed: bool) -> Column:
    if needed:
        intake.reject_where(
            np.array([value is None for value in values.tolist()], dtype=bool), name, values, "这一格是空的，必须填写。"
        )
    return values


def filled(values: Column, instead: Sequence[Any]) -> Column:
    """Empty cells taken from another column."""
    out = values.copy()
    for i, value in enumerate(values.tolist()):
        if value is None:
            out[i] = instead[i]
    return out


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
    given = raw.tolist()
    meaning = {word: known(word) for word in set(given) if word is not None}
    default = otherwise if isinstance(otherwise, np.ndarray) else np.full(len(given), otherwise, dtype=object)
    out = default.copy()
    strange: dict[str, list[int]] = {}
    for i, word in enumerate(given):
        if word is None:
            continue
        if meaning[word] is not None:
            out[i] = meaning[word]
        else:
            strange.setdefault(word, []).append(i)
    for word, indexes in strange.items():
        if lenient:
            intake.verdicts.warn(f"不认识“{word[:30]}”（{name}），按 {default[indexes[0]]} 存入", len(indexes))
        else:
            for i in indexes:
                intake.reject(i, name, word, f"不认识“{word[:30]}”。可以写：{choices}。")
    return out


def mapped(intake: Intake, name: str, words: Mapping[str, str]) -> Column:
    """Known words as their codes, others as they are."""
    raw = text(intake, name)
    return np.array(
        [None if one is None else words.get(one.strip().lower(), one) for one in raw.tolist()], dtype=object
    )


def unique(intake: Intake, name: str, values: Column) -> Column:
    """Repeated keys: the later rows are rejected, or numbered when that was asked for. Returns the keys in use."""
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
            times[key] = times.get(key, 1) + 1
            out[i] = f"{key}-{times[key]}"
        else:
            row = int(intake.rows[first[key]])
            intake.reject(
                i, name, key, f"编码“{key}”重复：第 {row} 行已经用了它。改正编码，或加 --duplicates number 收下。"
            )
    return out


def alive(intake: Intake, columns: Mapping[str, Column]) -> dict[str, Column]:
    """Only the rows that were not rejected."""
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
        intake.reject_where(empty, "geometry", np.full(len(out), "", dtype=object), "这一行没有图形。")
    wrong = ~np.isin(types, list(_ACCEPTED[kind])) & ~empty
    for i in np.flatnonzero(wrong & intake.alive).tolist():
        part = _extract(out[i], kind)
        if part is None:
            intake.reject(i, "geometry", out[i].geom_type, f"图形是 {out[i].geom_type}，这里需要{_WORDS[kind]}。")
        out[i] = part
    out[empty] = None
    if kind in ("polygon", "any"):
        out = _repaired(intake, out)
    _in_range(intake, out)
    if kind in ("polygon", "line"):
        for i in np.flatnonzero(intake.alive).tolist():
            out[i] = as_multi(out[i], kind)
    return np.asarray(shapely.force_2d(out), dtype=object)


def _extract(geom: Any, kind: str) -> Any:
    """The usable part of a collection; the outline of a polygon where lines are wanted; None when there is none."""
    if geom.geom_type == "GeometryCollection":
        parts = [part for part in geom.geoms if shapely.get_type_id(part) in _ACCEPTED[kind]]
        merged = shapely.union_all(parts) if parts else None
        return merged if merged is not None and shapely.get_type_id(merged) in _ACCEPTED[kind] else None
    if kind == "line_or_point":
        return shapely.point_on_surface(geom)
    if geom.geom_type == "LinearRing" and kind in ("line", "any"):
        return shapely.linestrings(geom.coords)
    return None


def _repaired(intake: Intake, out: Column) -> Column:
    polygons = np.flatnonzero(np.isin(shapely.get_type_id(out), (3, 6)) & intake.alive)
    if not len(polygons):
        return out
    fixed, notes, rejected = repair(out[polygons])
    for place, index in enumerate(polygons.tolist()):
        if rejected[place]:
            intake.reject(index, "geometry", out[index].geom_type, notes[place] or "图形不能用。")
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


def point_array(lon: np.ndarray, lat: np.ndarray) -> Column:
    """Shapely points (n,), None where a coordinate is NaN."""
    out = np.empty(len(lon), dtype=object)
    here = ~(np.isnan(lon) | np.isnan(lat))
    out[here] = shapely.points(lon[here], lat[here])
    return out


def coordinates(intake: Intake, x_name: str, y_name: str, crs: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Two columns as WGS-84 degrees, NaN where both are empty; rejected rows in words."""
    found = parse_lonlat(
        intake.values[x_name],
        intake.values[y_name],
        x_name,
        y_name,
        projected=parse_crs(crs or "EPSG:4326").kind == "projected",
    )
    for note in found.notes:
        intake.verdicts.warn(note)
    for problem in found.problems:
        intake.reject(problem.row, problem.field, problem.value, problem.reason)
    return to_wgs84(found.values[:, 0], found.values[:, 1], parse_crs(crs or "EPSG:4326"))


def fingerprints(prefix: str, *columns: Any) -> list[str]:
    """A stable key per row from some of its values."""
    lists = [[None] * 0 if column is None else column.tolist() for column in columns]
    present = [one for one in lists if one]
    keys: dict[str, int] = {}
    out = []
    for row in zip(*present, strict=True):
        digest = hashlib.blake2s("|".join(map(str, row)).encode(), digest_size=8).hexdigest()
        keys[digest] = keys.get(digest, 0) + 1
        out.append(f"{prefix}{digest}" + (f"-{keys[digest]}" if keys[digest] > 1 else ""))
    return out

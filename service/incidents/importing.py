"""Incidents from files: read as columns, located by the edition of the day on which each was reported."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.files.mapping import Field, plain_header
from service.files.table import present
from service.geo.pointindex import PointIndex
from service.geo.points import Points
from service.grids.models import Edition
from service.grids.queries import zones_on
from service.grids.rules import TILING_KINDS
from service.incidents.models import Incident
from service.incidents.moments import REPORTED_WORDS, choose_moment
from service.incidents.rules import state_code
from service.records import cells
from service.records.batches import visible
from service.records.counters import INCIDENTS as INCIDENTS_COUNTER
from service.records.importing import Intake, Kind, Prepared, Rows
from service.records.unmasking import hide, unmask
from service.taxonomy.queries import Taxonomy, in_force

# Headers that a count, a house number or a layer's own numbering bears as well as a register's number.
_WEAK_NUMBERS = frozenset({"number", "id", "no", "num", "序号"})
_MOSTLY = 0.5
_LOCAL_MS = np.timedelta64(8 * 3600 * 1000, "ms")
# San Francisco's IncidntNum is no number of an incident: it is the police report's and stands on each of its offences.
FIELDS = (
    Field(
        "number",
        "编号、事项编号、案件编号、案卷编号、任务号、受理编号、工单编号、工单号、id、unique key、"
        "case number、case id、service request id、request id、事件编号、事项单号、案件号、案卷号、"
        "问题编号、工单、流水号、上报编号、登记编号、受理号、诉求编号、任务编号、case no、"
        "incident number、incident id、reference、ticket",
        label="编号",
    ),
    Field(
        "category",
        "类别编码、事项编码、小类编码、小类代码、category code、code、类别代码、小类编号、"
        "案件小类编码、事件编码、事项代码、问题编码",
        label="类别编码",
    ),
    # A bare "type" comes last: elsewhere it is a street's suffix or a vehicle's make.
    Field(
        "category_name",
        "类别、问题类型、问题类别、事项类别、事项名称、小类、小类名称、案件类型、案件类别、诉求类型、"
        "complaint type、offense、offence、category、problem、大类、大类名称、类型、type",
        label="类别",
    ),
    Field(
        "description",
        "描述、问题描述、内容、案件描述、诉求内容、详情、descriptor、descript、details、情况描述、"
        "事件描述、事项描述、问题、主要内容、诉求、标题、问题内容、备注、说明、事由、summary、notes",
        label="描述",
    ),
    Field(
        "address",
        "地址、位置、发生地点、地点、事发地址、案发地址、incident address、location description、"
        "place、详细地址、位置描述、事发地点、问题位置、案件地址、事件地址、所在位置、发生地址、"
        "street address、address",
        label="地址",
    ),
    Field(
        "state",
        "状态、办理状态、案件状态、处理状态、当前状态、status、resolution status、处置状态、"
        "案件阶段、办理情况、进度、环节、当前环节、处理情况、事件状态",
        label="状态",
    ),
    Field(
        "source",
        "来源、案件来源、问题来源、上报来源、channel、上报方式、信息来源、事件来源、问题渠道、渠道、受理渠道、上报渠道",
        label="来源",
    ),
    Field("reported_at", REPORTED_WORDS, required=True, label="上报时间"),
    Field("reported_clock", (), label="上报钟点"),
    Field(
        "due_at",
        "截止时间、办理时限、处置时限、应办结时间、处理截止时间、due date、due、deadline、办结时限、"
        "处置截止时间、到期时间、限办时间、要求办结时间、应结时间、处理时限、截止日期、办理期限、"
        "超期时间",
        label="截止时间",
    ),
    Field(
        "closed_at",
        "结案时间、办结时间、关闭时间、完成时间、closed date、closed、resolved、completed date、"
        "办结日期、结案日期、完成日期、处置完成时间、处理完成时间、实际办结时间、核查时间、解决时间、"
        "关闭日期、closed at、resolved at、closed on",
        label="结案时间",
    ),
    Field(
        "stated_grid",
        "网格、网格编码、网格编号、所属网格、beat、pddistrict、community board、grid、网格代码、"
        "网格名称、责任网格、所在网格、网格号、单元网格、单元网格编号、单元网格编码、district、zone",
        label="所写网格",
    ),
    Field(
        "lon",
        "经度、x、lng、longitude、long、x坐标、东经、x坐标（经度）、lon wgs84、point x、gps经度",
        label="经度",
    ),
    Field(
        "lat",
        "纬度、y、latitude、y坐标、北纬、y坐标（纬度）、lat wgs84、point y、gps纬度",
        label="纬度",
    ),
)
SOURCE_WORDS = {
    "patrol": "patrol",
    "巡查": "patrol",
    "网格巡查": "patrol",
    "citizen": "citizen",
    "群众": "citizen",
    "群众上报": "citizen",
    "hotline": "hotline",
    "热线": "hotline",
    "12345": "hotline",
    "群众监督员": "supervisor_volunteer",
    "supervisor_volunteer": "supervisor_volunteer",
    "模拟测评": "mock_assessment",
    "mock_assessment": "mock_assessment",
    "暗访": "unannounced",
    "unannounced": "unannounced",
    "上级交办": "superior",
    "superior": "superior",
    "frontage_inspection": "frontage_inspection",
    "门前三包检查": "frontage_inspection",
}


def prepare(session: Session, intake: Intake) -> Prepared:
    """An incident without a number is known by its time, place and category."""
    hide(intake, "description", words=True)
    reported = cells.moment(intake, "reported_at", needed=True, clock="reported_clock")
    columns: dict[str, Any] = {"reported_at": reported}
    for name in ("due_at", "closed_at"):
        if intake.has(name):
            columns[name] = cells.moment(intake, name)
    columns |= cells.texts(intake, ("description", "address", "stated_grid"))
    _categories(intake, columns, in_force(session))
    if intake.has("source"):
        columns["source"] = cells.mapped(intake, "source", SOURCE_WORDS)
    _states(intake, columns)
    lon, lat = cells.points(intake)
    numbers = _numbers(intake)
    nameless = ~present(numbers)
    if nameless.any():
        told_by = (reported, lon, lat, *(columns.get(name) for name in ("category_name", "address", "description")))
        numbers = numbers.copy()
        numbers[nameless] = cells.fingerprints("i", *(None if one is None else one[nameless] for one in told_by))
    columns["number"] = cells.unique(intake, "number", numbers)
    unmask(session, intake, Incident, columns["number"], columns, key="number")
    alive = intake.alive
    columns = cells.alive(intake, columns)
    lon, lat = lon[alive], lat[alive]
    columns["grid_code"], columns["community_code"] = locate_by_day(session, columns["reported_at"], lon, lat)
    missing = int(np.isnan(lon).sum())
    if missing:
        intake.verdicts.warn(f"{missing} 行没有坐标：已存入，但不在地图上，等待定位。")
    outside = int((~np.isnan(lon)).sum() - present(columns["grid_code"]).sum())
    if outside and outside < len(lon) - missing:
        intake.verdicts.warn(f"{outside} 行的位置不在任何网格里。")
    return Prepared([lambda _s: Rows(Incident, ("number",), columns, Points(lon, lat))])


def _numbers(intake: Intake) -> np.ndarray:
    """The stated numbers; a column that may be something else (a count, a house number) and mostly repeats itself is
    none. Under an unmistakable header a repeated number is a mistake in its row."""
    numbers = cells.code(intake, "number")
    header = plain_header(intake.headers.get("number", ""))
    if "number" in intake.asked.explicit or header not in _WEAK_NUMBERS:
        return numbers
    given = numbers[present(numbers)]
    repeated = len(given) - len(pd.unique(given))
    if repeated <= _MOSTLY * len(given):
        return numbers
    intake.verdicts.warn(
        f"“{intake.headers['number']}”一列有 {repeated} 个重复，不像编号，没有采用（确实是编号时加 --map number=列名）"
    )
    return np.full(len(numbers), None, dtype=object)


def _categories(intake: Intake, columns: dict[str, Any], taxonomy: Taxonomy) -> None:
    """Code and name: a known code brings its name, a known name its code, an older code becomes the one in force."""
    known = taxonomy.by_code
    codes_by_name = {row.name: row.code for row in taxonomy.rows}
    code = cells.translated(cells.text(intake, "category"), lambda one: known[one].code if one in known else one)
    name = cells.text(intake, "category_name")
    if intake.has("category"):
        columns["category"] = code
    if intake.has("category_name") or intake.has("category"):
        columns["category_name"] = cells.filled(
            name, cells.translated(code, lambda one: known[one].name if one in known else one)
        )
    if not intake.has("category"):
        columns["category"] = cells.translated(name, codes_by_name.get)


def _states(intake: Intake, columns: dict[str, Any]) -> None:
    """The stated one; without one, closed when there is a closing time, else being handled."""
    closed = columns.get("closed_at")
    implied = (
        np.where(np.isnat(closed), "handling", "closed").astype(object)
        if closed is not None
        else np.full(len(intake.rows), "handling", dtype=object)
    )
    if intake.has("state"):
        columns["state"] = cells.worded_by(
            intake, "state", state_code, implied, "待核实、待派遣、处置中、待核查、已结案 …", lenient=True
        )
    else:
        columns["state"] = implied


def locate_by_day(
    session: Session, reported: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(grid codes, community codes) by the editions in force on each incident's Shanghai day; None outside."""
    grid = np.full(len(lon), None, dtype=object)
    home = np.full(len(lon), None, dtype=object)
    days = (reported.astype("datetime64[ms]") + _LOCAL_MS).astype("datetime64[D]")
    starts = {row for row in session.scalars(select(Edition.starts_on).where(visible(Edition))) if row is not None}
    cuts = [date.min, *sorted(starts), None]
    for first, after in itertools.pairwise(cuts):
        assert first is not None
        mask = np.ones(len(lon), dtype=bool) if first == date.min else days >= np.datetime64(first)
        if after is not None:
            mask &= days < np.datetime64(after)
        if not mask.any():
            continue
        found = zones_on(session, first)
        tiles = [i for i, zone in enumerate(found.zones) if zone.kind in TILING_KINDS]
        if not tiles:
            continue
        index = PointIndex(found.geoms[tiles], [found.zones[i].code for i in tiles])
        at = index.locate(lon[mask], lat[mask])
        codes = np.array([*(found.zones[i].code for i in tiles), None], dtype=object)
        homes = np.array([*(found.zones[i].community_code for i in tiles), None], dtype=object)
        grid[mask], home[mask] = codes[at], homes[at]
    return grid, home


INCIDENTS = Kind(
    "incidents",
    "事项",
    FIELDS,
    "point",
    prepare,
    {"incidents": Incident},
    (INCIDENTS_COUNTER,),
    points_from=("lon", "lat"),
    choose=choose_moment,
)

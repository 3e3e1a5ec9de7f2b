"""Every kind × every format × every encoding: what an office writes is what is stored, without any --map.

Chinese headers in all of them, English ones in one encoding of each format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from sqlalchemy import select

from service.config import Settings
from service.db.base import Base
from service.db.engine import Database
from service.db.spatial import raw_geometry, read_geometries
from service.duties.models import Duty
from service.frontages.models import Frontage
from service.grids.models import Community, Grid
from service.incidents.models import Incident
from service.intake.kinds import KINDS
from service.people.models import Organisation, Person
from service.places.models import Building, Place, Street
from tests.conftest import POSTGRES, no_postgres
from tests.intake.conftest import MARKS, Columns, Office, an_office, bring, fits, square, write
from tests.stores import Stores

_TEXT = [(form, encoding) for form in ("geojson", "csv", "kml") for encoding in MARKS]
_SHAPEFILES = [(form, encoding) for form in ("shp", "shp.zip") for encoding in ("UTF-8", "GBK")]
FORMATS = [*_TEXT, ("tsv", "UTF-8"), ("kmz", "UTF-8"), *_SHAPEFILES, ("gpkg", ""), ("xlsx", "")]
CASES = [(*one, "中文") for one in FORMATS] + [(*one, "English") for one in FORMATS if one[1] in ("UTF-8", "")]
ON_POSTGIS = {
    "communities": ("shp.zip", "GBK"),
    "grids": ("gpkg", ""),
    "people": ("csv", "GB18030"),
    "organisations": ("xlsx", ""),
    "duties": ("csv", "UTF-16"),
    "frontages": ("geojson", "UTF-8"),
    "incidents": ("csv", "UTF-8 BOM"),
    "streets": ("kml", "UTF-8"),
    "buildings": ("kmz", "UTF-8"),
    "places": ("tsv", "UTF-8"),
}
BEYOND_GBK, WITHIN_GBK = "𠮷", "吉"


@dataclass(frozen=True)
class Column:
    """A field of a register: its attribute, what offices call it, what they write, and what is stored of it.

    `short`: the Chinese header that a Shapefile in UTF-8 has room for.
    """

    attribute: str
    chinese: str
    short: str
    english: str
    written: tuple[Any, ...]
    stored: tuple[Any, ...] | None = None

    def header(self, language: str, form: str, encoding: str) -> str | None:
        """None where a Shapefile would cut the name."""
        if language == "English":
            name = self.english
        else:
            name = self.chinese if not form.startswith("shp") or fits(self.chinese, encoding) else self.short
        return name if not form.startswith("shp") or fits(name, encoding) else None


@dataclass(frozen=True)
class Register:
    """Two rows of a kind."""

    model: type[Base]
    key: str
    columns: tuple[Column, ...]
    shapes: tuple[Any, ...] | None = None


def wall(clock: str) -> datetime:
    """A time as a spreadsheet has it: without a zone, meant in Shanghai."""
    return datetime.fromisoformat(clock)


def front(north: float) -> Any:
    """A line of three points."""
    return shapely.LineString([(109.881, 31.071 + north), (109.882, 31.0712 + north), (109.883, 31.071)])


LINES = (front(0), front(0.0005))
POINTS = (shapely.Point(109.8805, 31.0705), shapely.Point(109.8812, 31.0713))
C = Column
REGISTERS = {
    "communities": Register(
        Community,
        "code",
        (
            C("code", "村社区编码", "编码", "code", ("500237002003", "500237002202")),
            C("name", "社区名称", "名称", "name", ("龙水社区", "梨𠮷村")),
            C("kind", "类别", "类别", "type", ("社区", "村"), ("community", "village")),
            C("notes", "备注", "备注", "remark", ("沿江一带", None)),
        ),
        (square(0.02), square(0.022)),
    ),
    "grids": Register(
        Grid,
        "code",
        (
            C("code", "网格编码", "编码", "grid", ("500237002002001", "500237002002002")),
            C("name", "网格名称", "名称", "name", ("码头网格", "𠮷祥网格")),
            C("community_code", "社区编码", "社区", "community", ("500237002002", "500237002002")),
            C("kind", "网格类型", "类型", "type", ("网格", "专属网格"), ("grid", "special")),
            C("households", "户数", "户数", "households", (312, 288)),
            C("population", "人口数", "人口", "population", (901, 770)),
            C("notes", "备注", "备注", "remark", ("含农贸市场", None)),
        ),
        (square(0.01), square(0.012)),
    ),
    "people": Register(
        Person,
        "code",
        (
            C("code", "工号", "工号", "staff no", ("L101", "L102")),
            C("name", "姓名", "姓名", "full name", ("张秀英", "王𠮷")),
            C("phone", "手机号码", "手机", "mobile", ("13800138001", "13900139002")),
            C("organisation_code", "所属单位", "单位", "unit", ("城管办", "社建办")),
            C("title", "职务", "职务", "position", ("网格长", "专职网格员")),
            C("notes", "备注", "备注", "note", (None, "周末值班")),
        ),
    ),
    "organisations": Register(
        Organisation,
        "code",
        (
            C("code", "单位编码", "编码", "id", ("D01", "D02")),
            C("name", "单位名称", "名称", "name", ("龙门街道办事处", "𠮷祥商场")),
            C("kind", "单位类别", "类别", "type", ("机关", "企业")),
            C("head_code", "一把手", "一把手", "head", ("L001", "L002")),
            C("phone", "联系电话", "电话", "tel", ("02357688001", "02357688002")),
            C("address", "地址", "地址", "address", ("广东中路100号", "平湖西路8号")),
        ),
    ),
    "duties": Register(
        Duty,
        "code",
        (
            C("code", "责任编号", "编号", "id", ("Z1", "Z2")),
            C("role", "角色", "角色", "role", ("网格长", "专职网格员"), ("grid_leader", "grid_officer")),
            C("subject_kind", "对象类型", "类别", "kind", ("网格", "网格"), ("grid", "grid")),
            C("subject_code", "对象编码", "网格", "subject", ("500237002001001", "500237002001001")),
            C("person_code", "责任人", "责任人", "person", ("李雷", "L002"), ("L001", "L002")),
            C("acting_code", "代理人", "代理人", "acting", ("L002", None)),
            C("starts_on", "开始日期", "自", "from", (date(2026, 1, 1), date(2026, 3, 1))),
            C("ends_on", "结束日期", "至", "end date", (date(2026, 12, 31), None), (date(2027, 1, 1), None)),
        ),
    ),
    "frontages": Register(
        Frontage,
        "code",
        (
            C("code", "门店编号", "编号", "id", ("M1", "M2")),
            C("shop_name", "门店名称", "店名", "shop", ("巫山烤鱼", "𠮷记面馆")),
            C("trade", "经营类别", "行业", "category", ("餐饮", "餐饮")),
            C("address", "门牌号", "门牌", "address", ("平湖西路1号", "平湖西路3号")),
            C("state", "经营状态", "状态", "status", ("营业中", "空置"), ("operating", "vacant")),
            C("person_name", "负责人", "负责人", "keeper", ("陈平", None)),
            C("phone", "联系电话", "电话", "mobile", ("13700137001", None)),
            C("agreement_until", "有效期至", "到期日", "valid until", (date(2027, 6, 30), date(2026, 6, 30))),
            C("grade", "星级", "星级", "stars", ("四星", "三星")),
        ),
        LINES,
    ),
    "incidents": Register(
        Incident,
        "number",
        (
            C("number", "案件编号", "编号", "case id", ("A1", "A2")),
            C("category_name", "小类名称", "类别", "type", ("占道经营", "暴露垃圾")),
            C("description", "问题描述", "描述", "details", ("水果摊占人行道", "𠮷记门口垃圾外溢")),
            C("address", "发生地点", "地点", "place", ("平湖西路1号", "广东中路2号")),
            C("state", "办理状态", "状态", "status", ("处置中", "已结案"), ("handling", "closed")),
            C("source", "来源", "来源", "channel", ("巡查", "12345"), ("patrol", "hotline")),
            C(
                "reported_at",
                "上报时间",
                "时间",
                "created",
                (wall("2026-11-20 08:30"), wall("2026-11-21 00:05")),
                (datetime(2026, 11, 20, 0, 30, tzinfo=UTC), datetime(2026, 11, 20, 16, 5, tzinfo=UTC)),
            ),
            C(
                "closed_at",
                "结案时间",
                "结案时间",
                "closed",
                (None, wall("2026-11-21 09:00")),
                (None, datetime(2026, 11, 21, 1, 0, tzinfo=UTC)),
            ),
        ),
        POINTS,
    ),
    "streets": Register(
        Street,
        "code",
        (
            C("code", "编号", "编号", "osm_id", ("S1", "S2")),
            C("name", "道路名称", "路名", "name", ("平湖西路", "𠮷祥巷")),
            C("level", "道路等级", "等级", "highway", ("主干路", "巷道"), (0, 3)),
        ),
        LINES,
    ),
    "buildings": Register(
        Building,
        "code",
        (
            C("code", "编号", "编号", "id", ("B1", "B2")),
            C("name", "楼栋名称", "楼名", "name", ("滨江1栋", "𠮷祥2栋")),
            C("address", "地址", "地址", "addr", ("平湖西路1号", None)),
        ),
        (square(0.001, side=0.0003), square(0.0015, side=0.0003)),
    ),
    "places": Register(
        Place,
        "code",
        (
            C("code", "编码", "编码", "id", ("P1", "P2")),
            C("name", "场所名称", "名称", "title", ("龙门农贸市场", "𠮷祥公厕")),
            C("kind", "场所类别", "类别", "amenity", ("农贸市场", "公厕"), ("market", "toilet")),
            C("address", "地址", "地址", "addr", ("广东中路9号", None)),
        ),
        POINTS,
    ),
}


@pytest.fixture(scope="module")
def on_postgis(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Settings]]:
    """A PostGIS database with the ground; each kind writes its own table."""
    if not POSTGRES:
        no_postgres()
    with an_office(stores, "postgis", tmp_path_factory.mktemp("ground")) as made:
        yield made.database, made.settings


def content(register: Register, language: str, form: str, encoding: str) -> tuple[Columns, dict[str, tuple[Any, ...]]]:
    """(what the file holds by header, what is stored by attribute)."""
    written: Columns = {}
    stored: dict[str, tuple[Any, ...]] = {}
    for column in register.columns:
        header = column.header(language, form, encoding)
        if header is not None:
            written[header] = tuple(encodable(value, encoding) for value in column.written)
            stored[column.attribute] = tuple(encodable(value, encoding) for value in column.stored or column.written)
    return written, stored


def encodable(value: Any, encoding: str) -> Any:
    return value.replace(BEYOND_GBK, WITHIN_GBK) if isinstance(value, str) and encoding == "GBK" else value


def check(
    database: Database, settings: Settings, folder: Path, kind: str, form: str, encoding: str, language: str
) -> None:
    """Import the register and read it back."""
    register = REGISTERS[kind]
    columns, stored = content(register, language, form, encoding)
    done = bring(database, settings, kind, write(folder, form, encoding, columns, register.shapes))
    counts = {name: done.summary[name] for name in ("read", "accepted", "rejected", "updated", "unchanged")}
    assert counts == {"read": 2, "accepted": 2, "rejected": 0, "updated": 0, "unchanged": 0}, done.messages
    assert done.exit_code == 0
    model: Any = register.model
    key = getattr(model, register.key)
    mine = key.in_(stored[register.key])
    with database.read() as session:
        rows = session.scalars(select(model).where(mine).order_by(key)).all()
        found = {name: tuple(getattr(row, name) for row in rows) for name in stored}
        assert found == stored
        if register.shapes is not None:
            shapes = read_geometries(list(session.scalars(select(raw_geometry(model.geom)).where(mine).order_by(key))))
            assert np.all(shapely.hausdorff_distance(shapes, np.array(register.shapes)) < 1e-9)
            assert np.all(shapely.area(shapely.symmetric_difference(shapes, np.array(register.shapes))) < 1e-12)
        if kind == "incidents":
            assert [row.grid_code for row in rows] == ["500237002001001"] * 2


def test_the_table_has_every_kind() -> None:
    assert set(REGISTERS) == set(ON_POSTGIS) == set(KINDS)


@pytest.mark.parametrize(("form", "encoding", "language"), CASES, ids=lambda word: word or "-")
@pytest.mark.parametrize("kind", REGISTERS)
def test_into_the_geopackage(office: Office, kind: str, form: str, encoding: str, language: str) -> None:
    check(office.database, office.settings, office.folder, kind, form, encoding, language)


@pytest.mark.parametrize("kind", REGISTERS)
def test_into_postgis(on_postgis: tuple[Database, Settings], tmp_path: Path, kind: str) -> None:
    form, encoding = ON_POSTGIS[kind]
    check(*on_postgis, tmp_path, kind, form, encoding, "中文")

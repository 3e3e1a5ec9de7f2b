"""Streets, buildings and places from files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from sqlalchemy.orm import Session

from service.db.base import Base
from service.files.mapping import Field
from service.places.models import Building, Place, Street
from service.records import cells
from service.records.counters import GROUND
from service.records.importing import Intake, Kind, Prepared, Rows

_CODE = Field("code", ("编码", "编号", "代码", "id", "osm_id", "osmid", "fid"), label="编码")
_NAME = ("名称", "名字", "title", "label")
STREET_FIELDS = (
    _CODE,
    Field("name", (*_NAME, "道路名称", "街路名称", "路名", "街道名称", "道路名"), label="名称"),
    Field("level", ("级别", "等级", "道路等级", "道路级别", "类型", "highway", "class", "fclass"), label="级别"),
)
BUILDING_FIELDS = (
    _CODE,
    Field("name", (*_NAME, "楼名", "建筑名称", "楼栋名称"), label="名称"),
    Field("address", ("地址", "门牌", "门牌号", "addr", "addr:street"), label="地址"),
)
PLACE_FIELDS = (
    _CODE,
    Field("name", (*_NAME, "场所名称"), label="名称"),
    Field("kind", ("类别", "类型", "场所类别", "type", "amenity", "category"), label="类别"),
    Field("address", ("地址", "位置", "addr"), label="地址"),
    Field("lon", ("经度", "x", "lng", "longitude", "long"), label="经度"),
    Field("lat", ("纬度", "y", "latitude"), label="纬度"),
)
KIND_WORDS = {
    "农贸市场": "market",
    "菜市场": "market",
    "市场": "market",
    "marketplace": "market",
    "垃圾收集站": "refuse_station",
    "垃圾站": "refuse_station",
    "垃圾收集点": "refuse_station",
    "waste_disposal": "refuse_station",
    "转运站": "transfer_station",
    "垃圾转运站": "transfer_station",
    "waste_transfer_station": "transfer_station",
    "公共卫生间": "toilet",
    "公厕": "toilet",
    "公共厕所": "toilet",
    "toilets": "toilet",
    "河流": "river",
    "河": "river",
    "水系": "river",
    "河段": "river",
    "湖": "lake",
    "湖泊": "lake",
    "水库": "lake",
    "湖库": "lake",
    "湖（库）": "lake",
    "reservoir": "lake",
    "water": "river",
    "林地": "wood",
    "林段": "wood",
    "森林": "wood",
    "树林": "wood",
    "forest": "wood",
    "密林": "dense_wood",
    "公园": "park",
    "绿地": "park",
    "广场": "park",
    "河湖水库": "river",
    "公园绿地": "park",
    "河岸": "bank",
    "学校": "school",
    "医院": "hospital",
    "clinic": "hospital",
    "其他": "other",
}
KINDS = frozenset({*KIND_WORDS.values(), "other"})
LEVEL_WORDS = {
    "motorway": 0,
    "trunk": 0,
    "primary": 0,
    "secondary": 1,
    "tertiary": 1,
    "unclassified": 2,
    "residential": 2,
    "living_street": 2,
    "pedestrian": 2,
    "service": 3,
    "footway": 3,
    "path": 3,
    "steps": 3,
    "cycleway": 3,
    "track": 3,
    "主干路": 0,
    "主干道": 0,
    "快速路": 0,
    "次干路": 1,
    "次干道": 1,
    "支路": 2,
    "街巷": 3,
    "巷": 3,
    "巷道": 3,
    "小区路": 3,
}


def street_level(value: object) -> int:
    """0 trunk to 3 lane, from a number or from the words of OpenStreetMap and Chinese registers; 2 when unknown.

    >>> street_level("residential"), street_level("主干路"), street_level(1), street_level("?")
    (2, 0, 1, 2)
    """
    text = str(value if value is not None else "").strip()
    if text in ("0", "1", "2", "3", "0.0", "1.0", "2.0", "3.0"):
        return int(text[0])
    return LEVEL_WORDS.get(text.removesuffix("_link").lower(), 2)


def place_kind(value: object) -> str:
    """The kind that a cell names; 'other' when unknown."""
    text = str(value or "").strip()
    return text if text in KINDS else KIND_WORDS.get(text.lower(), "other")


def _codes(intake: Intake) -> np.ndarray:
    """Stated codes; else one made of the geometry, so that a second import finds the same thing.

    Things of one geometry are told apart by their order.
    """
    given = cells.code(intake, "code")
    shapes = intake.geometry
    assert shapes is not None
    if all(one is not None for one in given):
        return given
    return cells.filled(given, cells.fingerprints("g", shapely.to_wkb(shapes, hex=True)))


def prepare_streets(_session: Session, intake: Intake) -> Prepared:
    """Lines with a name and a level."""
    lines = cells.shapes(intake, "line")
    codes = cells.unique(intake, "code", _codes(intake))
    level = np.array([street_level(value) for value in intake.column("level")], dtype=object)
    columns = {"code": codes, "name": cells.text(intake, "name"), "level": level}
    return Prepared([lambda _s: Rows(Street, ("code",), *cells.alive_with(intake, columns, lines))])


def prepare_buildings(_session: Session, intake: Intake) -> Prepared:
    """Polygons with a name and an address."""
    outlines = cells.shapes(intake, "polygon")
    codes = cells.unique(intake, "code", _codes(intake))
    columns = {"code": codes, **cells.texts(intake, ("name", "address"))}
    return Prepared([lambda _s: Rows(Building, ("code",), *cells.alive_with(intake, columns, outlines))])


def prepare_places(_session: Session, intake: Intake) -> Prepared:
    """Any geometry with a kind."""
    shapes = cells.shapes(intake, "any")
    codes = cells.unique(intake, "code", _codes(intake))
    kind = np.array([place_kind(value) for value in intake.column("kind")], dtype=object)
    columns = {"code": codes, "kind": kind, **cells.texts(intake, ("name", "address"))}
    return Prepared([lambda _s: Rows(Place, ("code",), *cells.alive_with(intake, columns, shapes))])


def _kind(
    name: str,
    label: str,
    fields: tuple[Field, ...],
    geometry: str,
    prepare: Callable[[Session, Intake], Prepared],
    model: type[Street] | type[Building] | type[Place],
    points_from: tuple[str, str] | None = None,
) -> Kind:
    tables: dict[str, type[Base]] = {model.__tablename__: model}
    return Kind(name, label, fields, geometry, prepare, tables, (GROUND,), points_from, geometry_needed=True)


STREETS = _kind("streets", "街路", STREET_FIELDS, "line", prepare_streets, Street)
BUILDINGS = _kind("buildings", "建筑", BUILDING_FIELDS, "polygon", prepare_buildings, Building)
PLACES = _kind("places", "场所", PLACE_FIELDS, "any", prepare_places, Place, ("lon", "lat"))

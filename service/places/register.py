"""The registers of places, streets and buildings, as lists, forms and the interface know them."""

from __future__ import annotations

from typing import Any

import shapely

from service.places.importing import KIND_WORDS, LEVEL_WORDS
from service.places.models import Building, Place, Street
from service.records import cells
from service.records.counters import GROUND
from service.records.register import (
    BY_PLACE,
    CHOICE,
    CODE,
    COMMUNITY,
    GRID,
    LEADER,
    Register,
    RegisterField,
    Values,
)

KINDS = {
    "market": "农贸市场",
    "refuse_station": "垃圾收集站",
    "transfer_station": "垃圾转运站",
    "toilet": "公共卫生间",
    "river": "河流",
    "lake": "湖（库）",
    "bank": "河岸",
    "wood": "林地",
    "dense_wood": "密林",
    "park": "公园绿地",
    "school": "学校",
    "hospital": "医院",
    "other": "其他",
}
LEVELS = {"0": "主干路", "1": "次干路", "2": "支路", "3": "街巷"}
_CODE = RegisterField("code", "编码", CODE, editable=False, help="留空时自动编一个。")


def propose(_values: Values, geom: Any) -> str | None:
    """As an import makes it, so that a file with the same shape finds it again."""
    if geom is None:
        return None
    return cells.fingerprints("g", shapely.to_wkb([geom], hex=True))[0]


PLACES = Register(
    name="places",
    label="场所",
    noun="place",
    unit="处",
    model=Place,
    fields=(
        _CODE,
        RegisterField("name", "名称", filter=True),
        RegisterField("kind", "类别", CHOICE, KINDS, KIND_WORDS, needed=True, default="other", filter=True),
        RegisterField("address", "地址", filter=True),
    ),
    title="name",
    listed=("name", "kind", "address", "grid", "community", "leader"),
    area=BY_PLACE,
    order="name",
    searched=("name", "address", "code"),
    derived=(GRID, COMMUNITY, LEADER),
    state="kind",
    geometry="any",
    geometry_needed=True,
    counters=(GROUND,),
    subject="place",
    propose=propose,
)
STREETS = Register(
    name="streets",
    label="街路",
    noun="street",
    unit="条",
    model=Street,
    fields=(
        _CODE,
        RegisterField("name", "名称", filter=True),
        RegisterField(
            "level",
            "级别",
            CHOICE,
            LEVELS,
            {word: str(level) for word, level in LEVEL_WORDS.items()},
            needed=True,
            default=2,
            filter=True,
            numeric=True,
        ),
    ),
    title="name",
    listed=("name", "level", "grid", "community"),
    area=BY_PLACE,
    order="name",
    searched=("name", "code"),
    derived=(GRID, COMMUNITY),
    state="level",
    geometry="line",
    geometry_needed=True,
    counters=(GROUND,),
    subject="street",
    propose=propose,
)
BUILDINGS = Register(
    name="buildings",
    label="建筑",
    noun="building",
    unit="栋",
    model=Building,
    fields=(_CODE, RegisterField("name", "名称", filter=True), RegisterField("address", "地址", filter=True)),
    title="name",
    listed=("name", "address", "grid", "community"),
    area=BY_PLACE,
    order="name",
    searched=("name", "address", "code"),
    derived=(GRID, COMMUNITY),
    geometry="polygon",
    geometry_needed=True,
    counters=(GROUND,),
    subject="building",
    propose=propose,
)

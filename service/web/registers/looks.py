"""How each register looks as pages: which column stands where, the signs of its states, what its empty page says.

Plain data; what the fields are and mean stands in the rooms' own descriptions (service/*/register.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Where a column stands on a phone: first line (what, when), second line (st, gr, by); others only on wide screens.
WHAT, WHEN, STATE, GRID, BY = "what", "when", "st", "gr", "by"


@dataclass(frozen=True)
class State:
    """A state as a coloured word with a sign; `look` is its class in parts.css."""

    word: str
    look: str = "none"
    icon: str | None = None


@dataclass(frozen=True)
class Look:
    """`title`: the page's; `thing`: the word of one row; `under`: the column shown small beside the title;
    `places`: column to its place; `columns`: shown unless others are chosen; `kin`: registers in the same tab row;
    `states`: stored state (or group) to its look; `default`: filters of the bare address, `sort`: its order."""

    title: str
    thing: str
    icon: str
    columns: tuple[str, ...]
    places: Mapping[str, str]
    kin: tuple[str, ...]
    empty: str
    hint: str = ""
    under: str | None = None
    states: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    default: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bulk: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    all_word: str = "全部"
    sort: str = ""
    photos: bool = False


_FRONT = ("frontages", "places", "streets")
_ZONES = ("grids", "communities")
_PEOPLE = ("people", "organisations")

LOOKS: dict[str, Look] = {
    "frontages": Look(
        title="门前三包",
        thing="门店",
        icon="shop",
        columns=("state", "shop_name", "trade", "grid", "leader", "person_name", "agreement_until"),
        places={"shop_name": WHAT, "agreement_until": WHEN, "state": STATE, "grid": GRID, "leader": BY},
        under="address",
        kin=_FRONT,
        states={
            "operating": ("done", "s-done"),
            "renovating": ("way", "s-way"),
            "vacant": ("rep", "s-rep"),
            "closed": ("none", "minus"),
        },
        empty="登记每家门店的责任人、电话和责任书，画出门前的一段，地图上点一下就知道谁负责。",
        hint="如：已搬走，门面拆除",
        bulk=("state", "trade", "grade", "agreement_until"),
        all_word="全部门店",
        photos=True,
    ),
    "places": Look(
        title="场所",
        thing="场所",
        icon="pin",
        columns=("name", "kind", "grid", "community", "leader"),
        places={"name": WHAT, "kind": STATE, "grid": GRID, "community": BY},
        under="address",
        kin=_FRONT,
        empty="登记农贸市场、垃圾收集站、公共卫生间、河湖和林地，巡查和统计都用得上。",
        hint="如：已拆除，改作他用",
        bulk=("kind",),
        all_word="全部场所",
        photos=True,
    ),
    "streets": Look(
        title="街路",
        thing="街路",
        icon="route",
        columns=("name", "level", "grid", "community"),
        places={"name": WHAT, "level": STATE, "grid": GRID, "community": BY},
        kin=_FRONT,
        empty="登记街路的名称和中线，街长责任和门牌地址按它来找。",
        hint="如：改名，并入别的路",
        bulk=("level",),
        all_word="全部街路",
    ),
    "grids": Look(
        title="网格",
        thing="网格",
        icon="layers",
        columns=("code", "name", "community", "leader", "households", "population"),
        places={"name": WHAT, "code": GRID, "leader": BY, "community": WHEN},
        under="notes",
        kin=_ZONES,
        empty="网格从界线文件导入；导入后在这里改名称、户数、人口和备注。",
        bulk=("kind",),
        numeric=("households", "population"),
        all_word="全部网格",
    ),
    "communities": Look(
        title="社区",
        thing="社区",
        icon="map",
        columns=("code", "name", "kind", "grids"),
        places={"name": WHAT, "code": GRID, "kind": STATE, "grids": WHEN},
        under="notes",
        kin=_ZONES,
        empty="先有社区，网格才有归属。从界线文件导入，或手工登记。",
        hint="如：并入别的社区",
        bulk=("kind",),
        numeric=("grids",),
        all_word="全部社区和村",
    ),
    "people": Look(
        title="人员",
        thing="人员",
        icon="person",
        columns=("name", "title", "organisation_code", "phone", "duties", "account"),
        places={"name": WHAT, "phone": WHEN, "duties": GRID, "organisation_code": BY},
        kin=_PEOPLE,
        empty="登记网格长、网格员、街长和各科室的人，责任才能落到人。",
        hint="如：调离，退休",
        bulk=("organisation_code", "title"),
        all_word="全部人员",
    ),
    "organisations": Look(
        title="单位",
        thing="单位",
        icon="note",
        columns=("name", "kind", "head_code", "phone", "people"),
        places={"name": WHAT, "kind": GRID, "head_code": BY, "phone": WHEN},
        under="address",
        kin=_PEOPLE,
        empty="登记街道科室和辖区单位，写明一把手，派遣和通报都按它。",
        hint="如：撤并，搬出本辖区",
        bulk=("kind",),
        numeric=("people",),
        all_word="全部单位",
    ),
    "duties": Look(
        title="责任",
        thing="责任",
        icon="person",
        columns=("state", "person_code", "role", "subject", "community", "starts_on", "last_day", "acting_code"),
        places={"person_code": WHAT, "last_day": WHEN, "state": STATE, "subject": GRID, "role": BY},
        kin=("duties",),
        states={
            "held": ("done", "s-done"),
            "acting": ("way", "s-way"),
            "coming": ("rep", "s-rep"),
            "over": ("none", "history"),
        },
        empty="指派网格长、网格员、街长和河长，地图上点一下就知道谁负责。",
        bulk=("hand_over", "leave", "end"),
        all_word="全部责任",
    ),
    "incidents": Look(
        title="事项",
        thing="事项",
        icon="list",
        columns=("state", "category_name", "grid", "leader", "due_at", "source", "number"),
        places={"category_name": WHAT, "due_at": WHEN, "state": STATE, "grid": GRID, "leader": BY},
        under="address",
        kin=("incidents",),
        states={
            "late": ("late", "s-late"),
            "way": ("way", "s-way"),
            "chk": ("chk", "s-chk"),
            "rep": ("rep", "s-rep"),
            "done": ("done", "s-done"),
        },
        default={"group": ("open",)},
        sort="due_at",
        empty="巡查、群众和 12345 报来的事项都在这里；现在由导入带进来。",
        all_word="全部未结",
    ),
}

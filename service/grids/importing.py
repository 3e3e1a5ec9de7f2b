"""Communities and grids from files: editions, the community of each grid, and the check of the tiling."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.db.spatial import encode, raw_geometry, read_geometries
from service.errors import NothingStored
from service.files.mapping import Field
from service.geo.coverage import Fault, find_faults
from service.grids.models import Community, Edition, Grid, TilingFault
from service.grids.queries import CommunityRow, communities
from service.grids.rules import TILING_KINDS, community_kind, community_kind_of_name, grid_kind
from service.records import cells
from service.records.batches import visible
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows
from service.records.unmasking import hide, unmask

Starts = dict[str, date | None]
_SHOWN = 20

COMMUNITY_FIELDS = (
    Field(
        "code",
        "编码、编号、代码、社区编码、社区代码、村社区编码、村社区代码、统计用区划代码、区划代码、id、"
        "社区编号、村编码、村代码、村社区编号、行政区划代码、区划编码、统计代码、小区编码",
        required=True,
        label="编码",
    ),
    Field(
        "name",
        "名称、社区名称、村社区名称、社区、村、title、社区（村）、村社区、村名、村名称、社区名、"
        "村居名称、村（社区）名称",
        required=True,
        label="名称",
    ),
    Field(
        "kind",
        "类别、类型、性质、type、社区类别、社区类型、村社区类别、城乡分类、class",
        label="类别",
    ),
    Field(
        "notes",
        "备注、说明、remark、备注说明、remarks、note",
        label="备注",
    ),
)
GRID_FIELDS = (
    Field(
        "code",
        "网格编码、网格编号、网格代码、编码、编号、代码、id、grid、网格号、网格、单元网格编码、"
        "单元网格编号、单元网格代码、基础网格编码、网格ID、网格标识码、标识码、wgbm、wgdm、wgbh",
        required=True,
        label="编码",
    ),
    Field(
        "name",
        "网格名称、名称、网格名、title、单元网格名称、基础网格名称、名字、wgmc",
        label="名称",
    ),
    Field(
        "community_code",
        "社区编码、所属社区编码、社区代码、村社区编码、村社区代码、所属社区、社区、community、"
        "所属村社区、村社区、所属村（社区）、社区名称、社区编号、所属社区编号、所属社区名称、"
        "所在社区、村、行政村",
        label="社区",
    ),
    Field(
        "kind",
        "网格类型、类型、类别、网格类别、type、网格性质、网格种类、网格分类、class",
        label="类型",
    ),
    Field(
        "parent_code",
        "上级网格、上级网格编码、父网格、所属网格、parent、上级网格编号、上级编码、父级编码、父级网格、所属网格编码",
        label="上级网格",
    ),
    Field(
        "households",
        "户数、总户数、家庭户数、户、总户、居民户数、住户数、常住户数、household",
        label="户数",
    ),
    Field(
        "population",
        "人口、人口数、总人口、常住人口、人数、常住人口数、户籍人口、总人数、居民人数、实有人口",
        label="人口",
    ),
    Field(
        "notes",
        "备注、说明、重点场所、remark、备注说明、remarks、note",
        label="备注",
    ),
)


def prepare_communities(session: Session, intake: Intake) -> Prepared:
    """Communities with their outline, where the file has one."""
    hide(intake, "notes", words=True)
    codes = cells.code(intake, "code", needed=True)
    codes = cells.unique(intake, "code", codes)
    names = cells.text(intake, "name", needed=True)
    outlines = cells.shapes(intake, "polygon", needed=False) if intake.geometry is not None else None
    columns = {"code": codes, "name": names, **cells.texts(intake, ("notes",))}
    stated = cells.text(intake, "kind")
    columns["kind"] = np.array(
        [
            community_kind(kind or "") or community_kind_of_name(name or "")
            for kind, name in zip(stated, names, strict=True)
        ],
        dtype=object,
    )
    unmask(session, intake, Community, codes, columns)
    if outlines is None:
        return Prepared([lambda _s: Rows(Community, ("code",), cells.alive(intake, columns))])
    columns, outlines = cells.alive_with(intake, columns, outlines)
    return Prepared(
        [lambda _s: Rows(Community, ("code",), columns, outlines)],
        faults=_between(columns["code"].tolist(), outlines, communities(session)),
    )


def _between(codes: list[str], outlines: np.ndarray, known: list[CommunityRow]) -> list[Fault]:
    """Overlaps of the file's communities with one another and with those that are there, and gaps that they enclose."""
    kept = [row for row in known if row.code not in set(codes) and row.geom is not None and row.ended_on is None]
    others = np.empty(len(kept), dtype=object)
    others[:] = [row.geom for row in kept]
    found = find_faults(np.concatenate([outlines, others]), codes + [row.code for row in kept])
    return [fault for fault in found if set(fault.codes) & set(codes)]


def prepare_grids(session: Session, intake: Intake) -> Prepared:
    """One edition per community of the file, beginning on the asked day, since ever for a first one."""
    hide(intake, "notes", words=True)
    shapes = cells.shapes(intake, "polygon")
    codes = cells.code(intake, "code", needed=True)
    codes = cells.unique(intake, "code", codes)
    columns: dict[str, Any] = {"code": codes, **cells.texts(intake, ("notes",))}
    names = cells.text(intake, "name")
    columns["name"] = cells.filled(names, codes.tolist())
    columns["kind"] = cells.worded_by(intake, "kind", grid_kind, "grid", "网格、专属网格或微网格")
    for name in ("households", "population"):
        if intake.has(name):
            columns[name] = cells.whole(intake, name)
    if intake.has("parent_code"):
        columns["parent_code"] = cells.code(intake, "parent_code")
    unmask(session, intake, Grid, codes, columns)
    homes = communities(session)
    columns["community_code"] = _homes(intake, shapes, homes)
    columns, outlines = cells.alive_with(intake, columns, shapes)
    starts = _starts(session, set(columns["community_code"].tolist()), intake.asked.edition)
    faults = _faults(session, columns, outlines, homes, starts)
    if intake.asked.edition is not None:
        _warn_of_missing(session, intake, columns, homes, starts)
    return Prepared(
        [lambda s: _edition_rows(starts), lambda s: _grid_rows(s, columns, outlines, starts)],
        at_finish=[lambda s, batch_id: _replace_faults(s, batch_id, faults, starts)],
        faults=[fault for _, fault in faults],
        edition=intake.asked.edition.isoformat() if intake.asked.edition else None,
    )


def _homes(intake: Intake, shapes: np.ndarray, known: list[CommunityRow]) -> np.ndarray:
    """The stated community by code or name, else the one with the largest share of the grid's area."""
    by_word = {row.code: row.code for row in known} | {row.name: row.code for row in known}
    some = "、".join(row.code for row in known[:6]) + ("…" if len(known) > 6 else "")
    stated = cells.code(intake, "community_code")
    out = np.array([by_word.get(one) if one else None for one in stated], dtype=object)
    for i in np.flatnonzero(
        [word is not None and code is None for word, code in zip(stated, out, strict=True)]
    ).tolist():
        intake.reject(
            i,
            "community_code",
            stated[i],
            f"没有社区“{stated[i]}”。先导入社区，或改正这一格" + (f"；可用的有：{some}。" if known else "。"),
        )
    missing = np.flatnonzero([word is None for word in stated])
    with_outline = [row for row in known if row.geom is not None]
    if not len(missing):
        return out
    if not with_outline:
        if len(known) == 1:
            out[missing] = known[0].code
            return out
        raise NothingStored(
            "网格没有写明社区，也没有社区的界线可以对照。"
            "先导入社区（带界线），或用 --map community_code=列名 指出社区。"
        )
    tree = shapely.STRtree([row.geom for row in with_outline])
    for i in missing[intake.alive[missing]].tolist():
        hits = tree.query(shapes[i]).tolist()
        share = {hit: shapely.area(shapely.intersection(shapes[i], with_outline[hit].geom)) for hit in hits}
        best = max(share, key=lambda hit: share[hit], default=None)
        if best is None or share[best] <= 0:
            intake.reject(i, "geometry", "", "这个网格不在任何社区的界线里，也没有写明社区。")
        else:
            out[i] = with_outline[best].code
    return out


def _starts(session: Session, homes: set[str], asked: date | None) -> Starts:
    """The day on which each community's edition begins: the asked one, else that of its latest, else since ever."""
    known: dict[str, list[date | None]] = {}
    rows = session.execute(
        select(Edition.community_code, Edition.starts_on).where(Edition.community_code.in_(homes), visible(Edition))
    )
    for home, starts in rows:
        known.setdefault(home, []).append(starts)
    out: Starts = {}
    for home in sorted(homes):
        if asked is not None:
            out[home] = asked
        elif home in known:
            out[home] = max(known[home], key=lambda day: day or date.min)
        else:
            out[home] = None
    return out


def _warn_of_missing(
    session: Session, intake: Intake, columns: dict[str, Any], homes: list[CommunityRow], starts: Starts
) -> None:
    """Grids of the edition before that the new one doesn't have: merged away, or forgotten in the file."""
    day = intake.asked.edition
    called = {row.code: row.name for row in homes}
    rows = session.execute(
        select(Edition.community_code, Edition.starts_on, Grid.code)
        .join(Grid, Grid.edition_id == Edition.id)
        .where(Edition.community_code.in_(list(starts)), visible(Edition), visible(Grid))
    ).all()
    filed = set(columns["code"].tolist())
    for home in starts:
        editions: dict[date, set[str]] = {}
        for owner, begins, code in rows:
            if owner == home:
                editions.setdefault(begins or date.min, set()).add(code)
        before = [begins for begins in editions if day is not None and begins < day]
        if not before:
            continue
        missing = sorted(editions[max(before)] - filed - editions.get(day or date.min, set()))
        if missing:
            shown = "、".join(missing[:_SHOWN]) + ("…" if len(missing) > _SHOWN else "")
            intake.verdicts.warn(
                f"{called.get(home, home)} {day} 起的这一版少了上一版的 {len(missing)} 个网格：{shown}。"
                "从那天起它们不再有效；若是漏了，补进文件再导一次。"
            )


def _edition_rows(starts: Starts) -> Rows:
    homes = sorted(starts)
    return Rows(
        Edition,
        ("community_code", "starts_on"),
        {
            "community_code": np.array(homes, dtype=object),
            "starts_on": np.array([starts[home] for home in homes], dtype=object),
        },
        source=False,
    )


def _edition_ids(session: Session, starts: Starts) -> dict[str, int]:
    """Including this import's own, which nobody else sees yet."""
    rows = session.execute(
        select(Edition.id, Edition.community_code, Edition.starts_on).where(Edition.community_code.in_(list(starts)))
    )
    return {home: key for key, home, day in rows if day == starts[home]}


def _grid_rows(session: Session, columns: dict[str, Any], outlines: np.ndarray, starts: Starts) -> Rows:
    ids = _edition_ids(session, starts)
    # 0 for an edition that is not written yet: a dry run asks what would be new.
    edition = np.array([ids.get(home, 0) for home in columns["community_code"].tolist()], dtype=object)
    return Rows(Grid, ("edition_id", "code"), {"edition_id": edition, **columns}, outlines)


def tiling_faults(columns: dict[str, Any], outlines: np.ndarray, homes: list[CommunityRow]) -> list[tuple[str, Fault]]:
    """(community, fault) of the tiling grids: overlaps among all of them, gaps and overhang against the outlines."""
    tiles = np.isin(columns["kind"].astype(str), TILING_KINDS)
    codes, home = columns["code"][tiles], columns["community_code"][tiles]
    shapes = outlines[tiles]
    home_of = dict(zip(codes.tolist(), home.tolist(), strict=True))
    found: list[tuple[str, Fault]] = []
    for row in homes:
        mine = home == row.code
        if mine.any():
            faults = find_faults(shapes[mine], codes[mine].tolist(), row.geom)
            found += [(row.code, fault) for fault in faults]
    everywhere = find_faults(shapes, codes.tolist(), None)
    for fault in everywhere:
        owners = {home_of[code] for code in fault.codes if code in home_of}
        if fault.kind == "overlap" and len(owners) > 1:
            found.append((min(owners), fault))
    return sorted(found, key=lambda pair: -pair[1].area_m2)


def _faults(
    session: Session, columns: dict[str, Any], outlines: np.ndarray, homes: list[CommunityRow], starts: Starts
) -> list[tuple[str, Fault]]:
    """The faults of the editions as they will be: the file's grids together with those that the editions have."""
    ids = _edition_ids(session, starts)
    rows = session.execute(
        select(Grid.code, Grid.community_code, Grid.kind, raw_geometry(Grid.geom)).where(
            Grid.edition_id.in_(ids.values()), Grid.code.not_in(columns["code"].tolist()[:30_000]), visible(Grid)
        )
    ).all()
    if rows:
        kept = [np.array(list(part), dtype=object) for part in zip(*(row[:3] for row in rows), strict=True)]
        names = ("code", "community_code", "kind")
        columns = {name: np.concatenate([columns[name], part]) for name, part in zip(names, kept, strict=True)}
        outlines = np.concatenate([outlines, read_geometries([row[3] for row in rows])])
    return tiling_faults(columns, outlines, homes)


def _replace_faults(session: Session, batch_id: int, faults: list[tuple[str, Fault]], starts: Starts) -> None:
    """The editions' faults are those found now."""
    ids = _edition_ids(session, starts)
    session.execute(delete(TilingFault).where(TilingFault.edition_id.in_(ids.values())))
    for home, fault in faults:
        session.add(_fault_row(ids[home], home, fault, batch_id))


def check_again(session: Session, editions: Collection[int]) -> None:
    """The tiling faults of editions whose grids changed otherwise than by an import, found anew."""
    session.execute(delete(TilingFault).where(TilingFault.edition_id.in_(editions)))
    rows = session.execute(
        select(Grid.code, Grid.community_code, Grid.kind, Grid.edition_id, raw_geometry(Grid.geom)).where(
            Grid.edition_id.in_(editions), visible(Grid)
        )
    ).all()
    if not rows:
        return
    names = ("code", "community_code", "kind")
    columns = {name: np.array([row[i] for row in rows], dtype=object) for i, name in enumerate(names)}
    outlines = read_geometries([row[4] for row in rows])
    edition_of = {row[1]: row[3] for row in rows}
    for home, fault in tiling_faults(columns, outlines, communities(session)):
        session.add(_fault_row(edition_of[home], home, fault, None))


def _fault_row(edition_id: int, home: str, fault: Fault, batch_id: int | None) -> TilingFault:
    return TilingFault(
        edition_id=edition_id,
        community_code=home,
        kind=fault.kind,
        codes=",".join(fault.codes),
        area_m2=round(fault.area_m2, 3),
        geom=encode(cells.as_multi(fault.geom, "polygon")),
        batch_id=batch_id,
    )


COMMUNITIES = Kind(
    "communities",
    "社区",
    COMMUNITY_FIELDS,
    "polygon",
    prepare_communities,
    {"communities": Community},
    (RESPONSIBILITY,),
)
GRIDS = Kind(
    "grids",
    "网格",
    GRID_FIELDS,
    "polygon",
    prepare_grids,
    {"tiling_faults": TilingFault, "grids": Grid, "editions": Edition},
    (RESPONSIBILITY,),
    geometry_needed=True,
    relocates=True,
)

"""What an import tells: lines for the person at the terminal, the files of rejects and of tiling faults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import shapely

from service.files.mapping import Mapped
from service.files.table import Reject, SourceTable, present, shown
from service.files.targets import check_target
from service.files.verdicts import Verdicts, write_rejects
from service.geo.coverage import Fault
from service.records.importing import Kind

_SHOWN_REJECTS = 10
_SHOWN_FAULTS = 50
_SHOWN_COLUMNS = 20

Rejects = list[tuple[str, Reject]]


def tell_columns(kind: Kind, mapped: Mapped, table: SourceTable, verdicts: Verdicts) -> None:
    """Which column was taken for what; those with something in them that nothing was read from."""
    labels = {field.name: field.label or field.name for field in kind.fields}
    taken = [f"{labels[field]} ← {shown(column, 30)}" for field, column in mapped.used.items()]
    if taken:
        verdicts.warn(f"字段 ← 列：{'；'.join(taken)}")
    left = [column for column in mapped.unmapped if present(table.columns[column]).any()]
    if left:
        more = f"等 {len(left)} 列" if len(left) > _SHOWN_COLUMNS else ""
        names = "、".join(shown(column, 30) for column in left[:_SHOWN_COLUMNS])
        verdicts.warn(f"没有用到的列：{names}{more}（要用就加 --map 字段=列名）")


def messages(name: str, kind: Kind, verdicts: Verdicts) -> list[str]:
    """The first rejects in full, and how many there are."""
    labels = {field.name: field.label for field in kind.fields if field.label} | {"geometry": "图形"}
    lines = []
    for one in verdicts.rejects[:_SHOWN_REJECTS]:
        cell = labels.get(one.field, one.field) + (f"“{one.value}”" if one.value else "")
        lines.append(f"{name} 第 {one.row} 行{'，' if cell else ''}{cell}：{one.reason}")
    if len(verdicts.rejects) > _SHOWN_REJECTS:
        lines.append(
            f"{name}：一共拒收 {len(verdicts.rejected_rows)} 行，以上是前几处；加 --rejects 文件.csv 可全部写出。"
        )
    return lines


def describe_faults(faults: Sequence[Fault], verdicts: Verdicts) -> None:
    """The largest tiling faults as warnings."""
    words = {"overlap": "重叠", "gap": "空隙", "overhang": "越界"}
    if len(faults) > _SHOWN_FAULTS:
        verdicts.warn(f"另有 {len(faults) - _SHOWN_FAULTS} 处较小的界线问题，用 --faults 文件.geojson 可全部写出")
    for fault in faults[:_SHOWN_FAULTS]:
        at = shapely.point_on_surface(fault.geom)
        codes = "、".join(fault.codes[:3])
        verdicts.warn(f"{words[fault.kind]} {fault.area_m2:.1f} m²（{codes}），在 {at.x:.6f},{at.y:.6f}")


def check_reports(*targets: Path | None) -> None:
    """Before anything is stored: whether the files that were asked for can be written. Raises InvalidValue."""
    for target in targets:
        if target is not None:
            check_target(target)


def write_reports(rejects_to: Path | None, faults_to: Path | None, rejects: Rejects, faults: Sequence[Fault]) -> None:
    """The files that were asked for; of several sources in one."""
    if faults_to is not None:
        features = [
            {
                "type": "Feature",
                "geometry": json.loads(shapely.to_geojson(fault.geom)),
                "properties": {"kind": fault.kind, "codes": list(fault.codes), "area_m2": round(fault.area_m2, 3)},
            }
            for fault in faults
        ]
        faults_to.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))
    if rejects_to is not None:
        write_rejects(rejects_to, rejects)

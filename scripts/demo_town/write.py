"""The town's files: GeoJSON with one feature per line, CSV, the manifest and the truth."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from .categories import CATEGORIES
from .chance import SEED
from .grids import COMMUNITIES
from .incidents import Incident
from .projection import ORIGIN, geographic, lonlat
from .rhythm import REFERENCE
from .town import Town
from .truth import truth

Feature = tuple[dict[str, Any], BaseGeometry]


def write_town(town: Town, folder: Path) -> dict[str, int]:
    """Write all files into the folder, made when missing; returns the number of rows per file."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {name: _geojson(folder / f"{name}.geojson", features) for name, features in _layers(town).items()}
    counts |= {name: _csv(folder / f"{name}.csv", rows) for name, rows in _tables(town).items()}
    manifest = {
        "seed": SEED,
        "reference_weekday": REFERENCE.weekday(),
        "reference_date": REFERENCE.isoformat(),
        "origin": ORIGIN,
        "counts": counts,
    }
    (folder / "demo.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "TRUTH.md").write_text(truth(town), encoding="utf-8")
    return counts


def _layers(town: Town) -> dict[str, list[Feature]]:
    return {
        "communities": [
            ({"code": code, "name": name, "kind": kind}, town.outlines[code]) for code, name, kind in COMMUNITIES
        ],
        "grids": [
            (
                {
                    "code": g.code,
                    "name": g.name,
                    "community_code": g.community_code,
                    "kind": g.kind,
                    "parent_code": g.parent_code or None,
                    "households": g.households,
                    "population": g.population,
                    "notes": g.notes or None,
                },
                g.polygon,
            )
            for g in town.grids
        ],
        "streets": [({"code": s.code, "name": s.name, "level": s.level}, s.line.simplify(0.4)) for s in town.streets],
        "buildings": [
            ({"code": b.code, "name": b.name or None, "address": b.address or None}, b.polygon) for b in town.buildings
        ],
        "places": [
            ({"code": p.code, "name": p.name, "kind": p.kind, "address": p.address or None}, p.geometry)
            for p in town.places
        ],
        "frontages": [
            (
                {
                    "code": f.code,
                    "shop_name": f.shop_name or None,
                    "trade": f.trade or None,
                    "address": f.address,
                    "state": f.state,
                    "person_name": f.person_name or None,
                    "phone": f.phone or None,
                    "owner_name": f.owner_name or None,
                    "agreement_until_offset": f.agreement_until,
                    "grade": f.grade or None,
                },
                f.line,
            )
            for f in town.frontages
        ],
    }


def _tables(town: Town) -> dict[str, list[dict[str, Any]]]:
    return {
        "organisations": [vars(o) for o in town.staff.organisations],
        "persons": [vars(p) for p in town.staff.persons],
        "duties": [
            {
                "code": d.code,
                "role": d.role,
                "subject_kind": d.subject_kind,
                "subject_code": d.subject_code,
                "person_code": d.person_code,
                "acting_code": d.acting_code,
                "acting_from_offset": d.acting_from,
                "acting_until_offset": d.acting_until,
                "starts_offset": d.starts,
                "ends_offset": d.ends,
            }
            for d in town.staff.duties
        ],
        "incidents": [_incident(incident) for incident in town.incidents],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    lon, lat = (f"{v:.7f}" for v in lonlat(incident.x, incident.y)) if incident.located else ("", "")
    return {
        "number": incident.number,
        "category": incident.category,
        "category_name": CATEGORIES[incident.category].name,
        "description": incident.description,
        "address": incident.address,
        "state": incident.state,
        "source": incident.source,
        "reported_offset_minutes": incident.reported,
        "due_offset_minutes": incident.due,
        "closed_offset_minutes": incident.closed,
        "lon": lon,
        "lat": lat,
    }


def _geojson(path: Path, features: Iterable[Feature]) -> int:
    lines = []
    for properties, geometry in features:
        shape = geographic(geometry)
        if shape.geom_type == "Polygon":
            shape = orient(shape, 1.0)  # RFC 7946: exterior rings counter-clockwise
        feature = {"type": "Feature", "properties": properties, "geometry": mapping(shape)}
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    head = json.dumps({"type": "FeatureCollection", "name": path.stem}, separators=(",", ":"))[:-1]
    path.write_text(head + ',"features":[\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    return len(lines)


def _csv(path: Path, rows: list[dict[str, Any]]) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)

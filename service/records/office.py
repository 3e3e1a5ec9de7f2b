"""The office's settings: the environment's, with what the administrator changed in /admin over them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.basemaps import BaseMap, in_folder, preset
from service.config import Settings
from service.db.engine import Database
from service.records import counters
from service.records.models import OfficeSetting

SECTIONS = {
    "identity": "名称和标志",
    "view": "地图第一眼",
    "basemaps": "底图",
    "distances": "距离",
    "audit": "责任检查",
    "public": "公众能看什么",
    "retention": "保留多久",
    "backup": "定时备份",
}
BASEMAP_FOLDER, LOGO_FOLDER = "basemaps", "office"


@dataclass(frozen=True)
class Retention:
    """Days. `ended` 0: what is personal in ended records is kept; `trail`: the least, it is never cut by itself."""

    uploads: int
    ended: int
    trail: int


@dataclass(frozen=True)
class BackupPlan:
    """Every day at `hour` (Shanghai) into `folder`; the newest of `daily` days and of `weekly` weeks stay."""

    on: bool
    hour: int
    daily: int
    weekly: int
    folder: Path


@dataclass(frozen=True)
class AuditLimits:
    """What the responsibility audit counts as soon (days), and as too much (grids in one hand)."""

    days: int
    leader_grids: int
    officer_grids: int


@dataclass(frozen=True)
class Office:
    """The settings in force. `logo`: the digest of the picture in DATA_DIR/office; `view`: west, south, east, north,
    None to frame the grids."""

    name: str
    hotline: str
    logo: str | None
    view: tuple[float, float, float, float] | None
    border_m: float
    frontage_m: float
    street_m: float
    place_m: float
    here_m: float
    public_map: str
    basemaps: tuple[BaseMap, ...]
    retention: Retention
    backup: BackupPlan
    audit: AuditLimits


@dataclass(frozen=True)
class Section:
    """One section as it is kept: its plain values, and the version that a change must name (0: never changed)."""

    values: dict[str, Any]
    version: int


def defaults(settings: Settings) -> dict[str, dict[str, Any]]:
    """What holds until somebody changes it."""
    return {
        "identity": {"name": settings.office_name, "hotline": settings.office_hotline, "logo": None},
        "view": {"box": None},
        "basemaps": {"chosen": [one.id for one in settings.basemaps], "tianditu_key": settings.tianditu_key},
        "distances": {
            "border_m": settings.border_m,
            "frontage_m": settings.frontage_m,
            "street_m": 15.0,
            "place_m": 20.0,
            "here_m": settings.here_m,
        },
        "audit": {"days": 30, "leader_grids": 2, "officer_grids": 8},
        "public": {"rule": settings.public_map},
        "retention": {"uploads_days": 30, "ended_days": 0, "trail_days": 365},
        "backup": {"on": True, "hour": 2, "daily": 7, "weekly": 4, "folder": ""},
    }


def sections(session: Session, settings: Settings) -> dict[str, Section]:
    """Every section with the changes of the table over the environment's values."""
    given = defaults(settings)
    kept = {row.name: row for row in session.scalars(select(OfficeSetting).where(OfficeSetting.name.in_(given)))}
    return {
        name: Section(values | (kept[name].value if name in kept else {}), kept[name].version if name in kept else 0)
        for name, values in given.items()
    }


def read_office(session: Session, settings: Settings) -> Office:
    """The settings in force, from the database."""
    return office_of({name: one.values for name, one in sections(session, settings).items()}, settings)


def office_name(session: Session) -> str | None:
    """The name that was set in /admin; None while the environment's holds."""
    kept = session.scalar(select(OfficeSetting.value).where(OfficeSetting.name == "identity"))
    return str(kept["name"]) if kept else None


def office_of(values: Mapping[str, Mapping[str, Any]], settings: Settings) -> Office:
    """The settings in force, of every section's values."""
    identity, distances, retention, backup = (values[name] for name in ("identity", "distances", "retention", "backup"))
    offered = offered_basemaps(settings, values["basemaps"]["tianditu_key"])
    box = values["view"]["box"]
    return Office(
        name=identity["name"],
        hotline=identity["hotline"],
        logo=identity["logo"],
        view=(box[0], box[1], box[2], box[3]) if box else None,
        border_m=float(distances["border_m"]),
        frontage_m=float(distances["frontage_m"]),
        street_m=float(distances["street_m"]),
        place_m=float(distances["place_m"]),
        here_m=float(distances["here_m"]),
        public_map=values["public"]["rule"],
        basemaps=tuple(offered[name] for name in values["basemaps"]["chosen"] if name in offered),
        retention=Retention(retention["uploads_days"], retention["ended_days"], retention["trail_days"]),
        backup=BackupPlan(
            backup["on"],
            backup["hour"],
            backup["daily"],
            backup["weekly"],
            Path(backup["folder"]) if backup["folder"] else settings.data_dir / "backups",
        ),
        audit=AuditLimits(**values["audit"]),
    )


def offered_basemaps(settings: Settings, tianditu_key: str) -> dict[str, BaseMap]:
    """What can be chosen: the environment's entries, the named services, the files in DATA_DIR/basemaps."""
    out = {one.id: one for one in settings.basemaps}
    for name in ("tianditu", "osm", "amap"):
        if name != "tianditu" or tianditu_key:
            out[name] = preset(name, tianditu_key)
    return out | {one.id: one for one in in_folder(settings.data_dir / BASEMAP_FOLDER)[0]}


class OfficeKeeper:
    """The settings in force, kept by each worker and fresh when their counter moves."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lock = threading.Lock()
        self._token: object = None
        self._version = -1
        self._office: Office | None = None

    def current(self) -> tuple[object, Office]:
        """The store's token of this call, and the settings as of it."""
        try:
            token = self._database.moved()
            office = self._office
            if office is None or token != self._token:
                with self._lock:
                    office = self._fresh(token)
            return token, office
        except (SQLAlchemyError, sqlite3.Error):
            # The page that says what is wrong still needs a name and a policy while the database doesn't answer.
            return None, self._office or office_of(defaults(self._settings), self._settings)

    def _fresh(self, token: object) -> Office:
        with self._database.read() as session:
            version = counters.read_all(session)[counters.OFFICE]
            office = self._office
            if office is None or version != self._version:
                office = self._office = read_office(session, self._settings)
                self._version = version
        self._token = token
        return office

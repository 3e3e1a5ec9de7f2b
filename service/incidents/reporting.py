"""A new incident: judged, located, numbered, with its deadline and its first steps. Nothing here commits."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from shapely import Point
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import local_date
from service.db.spatial import encode
from service.errors import InvalidValues
from service.incidents import telling, timeline
from service.incidents.facts import Facts
from service.incidents.models import Incident, IncidentContact
from service.incidents.nearby import recurrence_of
from service.incidents.placing import placed
from service.incidents.rules import SOURCES
from service.incidents.stepping import NOTHING, carry
from service.people.writers import By
from service.records import counters
from service.taxonomy.queries import CategoryRow

MOST_WORDS, MOST_ADDRESS, MOST_NAME, MOST_PHONE = 2_000, 200, 40, 30
OUTSIDERS = ("citizen", "hotline", "supervisor_volunteer")
"""Sources whose reports are looked at on the spot before they are filed, where the category wants it."""


@dataclass(frozen=True)
class Contact:
    """Who reports, as far as told; kept apart from the incident."""

    name: str | None = None
    phone: str | None = None
    callback: bool = False


@dataclass(frozen=True)
class Report:
    """What is reported. `category`: a code of the taxonomy in force, or an older standard's; `at`: None for now."""

    category: str | None
    description: str | None = None
    address: str | None = None
    lon: float | None = None
    lat: float | None = None
    source: str = "citizen"
    urgent: bool = False
    at: datetime | None = None
    located_by: str | None = None
    confidence: float | None = None
    contact: Contact | None = None


@dataclass(frozen=True)
class Reported:
    """The incident as stored; `key` opens its tracking page for the one who reported it."""

    incident: Incident
    key: str


def faults(report: Report, category: CategoryRow | None, now: datetime) -> list[tuple[str, str]]:
    """(field, message) of everything that is wrong with a report."""
    out: list[tuple[str, str]] = []
    if report.category and category is None:
        out.append(("category", f"没有类别“{report.category[:20]}”。从列表里选一个。"))
    elif category is not None and not category.active:
        out.append(("category", f"类别“{category.name}”已经停用。选另一个。"))
    if not report.category and not (report.description or "").strip():
        out.append(("description", "写一句发生了什么，或者选一个类别。"))
    for field, text, most in (
        ("description", report.description, MOST_WORDS),
        ("address", report.address, MOST_ADDRESS),
        ("name", report.contact.name if report.contact else None, MOST_NAME),
        ("phone", report.contact.phone if report.contact else None, MOST_PHONE),
    ):
        if text and len(text) > most:
            out.append((field, f"有 {len(text)} 个字，最多 {most} 个。写短一些。"))
    if (report.lon is None) != (report.lat is None):
        out.append(("lon", "经度和纬度要一起给。"))
    elif report.lon is not None and report.lat is not None:
        if not (math.isfinite(report.lon) and -180 <= report.lon <= 180):
            out.append(("lon", f"经度“{report.lon}”不在 -180 到 180 之间。"))
        if not (math.isfinite(report.lat) and -90 <= report.lat <= 90):
            out.append(("lat", f"纬度“{report.lat}”不在 -90 到 90 之间。"))
    elif not (report.address or "").strip():
        out.append(("lon", "在地图上点一下位置，或者写下地址。"))
    if report.source not in SOURCES:
        out.append(("source", f"没有来源“{report.source[:20]}”。可用：{'、'.join(SOURCES)}。"))
    if report.at is not None and report.at > now + timedelta(minutes=5):
        out.append(("reported_at", "上报时间在以后。改成现在或更早。"))
    return out


def report(session: Session, given: Report, facts: Facts, by: By) -> Reported:
    """Stores a new incident in its first state. Raises InvalidValues with every fault at once."""
    category = facts.taxonomy.by_code.get(given.category) if given.category else None
    wrong = faults(given, category, by.now)
    if wrong:
        raise InvalidValues(wrong)
    at = given.at or by.now
    spot = None if given.lon is None or given.lat is None else (given.lon, given.lat)
    here = placed(facts.on(local_date(at)), given.lon, given.lat, facts.distances)
    revision = counters.move(session, counters.INCIDENTS)
    looked_at = given.source in OUTSIDERS and (category is None or category.verify)
    made = Incident(
        number=next_number(session, by.now),
        kind=category.kind if category else "event",
        category=category.code if category else None,
        category_name=category.name if category else None,
        description=(given.description or "").strip() or None,
        address=(given.address or "").strip() or None,
        state="unverified" if looked_at else "unfiled",
        source=given.source,
        urgent=given.urgent,
        reported_at=at,
        taxonomy_version=facts.taxonomy.version,
        grid_code=here.grid_code,
        community_code=here.community_code,
        subject_kind=here.subject_kind,
        subject_code=here.subject_code,
        subject_m=here.subject_m,
        subject_why=here.subject_why,
        located_by=given.located_by or ("point" if spot else None),
        confidence=given.confidence,
        account_id=by.actor.account_id,
        subdistrict=by.subdistrict,
        revision=revision,
        version=1,
        geom=encode(Point(*spot)) if spot else None,
    )
    made.stage_due_at = facts.clock.stage(made.state, by.now)
    session.add(made)
    session.flush()
    back = recurrence_of(session, made, spot)
    made.recurs_number = back.number if back else None
    key = add_contact(session, made, given.contact or Contact(), by.now)
    told = {"source": given.source} | ({"recurs": back.number, "why": back.why} if back else {})
    timeline.append(session, made, "report", None, by, given={name: value for name, value in told.items() if value})
    telling.tell(session, made, "report", facts, by)
    return Reported(made, key)


def report_and_file(session: Session, given: Report, facts: Facts, by: By) -> Reported:
    """A report that needs no look on the spot is filed at once: a patrol saw it with its own eyes."""
    made = report(session, given, facts, by)
    if made.incident.state == "unfiled":
        carry(session, made.incident, "file", NOTHING, facts, by)
    return made


def add_contact(session: Session, incident: Incident, contact: Contact, now: datetime, reporter: bool = True) -> str:
    """Somebody who may follow the incident; returns the key that opens its tracking page."""
    key = secrets.token_urlsafe(16)
    session.add(
        IncidentContact(
            incident_id=incident.id,
            key=key,
            name=(contact.name or "").strip() or None,
            phone=(contact.phone or "").strip() or None,
            callback=contact.callback,
            reporter=reporter,
            made_at=now,
        )
    )
    session.flush()
    return key


def next_number(session: Session, now: datetime) -> str:
    """The day and a serial, as one reads it over the phone: 261125-0042."""
    day = int(f"{local_date(now):%y%m%d}")
    while True:
        serial = counters.move(session, counters.NUMBERS)  # writers wait here for each other
        if counters.read(session, counters.NUMBERS_OF) != day:
            serial = 1
            counters.reach(session, counters.NUMBERS, serial)
            counters.reach(session, counters.NUMBERS_OF, day)
        number = f"{day:06d}-{serial:04d}"
        if session.scalar(select(Incident.id).where(Incident.number == number)) is None:
            return number

"""One account for each role on the demo, made of the demo's own people, communities and organisations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.clock import in_force
from service.duties.models import Duty
from service.duties.rules import acting_on, role_name
from service.errors import InvalidValue
from service.grids.models import Community, Grid
from service.people.accounts import create_account
from service.people.models import Account, Organisation, Person
from service.records.batches import demo_batches

NAMES = {
    "admin": "演示管理员",
    "supervisor": "演示主管",
    "manager": "演示社区管理员",
    "officer": "演示网格员",
    "unit": "演示处置单位",
    "viewer": "演示查看者",
}
_COMMUNITY, _ORGANISATION = "聚鹤社区", "城市管理办公室"
_ROLES = ("grid_officer", "grid_leader", "part_time_officer")


@dataclass(frozen=True)
class DemoRole:
    """A way into the demo: `of` says whose part is seen."""

    role: str
    of: str = ""
    community: str | None = None
    unit: str | None = None
    person: str | None = None


def demo_roles(session: Session, on: date) -> list[DemoRole]:
    """The roles that the demo's data give somebody for, as they stand on the day."""
    demo = demo_batches(session)
    out = [DemoRole("admin"), DemoRole("supervisor")]
    home = session.execute(
        select(Community.code, Community.name)
        .where(Community.batch_id.in_(demo))
        .order_by(Community.name != _COMMUNITY, Community.code)
    ).first()
    if home is not None:
        out.append(DemoRole("manager", home.name, community=home.code))
    officer = _officer(session, demo, on)
    if officer is not None:
        out.append(officer)
    unit = session.execute(
        select(Organisation.code, Organisation.name)
        .where(Organisation.batch_id.in_(demo))
        .order_by(Organisation.name != _ORGANISATION, Organisation.code)
    ).first()
    if unit is not None:
        out.append(DemoRole("unit", unit.name, unit=unit.code))
    return [*out, DemoRole("viewer")]


def demo_account(session: Session, role: str, now: datetime, on: date) -> Account:
    """The account behind one of the ways in, made at its first use; it has no password. Raises InvalidValue."""
    way = next((one for one in demo_roles(session, on) if one.role == role), None)
    if way is None:
        raise InvalidValue("role", f"演示里没有角色“{role[:40]}”。")
    account = session.scalar(select(Account).where(Account.name == f"demo-{role}", Account.demo.is_(True)))
    if account is None:
        name = f"demo-{role}"
        account = create_account(session, name, role, None, now, display_name=NAMES[role], demo=True)
    account.area, account.unit, account.person_code = way.community, way.unit, way.person
    account.role, account.active = role, True
    session.flush()
    return account


def _officer(session: Session, demo: frozenset[int], on: date) -> DemoRole | None:
    """A person who holds a grid in the community of the demo's manager today, officers before leaders."""
    rows = session.execute(
        select(Duty, Person.code, Person.name, Grid.name.label("grid"), Community.name.label("community"))
        .join(Person, Person.code == Duty.person_code)
        .join(Grid, Grid.code == Duty.subject_code)
        .join(Community, Community.code == Grid.community_code)
        .where(Duty.batch_id.in_(demo), Duty.subject_kind == "grid", or_(*(Duty.role == one for one in _ROLES)))
        .order_by(Community.name != _COMMUNITY, Duty.code)
    ).all()
    held = [row for row in rows if _holds(row.Duty, on)]
    if not held:
        return None
    first = min(held, key=lambda row: (row.community != _COMMUNITY, _ROLES.index(row.Duty.role)))
    return DemoRole("officer", f"{first.name}，{first.grid}{role_name(first.Duty.role)}", person=first.code)


def _holds(duty: Duty, on: date) -> bool:
    absent = acting_on(duty.acting_code, duty.acting_from, on, duty.acting_until)
    return in_force(duty.starts_on, on, duty.ends_on) and not absent

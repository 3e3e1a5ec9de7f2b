"""The register of duties, as lists and the interface know it. Its rows are changed by steps (steps.py, leave.py)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, case, or_

from service.duties.models import Duty
from service.duties.rules import ACTING, COMING, HELD, OVER, ROLES, STATES, SUBJECT_KINDS
from service.records.counters import RESPONSIBILITY
from service.records.register import (
    BY_SUBJECT,
    CHOICE,
    CODE,
    COMMUNITY,
    DATE,
    REFERENCE,
    Derived,
    Register,
    RegisterField,
)


def state_column(on: date) -> ColumnElement[str]:
    """As rules.state_on says it."""
    over = or_(Duty.ends_on <= on, Duty.ends_on <= Duty.starts_on)
    away = and_(
        Duty.acting_code.is_not(None),
        or_(Duty.acting_from.is_(None), Duty.acting_from <= on),
        or_(Duty.acting_until.is_(None), Duty.acting_until > on),
    )
    return case((over, OVER), (Duty.starts_on > on, COMING), (away, ACTING), else_=HELD)


SUBJECT = Derived("subject", "对象")
LAST_DAY = Derived("last_day", "最后一天")
DUTIES = Register(
    name="duties",
    label="责任",
    noun="duty",
    unit="项",
    model=Duty,
    fields=(
        RegisterField("state", "状态", CHOICE, STATES, editable=False, filter=True, computed=state_column),
        RegisterField("person_code", "责任人", REFERENCE, reference="people", needed=True, filter=True),
        RegisterField(
            "role",
            "职务",
            CHOICE,
            {code: role.name for code, role in ROLES.items()},
            needed=True,
            filter=True,
        ),
        RegisterField("subject_kind", "对象类型", CHOICE, SUBJECT_KINDS, needed=True, filter=True),
        RegisterField("subject_code", "对象编码", CODE, needed=True, filter=True),
        RegisterField("starts_on", "自", DATE, filter=True),
        RegisterField("ends_on", "截止（不含当天）", DATE, filter=True),
        RegisterField("acting_code", "代理人", REFERENCE, reference="people", filter=True),
        RegisterField("acting_from", "代理自", DATE),
        RegisterField("acting_until", "代理到（不含当天）", DATE),
        RegisterField("code", "编码", CODE, editable=False, filter=True),
    ),
    title="person_code",
    listed=("state", "person_code", "role", "subject", "community", "starts_on", "last_day", "acting_code"),
    area=BY_SUBJECT,
    order="state",
    then=("role", "subject_code"),
    derived=(SUBJECT, COMMUNITY, LAST_DAY),
    state="state",
    counters=(RESPONSIBILITY,),
    until="ends_on",
    own_writing=True,
    write_right="duties.assign",
    creates=False,
    ends=False,
    why_not="责任用指派、交接、代理、终止来改，不在登记册的表单里改。",
)

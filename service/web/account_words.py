"""What a role may do and where accounts reach, in words."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from service.clock import local_date
from service.people.account_queries import AccountRow, names_of
from service.people.models import Organisation, Person
from service.web.context import now, services

MAY = {
    "admin": "管账号、设置和备份，主管能做的也都能做",
    "supervisor": "看和改全街道的登记册，导入文件，查操作记录",
    "manager": "看和改自己社区的网格、人员和门店",
    "officer": "看自己网格的责任、门店和事项，打电话",
    "unit": "看派给本单位的事项和责任",
    "viewer": "看全街道的地图和登记册，不能改",
}


class Names:
    """Names of what some accounts' areas are made of, read once for a page."""

    def __init__(self, session: Session, rows: Collection[AccountRow]) -> None:
        self.communities = community_names()
        self.units = names_of(session, Organisation, {row.unit for row in rows if row.unit})
        self.persons = names_of(session, Person, {row.person_code for row in rows if row.person_code})

    def area(self, row: AccountRow) -> str:
        """Where an account reaches today."""
        if row.role in ("admin", "supervisor", "viewer"):
            return "全街道"
        if row.role == "manager":
            return "、".join(self.communities.get(code, code) for code in row.communities) or "还没有社区"
        if row.role == "unit":
            return self.units.get(row.unit, row.unit) if row.unit else "还没有单位"
        return held_words(row.person_code) if row.person_code else "还没有对应的人员"

    def person(self, row: AccountRow) -> str:
        """The person behind the account; a code that isn't in the register any more says so."""
        if not row.person_code:
            return ""
        return self.persons.get(row.person_code) or f"{row.person_code}（不在册）"


def held_words(person: str) -> str:
    """What a person answers for today, held or acted for: the first by name, the rest as a count."""
    snapshot = services().responsibility.on(local_date(now()))
    tiling = snapshot.tiling
    subjects = sorted(snapshot.subjects_of(person))
    if not subjects:
        return "今天没有责任"
    named = [tiling.zones[tiling.by_code[code]].name for _kind, code in subjects if code in tiling.by_code]
    if not named:
        return f"{len(subjects)} 处责任"
    return named[0] if len(subjects) == 1 else f"{named[0]} 等 {len(subjects)} 处"


def community_names() -> dict[str, str]:
    """Names of today's communities by code."""
    found = services().responsibility.on(local_date(now())).communities
    return {code: row.name for code, row in sorted(found.items())}

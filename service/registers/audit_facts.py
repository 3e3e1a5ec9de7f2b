"""What the responsibility audit reads, from every register: duties to come too, subjects of all editions, people."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.duties.queries import Subject, all_duties
from service.places.models import Street
from service.places.queries import REACHES
from service.records import counters
from service.records.batches import visible
from service.registers.subjects import Known, subject_book
from service.responsibility.audit import Audited, Facts, Finding, Rules, audit
from service.responsibility.snapshot import Snapshot

_NO_CHIEF = ("bank",)  # a bank goes with its water


def findings(session: Session, snapshot: Snapshot, rules: Rules) -> list[Finding]:
    """The audit of the snapshot's day, for everywhere; kept as long as the snapshot and the ground hold."""
    key = ("audit", counters.read_all(session)[counters.GROUND], rules)
    kept = snapshot.memo.get(key)
    if kept is None:
        kept = snapshot.memo[key] = audit(audit_facts(session, snapshot), snapshot.on, rules)
    return kept  # type: ignore[return-value]


def audit_facts(session: Session, snapshot: Snapshot) -> Facts:
    """All registers, as they are today."""
    book = subject_book(session, snapshot)
    levels = {
        code: (level, bool(name))
        for code, level, name in session.execute(select(Street.code, Street.level, Street.name).where(visible(Street)))
    }
    subjects = {subject: _audited(subject, known, levels) for subject, known in book.items()}
    return Facts(all_duties(session), snapshot.persons, subjects | _shops(snapshot))


def _audited(subject: Subject, known: Known, levels: dict[str, tuple[int, bool]]) -> Audited:
    fact = known.fact
    homes = tuple(dict.fromkeys(home for _, home in known.spots if home))
    sort, wanted = fact.sort or "", True
    if fact.kind == "street":
        level, named = levels.get(fact.code, (_LANE, False))
        sort, wanted = str(level), named
    elif fact.kind == "place":
        wanted = sort not in _NO_CHIEF
    reach = fact.kind == "place" and sort in REACHES
    return Audited(fact.kind, fact.code, fact.name, fact.spans, homes, sort, reach=reach, wanted=wanted)


_LANE = 3


def _shops(snapshot: Snapshot) -> dict[Subject, Audited]:
    """Frontages with who is on record for them: the shop's person, of a vacant one the owner."""
    out: dict[Subject, Audited] = {}
    zones, at = snapshot.tiling.zones, snapshot.shop_zones().tolist()
    for row, zone in zip(snapshot.frontages.rows, at, strict=True):
        vacant = row.state == "vacant"
        out["frontage", row.code] = Audited(
            "frontage",
            row.code,
            row.shop_name or row.address or row.code,
            communities=(zones[zone].community_code,) if zone >= 0 else (),
            sort=row.state,
            kept=bool(row.owner_name if vacant else row.person_name or row.owner_name),
            expired=row.agreement_until if row.standing(snapshot.on) == "expired" else None,
        )
    return out

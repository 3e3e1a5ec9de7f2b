"""What a file of duties is held against: subjects that exist, and one holder of an exclusive role on any day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import overlap
from service.duties.ledger import Ledger
from service.duties.queries import DutyRow, all_duties
from service.duties.rules import ROLES, SUBJECT_KINDS, is_exclusive, period_words, role_name
from service.grids.models import Community, Grid
from service.people.models import Organisation, Person
from service.places.models import Building, Place, Street
from service.records.batches import visible
from service.records.importing import Intake

Words = dict[str, tuple[str, str]]  # a code, or a name that only one has: (subject kind, code)
# Registers that are imported before duties; the ground may follow them.
_NEEDED = ("grid", "micro_grid", "community", "organisation", "subdistrict")
_SHOWN = 50


def subjects(session: Session, intake: Intake, stated: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(kinds, codes) of what cells name by code or by name. Without a stated kind the register that knows the code
    says it. Unknown ones reject their row; streets, buildings, places and frontages may be imported later."""
    known = _registers(session, intake.asked.subdistrict)
    kinds, codes = stated.copy(), words.copy()
    later: dict[str, list[int]] = defaultdict(list)
    for i, (kind, word) in enumerate(zip(stated.tolist(), words.tolist(), strict=True)):
        if word is None:
            continue
        asked = [kind] if kind else list(known)
        if kind in ("grid", "micro_grid"):
            asked = ["grid"]  # which of the two, the grid itself says
        found = next((known[one][word] for one in asked if word in known.get(one, {})), None)
        if found is not None:
            kinds[i], codes[i] = found
        elif kind is None or kind in _NEEDED:
            intake.reject(i, "subject_code", word, _unknown(kind, word, intake.asked.subdistrict))
            kinds[i] = kind or "grid"
        else:
            later[kind].append(int(intake.rows[i]))
    for kind, rows in later.items():
        if kind in known:
            text = f"对象还没有登记（{SUBJECT_KINDS[kind]}）：责任先存下，等导入它们后对上"
            intake.verdicts.warn(text, len(rows), rows)
    return kinds, codes


def _registers(session: Session, subdistrict: str) -> dict[str, Words]:
    """By kind; in the order in which a word without a kind is looked up."""
    grids: dict[str, list[tuple[str, str, str]]] = {"grid": []}
    for code, name, kind in session.execute(select(Grid.code, Grid.name, Grid.kind).where(visible(Grid))):
        grids["grid"].append((code, name, "micro_grid" if kind == "micro_grid" else "grid"))
    models: dict[str, Any] = {
        "community": Community,
        "organisation": Organisation,
        "street": Street,
        "building": Building,
        "place": Place,
    }
    for kind, model in models.items():
        rows = session.execute(select(model.code, model.name).where(visible(model)))
        grids[kind] = [(code, name, kind) for code, name in rows]
    return {kind: _words(rows) for kind, rows in grids.items()} | {
        "subdistrict": {subdistrict: ("subdistrict", subdistrict)}
    }


def _words(rows: list[tuple[str, str, str]]) -> Words:
    """Names that two have are no words."""
    by_name: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for code, name, kind in rows:
        if name:
            by_name[name].add((kind, code))
    named = {name: next(iter(held)) for name, held in by_name.items() if len(held) == 1}
    return named | {code: (kind, code) for code, _, kind in rows}


def _unknown(kind: str | None, word: str, subdistrict: str) -> str:
    if kind == "subdistrict":
        return f"没有“{word}”这个街道，本街道的编码是 {subdistrict}。改正这一格。"
    if kind is None:
        return f"没有编码或名称是“{word}”的网格、社区或单位。先导入它，或改正这一格；别的对象加一列“对象类型”。"
    return f"没有“{word}”这个{SUBJECT_KINDS[kind]}。先导入{SUBJECT_KINDS[kind]}，或改正这一格。"


def check_overlaps(session: Session, intake: Intake, columns: Mapping[str, np.ndarray]) -> None:
    """Two holders of an exclusive role on one day. A row that would newly make them with a stored duty is rejected,
    naming that one; rows of one file that overlap each other, and overlaps that are stored already, are told and stored
    (docs/decisions/027)."""
    stored = {duty.code: duty for duty in all_duties(session)}
    filed = _filed(intake, columns)
    kept = Ledger.of(duty for code, duty in stored.items() if code not in {one.code for _, one in filed})
    names = _names(session)
    for i, duty in filed:
        clash = kept.clash(duty, stored.get(duty.code)) if is_exclusive(duty.role) else None
        if clash is not None:
            subject = f"{SUBJECT_KINDS.get(duty.subject_kind, '')}{duty.subject_code}"
            who = f"已存的 {clash.code}（{names.get(clash.person_code, '')} {clash.person_code}，"
            reason = f"{subject}的{role_name(duty.role)}已有{who}{period_words(clash.starts_on, clash.ends_on)}）。"
            intake.reject(i, "person_code", duty.person_code, reason + "先交接或终止那一条，或改这一行的日期。")
    _warn_of_overlaps(intake, _filed(intake, columns), kept)


def warn_of_misfits(intake: Intake, columns: Mapping[str, np.ndarray]) -> None:
    """A role over something that it isn't for, a 网格长 of a street say: by hand this is refused; a file's row is
    stored as the office has it, and told."""
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in np.flatnonzero(intake.alive).tolist():
        role, kind = columns["role"][i], columns["subject_kind"][i]
        if role in ROLES and kind is not None and kind not in ROLES[role].fits:
            rows[role, kind].append(int(intake.rows[i]))
    for (role, kind), found in rows.items():
        meant = "、".join(SUBJECT_KINDS[one] for one in ROLES[role].fits)
        text = f"{role_name(role)}一般不用在{SUBJECT_KINDS[kind]}上（对象是：{meant}）：照样存下，检查职务和对象"
        intake.verdicts.warn(text, len(found), found)


def _filed(intake: Intake, columns: Mapping[str, np.ndarray]) -> list[tuple[int, DutyRow]]:
    """(row, duty) of the rows that are not rejected."""
    names = [name for name in DutyRow.__dataclass_fields__ if name in columns]
    rows = np.flatnonzero(intake.alive).tolist()
    return [(i, DutyRow(**_EMPTY | {name: columns[name][i] for name in names})) for i in rows]


def _names(session: Session) -> dict[str, str]:
    return dict(session.execute(select(Person.code, Person.name).where(visible(Person))).all())


def _warn_of_overlaps(intake: Intake, filed: list[tuple[int, DutyRow]], kept: Ledger) -> None:
    told = {duty.code: f"第 {int(intake.rows[i])} 行" for i, duty in filed}
    held: dict[tuple[str, str, str], list[DutyRow]] = defaultdict(list)
    for duty in [*kept.rows.values(), *(one for _, one in filed)]:
        if is_exclusive(duty.role):
            held[duty.role, duty.subject_kind, duty.subject_code].append(duty)
    lines = [
        f"{SUBJECT_KINDS.get(one.subject_kind, '')}{one.subject_code}的{role_name(one.role)}同时有两个人："
        f"{_spoken(one, told)}；{_spoken(other, told)}"
        for duties in held.values()
        for one, other in _pairs(duties)
        if one.code in told or other.code in told
    ]
    for line in lines[:_SHOWN]:
        intake.verdicts.warn(line)
    if len(lines) > _SHOWN:
        intake.verdicts.warn(f"另有 {len(lines) - _SHOWN} 处一个职务同时有两个人")


_EMPTY: dict[str, Any] = dict.fromkeys(DutyRow.__dataclass_fields__)


def _pairs(duties: list[DutyRow]) -> Iterator[tuple[DutyRow, DutyRow]]:
    """Neighbours in time that overlap."""
    ordered = sorted(duties, key=lambda duty: duty.starts_on or date.min)
    for at, one in enumerate(ordered):
        for other in ordered[at + 1 :]:
            if overlap(one.starts_on, one.ends_on, other.starts_on, other.ends_on):
                yield one, other


def _spoken(duty: DutyRow, told: Mapping[str, str]) -> str:
    known = told.get(duty.code, f"已存的 {duty.code}")
    return f"{known}，{duty.person_code}，{period_words(duty.starts_on, duty.ends_on)}"

"""Duties from files: persons by code, name or phone; subjects by code."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.duties.checks import subjects, warn_of_overlaps
from service.duties.models import Duty
from service.duties.rules import ROLES, SUBJECT_KINDS, role_code, subject_kind
from service.files.mapping import Field
from service.people.models import Person
from service.records import cells
from service.records.batches import visible
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows

FIELDS = (
    Field("code", ("编码", "编号", "责任编号", "id"), label="编码"),
    Field("role", ("职务", "角色", "岗位", "责任类型"), required=True, label="职务"),
    Field("subject_kind", ("对象类型", "责任对象类型", "对象类别", "kind"), label="对象类型"),
    Field(
        "subject_code",
        (
            "对象编码",
            "责任对象",
            "责任对象编码",
            "网格编码",
            "网格编号",
            "网格",
            "社区编码",
            "subject",
            "grid_code",
            "grid",
        ),
        required=True,
        label="对象编码",
    ),
    Field(
        "person_code",
        ("工号", "人员编码", "责任人", "责任人工号", "姓名", "person", "leader"),
        required=True,
        label="责任人",
    ),
    Field("acting_code", ("代理人", "代理人工号", "代理", "acting", "acting person"), label="代理人"),
    Field("acting_from", ("代理开始", "代理开始日期", "代理自"), label="代理开始"),
    Field("acting_until", ("代理结束", "代理结束日期", "代理至"), label="代理结束"),
    Field(
        "starts_on",
        ("开始日期", "起始日期", "任职日期", "自", "生效日期", "from", "start", "starts", "start date"),
        label="开始日期",
    ),
    Field("ends_on", ("until", "ends", "end"), label="截止（不含当天）"),
    Field("last_day", ("截止日期", "结束日期", "至", "离任日期", "last day", "end date"), label="最后一天"),
)


def prepare(session: Session, intake: Intake) -> Prepared:
    """A duty without a code is known by role, subject, person and first day."""
    roles = "、".join(role.name for role in ROLES.values())
    columns: dict[str, Any] = {"role": cells.worded_by(intake, "role", role_code, None, roles)}
    unstated = np.full(len(intake.rows), None, dtype=object)
    stated = cells.worded_by(intake, "subject_kind", subject_kind, unstated, "、".join(SUBJECT_KINDS.values()))
    words = cells.code(intake, "subject_code", needed=True)
    columns["subject_kind"], columns["subject_code"] = subjects(session, intake, stated, words)
    columns["person_code"] = _persons(session, intake, "person_code", needed=True)
    if intake.has("acting_code"):
        columns["acting_code"] = _persons(session, intake, "acting_code", needed=False)
    for name in ("acting_from", "acting_until", "starts_on", "ends_on"):
        if intake.has(name):
            columns[name] = cells.day(intake, name)
    if intake.has("last_day") and not intake.has("ends_on"):
        last = cells.day(intake, "last_day")
        columns["ends_on"] = np.array([day + timedelta(days=1) if day else None for day in last.tolist()], dtype=object)
    _check_order(intake, columns)
    starts = columns.get("starts_on", np.full(len(intake.rows), None, dtype=object))
    made = [
        None if None in key[:4] else "d" + hashlib.blake2s("|".join(map(str, key)).encode(), digest_size=8).hexdigest()
        for key in zip(
            *(columns[name].tolist() for name in ("role", "subject_kind", "subject_code", "person_code")),
            starts.tolist(),
            strict=True,
        )
    ]
    columns["code"] = cells.filled(cells.code(intake, "code"), made)
    columns["code"] = cells.unique(intake, "code", columns["code"])
    warn_of_overlaps(session, intake, columns)
    return Prepared([lambda _s: Rows(Duty, ("code",), cells.alive(intake, columns))])


def _persons(session: Session, intake: Intake, name: str, needed: bool) -> np.ndarray:
    """Codes of the persons that cells name by code, by phone, or by a name that only one person has."""
    by_word: dict[str, set[str]] = defaultdict(set)
    codes = set()
    for code, full_name, phone in session.execute(
        select(Person.code, Person.name, Person.phone).where(visible(Person))
    ):
        codes.add(code)
        by_word[full_name].add(code)
        if phone:
            by_word[phone].add(code)
    words = cells.code(intake, name, needed=needed)
    out = np.full(len(words), None, dtype=object)
    for i, word in enumerate(words.tolist()):
        if word is None or word in codes:
            out[i] = word
        elif len(by_word.get(word, ())) == 1:
            out[i] = next(iter(by_word[word]))
        elif word in by_word:
            intake.reject(i, name, word, f"有 {len(by_word[word])} 个人叫“{word}”，改写工号或手机号。")
        else:
            intake.reject(i, name, word, f"没有“{word}”这个人。先导入人员，或改正工号。")
    return out


def _check_order(intake: Intake, columns: dict[str, Any]) -> None:
    for first, last in (("starts_on", "ends_on"), ("acting_from", "acting_until")):
        if first in columns and last in columns:
            for i, (begin, end) in enumerate(zip(columns[first], columns[last], strict=True)):
                if begin is not None and end is not None and end <= begin:
                    intake.reject(i, last, end, f"结束（{end}）要晚于开始（{begin}）。")


DUTIES = Kind("duties", "责任", FIELDS, "none", prepare, {"duties": Duty}, (RESPONSIBILITY,))

"""Duties from files: persons by code, name or phone; subjects by code."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.duties.checks import check_overlaps, subjects, warn_of_misfits
from service.duties.models import Duty
from service.duties.rules import ROLES, SUBJECT_KINDS, duty_code, role_code, subject_kind
from service.files.mapping import Field
from service.people.models import Person
from service.records import cells
from service.records.batches import visible
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows

FIELDS = (
    Field(
        "code",
        "编码、编号、责任编号、id、任职编号、记录编号",
        label="编码",
    ),
    Field(
        "role",
        "职务、角色、岗位、责任类型、角色名称、职务名称、岗位名称、任职、担任职务、人员类型、"
        "人员类别、力量类型、role name、position",
        required=True,
        label="职务",
    ),
    Field(
        "subject_kind",
        "对象类型、责任对象类型、对象类别、kind、对象种类、责任类别、subject type",
        label="对象类型",
    ),
    Field(
        "subject_code",
        "对象编码、责任对象、责任对象编码、网格编码、网格编号、网格、社区编码、subject、grid_code、"
        "grid、责任网格、责任网格编码、责任网格编号、所属网格、所在网格、网格代码、网格名称、"
        "责任区域、责任区、负责网格、包保网格、责任路段、责任街路、责任河段、路名、社区、所属社区、"
        "社区名称、单位编码、责任单位、对象名称、责任对象名称、area、zone",
        required=True,
        label="对象编码",
    ),
    Field(
        "person_code",
        "工号、人员编码、人员编号、员工编号、职工号、人员工号、责任人工号、责任人编号、责任人编码、"
        "网格员编号、网格长编号、网格员工号、负责人工号、负责人编号、person id、staff id、责任人、姓名、"
        "person、leader、人员、责任人姓名、人员姓名、负责人、负责人姓名、网格长、网格员、手机号、"
        "手机号码、联系电话、电话、手机、责任人电话、staff、employee、officer、name",
        required=True,
        label="责任人",
    ),
    Field(
        "acting_code",
        "代理人、代理人工号、代理、acting、acting person、代理人编号、代理人编码、代理人姓名、"
        "代班人、代班、替班人、顶岗人、临时代理人",
        label="代理人",
    ),
    Field(
        "acting_from",
        "代理开始、代理开始日期、代理自、代理起始、代理起始日期、代理起、代理开始时间、代理起始时间、"
        "代班开始、请假开始、请假开始日期、acting starts",
        label="代理开始",
    ),
    Field(
        "acting_until",
        "代理结束、代理结束日期、代理至、代理终止、代理截止、代理截止日期、代理结束时间、代理止、"
        "代班结束、请假结束、请假结束日期、acting ends",
        label="代理结束",
    ),
    Field(
        "starts_on",
        "开始日期、起始日期、任职日期、自、生效日期、from、start、starts、start date、开始、"
        "开始时间、起始、起始时间、起始日、起、起日、起任日期、任职开始、任职起始、任职时间、"
        "任职开始日期、到岗日期、上任日期、上岗日期、生效时间、生效日、启用日期、valid from、begin、"
        "begins",
        label="开始日期",
    ),
    Field("ends_on", "until、ends、end", label="截止（不含当天）"),
    Field(
        "last_day",
        "截止日期、结束日期、至、离任日期、last day、end date、截止、截止时间、终止日期、终止时间、"
        "结束、结束时间、止、任职截止、任职结束、任职结束日期、到期日期、到期、失效日期、卸任日期、"
        "离岗日期、有效期至、有效至、valid until、valid to、to",
        label="最后一天",
    ),
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
        None if None in key[:4] else duty_code(*key)
        for key in zip(
            *(columns[name].tolist() for name in ("role", "subject_kind", "subject_code", "person_code")),
            starts.tolist(),
            strict=True,
        )
    ]
    columns["code"] = cells.filled(cells.code(intake, "code"), made)
    columns["code"] = cells.unique(intake, "code", columns["code"])
    check_overlaps(session, intake, columns)
    warn_of_misfits(intake, columns)
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

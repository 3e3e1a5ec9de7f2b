"""Persons and organisations from files."""

from __future__ import annotations

import secrets

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.files.mapping import Field
from service.files.table import present
from service.people.models import Organisation, Person
from service.records import cells
from service.records.batches import visible
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows
from service.records.unmasking import hide, unmask

PERSON_FIELDS = (
    Field(
        "code",
        "工号、编号、人员编号、人员编码、编码、id、person id、staff no、员工编号、职工号、员工号、"
        "人员工号、人员代码、网格员编号、staff id、employee id",
        label="工号",
    ),
    Field(
        "name",
        "姓名、名字、人员姓名、full name、person、网格员姓名、网格员、联系人、人员、员工姓名",
        required=True,
        label="姓名",
    ),
    Field(
        "phone",
        "电话、手机、手机号、手机号码、联系电话、联系方式、电话号码、mobile、tel、telephone、"
        "移动电话、联系号码、电话号、办公电话、cell、phone number",
        label="电话",
    ),
    Field(
        "organisation_code",
        "单位编码、单位、所属单位、所在单位、科室、organisation、organization、unit、部门、所属部门、"
        "所在部门、工作单位、单位名称、所属社区、所在社区、所属科室、department",
        label="单位",
    ),
    Field(
        "title",
        "职务、岗位、职位、position、职务名称、岗位名称、角色、人员类型、人员类别、身份、role",
        label="职务",
    ),
    Field(
        "notes",
        "备注、说明、remark、remarks、note、其他、备注说明、comment、comments",
        label="备注",
    ),
)
ORGANISATION_FIELDS = (
    Field(
        "code",
        "编码、编号、单位编码、单位编号、统一社会信用代码、id、代码、单位代码、机构编码、机构代码、"
        "部门编码、组织编码、信用代码、组织机构代码",
        label="编码",
    ),
    Field(
        "name",
        "名称、单位名称、科室名称、单位、organisation、organization、机构名称、部门名称、组织名称、"
        "全称、单位全称、部门、department",
        required=True,
        label="名称",
    ),
    Field(
        "kind",
        "类别、类型、单位类别、type、单位性质、单位类型、性质、机构类型、机构类别",
        label="类别",
    ),
    Field(
        "head_code",
        "一把手、负责人工号、负责人编号、负责人、head、主要负责人、主要领导、第一责任人、负责人编码、"
        "负责人姓名、法人、法定代表人",
        label="一把手",
    ),
    Field(
        "phone",
        "电话、联系电话、单位电话、tel、telephone、手机、手机号、联系方式、电话号码、办公电话、"
        "值班电话、负责人电话、mobile",
        label="电话",
    ),
    Field(
        "address",
        "地址、住址、位置、单位地址、办公地址、详细地址、addr",
        label="地址",
    ),
    Field(
        "notes",
        "备注、说明、remark、note、备注说明、remarks、comment",
        label="备注",
    ),
)


def person_code() -> str:
    """A code for a person without one. Codes are shown where names and numbers are masked, so it tells neither: a
    digest of both would, to whoever tries the ten thousand numbers behind a mask."""
    return f"p{secrets.token_hex(6)}"


def prepare_people(session: Session, intake: Intake) -> Prepared:
    """A person without a code is known by name and phone, so that a second import finds the same person."""
    hide(intake, "name")
    hide(intake, "phone")
    hide(intake, "notes", words=True)
    names = cells.text(intake, "name")
    phones = cells.phone(intake, "phone")
    given = cells.code(intake, "code")
    masked = intake.masked.get("name", {})
    missing = np.array([name is None and i not in masked for i, name in enumerate(names.tolist())], dtype=bool)
    intake.reject_where(missing, "name", names, "这一格是空的，必须填写。")
    told_by = [None if name is None else f"{name}|{phone or ''}" for name, phone in zip(names, phones, strict=True)]
    codes = cells.unique(intake, "code", cells.filled(given, told_by))
    columns = {"code": _codes(session, given, told_by, codes), "name": names, "phone": phones}
    columns |= cells.texts(intake, ("organisation_code", "title", "notes"))
    unmask(session, intake, Person, columns["code"], columns)
    for i in np.flatnonzero(~present(columns["name"]) & intake.alive).tolist():
        intake.reject(i, "name", masked.get(i), "姓名是打码的，登记里又没有这个人。写全名。")
    return Prepared([lambda _s: Rows(Person, ("code",), cells.alive(intake, columns))])


def _codes(session: Session, given: np.ndarray, told_by: list[str | None], codes: np.ndarray) -> np.ndarray:
    """The given codes; else those of the persons stored under the same name and phone, in order; else new ones."""
    without = np.flatnonzero(~present(given) & present(codes)).tolist()
    if not without:
        return codes
    out = codes.copy()
    taken = set(codes[present(given)].tolist())
    known = _known_codes(session, {str(told_by[i]).partition("|")[0] for i in without}, taken)
    for i in without:
        key = told_by[i]
        again = str(codes[i]).removeprefix(f"{key}-")
        nth = int(again) - 1 if codes[i] != key and again.isdecimal() else 0
        stored = known.get(str(key), [])
        out[i] = stored[nth] if nth < len(stored) else person_code()
    return out


def _known_codes(session: Session, names: set[str], taken: set[str]) -> dict[str, list[str]]:
    """Per name and phone the stored codes, the oldest first, without those that the file itself names."""
    out: dict[str, list[str]] = {}
    rows = session.execute(
        select(Person.name, Person.phone, Person.code)
        .where(visible(Person), among(Person.name, names))
        .order_by(Person.id)
    )
    for name, phone, code in rows:
        if code not in taken:
            out.setdefault(f"{name}|{phone or ''}", []).append(code)
    return out


def prepare_organisations(session: Session, intake: Intake) -> Prepared:
    """An organisation without a code is known by its name."""
    hide(intake, "phone")
    hide(intake, "notes", words=True)
    names = cells.text(intake, "name", needed=True)
    codes = cells.filled(cells.code(intake, "code"), names.tolist())
    codes = cells.unique(intake, "code", codes)
    columns = {"code": codes, "name": names, "phone": cells.phone(intake, "phone")}
    columns |= cells.texts(intake, ("kind", "head_code", "address", "notes"))
    unmask(session, intake, Organisation, codes, columns)
    return Prepared([lambda _s: Rows(Organisation, ("code",), cells.alive(intake, columns))])


PEOPLE = Kind("people", "人员", PERSON_FIELDS, "none", prepare_people, {"persons": Person}, (RESPONSIBILITY,))
ORGANISATIONS = Kind(
    "organisations",
    "单位",
    ORGANISATION_FIELDS,
    "none",
    prepare_organisations,
    {"organisations": Organisation},
    (RESPONSIBILITY,),
)

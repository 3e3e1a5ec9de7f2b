"""Persons and organisations from files."""

from __future__ import annotations

import hashlib

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.bulk import among
from service.files.mapping import Field
from service.people.models import Organisation, Person
from service.records import cells
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows

PERSON_FIELDS = (
    Field("code", ("工号", "编号", "人员编号", "人员编码", "编码", "id", "person id", "staff no"), label="工号"),
    Field("name", ("姓名", "名字", "人员姓名", "full name", "person"), required=True, label="姓名"),
    Field(
        "phone",
        ("电话", "手机", "手机号", "手机号码", "联系电话", "联系方式", "电话号码", "mobile", "tel", "telephone"),
        label="电话",
    ),
    Field(
        "organisation_code",
        ("单位编码", "单位", "所属单位", "所在单位", "科室", "organisation", "organization", "unit"),
        label="单位",
    ),
    Field("title", ("职务", "岗位", "职位", "position"), label="职务"),
    Field("notes", ("备注", "说明", "remark", "remarks", "note"), label="备注"),
)
ORGANISATION_FIELDS = (
    Field("code", ("编码", "编号", "单位编码", "单位编号", "统一社会信用代码", "id"), label="编码"),
    Field(
        "name", ("名称", "单位名称", "科室名称", "单位", "organisation", "organization"), required=True, label="名称"
    ),
    Field("kind", ("类别", "类型", "单位类别", "type"), label="类别"),
    Field("head_code", ("一把手", "负责人工号", "负责人编号", "负责人", "head"), label="一把手"),
    Field("phone", ("电话", "联系电话", "单位电话", "tel", "telephone"), label="电话"),
    Field("address", ("地址", "住址", "位置"), label="地址"),
    Field("notes", ("备注", "说明", "remark", "note"), label="备注"),
)


def person_code(name: str | None, phone: str | None) -> str | None:
    """A code for a person without one. Codes are shown to everybody who may see the name: the phone isn't legible in it.

    >>> person_code("张三", "13812345678"), person_code("张三", None)
    ('p52860278face92dc', '张三')
    """
    if name is None or phone is None:
        return name
    return "p" + hashlib.blake2s(f"{name}|{phone}".encode(), digest_size=8).hexdigest()


def prepare_people(session: Session, intake: Intake) -> Prepared:
    """A person without a code gets one made of name and phone, so that a second import finds the same person."""
    names = cells.text(intake, "name", needed=True)
    phones = cells.phone(intake, "phone")
    codes = cells.filled(cells.code(intake, "code"), _made_codes(session, names, phones))
    codes = cells.unique(intake, "code", codes)
    columns = {"code": codes, "name": names, "phone": phones}
    columns |= cells.texts(intake, ("organisation_code", "title", "notes"))
    return Prepared([lambda _s: Rows(Person, ("code",), cells.alive(intake, columns))])


def _made_codes(session: Session, names: np.ndarray, phones: np.ndarray) -> list[str | None]:
    """Codes of name and phone; persons whom an earlier version stored as 姓名-电话 keep that code."""
    both = list(zip(names.tolist(), phones.tolist(), strict=True))
    legible = [f"{name}-{phone}" for name, phone in both if phone]
    earlier = set(session.scalars(select(Person.code).where(among(Person.code, legible)))) if legible else set()
    return [f"{name}-{phone}" if f"{name}-{phone}" in earlier else person_code(name, phone) for name, phone in both]


def prepare_organisations(_session: Session, intake: Intake) -> Prepared:
    """An organisation without a code is known by its name."""
    names = cells.text(intake, "name", needed=True)
    codes = cells.filled(cells.code(intake, "code"), names.tolist())
    codes = cells.unique(intake, "code", codes)
    columns = {"code": codes, "name": names, "phone": cells.phone(intake, "phone")}
    columns |= cells.texts(intake, ("kind", "head_code", "address", "notes"))
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

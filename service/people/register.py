"""The registers of persons and organisations, as lists, forms and the interface know them."""

from __future__ import annotations

from typing import Any

from service.people.importing import person_code
from service.people.models import Organisation, Person
from service.records.counters import RESPONSIBILITY
from service.records.register import (
    BY_DUTY,
    BY_UNIT,
    CODE,
    COMMUNITY,
    GRID,
    LONG,
    PERSON,
    PHONE,
    REFERENCE,
    Derived,
    Register,
    RegisterField,
    Values,
)


def propose_person(values: Values, _geom: Any) -> str | None:
    """As an import makes it: it tells neither name nor number."""
    return person_code() if values.get("name") else None


def propose_organisation(values: Values, _geom: Any) -> str | None:
    """An organisation without a code is known by its name."""
    name: str | None = values.get("name")
    return name


PEOPLE = Register(
    name="people",
    label="人员",
    noun="person",
    unit="人",
    model=Person,
    fields=(
        RegisterField("code", "工号", CODE, editable=False, help="留空时自动编一个。"),
        RegisterField("name", "姓名", PERSON, needed=True, filter=True),
        RegisterField("phone", "电话", PHONE),
        RegisterField(
            "organisation_code",
            "单位",
            REFERENCE,
            reference="organisations",
            filter=True,
            help="写单位的名称或编码。",
        ),
        RegisterField("title", "职务", filter=True),
        RegisterField("notes", "备注", LONG),
    ),
    title="name",
    listed=("name", "phone", "organisation_code", "title", "duties", "account"),
    area=BY_DUTY,
    order="name",
    searched=("name", "code", "title"),
    derived=(Derived("duties", "当日责任"), Derived("account", "账号", filter=True), GRID, COMMUNITY),
    counters=(RESPONSIBILITY,),
    propose=propose_person,
)
ORGANISATIONS = Register(
    name="organisations",
    label="单位",
    noun="organisation",
    unit="家",
    model=Organisation,
    fields=(
        RegisterField("code", "编码", CODE, editable=False, help="统一社会信用代码或自编；留空时用名称。"),
        RegisterField("name", "名称", needed=True, filter=True),
        RegisterField("kind", "类别", help="如辖区单位、科室、学校。", filter=True),
        RegisterField("head_code", "一把手", REFERENCE, reference="people", help="写工号、手机号或姓名。", filter=True),
        RegisterField("phone", "电话", PHONE),
        RegisterField("address", "地址", filter=True),
        RegisterField("notes", "备注", LONG),
    ),
    title="name",
    listed=("name", "kind", "head_code", "phone", "address", "people"),
    area=BY_UNIT,
    order="name",
    searched=("name", "code", "address"),
    derived=(Derived("people", "人数"),),
    counters=(RESPONSIBILITY,),
    subject="organisation",
    propose=propose_organisation,
)

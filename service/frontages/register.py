"""The register of frontages (门前三包), as lists, forms and the interface know it."""

from __future__ import annotations

import hashlib
from typing import Any

from service.frontages.importing import STATE_WORDS
from service.frontages.models import Frontage
from service.records.counters import RESPONSIBILITY
from service.records.register import (
    BY_PLACE,
    CHOICE,
    CODE,
    COMMUNITY,
    DATE,
    GRID,
    LEADER,
    PERSON,
    PHONE,
    Register,
    RegisterField,
    Values,
)

STATES = {"operating": "经营", "vacant": "空置", "closed": "停业", "renovating": "装修"}


def propose(values: Values, geom: Any) -> str | None:
    """As an import makes it, so that a file with the same shop finds it again."""
    if geom is None:
        return None
    made = f"{values.get('shop_name')}|{geom.wkt}"
    return "f" + hashlib.blake2s(made.encode(), digest_size=8).hexdigest()


FRONTAGES = Register(
    name="frontages",
    label="门前三包",
    noun="frontage",
    unit="家",
    model=Frontage,
    fields=(
        RegisterField("code", "编码", CODE, editable=False, help="责任书编号或门店编号；留空时自动编一个。"),
        RegisterField("shop_name", "店名", needed=True, help="招牌上的名称。", filter=True),
        RegisterField("trade", "行业", help="如餐饮、服装、五金。", filter=True),
        RegisterField("address", "地址", help="路名加门牌号。", filter=True),
        RegisterField("state", "状态", CHOICE, STATES, STATE_WORDS, needed=True, default="operating", filter=True),
        RegisterField("person_name", "责任人", PERSON, help="实际经营的人，门前三包的第一责任人。", filter=True),
        RegisterField("phone", "电话", PHONE, help="责任人的手机或座机。"),
        RegisterField("owner_name", "业主", PERSON, help="房屋的产权人；空置时由业主负责。"),
        RegisterField("agreement_until", "责任书有效至", DATE, help="到期次日起不再有效。", filter=True),
        RegisterField("grade", "等级", filter=True),
    ),
    title="shop_name",
    listed=("shop_name", "trade", "address", "state", "person_name", "phone", "agreement_until", "grid", "leader"),
    area=BY_PLACE,
    order="shop_name",
    searched=("shop_name", "address", "code", "person_name"),
    derived=(GRID, COMMUNITY, LEADER),
    state="state",
    geometry="line_or_point",
    geometry_needed=True,
    counters=(RESPONSIBILITY,),
    subject="frontage",
    propose=propose,
)

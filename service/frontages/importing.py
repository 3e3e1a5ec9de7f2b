"""Frontages from files: lines along the shop fronts, or points where that is all there is."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from service.files.mapping import Field
from service.frontages.models import Frontage
from service.records import cells
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows
from service.records.unmasking import hide, unmask

FIELDS = (
    Field(
        "code",
        ("编码", "编号", "门店编号", "商铺编号", "责任书编号", "id", "osm_id", "osmid", "统一社会信用代码"),
        label="编码",
    ),
    Field(
        "shop_name",
        ("门店名称", "店名", "商铺名称", "商户名称", "单位名称", "名称", "招牌", "name", "shop"),
        label="店名",
    ),
    Field("trade", ("行业", "经营类别", "业态", "类别", "经营范围", "category", "type"), label="行业"),
    Field("address", ("地址", "门牌", "门牌号", "经营地址", "门店地址", "addr:street"), label="地址"),
    Field("state", ("状态", "经营状态", "status"), label="状态"),
    Field(
        "person_name",
        ("负责人", "责任人", "店长", "经营者", "负责人姓名", "责任人姓名", "person", "keeper"),
        label="责任人",
    ),
    Field("phone", ("电话", "联系电话", "手机", "手机号", "责任人电话", "tel", "mobile"), label="电话"),
    Field("owner_name", ("业主", "房东", "产权人", "owner"), label="业主"),
    Field(
        "agreement_until",
        ("责任书有效期", "责任书有效至", "有效期至", "有效至", "到期日", "valid until"),
        label="责任书有效至",
    ),
    Field("grade", ("等级", "星级", "评级", "stars"), label="等级"),
    Field("lon", ("经度", "x", "lng", "longitude", "long"), label="经度"),
    Field("lat", ("纬度", "y", "latitude"), label="纬度"),
)
STATE_WORDS = {
    "operating": "operating",
    "经营": "operating",
    "营业": "operating",
    "营业中": "operating",
    "正常": "operating",
    "经营中": "operating",
    "open": "operating",
    "vacant": "vacant",
    "空置": "vacant",
    "空铺": "vacant",
    "闲置": "vacant",
    "closed": "closed",
    "关闭": "closed",
    "停业": "closed",
    "歇业": "closed",
    "注销": "closed",
    "renovating": "renovating",
    "装修": "renovating",
    "装修中": "renovating",
}


def prepare(session: Session, intake: Intake) -> Prepared:
    """A frontage without a code gets one made of its geometry; one without a name is called by its address or trade."""
    for name in ("person_name", "owner_name", "phone"):
        hide(intake, name)
    shapes = cells.shapes(intake, "line_or_point")
    columns = cells.texts(intake, ("trade", "address", "person_name", "owner_name", "grade"))
    called = [cells.text(intake, name).tolist() for name in ("address", "trade")]
    fallback = [
        address or trade or ("未名门店" if shape is not None else None)
        for address, trade, shape in zip(*called, shapes.tolist(), strict=True)
    ]
    columns["shop_name"] = cells.filled(cells.text(intake, "shop_name"), fallback)
    if intake.has("phone"):
        columns["phone"] = cells.phone(intake, "phone")
    if intake.has("state"):
        columns["state"] = cells.worded(intake, "state", STATE_WORDS, "operating")
    if intake.has("agreement_until"):
        columns["agreement_until"] = cells.day(intake, "agreement_until")
    made = [
        None if shape is None else "f" + hashlib.blake2s(f"{name}|{shape.wkt}".encode(), digest_size=8).hexdigest()
        for name, shape in zip(columns["shop_name"], shapes, strict=True)
    ]
    columns["code"] = cells.filled(cells.code(intake, "code"), made)
    columns["code"] = cells.unique(intake, "code", columns["code"])
    unmask(session, intake, Frontage, columns["code"], columns)
    return Prepared([lambda _s: Rows(Frontage, ("code",), *cells.alive_with(intake, columns, shapes))])


FRONTAGES = Kind(
    "frontages",
    "门前三包",
    FIELDS,
    "line_or_point",
    prepare,
    {"frontages": Frontage},
    (RESPONSIBILITY,),
    points_from=("lon", "lat"),
    geometry_needed=True,
)

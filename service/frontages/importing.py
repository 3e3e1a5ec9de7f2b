"""Frontages from files: lines along the shop fronts, or points where that is all there is."""

from __future__ import annotations

import hashlib

import shapely
from sqlalchemy.orm import Session

from service.files.mapping import Field
from service.files.table import present
from service.frontages.models import Frontage
from service.records import cells
from service.records.counters import RESPONSIBILITY
from service.records.importing import Intake, Kind, Prepared, Rows
from service.records.unmasking import hide, unmask

FIELDS = (
    Field(
        "code",
        "编码、编号、门店编号、商铺编号、责任书编号、id、osm_id、osmid、统一社会信用代码、门店编码、"
        "商铺编码、商户编号、商户编码、店铺编号、店铺编码、代码、门店代码、信用代码、营业执照号、"
        "营业执照编号、shop id",
        label="编码",
    ),
    Field(
        "shop_name",
        "门店名称、店名、商铺名称、商户名称、单位名称、名称、招牌、name、shop、店铺名称、店铺、门店、"
        "门头、门头名称、字号、字号名称、商户、商家、商家名称、单位、责任单位、责任单位名称、"
        "shop name、store、store name",
        label="店名",
    ),
    Field(
        "trade",
        "行业、经营类别、业态、类别、经营范围、category、type、行业类别、行业类型、经营类型、"
        "经营业态、主营、主营业务、类型、所属行业、trade、industry",
        label="行业",
    ),
    Field(
        "address",
        "地址、门牌、门牌号、经营地址、门店地址、addr:street、店铺地址、商铺地址、商户地址、"
        "单位地址、详细地址、位置、门牌地址、所在位置、address",
        label="地址",
    ),
    Field(
        "state",
        "状态、经营状态、status、营业状态、当前状态、门店状态、开业状态",
        label="状态",
    ),
    Field(
        "person_name",
        "负责人、责任人、店长、经营者、负责人姓名、责任人姓名、person、keeper、店主、店主姓名、老板、"
        "联系人、联系人姓名、法人、法定代表人、经营者姓名、店长姓名、门前三包责任人、三包责任人、"
        "manager、contact",
        label="责任人",
    ),
    Field(
        "phone",
        "电话、联系电话、手机、手机号、责任人电话、tel、mobile、手机号码、联系方式、电话号码、"
        "负责人电话、店主电话、联系人电话、经营者电话、phone number、telephone",
        label="电话",
    ),
    Field(
        "owner_name",
        "业主、房东、产权人、owner、业主姓名、房东姓名、产权单位、房主、房屋业主、landlord",
        label="业主",
    ),
    Field(
        "agreement_until",
        "责任书有效期、责任书有效至、有效期至、有效至、到期日、valid until、责任书到期、"
        "责任书到期日、责任书到期日期、责任书到期时间、责任书截止、责任书截止日期、责任书有效期至、"
        "责任书有效期限、责任书期限、协议到期、协议到期日、协议有效期、协议有效期至、协议截止日期、"
        "到期日期、到期时间、有效期、有效期限、有效期限至、截止日期、agreement until、expires、"
        "expiry、expiry date、valid to",
        label="责任书有效至",
    ),
    Field(
        "grade",
        "等级、星级、评级、stars、评定等级、评级结果、考核等级、星级评定、级别、rating",
        label="等级",
    ),
    Field(
        "lon",
        "经度、x、lng、longitude、long、x坐标、东经、lon wgs84、wgs84 lon、point x、经度值",
        label="经度",
    ),
    Field(
        "lat",
        "纬度、y、latitude、y坐标、北纬、lat wgs84、wgs84 lat、point y、纬度值",
        label="纬度",
    ),
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
    names = cells.text(intake, "shop_name")
    unnamed = ~present(names) & ~shapely.is_missing(shapes) & intake.alive
    if unnamed.any():
        told = "没有店名，用地址或行业代替"
        intake.verdicts.warn(told, int(unnamed.sum()), intake.rows[unnamed].tolist())
    columns["shop_name"] = cells.filled(names, fallback)
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

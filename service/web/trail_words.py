"""The trail's actions, subjects and fields in words. Actions are "noun.verb"; an unknown one is told as it stands."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from service.clock import spoken
from service.incidents.lifecycle import MARKS, STEPS, step_name
from service.people.rules import ROLES, mask_phone
from service.registers.kinds import REGISTERS

_WHOLE = {
    "sign_in": "登录",
    "sign_out": "退出",
    "request.refuse": "越权被拒",
    "account.lock": "锁定账号",
    "account.release": "解除账号锁定",
    "account.password": "修改密码",
    "account.reset_password": "重置密码",
    "account.sign_out_everywhere": "退出所有设备",
    "account.deactivate": "停用账号",
    "account.reactivate": "恢复账号",
    "address.lock": "锁定网络地址",
    "address.release": "解除地址锁定",
    "token.revoke": "作废令牌",
    "import.upload": "上传文件",
    "import.drop": "放弃上传的文件",
    "import.store": "导入文件",
    "import.undo": "撤销导入",
    "demo.load": "装入演示数据",
    "demo.remove": "删除演示数据",
    "backup.make": "做备份",
    "backup.check": "核对备份",
    "backup.rotate": "清理旧备份",
    "backup.download": "下载备份",
    "backup.restore": "恢复备份",
    "draft.begin": "开始一份网格草稿",
    "draft.step": "画网格",
    "draft.undo": "撤销一步",
    "draft.redo": "重做一步",
    "draft.drop": "放弃草稿",
    "draft.publish": "发布网格版本",
    "draft.withdraw": "撤回未生效的版本",
    "draft.relocate": "事项重新找网格",
    "proposal.create": "存均衡方案",
    "proposal.drop": "放弃均衡方案",
    "proposal.adopt": "均衡方案生效",
    "retention.sweep": "清理到期数据",
    "wall.export": "打印责任图",
    "wall.download": "下载责任图",
}
_VERBS = {
    "create": "新增",
    "change": "修改",
    "end": "停用",
    "restore": "恢复",
    "remove": "删除",
    "bulk_change": "批量修改",
    "bulk_end": "批量停用",
    "export": "导出",
    "reveal_phone": "查看号码",
    "reveal": "查看号码",
    "hand_over": "交接",
    "withdraw": "取消",
    "act": "安排代理：",
    "return": "回岗：",
    "add": "加",
    "add_photo": "加照片",
    "remove_photo": "删照片",
}
KINDS = {
    "proposals": "均衡方案",
    "duties_audit": "责任检查",
    "accounts": "账号",
    "addresses": "网络地址",
    "routes": "页面或接口",
    "tokens": "令牌",
    "communities": "社区",
    "grids": "网格",
    "people": "人员",
    "organisations": "单位",
    "places": "场所",
    "streets": "街路",
    "buildings": "楼栋",
    "frontages": "门店",
    "incidents": "事项",
    "duties": "责任",
    "imports": "导入",
    "uploads": "上传",
    "office": "设置",
    "backups": "备份",
    "views": "视图",
    "saved_views": "视图",
    "wall": "责任图",
    "drafts": "网格草稿",
}
_NOUNS = KINDS | {
    "account": "账号",
    "token": "令牌",
    "community": "社区",
    "grid": "网格",
    "person": "人员",
    "organisation": "单位",
    "place": "场所",
    "street": "街路",
    "building": "楼栋",
    "frontage": "门店",
    "incident": "事项",
    "duty": "责任",
    "view": "视图",
    "backup": "备份",
    "photo": "照片",
}
_FIELDS = {
    "name": "名称",
    "display_name": "显示名",
    "role": "角色",
    "communities": "社区",
    "community_code": "社区",
    "unit": "单位",
    "person": "人员",
    "person_code": "人员",
    "organisation_code": "单位",
    "head_code": "一把手",
    "expires_at": "有效期至",
    "code": "编码",
    "kind": "类别",
    "phone": "电话",
    "title": "职务",
    "notes": "备注",
    "address": "地址",
    "shop": "店名",
    "trade": "业态",
    "state": "状态",
    "status": "状态",
    "owner": "经营者",
    "owner_phone": "经营者电话",
    "responsible": "责任人",
    "households": "户数",
    "population": "人口",
    "starts_on": "自",
    "ends_on": "至",
    "ended_on": "停用自",
    "geom": "图形",
    "value": "值",
    "count": "行数",
    "rows": "行数",
    "digest": "摘要",
    "format": "格式",
    "filters": "筛选",
    "whole_numbers": "号码不打码",
    "sheets": "张数",
    "paper": "纸张",
    "printed": "印什么",
    "held_on": "按哪一天",
    "codes": "编码",
    "crs": "坐标系",
    "sheet": "工作表",
    "layer": "图层",
    "edition": "界线生效日",
    "version": "版本号",
    "duties": "责任",
    "faults": "界线问题",
    "stay": "不动",
    "moved": "转到新编码",
    "made": "新增",
    "grids": "网格",
    "read": "读到的行",
    "new": "新增",
    "updated": "改动",
    "unchanged": "不变",
    "rejected": "拒收",
    "ended": "其中已终止的",
    "log_lines": "行日志条数",
    "log_digest": "行日志 SHA-256",
    "removed": "删去",
    "relocated": "改了网格的事项",
    "restored": "恢复",
    "kept": "留下",
    "sha256": "SHA-256",
    "size": "字节",
    "file": "文件",
    "files": "文件",
    "photo": "照片",
    "photos": "照片数",
    "caption": "说明",
    "records": "记录数",
    "asked": "要改的行数",
    "refused": "没有改的行数",
    "reasons": "没有改的",
    "reason": "原因",
    "geometry": "位置",
    "hotline": "值班电话",
    "logo": "标志",
    "box": "第一眼的范围",
    "chosen": "可选的底图",
    "tianditu_key": "天地图密钥",
    "border_m": "近边界（米）",
    "frontage_m": "找门店（米）",
    "street_m": "找街路（米）",
    "place_m": "找场所和河湖林（米）",
    "here_m": "此处（米）",
    "days": "提前多少天",
    "leader_grids": "网格长最多几个网格",
    "officer_grids": "专职网格员最多几个网格",
    "rule": "公众能看什么",
    "uploads_days": "上传的文件留几天",
    "ended_days": "已终止的记录里的个人信息留几天",
    "trail_days": "操作记录至少几天",
    "on": "定时",
    "hour": "几点",
    "daily": "每日的留",
    "weekly": "每周的留",
    "folder": "文件夹",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")
_NOTHING = "（空）"
_MOST = 200


def action_words(action: str) -> str:
    """
    >>> action_words("sign_in"), action_words("frontage.change"), action_words("people.reveal_phone")
    ('登录', '修改门店', '查看号码（人员）')
    >>> action_words("moon.land")
    'moon.land'
    """
    if action in _WHOLE:
        return _WHOLE[action]
    noun, _dot, verb = action.partition(".")
    if noun == "incident" and verb in {**STEPS, **MARKS}:
        return f"事项：{step_name(verb)}"
    if noun not in _NOUNS or verb not in _VERBS:
        return action
    return f"{_VERBS[verb]}（{_NOUNS[noun]}）" if "号码" in _VERBS[verb] else _VERBS[verb] + _NOUNS[noun]


def kind_words(kind: str | None) -> str:
    return KINDS.get(kind or "", kind or "")


def change_words(
    before: dict[str, Any] | None, after: dict[str, Any] | None, kind: str | None = None
) -> list[tuple[str, str, str]]:
    """(field, before, after) in words, phones masked. `kind`: the subject's; a register knows its own fields.

    >>> change_words({"phone": "13812345678", "name": None}, {"phone": None, "name": "甲"})
    [('电话', '138****5678', '（空）'), ('名称', '（空）', '甲')]
    >>> change_words({"state": "vacant"}, {"state": "operating"}, "frontages")
    [('状态', '空置', '经营')]
    """
    old, new = before or {}, after or {}
    known = REGISTERS[kind].by_name if kind in REGISTERS else {}
    out = []
    for name in [*old, *(name for name in new if name not in old)]:
        field = known.get(name)
        label = field.label if field else _FIELDS.get(name, name)
        choices = field.choices if field else KINDS if kind == "imports" and name == "kind" else {}
        was, now = (choices.get(str(one.get(name))) or value_words(name, one.get(name)) for one in (old, new))
        out.append((label, was, now))
    return out


def value_words(name: str, value: Any) -> str:
    """One value as a person reads it; long ones are cut."""
    if value is None or value == "" or value == []:
        return _NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(value_words(name, one) for one in value[:20]) + ("…" if len(value) > 20 else "")
    if isinstance(value, dict):
        if "wkb" in value or "coordinates" in value:
            return "（图形）"
        if len(value) == 1 and next(iter(value)) in ("date", "time"):
            return value_words(name, next(iter(value.values())))
        return "，".join(f"{_FIELDS.get(key, key)} {value_words(key, one)}" for key, one in list(value.items())[:20])
    text = str(value)
    if _MOMENT.match(text):
        return spoken(datetime.fromisoformat(text))
    if "phone" in name:
        return mask_phone(text)
    if name == "role":
        return ROLES.get(text, text)
    return text if len(text) <= _MOST else text[:_MOST] + "…"

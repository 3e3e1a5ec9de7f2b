"""Roles of accounts, and what of a person may be shown to whom. Pure."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = {
    "admin": "管理员",
    "supervisor": "主管",
    "manager": "社区管理员",
    "officer": "网格员",
    "unit": "处置单位",
    "viewer": "查看者",
}
SEES_PHONES = {"admin", "supervisor", "manager", "officer"}
MIN_PASSWORD = 10


@dataclass(frozen=True)
class Viewer:
    """Who asks, as far as showing goes: signed out (role None), or an account's role; and the office's public rule."""

    role: str | None = None
    public_rule: str = "basic"

    @property
    def signed_in(self) -> bool:
        return self.role is not None

    @property
    def may_look(self) -> bool:
        """Whether the map and the lookup answer at all."""
        return self.signed_in or self.public_rule != "off"

    def name(self, name: str | None, leader: bool = False) -> str | None:
        """A person's name as this viewer may read it. `leader`: the 网格长, whom the rule 'names' publishes."""
        if name is None or self.signed_in or (leader and self.public_rule == "names"):
            return name
        return mask_name(name)

    def phone(self, phone: str | None) -> str | None:
        """Masked for everybody signed in; nothing for the public."""
        return mask_phone(phone) if phone and self.signed_in else None

    def dial(self, phone: str | None) -> str | None:
        """The number behind the call button, for those whose work it is to call."""
        return phone if phone and self.role in SEES_PHONES else None


def mask_name(name: str) -> str:
    """
    >>> mask_name("张三"), mask_name("欧阳修")
    ('张*', '欧*')
    """
    return name[:1] + "*" if name else name


def mask_phone(phone: str) -> str:
    """
    >>> mask_phone("13812345678"), mask_phone("023-57681234"), mask_phone("110")
    ('138****5678', '023*****1234', '***')
    """
    if len(phone) < 8:
        return "*" * len(phone)
    return phone[:3] + "*" * (len(phone) - 7) + phone[-4:]


def password_faults(password: str, name: str) -> list[str]:
    """What is wrong with a new password; empty when nothing (GB/T 22239: complexity)."""
    faults = []
    if len(password) < MIN_PASSWORD:
        faults.append(f"至少 {MIN_PASSWORD} 个字符")
    kinds = sum(
        any(test(c) for c in password) for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    )
    if kinds < 3:
        faults.append("小写字母、大写字母、数字、符号中至少三种")
    if name and name.lower() in password.lower():
        faults.append("不能含有账号名")
    return faults

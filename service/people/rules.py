"""Roles of accounts, and what of a person may be shown to whom. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from service.people.access import ALL, AREA, NOWHERE, Area, reach
from service.records.masking import mask_name, mask_phone

__all__ = ["MIN_PASSWORD", "ROLES", "Viewer", "mask_name", "mask_phone", "password_faults"]

ROLES = {
    "admin": "管理员",
    "supervisor": "主管",
    "manager": "社区管理员",
    "officer": "网格员",
    "unit": "处置单位",
    "viewer": "查看者",
}
MIN_PASSWORD = 10
# Colleagues' names whole; those of shop keepers and owners, who are citizens, everywhere or in the own area.
_SEES_COLLEAGUES = {"admin", "supervisor", "manager", "officer"}
_SEES_CITIZENS = {"admin": ALL, "supervisor": ALL, "manager": AREA, "officer": AREA}


@dataclass(frozen=True)
class Viewer:
    """Who asks, as far as showing goes: signed out (role None), or an account's role and area; and the public rule.

    Everything that is shown of a person passes one of these methods; docs/decisions/016-masking.md has the table.
    """

    role: str | None = None
    public_rule: str = "basic"
    area: Area = NOWHERE

    @property
    def signed_in(self) -> bool:
        return self.role is not None

    @property
    def may_look(self) -> bool:
        """Whether the map and the lookup answer at all."""
        return self.signed_in or self.public_rule != "off"

    @property
    def sees_leaders(self) -> bool:
        """Whether the 网格长 are named in full: to every account, and to the public under the rule 'names'."""
        return self.signed_in or self.public_rule == "names"

    def sees_name(self, leader: bool = False, organisation: str | None = None) -> bool:
        """Whether a colleague is named in full. `organisation`: where the colleague works, for a unit's handler."""
        if leader and self.sees_leaders:
            return True
        return self.role in _SEES_COLLEAGUES or self._own_unit(organisation)

    def name(self, name: str | None, leader: bool = False, organisation: str | None = None) -> str | None:
        """A colleague's name as this viewer may read it. `leader`: the 网格长."""
        return name if name is None or self.sees_name(leader, organisation) else mask_name(name)

    def sees_citizens(self, inside: bool) -> bool:
        """Whether shop keepers and owners are named in full. `inside`: the shop stands in the viewer's area."""
        far = _SEES_CITIZENS.get(self.role or "")
        return far == ALL or (far == AREA and inside)

    def citizen(self, name: str | None, inside: bool) -> str | None:
        """A shop keeper's or owner's name."""
        return name if name is None or self.sees_citizens(inside) else mask_name(name)

    def phone(self, phone: str | None) -> str | None:
        """Masked for everybody signed in; nothing for the public. The whole number is given one by one, on demand."""
        return mask_phone(phone) if phone and self.signed_in else None

    def may_reveal(self, inside: bool) -> bool:
        """Whether the whole number may be asked for. `inside`: its owner answers within the viewer's area."""
        far = reach(self.role, "phones.reveal")
        return far == ALL or (far == AREA and inside)

    def may_see_incidents(self, inside: bool) -> bool:
        """Whether single incidents are shown, beyond their count. `inside`: their grid lies in the viewer's area."""
        far = reach(self.role, "incidents.read")
        return far == ALL or (far == AREA and inside)

    @property
    def incidents_within(self) -> Area | None:
        """The area whose incidents are shown; None when that is everywhere."""
        far = reach(self.role, "incidents.read")
        return None if far == ALL else self.area if far == AREA else NOWHERE

    @property
    def sight(self) -> tuple[str | None, bool, str | None]:
        """What decides how colleagues are shown: two viewers with the same one read the same duties."""
        return self.role, self.sees_leaders, self.area.organisation if self.role == "unit" else None

    def _own_unit(self, organisation: str | None) -> bool:
        return self.role == "unit" and organisation is not None and organisation == self.area.organisation


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

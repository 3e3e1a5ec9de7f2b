"""States of an incident and the groups in which the map shows them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

STATES = {
    "unverified": "待核实",
    "unfiled": "待立案",
    "undispatched": "待派遣",
    "unaccepted": "待接收",
    "handling": "处置中",
    "rework": "返工",
    "postponed": "缓办",
    "inspecting": "待核查",
    "closed": "已结案",
    "rejected": "不予立案",
    "void": "作废",
    "merged": "并案",
}
SOURCES = {
    "patrol": "巡查",
    "citizen": "群众",
    "hotline": "热线",
    "supervisor_volunteer": "监督员",
    "mock_assessment": "模拟测评",
    "unannounced": "暗访",
    "frontage_inspection": "三包检查",
    "superior": "上级交办",
}
GROUPS = ("rep", "way", "chk", "done")
GROUP_NAMES = {"late": "超期", "way": "处置中", "chk": "待核查", "rep": "待受理", "done": "已结案"}
GROUP_OF = {
    "unverified": 0,
    "unfiled": 0,
    "undispatched": 0,
    "unaccepted": 0,
    "handling": 1,
    "rework": 1,
    "postponed": 1,
    "inspecting": 2,
    "closed": 3,
    "rejected": 3,
    "void": 3,
    "merged": 3,
}
OPEN_STATES = tuple(state for state, group in GROUP_OF.items() if group < 3)

_WORDS = (
    {name: code for code, name in STATES.items()}
    | {code: code for code in STATES}
    | {
        "open": "handling",
        "in progress": "handling",
        "assigned": "handling",
        "started": "handling",
        "pending": "unaccepted",
        "new": "unverified",
        "unassigned": "undispatched",
        "closed": "closed",
        "resolved": "closed",
        "done": "closed",
        "fixed": "closed",
        "completed": "closed",
        "待受理": "unverified",
        "待处理": "unaccepted",
        "处理中": "handling",
        "已派遣": "handling",
        "整改中": "handling",
        "已处理": "inspecting",
        "待复核": "inspecting",
        "已完成": "closed",
        "已办结": "closed",
        "办结": "closed",
        "已关闭": "closed",
        "结案": "closed",
        "已销号": "closed",
    }
)


def state_code(text: str) -> str | None:
    """The state that a cell names, in Chinese or as other systems export it; None when unknown.

    >>> state_code("已结案"), state_code("In Progress"), state_code("?")
    ('closed', 'handling', None)
    """
    return _WORDS.get(text.strip().lower())


def is_overdue(due_at: datetime | None, closed_at: datetime | None, now: datetime) -> bool:
    """All aware UTC; an open incident is judged at `now`; without a deadline nothing is overdue."""
    return due_at is not None and (closed_at or now) > due_at


def due_text(group: int, due_at: datetime | None, now: datetime) -> tuple[str, bool]:
    """What the panel says of the deadline of an open incident, and whether it is late.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 4, tzinfo=UTC)
    >>> due_text(1, noon - timedelta(days=1, hours=6), noon)
    ('超期 1 天 6 小时', True)
    """
    if due_at is None:
        return ("", False)
    span = spell(abs(now - due_at))
    if now > due_at:
        return f"超期 {span}", True
    return {0: "受理", 2: "核查"}.get(group, "") + f"还剩 {span}", False


def spell(span: timedelta) -> str:
    """A span in the two largest units that matter.

    >>> spell(timedelta(minutes=42)), spell(timedelta(hours=5, minutes=3)), spell(timedelta(days=3))
    ('42 分', '5 小时', '3 天')
    """
    minutes = int(span.total_seconds() // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days >= 3 or (days and not hours):
        return f"{days} 天"
    if days:
        return f"{days} 天 {hours} 小时"
    return f"{hours} 小时" if hours else f"{minutes} 分"

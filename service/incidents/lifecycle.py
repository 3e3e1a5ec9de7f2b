"""The life of an incident as one table: states, steps, who takes them, what each needs, where it leads. Pure.

Pages, the interface, the tests and the diagram in docs/incidents.md read this table; nothing else decides.
Source: GB/T 30428's seven stages (信息收集 … 综合评价) with the side states of the subdistrict's own practice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.incidents.rules import STATES

HANDLER, OFFICER, MANAGER, SUPERVISOR, CITIZEN, SYSTEM = (
    "handler",
    "officer",
    "manager",
    "supervisor",
    "citizen",
    "system",
)
WHO = {
    HANDLER: "承办人",
    OFFICER: "片区网格员",
    MANAGER: "社区管理员",
    SUPERVISOR: "主管",
    CITIZEN: "报事人",
    SYSTEM: "系统",
}
SAME, BEFORE, AGAIN = "same", "before", "again"
"""Targets that depend on the incident: it stays; it goes back to `state_before`; it is handled once more."""
REOPEN_WITHIN = timedelta(days=15)

# What a step may need: the field that carries it, and how the form calls it.
NEEDS = {
    "note": "说明",
    "holder": "承办人或单位",
    "after_photo": "处置后的照片",
    "until": "新的期限",
    "parent": "并入哪一件",
}


@dataclass(frozen=True)
class Step:
    """One row. `sources`: states from which it may be taken; `target`: a state, SAME, BEFORE or AGAIN; `needs`: keys of
    NEEDS that must be given; `others`: the account that took the step `not_after` last may not take this one."""

    code: str
    name: str
    done: str
    sources: tuple[str, ...]
    target: str
    who: tuple[str, ...]
    needs: tuple[str, ...] = ()
    asked: bool | None = None  # whether an extension must be (True) or must not be (False) asked for
    not_after: str | None = None


_OPEN = ("unverified", "unfiled", "undispatched", "unaccepted", "handling", "rework", "inspecting", "postponed")
_AT_WORK = ("handling", "rework")
_WITH_SOMEBODY = ("unaccepted", *_AT_WORK)

STEPS: dict[str, Step] = {
    step.code: step
    for step in (
        Step("verify", "核实属实", "已核实", ("unverified",), "unfiled", (OFFICER, MANAGER)),
        Step("reject", "不予立案", "不予立案", ("unverified", "unfiled"), "rejected", (MANAGER,), ("note",)),
        Step("file", "立案", "已立案", ("unfiled",), "undispatched", (MANAGER,)),
        Step("dispatch", "派遣", "已派遣", ("undispatched",), "unaccepted", (MANAGER,), ("holder",)),
        Step("accept", "接收", "已接收", ("unaccepted",), "handling", (HANDLER,)),
        Step("return", "退回", "已退回", _WITH_SOMEBODY, "undispatched", (HANDLER,), ("note",)),
        Step("transfer", "转派", "已转派", _WITH_SOMEBODY, "unaccepted", (MANAGER,), ("note", "holder")),
        Step("handle", "处置完成", "已处置", _AT_WORK, "inspecting", (HANDLER,), ("after_photo",)),
        Step("inspect_pass", "核查通过", "核查通过", ("inspecting",), "closed", (OFFICER, MANAGER), not_after="handle"),
        Step(
            "inspect_fail",
            "核查不通过",
            "退回返工",
            ("inspecting",),
            "rework",
            (OFFICER, MANAGER),
            ("note",),
            not_after="handle",
        ),
        Step("ask_extension", "申请延期", "申请了延期", _AT_WORK, SAME, (HANDLER,), ("note", "until"), asked=False),
        Step(
            "grant_extension", "同意延期", "同意延期", _AT_WORK, SAME, (MANAGER,), asked=True, not_after="ask_extension"
        ),
        Step("refuse_extension", "不同意延期", "没有同意延期", _AT_WORK, SAME, (MANAGER,), ("note",), asked=True),
        Step("postpone", "缓办", "转入缓办", ("undispatched", *_WITH_SOMEBODY), "postponed", (MANAGER,), ("note",)),
        Step("resume", "恢复办理", "恢复办理", ("postponed",), BEFORE, (MANAGER,)),
        Step("reopen", "没有解决，重办", "重新打开", ("closed",), AGAIN, (CITIZEN, MANAGER), ("note",)),
        Step("merge", "并案", "已并案", tuple(s for s in _OPEN if s != "postponed"), "merged", (MANAGER,), ("parent",)),
        Step("unmerge", "撤销并案", "撤销并案", ("merged",), BEFORE, (MANAGER,), ("note",)),
        Step("void", "作废", "已作废", _OPEN, "void", (MANAGER,), ("note",)),
    )
}
# What is written into the timeline beside the steps: nobody chooses these from the table.
MARKS = {
    "report": "上报",
    "import": "导入",
    "correct": "更正",
    "place": "改了地点",
    "remark": "备注",
    "join": "又有人报",
    "recompute": "重算期限",
    "remind": "催办",
    "tell_manager": "报社区管理员",
    "tell_supervisor": "报主管",
}


@dataclass(frozen=True)
class Standing:
    """What of an incident decides which steps are open. `last_by`: step → the account that took it last."""

    state: str
    asked: bool
    closed_at: datetime | None
    has_holder: bool
    last_by: dict[str, int | None]


def step_name(code: str) -> str:
    """How the timeline calls a step or mark."""
    return STEPS[code].done if code in STEPS else MARKS.get(code, code)


def target_of(step: Step, standing_state: str, before: str | None, has_holder: bool) -> str:
    """The state that a step leads to.

    >>> target_of(STEPS["resume"], "postponed", "handling", True), target_of(STEPS["reopen"], "closed", None, False)
    ('handling', 'undispatched')
    """
    if step.target == SAME:
        return standing_state
    if step.target == BEFORE:
        return before or "undispatched"
    if step.target == AGAIN:
        return "rework" if has_holder else "undispatched"
    return step.target


@dataclass(frozen=True)
class Hindrance:
    """Why a step cannot be taken, as a sentence. `forbidden`: it is another's to take; else it isn't its time."""

    message: str
    forbidden: bool = False


def hindrance(
    step: Step, standing: Standing, asker: Collection[str], account: int | None, now: datetime
) -> Hindrance | None:
    """What is in the way of a step; None when it can be taken (its needs aside).

    `asker`: what the account is to this incident (HANDLER, OFFICER, MANAGER, …).
    """
    if not set(step.who) & set(asker):
        return Hindrance(f"“{step.name}”由{'或'.join(WHO[one] for one in step.who)}来做。", True)
    if standing.state not in step.sources:
        told = "、".join(STATES[one] for one in step.sources)
        return Hindrance(f"现在是“{STATES[standing.state]}”，“{step.name}”只能在{told}时做。")
    if step.asked is not None and standing.asked != step.asked:
        return Hindrance("没有待答复的延期申请。" if step.asked else "已有一个延期申请在等答复。")
    if step.code == "reopen" and standing.closed_at is not None and now - standing.closed_at > REOPEN_WITHIN:
        return Hindrance(f"结案已超过 {REOPEN_WITHIN.days} 天，不能再重办；请重新报一件。")
    if step.not_after and account is not None and standing.last_by.get(step.not_after) == account:
        return Hindrance(f"“{STEPS[step.not_after].name}”是你自己做的，“{step.name}”要由另一个人来做。", True)
    return None


def open_steps(standing: Standing, asker: Collection[str], account: int | None, now: datetime) -> list[Step]:
    """The steps that the asker may take now, in the order of the table."""
    return [step for step in STEPS.values() if hindrance(step, standing, asker, account, now) is None]

"""The register of incidents (事项): a list and a detail, not yet changed by hand."""

from __future__ import annotations

from service.incidents.models import Incident
from service.incidents.rules import GROUP_NAMES, STATES
from service.records.counters import INCIDENTS as INCIDENTS_COUNTER
from service.records.register import (
    BY_COLUMNS,
    CHOICE,
    CODE,
    COMMUNITY,
    GRID,
    LEADER,
    LONG,
    MOMENT,
    Register,
    RegisterField,
)

INCIDENTS = Register(
    name="incidents",
    label="事项",
    noun="incident",
    unit="件",
    model=Incident,
    fields=(
        RegisterField("number", "编号", CODE, editable=False, filter=True),
        RegisterField("category", "类别代码", CODE, editable=False, filter=True),
        RegisterField("category_name", "类别", editable=False, sort=False),
        RegisterField("description", "描述", LONG, editable=False, sort=False),
        RegisterField("address", "地址", editable=False, filter=True, sort=False),
        RegisterField("state", "状态", CHOICE, STATES, editable=False, filter=True),
        RegisterField("source", "来源", editable=False, filter=True, sort=False),
        RegisterField("reported_at", "上报时间", MOMENT, editable=False, filter=True),
        RegisterField("due_at", "期限", MOMENT, editable=False, filter=True),
        RegisterField("closed_at", "结案时间", MOMENT, editable=False, filter=True),
        RegisterField("stated_grid", "所报网格", CODE, editable=False, sort=False),
    ),
    title="category_name",
    listed=("number", "state", "category_name", "address", "reported_at", "due_at", "grid", "community", "leader"),
    area=BY_COLUMNS,
    order="-reported_at",
    key="number",
    searched=("number", "address"),
    derived=(GRID, COMMUNITY, LEADER),
    state="state",
    geometry="point",
    counters=(INCIDENTS_COUNTER,),
    read_only=True,
    creates=False,
    ends=False,
    read_right="incidents.read",
    groups=GROUP_NAMES,
    why_not="事项现在只能查看；要更新，导入新的文件。",
)

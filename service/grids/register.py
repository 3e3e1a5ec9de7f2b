"""The registers of communities and of grids' attributes. Boundaries come and go by edition, through an import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from service.grids.models import Community, Grid
from service.grids.queries import editions_on
from service.grids.rules import COMMUNITY_KINDS, COMMUNITY_WORDS, KIND_WORDS, KINDS
from service.records.counters import RESPONSIBILITY
from service.records.register import (
    BY_COMMUNITY,
    BY_GRID,
    CHOICE,
    CODE,
    COMMUNITY,
    LEADER,
    LONG,
    REFERENCE,
    WHOLE,
    Derived,
    Fault,
    Register,
    RegisterField,
    Values,
)


def check_grid(before: Values, after: Values) -> Sequence[Fault]:
    """A micro-grid doesn't tile, a grid does: to change between them is to change boundaries."""
    if before.get("kind") != after.get("kind") and "micro_grid" in (before.get("kind"), after.get("kind")):
        return [("kind", "网格和微网格之间不能直接改，要导入新一版界线。")]
    return []


def grids_on(session: Session, on: date) -> ColumnElement[bool]:
    """The grids of the editions in force on the day."""
    return Grid.edition_id.in_(editions_on(session, on))


COMMUNITIES = Register(
    name="communities",
    label="社区",
    noun="community",
    unit="个",
    model=Community,
    fields=(
        RegisterField("code", "编码", CODE, editable=False, needed=True, help="12 位统计用区划代码。"),
        RegisterField("name", "名称", needed=True, filter=True),
        RegisterField("kind", "类别", CHOICE, COMMUNITY_KINDS, COMMUNITY_WORDS, needed=True, filter=True),
        RegisterField("notes", "备注", LONG),
    ),
    title="name",
    listed=("code", "name", "kind", "grids", "notes"),
    area=BY_COMMUNITY,
    order="code",
    searched=("name", "code"),
    derived=(Derived("grids", "网格数"),),
    state="kind",
    geometry="polygon",
    counters=(RESPONSIBILITY,),
    subject="community",
)
GRIDS = Register(
    name="grids",
    label="网格",
    noun="grid",
    unit="个",
    model=Grid,
    fields=(
        RegisterField("code", "编码", CODE, editable=False),
        RegisterField("name", "名称", needed=True, filter=True),
        RegisterField("kind", "类型", CHOICE, KINDS, KIND_WORDS, needed=True, filter=True),
        RegisterField("community_code", "社区编码", REFERENCE, reference="communities", editable=False),
        RegisterField("parent_code", "上级网格", CODE, editable=False),
        RegisterField("households", "户数", WHOLE),
        RegisterField("population", "人口", WHOLE),
        RegisterField("notes", "备注", LONG, help="重点场所和要特别注意的事。"),
    ),
    title="name",
    listed=("code", "name", "community", "kind", "leader", "households", "population", "notes"),
    area=BY_GRID,
    order="code",
    searched=("name", "code", "notes"),
    derived=(COMMUNITY, LEADER),
    state="kind",
    geometry="polygon",
    counters=(RESPONSIBILITY,),
    subject="grid",
    creates=False,
    ends=False,
    check=check_grid,
    scope=grids_on,
    why_not="网格随界线的版本开始和结束。导入新一版界线来增减网格。",
)

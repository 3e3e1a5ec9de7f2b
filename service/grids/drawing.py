"""The steps of a draft that change its grids: each takes a state and gives the next one, its words, what to warn of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import shapely

from service.errors import InvalidValue
from service.geo.edits import Border, Draw, Mend, Merge, Reshape, Split, apply
from service.geo.micros import draw_micro, merge_micros, split_micro
from service.geo.tiling import Outcome, Tiling, area_of
from service.grids.draft_queries import faults_of_draft
from service.grids.draft_rows import Base, Drawn, State, tiling_of
from service.grids.rules import KINDS, grid_name, name_of, next_code, next_micro_code, renumbered, short_code
from service.records.cells import as_multi

_MOST_NAME, _SHOWN_NAME, _MOST_CODE, _MOST_NOTES = 60, 20, 64, 2_000
_NEAR = 5e-6  # degrees: a fault is meant by a point that lies so near
_LIKE_CODE = "不能有空格、看不见的字符和 / \\ ? # % 这些符号"

Result = tuple[State, str, Sequence[str]]


@dataclass(frozen=True)
class Desk:
    """What the steps of one draft work with. homes: names of its communities; used: every code that a community ever
    had, in drafts too; past: those of its editions; taken: which codes are a grid's elsewhere."""

    base: Base
    homes: Mapping[str, str]
    used: Callable[[str], Collection[str]]
    past: Callable[[str], Collection[str]]
    taken: Callable[[Collection[str]], Collection[str]]
    around: Mapping[str, Any] = field(default_factory=dict)
    may_extend: bool = False

    def tiling(self, state: State) -> Tiling:
        return tiling_of(state, self.base, self.around, self.may_extend)

    def next_code(self, state: State, home: str) -> str:
        own = [code for code, grid in state.grids.items() if grid.community_code == home and grid.tiles]
        return next_code(home, {*self.used(home), *own} - _micro_codes(state))

    def next_micro_code(self, state: State, parent: str) -> str:
        return next_micro_code(parent, {*self.used(state.grids[parent].community_code), *state.grids})


def _micro_codes(state: State) -> set[str]:
    return {code for code, grid in state.grids.items() if not grid.tiles}


def split(
    desk: Desk, state: State, code: str, line: Any, keep: str, new_code: str | None, new_name: str | None
) -> Result:
    """A grid into two by a line. The new one has the code asked for, else the next; households by area."""
    own = _grid(state, code, "code")
    if own.tiles:
        fresh = new_code or desk.next_code(state, own.community_code)
    else:
        fresh = new_code or desk.next_micro_code(state, own.parent_code or code)
    _usable(desk, state, fresh, "new_code")
    edit = Split(code, line, fresh, keep)
    done = apply(desk.tiling(state), edit) if own.tiles else split_micro(desk.tiling(state), edit)
    name = name_of(new_name, _MOST_NAME, "new_name") or grid_name(desk.homes.get(own.community_code, ""), fresh)
    state = _drawn(state, done, replace(own, code=fresh, name=name, notes=None))
    return state, f"拆分{told(own)}，新网格 {short_code(fresh)[1]}", done.warnings


def merge(desk: Desk, state: State, codes: Sequence[str], keep: str) -> Result:
    """Grids into one of them; households are summed, what was planned for the others goes."""
    grids = [_grid(state, code, "codes") for code in dict.fromkeys(codes)]
    edit = Merge(tuple(grid.code for grid in grids), keep)
    micro = any(not grid.tiles for grid in grids)
    done = merge_micros(desk.tiling(state), edit) if micro else apply(desk.tiling(state), edit)
    warnings = list(done.warnings)
    dropped = [plan for plan in state.plans if plan.grid_code in done.gone]
    if dropped:
        warnings.append(f"并掉的网格上计划的 {len(dropped)} 项责任一起去掉了。")
    kept = state.grids[keep]
    ending = [] if kept.origin else [grid for grid in grids if grid.origin and grid.code in done.gone]
    if ending:
        old = "、".join(told(grid) for grid in ending)
        warnings.append(f"{old}并进了新网格，现在的责任到发布那天结束。要接着用，就撤销，改成保留原来的编码。")
    state = _drawn(state, done)
    sums: dict[str, Any] = {name: _sum(getattr(grid, name) for grid in grids) for name in ("households", "population")}
    unsure = any(grid.estimated for grid in grids) or any(
        sums[name] is not None and any(getattr(grid, name) is None for grid in grids) for name in sums
    )
    state = state.replaced(replace(state.grids[keep], **sums, estimated=unsure))
    state = replace(state, plans=tuple(plan for plan in state.plans if plan not in dropped))
    others = "、".join(told(grid) for grid in grids if grid.code != keep)
    return state, f"合并{others}到{told(kept)}", warnings


def _sum(values: Any) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def reshape(desk: Desk, state: State, code: str, polygon: Any) -> Result:
    """A grid with another outline; the neighbours follow."""
    own = _grid(state, code, "code")
    tiling = desk.tiling(state)
    done = apply(tiling, Reshape(code, polygon)) if own.tiles else draw_micro(tiling, code, polygon)
    return _drawn(state, done), f"改形{told(own)}{_others(state, done, [code])}", done.warnings


def border(desk: Desk, state: State, codes: Sequence[str], line: Any) -> Result:
    """The border of two grids along another line."""
    if len(codes) != 2:
        raise InvalidValue("codes", "挪边界要正好两个网格。")
    pair = [_grid(state, code, "codes") for code in codes]
    done = apply(desk.tiling(state), Border(codes[0], codes[1], line))
    return _drawn(state, done), f"挪{told(pair[0])}和{told(pair[1])}之间的边界", done.warnings


def draw(
    desk: Desk,
    state: State,
    kind: str,
    polygon: Any,
    code: str | None,
    name: str | None,
    over: bool = False,
    community: str | None = None,
) -> Result:
    """A new grid, special grid or micro-grid. over: what it covers wholly goes."""
    if kind not in KINDS:
        raise InvalidValue("kind", f"类型写 {'、'.join(KINDS)} 中的一个。")
    under = _under(state, polygon)
    if kind == "micro_grid":
        if under is None:
            raise InvalidValue("polygon", "微网格要画在一个网格里面。")
        fresh = code or desk.next_micro_code(state, under.code)
        _usable(desk, state, fresh, "code")
        done = draw_micro(desk.tiling(state), fresh, polygon)
        home = under.community_code
    else:
        home = under.community_code if under else _home(desk, community)
        fresh = code or desk.next_code(state, home)
        _usable(desk, state, fresh, "code")
        done = apply(desk.tiling(state), Draw(fresh, kind, home, polygon, over))
    shown = name_of(name, _MOST_NAME, "name") or grid_name(desk.homes.get(home, ""), fresh)
    new = Drawn(fresh, shown, home, kind, None, None, None, None, None, None, polygon)
    after = _drawn(state, done, new)
    after = replace(after, plans=tuple(plan for plan in after.plans if plan.grid_code in after.grids))
    return after, f"画{KINDS[kind]}{told(after.grids[fresh])}{_others(state, done, [fresh])}", done.warnings


def _under(state: State, polygon: Any) -> Drawn | None:
    """The tiling grid that holds most of what was drawn, which may cross itself: that is refused further on."""
    drawn = shapely.make_valid(polygon)
    shares = {
        code: float(shapely.intersection(grid.geom, drawn).area)
        for code, grid in state.grids.items()
        if grid.tiles and shapely.intersects(grid.geom, drawn)
    }
    best = min(shares, key=lambda code: (-shares[code], code), default=None)
    return state.grids[best] if best is not None else None


def _home(desk: Desk, community: str | None) -> str:
    if community in desk.homes:
        return str(community)
    if len(desk.homes) == 1:
        return next(iter(desk.homes))
    raise InvalidValue("community", "说明新网格属于哪个社区。")


def mend(desk: Desk, state: State, kind: str, at: tuple[float, float], to: str | None) -> Result:
    """A fault of the base: a gap given, an overlap left to one, an overhang cut."""
    point = shapely.Point(*at)
    found = [fault for fault in faults_of_draft(state, desk.base, desk.around) if fault.kind == kind]
    fault = min(found, key=lambda one: float(shapely.distance(one.geom, point)), default=None)
    if fault is None or shapely.distance(fault.geom, point) > _NEAR:
        raise InvalidValue("fault", "这里已经没有这样的问题了。")
    done = apply(desk.tiling(state), Mend(fault, to))
    after = _drawn(state, done)
    metres = f"{fault.area_m2:.1f} 平方米"
    if kind == "gap":
        gained = next((code for code in done.changed if code in state.grids and _grew(state, after, code)), to or "")
        return after, f"补空隙（{metres}）给{told(after.grids[gained])}", done.warnings
    if kind == "overlap":
        held = told(after.grids[to]) if to is not None and to in after.grids else f"网格 {to}"
        return after, f"裁重叠（{metres}），留给{held}", done.warnings
    return after, f"裁掉越界（{metres}）：{'、'.join(told(state.grids[code]) for code in fault.codes)}", done.warnings


def _grew(before: State, after: State, code: str) -> bool:
    return bool(after.grids[code].geom.area > before.grids[code].geom.area)


# Names, codes, attributes -----------------------------------------------------------------------------------------


def rename(desk: Desk, state: State, code: str, name: str) -> Result:
    own = _grid(state, code, "code")
    new = name_of(name, _MOST_NAME, "name")
    if new is None:
        raise InvalidValue("name", "名称不能是空的。")
    return state.replaced(replace(own, name=new)), f"改名{told(own)}：{new[:_SHOWN_NAME]}", ()


def recode(desk: Desk, state: State, codes: Mapping[str, str]) -> Result:
    """Other codes, many at once and also in a circle. Micro-grids whose code begins with their grid's follow it."""
    moved = {_grid(state, old, "codes").code: new.strip() for old, new in codes.items() if old != new.strip()}
    for code, grid in state.grids.items():
        parent = grid.parent_code
        if not grid.tiles and code not in moved and parent in moved and code.startswith(parent):
            moved[code] = moved[parent] + code[len(parent) :]
    after = [moved.get(code, code) for code in state.grids]
    twice = sorted({code for code in after if after.count(code) > 1})
    if twice:
        raise InvalidValue("new_code", f"编码 {'、'.join(twice)} 会有两个网格用。一个网格一个编码。")
    for new in sorted(set(moved.values()) - set(state.grids)):
        _code_form(new, "new_code")
    taken = desk.taken(sorted(set(moved.values())))
    if taken:
        raise InvalidValue("new_code", f"编码 {'、'.join(sorted(taken))} 在别的社区或草稿里用着，换一个。")
    grids = {}
    for code, grid in state.grids.items():
        parent = moved.get(grid.parent_code, grid.parent_code) if grid.parent_code else None
        new = moved.get(code, code)
        grids[new] = replace(grid, code=new, parent_code=parent)
    plans = tuple(replace(plan, grid_code=moved.get(plan.grid_code, plan.grid_code)) for plan in state.plans)
    if len(moved) == 1:
        old, new = next(iter(moved.items()))
        words = f"改编码{told(state.grids[old])}：{short_code(new)[1]}"
    else:
        words = f"改 {len(moved)} 个网格的编码"
    return State(grids, plans), words, ()


def attributes(desk: Desk, state: State, code: str, given: Mapping[str, Any]) -> Result:
    """Households, population, notes, and whether it is a special grid. Only what is given changes."""
    own = _grid(state, code, "code")
    for name in ("households", "population"):
        value = given.get(name)
        if value is not None and not 0 <= value < 10_000_000:
            raise InvalidValue(name, "写一个 0 到 9999999 的整数。")
    notes = given.get("notes")
    if notes is not None and len(notes) > _MOST_NOTES:
        raise InvalidValue("notes", f"备注最多 {_MOST_NOTES} 个字。")
    if notes is not None and any(ord(sign) < 32 and sign not in "\t\n\r" for sign in notes):
        raise InvalidValue("notes", "备注里有看不见的控制字符，删掉再存。")
    kind = given.get("kind", own.kind)
    if kind not in KINDS or (kind == "micro_grid") != (own.kind == "micro_grid"):
        raise InvalidValue("kind", "网格和专属网格可以互改；微网格要另画。")
    values = {name: given[name] for name in ("households", "population", "notes") if name in given}
    counted = "households" in given or "population" in given
    new = replace(own, kind=kind, estimated=own.estimated and not counted, **values)
    return state.replaced(new), f"改属性{told(own)}", ()


def code_proposals(desk: Desk, state: State, near: tuple[float, float] | None) -> dict[str, Any]:
    """The next code and name for a new grid at a place (without one: of the first community), the next micro-grid's
    code there, and per community a whole renumbering from west to east and north to south: only codes that move."""
    under = None if near is None else _under(state, shapely.Point(*near).buffer(1e-6))
    home = under.community_code if under else sorted(desk.homes)[0]
    code = desk.next_code(state, home)
    micro = desk.next_micro_code(state, under.code) if under else None
    whole: dict[str, str] = {}
    for one in sorted(desk.homes):
        whole |= proposed_codes(state, one)
    moved = {old: new for old, new in whole.items() if old != new}
    return {
        "community": home,
        "next": {"code": code, "name": grid_name(desk.homes[home], code)},
        "micro": micro,
        "codes": moved,
    }


def proposed_codes(state: State, home: str) -> dict[str, str]:
    """Every code of a community to the one that the rule would give it; micro-grids follow their grid."""
    grids = [grid for grid in state.grids.values() if grid.tiles and grid.community_code == home]
    middles = [shapely.centroid(grid.geom) for grid in grids]
    places = [(point.x, point.y, grid.geom.area) for point, grid in zip(middles, grids, strict=True)]
    out = renumbered(home, [grid.code for grid in grids], places)
    for code, grid in state.grids.items():
        parent = grid.parent_code
        if not grid.tiles and parent in out and code.startswith(parent):
            out[code] = out[parent] + code[len(parent) :]
    return out


# What they share --------------------------------------------------------------------------------------------------


def told(grid: Drawn) -> str:
    """A grid as a step's words name it."""
    name = grid.name if len(grid.name) <= _SHOWN_NAME else grid.name[:_SHOWN_NAME] + "…"
    return f"“{name}”（{short_code(grid.code)[1]}）"


def _others(state: State, done: Outcome, but: Sequence[str]) -> str:
    """Which grids lost or gained ground besides."""
    moved = [
        code
        for code in [*done.changed, *done.gone]
        if code in state.grids and code not in but and state.grids[code].tiles and _shifted(state, done, code)
    ]
    if not moved:
        return ""
    shown = "、".join(short_code(code)[1] for code in sorted(moved)[:4])
    return f"，{shown}{'等' if len(moved) > 4 else ''}跟着变"


def _shifted(state: State, done: Outcome, code: str) -> bool:
    tile = done.tiling.tiles.get(code)
    return tile is None or area_of(shapely.symmetric_difference(tile.geom, state.grids[code].geom)) > 0.01


def _drawn(state: State, done: Outcome, new: Drawn | None = None) -> State:
    """The state with the shapes of an edit's outcome. `new`: name and kind of a grid that came into being."""
    changed = []
    for code in done.changed:
        tile = done.tiling.tiles.get(code) or done.tiling.micros[code]
        geom = as_multi(tile.geom, "polygon")
        known = state.grids.get(code)
        if known is None:
            assert new is not None and new.code == code
            known = replace(new, community_code=tile.community, origin=None, cut_from=None, estimated=False)
        changed.append(replace(known, geom=geom, parent_code=tile.parent, community_code=tile.community))
    after = state.replaced(*changed, without=done.gone)
    fresh = next((code for code in done.changed if code not in state.grids), None)
    return after if fresh is None else _shared_out(state, after, fresh)


def _shared_out(before: State, after: State, fresh: str) -> State:
    """Where a new grid comes from, and its share of their households by area: an estimate until somebody enters it."""
    new = after.grids[fresh]
    donors = []
    for grid in before.grids.values():
        if grid.tiles == new.tiles and shapely.intersects(grid.geom, new.geom):
            share = area_of(shapely.intersection(grid.geom, new.geom)) / max(area_of(grid.geom), 1e-9)
            if share > 1e-6:
                donors.append((grid, min(share, 1.0)))
    roots = sorted({root for grid, _ in donors for root in grid.roots})
    changed = []
    sums: dict[str, Any] = {"households": None, "population": None}
    for grid, share in donors:
        values: dict[str, Any] = {}
        for name in sums:
            has = getattr(grid, name)
            if has is not None:
                moved = round(has * share)
                sums[name] = (sums[name] or 0) + moved
                values[name] = has - moved
        if values and grid.code in after.grids:
            changed.append(replace(after.grids[grid.code], **values, estimated=True))
    known = any(value is not None for value in sums.values())
    changed.append(replace(new, cut_from=",".join(roots) or None, estimated=known, **sums))
    return after.replaced(*changed)


def _grid(state: State, code: str, field_name: str) -> Drawn:
    grid = state.grids.get(code)
    if grid is None:
        raise InvalidValue(field_name, f"草稿里没有网格“{code[:_MOST_CODE]}”，可能刚被改过。")
    return grid


def _usable(desk: Desk, state: State, code: str, field_name: str) -> None:
    """A code for a new grid: well formed, nobody's, and never another grid's of this community before."""
    _code_form(code, field_name)
    if code in state.grids:
        raise InvalidValue(field_name, f"编码“{code}”在这份草稿里已经有了，换一个。")
    if desk.taken([code]):
        raise InvalidValue(field_name, f"编码“{code}”在别的社区或草稿里用着，换一个。")
    if code in desk.base.grids or any(code in desk.past(home) for home in desk.homes):
        raise InvalidValue(field_name, f"编码“{code}”以前的版本用过，新网格换一个，免得和旧的混在一起。")


def _code_form(code: str, field_name: str) -> None:
    unfit = any(sign in "/\\?#%" or sign.isspace() or not sign.isprintable() for sign in code)
    if not code or len(code) > _MOST_CODE or unfit:
        raise InvalidValue(field_name, f"编码要有 1 到 {_MOST_CODE} 个字符，{_LIKE_CODE}。")

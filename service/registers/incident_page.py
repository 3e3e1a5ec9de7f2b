"""The list of incidents: narrowed and sorted in the columns that each worker has in memory, a million in milliseconds.

Only what those columns don't hold (texts, the exact state) is asked of the database.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.clock import SHANGHAI
from service.errors import InvalidValue
from service.incidents.columns import DONE, Columns
from service.incidents.loading import NEVER
from service.incidents.models import Incident
from service.incidents.queries import in_area
from service.incidents.rules import GROUP_NAMES, GROUPS
from service.people.access import Area
from service.records.batches import visible
from service.records.register import Register
from service.registers.asked import MANY, Asked
from service.registers.filters import by_code_point, field_criterion, readable, searched
from service.registers.location import Located
from service.registers.rows import Page, read_rows

_ROWS_BITS = 24
_FIELDS = ("number", "state", "address", "source")


def within(area: Area) -> list[ColumnElement[bool]]:
    """The criterion that keeps to the area."""
    return [] if area.everywhere else [in_area(area)]


def page(session: Session, register: Register, asked: Asked, located: Located) -> Page:
    """One page, with counts per group whatever group was asked for."""
    columns = _columns(located)
    rows = columns.rows
    late = (rows.group < DONE) & (rows.due < int(asked.now.timestamp()))
    found = _mask(session, register, asked, columns, located)
    counts = _counts(rows.group[found], late[found])
    groups = asked.filters.get("group", ())
    if any(groups):
        found &= _in_groups(groups, rows.group, late)
    order = _ordered(session, columns, np.flatnonzero(found), asked.sort or register.order, asked.offset + asked.limit)
    ids = rows.ids[order[asked.offset :]].tolist()
    total = int(found.sum())
    narrower = _narrower(columns, found, asked) if total > MANY else {}
    return Page(read_rows(session, register, ids, located), total, counts, narrower)


def _narrower(columns: Columns, found: np.ndarray, asked: Asked) -> dict[tuple[str, str], int | None]:
    """What the last week, this month or one community would leave, as far as not filtered by already."""
    rows = columns.rows
    out: dict[tuple[str, str], int | None] = {}
    if "reported_at" not in asked.filters:
        for day in sorted({asked.on - timedelta(days=6), asked.on.replace(day=1)}, reverse=True):
            word = f"{day}.."
            out["reported_at", word] = int((found & _ranged(rows.reported, "reported_at", (word,))).sum())
    if "community" not in asked.filters:
        there = rows.community[found]
        counts = np.bincount(there[there >= 0], minlength=len(rows.communities)).tolist()
        out |= {("community", code): n for code, n in sorted(zip(rows.communities, counts, strict=True))}
    return out


def ids(session: Session, register: Register, asked: Asked, located: Located) -> np.ndarray:
    """Ids (n,) of all that the filters leave, in order."""
    columns = _columns(located)
    rows = columns.rows
    late = (rows.group < DONE) & (rows.due < int(asked.now.timestamp()))
    found = _mask(session, register, asked, columns, located)
    groups = asked.filters.get("group", ())
    if any(groups):
        found &= _in_groups(groups, rows.group, late)
    order = _ordered(session, columns, np.flatnonzero(found), asked.sort or register.order, len(rows.ids))
    return np.asarray(rows.ids[order])


def keys(session: Session, register: Register, asked: Asked, located: Located) -> list[str]:
    """Numbers of all that the filters leave, in order."""
    found = ids(session, register, asked, located).tolist()
    numbers: dict[int, str] = {}
    for start in range(0, len(found), 10_000):
        part = select(Incident.id, Incident.number).where(Incident.id.in_(found[start : start + 10_000]))
        numbers |= {row[0]: row[1] for row in session.execute(part)}
    return [numbers[key] for key in found if key in numbers]


def _columns(located: Located) -> Columns:
    if located.columns is None:
        raise ValueError("the incidents' columns are needed for their list")
    return located.columns


def _mask(session: Session, register: Register, asked: Asked, columns: Columns, located: Located) -> np.ndarray:
    """Which of the columns' rows every filter but the group leaves."""
    rows = columns.rows
    found = np.ones(len(rows.ids), dtype=bool)
    if not asked.area.everywhere:
        found &= columns.inside(asked.area)
    stored: list[ColumnElement[bool]] = []
    for name, given in asked.filters.items():
        if not any(given) or name == "group":
            continue
        words = readable(name, given)
        if name == "grid":
            found &= _coded(rows.grid, rows.grids, words)
        elif name == "community":
            found &= _coded(rows.community, rows.communities, words)
        elif name == "category":
            found &= _coded(rows.category, [code for code, _ in rows.categories], words)
        elif name in ("reported_at", "due_at", "closed_at"):
            values = {"reported_at": rows.reported, "due_at": rows.due, "closed_at": rows.closed}[name]
            found &= _ranged(values, name, words)
        elif name == "missing":
            for word in words:
                found &= _missing(columns, located, word, stored)
        elif name == "q":
            stored.append(searched(register, words, asked))
        elif name in _FIELDS:
            stored.append(field_criterion(register, register.by_name[name], words, asked.on))
        else:
            usable = ["group", *(one.name for one in register.filters), "q", "missing"]
            raise InvalidValue(name[:40], f"不能按“{name[:40]}”筛选。可用的筛选：{'、'.join(usable)}。")
    if stored:
        ids = np.array(list(session.scalars(select(Incident.id).where(visible(Incident), *stored))), np.int64)
        found &= np.isin(rows.ids, ids)
    return found


def _missing(columns: Columns, located: Located, word: str, stored: list[ColumnElement[bool]]) -> np.ndarray:
    rows = columns.rows
    if word == "grid":
        return np.asarray(rows.grid < 0)
    if word == "community":
        return np.asarray(rows.community < 0)
    if word == "category":
        return np.asarray(rows.category < 0)
    if word in ("due_at", "closed_at"):
        return np.asarray((rows.due if word == "due_at" else rows.closed) == NEVER)
    if word == "leader":
        return ~_coded(rows.grid, rows.grids, [code for code, zone in located.zones.items() if zone.leader])
    if word in ("address", "description", "source", "stated_grid"):
        stored.append(getattr(Incident, word).is_(None))
        return np.ones(len(rows.ids), dtype=bool)
    raise InvalidValue("missing", f"不能筛选缺少“{word[:30]}”的行。")


def _coded(codes: np.ndarray, known: list[str], wanted: object) -> np.ndarray:
    """Which rows carry one of the wanted words."""
    words = set(wanted)  # type: ignore[call-overload]
    chosen = np.array([word in words for word in known] + [False])
    return np.asarray(chosen[codes])


def _in_groups(words: tuple[str, ...], group: np.ndarray, late: np.ndarray) -> np.ndarray:
    """late, way, chk, rep, done; an overdue one is late and nothing else. `open`: all but done."""
    unknown = [word for word in words if word not in (*GROUP_NAMES, "open")]
    if unknown:
        raise InvalidValue("group", f"没有“{unknown[0][:20]}”这一组。可用：{'、'.join(GROUP_NAMES)}、open。")
    chosen = np.zeros(len(group), dtype=bool)
    for word in words:
        if word == "late":
            chosen |= late
        elif word == "open":
            chosen |= group < DONE
        else:
            chosen |= (group == GROUPS.index(word)) & ~late
    return chosen


def _counts(group: np.ndarray, late: np.ndarray) -> dict[str, int]:
    calm = np.bincount(group[~late], minlength=len(GROUPS))
    out = {word: int(calm[at]) for at, word in enumerate(GROUPS)} | {"late": int(late.sum())}
    return {word: out[word] for word in GROUP_NAMES}


def _ranged(values: np.ndarray, name: str, words: tuple[str, ...]) -> np.ndarray:
    """Epoch seconds in one of the ranges `a..b` of Shanghai days, both ends included."""
    out = np.zeros(len(values), dtype=bool)
    for word in words:
        first, dots, last = word.partition("..")
        begin, end = _day(name, first, 0), _day(name, last if dots else first, 1)
        one = values != NEVER
        if begin is not None:
            one = one & (values >= begin)
        if end is not None:
            one = one & (values < end)
        out |= one
    return out


def _day(name: str, text: str, more: int) -> int | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=more)
        return int(datetime.combine(day, time(), SHANGHAI).timestamp())
    except (ValueError, OverflowError):
        raise InvalidValue(name, f"日期“{text[:30]}”读不懂，写成 2026-11-01..2026-11-30 这样，一头可以空着。") from None


def _ordered(session: Session, columns: Columns, found: np.ndarray, sort: str, most: int) -> np.ndarray:
    """Indexes into the columns, the first `most` in order; rows without a value last, equal ones newest first."""
    rows = columns.rows
    name, back = sort.removeprefix("-"), sort.startswith("-")
    keys = {
        "reported_at": lambda: rows.reported,
        "due_at": lambda: rows.due,
        "closed_at": lambda: rows.closed,
        "number": lambda: _number_ranks(session, columns),
        "state": lambda: rows.group,
        "grid": lambda: _ranks(rows.grid, rows.grids),
        "community": lambda: _ranks(rows.community, rows.communities),
        "category": lambda: _ranks(rows.category, [code for code, _ in rows.categories]),
    }
    if name not in keys:
        raise InvalidValue("sort", f"不能按“{name[:30]}”排序。可以按：{'、'.join(keys)}。")
    values = keys[name]().astype(np.int64)[found]
    nothing = values == NEVER
    if back:
        values = NEVER - 1 - values
    values[nothing] = NEVER
    whole = (values << _ROWS_BITS) | (len(rows.ids) - 1 - found)
    if most < len(whole):
        whole = np.partition(whole, most)[:most]
    whole.sort()
    return np.asarray(len(rows.ids) - 1 - (whole & ((1 << _ROWS_BITS) - 1)))


def _number_ranks(session: Session, columns: Columns) -> np.ndarray:
    """Place of each row's number among all: read once from the index of numbers for a state of the columns."""
    known = columns.memo.get("numbers")
    if known is None:
        ids = columns.rows.ids
        ordered = select(Incident.id).order_by(by_code_point(session, Incident.number))
        order = np.fromiter(session.scalars(ordered), np.int64)
        at = np.searchsorted(ids, order)
        here = at < len(ids)  # whatever came or went since the columns were read
        here[here] = ids[at[here]] == order[here]
        known = np.full(len(ids), NEVER, np.int64)
        known[at[here]] = np.arange(int(here.sum()))
        columns.memo["numbers"] = known
    return known


def _ranks(codes: np.ndarray, known: list[str]) -> np.ndarray:
    """Place of each row's word among the sorted ones; NEVER where it has none."""
    order = sorted(range(len(known)), key=lambda i: known[i])
    rank = np.full(len(known) + 1, NEVER, dtype=np.int64)
    for place, i in enumerate(order):
        rank[i] = place
    return np.asarray(rank[codes])

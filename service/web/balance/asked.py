"""What the page and the interface of balanced proposals are asked, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from service.clock import local_date
from service.errors import InvalidValue, NotAllowed
from service.registers.balancing import EVEN, ROLES, Ask
from service.responsibility.loads import LOADS
from service.responsibility.snapshot import Snapshot
from service.web.context import area, now, services
from service.web.duties.asked import RIGHT, day_of

PERIODS = (30, 90, 180, 365)
MOST_OFFICERS = 200
MIXED = "mixed"


def snapshot_now() -> Snapshot:
    return services().responsibility.on(local_date(now()))


def own_communities() -> list[tuple[str, str]]:
    """(code, name) of the communities in which the asker assigns."""
    mine = area(RIGHT)
    return [(row.code, row.name) for row in snapshot_now().communities.values() if mine.holds_community(row.code)]


def require_own(codes: Iterable[str]) -> None:
    """Raises NotAllowed for a community that isn't the asker's to assign in."""
    mine = area(RIGHT)
    other = next((code for code in codes if not mine.holds_community(code)), None)
    if other is not None:
        row = snapshot_now().communities.get(other)
        raise NotAllowed(f"“{row.name if row else other[:20]}”不是你的社区，由主管来做均衡方案。")


def ask_of(sent: Any) -> Ask:
    """The page's form or address. Raises InvalidValue naming the field."""
    chosen = tuple(dict.fromkeys(code for code in sent.getlist("community") if code))
    load = sent.get("load", "incidents")
    weights = (
        {name: number(sent.get(f"w.{name}"), f"w.{name}", LOADS[name], 0, 100, 0) for name in LOADS}
        if load == MIXED
        else {load: 1.0}
    )
    days = int(number(sent.get("days"), "days", "近几天", 1, 3660, 90))
    return checked(
        chosen,
        sent.get("role", ROLES[0]),
        tuple(dict.fromkeys(code for code in sent.getlist("officer") if code)),
        int(number(sent.get("number"), "number", "人数", 1, MOST_OFFICERS)) if sent.get("number") else None,
        weights,
        local_date(now()) - timedelta(days=days - 1),
        local_date(now()),
        keep_of(sent.get("keep", EVEN)),
        sent.get("within") == "1",
        int(number(sent.get("seed"), "seed", "种子", 0, 2**31 - 1, 1)),
    )


def checked(
    communities: tuple[str, ...],
    role: str,
    officers: tuple[str, ...],
    count: int | None,
    weights: Mapping[str, float],
    since: date | None,
    until: date | None,
    keep: float | str | None,
    within: bool,
    seed: int,
) -> Ask:
    """An Ask whose words are known and whose people exist. Raises InvalidValue, NotAllowed."""
    if not communities:
        raise InvalidValue("communities", "先选至少一个社区。")
    require_own(communities)
    if role not in ROLES:
        raise InvalidValue("role", f"没有“{role[:20]}”这个职务可以均衡。可用：{'、'.join(ROLES)}。")
    strange = next((name for name in weights if name not in LOADS), None)
    if strange is not None:
        raise InvalidValue("load", f"没有“{strange[:20]}”这种负担。可用：{'、'.join(LOADS)}。")
    snapshot = snapshot_now()
    for code in officers:
        person = snapshot.persons.get(code)
        if person is None or (person.ended_on is not None and person.ended_on <= snapshot.on):
            raise InvalidValue("officers", f"没有工号是“{code[:40]}”的在册人员。")
    if len(officers) > MOST_OFFICERS:
        raise InvalidValue("officers", f"一次最多 {MOST_OFFICERS} 个人。")
    if since and until and until < since:
        raise InvalidValue("until", f"到（{until}）早于从（{since}）。")
    return Ask(communities, role, officers, count, weights, since, until, keep, within, seed)


def keep_of(word: Any) -> float | str | None:
    """`even`, none (also empty), or a percentage."""
    if word in (None, "", "none"):
        return None
    if word == EVEN:
        return EVEN
    return number(str(word), "keep", "保留", 0, 100) / 100


def number(text: str | None, field: str, label: str, least: float, most: float, default: float | None = None) -> float:
    """A number of the form. Raises InvalidValue."""
    if text is None or not text.strip():
        if default is None:
            raise InvalidValue(field, f"{label}要填数。")
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise InvalidValue(field, f"{label}“{text[:20]}”要在 {least:g} 到 {most:g} 之间。")
    return value


__all__ = ["MIXED", "PERIODS", "ask_of", "checked", "day_of", "keep_of", "own_communities", "require_own"]

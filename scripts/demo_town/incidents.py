"""Fourteen months of incidents: a background with rhythm, the planted hotspots on top, today's open ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .categories import CATEGORIES, MIXES
from .chance import pick, stream
from .hotspots import Hotspot
from .rhythm import DAY, DAYS, HOURS, after_working_hours, day_weights
from .sites import Site

BACKGROUND = 8100
OPEN_STATES = {
    "handling": 88,
    "rework": 8,
    "postponed": 6,
    "inspecting": 32,
    "unverified": 10,
    "unfiled": 8,
    "undispatched": 12,
    "unaccepted": 12,
}
"""Open today, by state: about 90 in time under way, 30 inspecting, 40 waiting, and the overdue among them."""
OVERDUE = 14
DUE_TODAY = 12
WITHOUT_POINT = 40
_SOURCES = ("patrol", "citizen", "hotline", "frontage_inspection", "supervisor_volunteer", "mock_assessment",
            "unannounced", "superior")  # fmt: skip
_SHARES = (0.46, 0.17, 0.14, 0.07, 0.06, 0.04, 0.03, 0.03)
_SHOP_CODES = {"09005", "06030", "06027", "09022", "07003", "09021"}


@dataclass
class Incident:
    """Offsets are minutes from 00:00 (Asia/Shanghai) of the loading day; closed None while open."""

    category: str
    x: float
    y: float
    address: str
    reported: int
    due: int
    closed: int | None
    state: str = "closed"
    source: str = "patrol"
    description: str = ""
    number: str = ""
    located: bool = True


@dataclass(frozen=True)
class Planted:
    """What became of a hotspot: `expected` background incidents there and then, and all that there are."""

    hotspot: Hotspot
    expected: float
    found: int


def make_incidents(sites: list[Site], hotspots: list[Hotspot]) -> tuple[list[Incident], list[Planted]]:
    """All incidents in the order of their reports, and what was planted."""
    rng = stream("incidents")
    table = _Calendar()
    weights = np.array([site.weight for site in sites])
    chosen = rng.choice(len(sites), size=BACKGROUND, p=weights / weights.sum())
    found = []
    for index in chosen:
        site = sites[int(index)]
        found.append(_incident(site, table.category(site.kind, rng), table, rng, -DAYS, 0))
    extra = [_on_top(hotspot, sites, weights, table, rng) for hotspot in hotspots]
    for batch in extra:
        found += batch
    found.sort(key=lambda incident: (incident.reported, incident.x, incident.y))
    _finish(found, rng)
    return found, [_measured(h, sites, weights, found) for h in hotspots]


class _Calendar:
    """Day weights of every category, and the categories' shares at each kind of site over the whole period."""

    def __init__(self) -> None:
        self.days = {code: day_weights(c.rhythm, c.season) for code, c in CATEGORIES.items()}
        flat = day_weights("patrol", "even").sum()
        self.mixes = {
            kind: (list(mix), np.array([share * self.days[code].sum() / flat for code, share in mix.items()]))
            for kind, mix in MIXES.items()
        }

    def category(self, kind: str, rng: np.random.Generator) -> str:
        codes, shares = self.mixes[kind]
        return pick(rng, codes, shares)

    def day(self, code: str, first: int, until: int, rng: np.random.Generator) -> int:
        """A day offset, first <= day < until."""
        weights = self.days[code][DAYS + first : DAYS + until]
        return first + int(rng.choice(until - first, p=weights / weights.sum()))


def _incident(site: Site, code: str, table: _Calendar, rng: np.random.Generator, first: int, until: int) -> Incident:
    category = CATEGORIES[code]
    day = table.day(code, first, until, rng)
    hour = int(rng.choice(24, p=HOURS[category.rhythm]))
    reported = day * DAY + hour * 60 + int(rng.integers(60))
    due = after_working_hours(reported, category.limit)
    pace = float(rng.lognormal(-0.62, 0.55))
    closed = reported + max(18, round((due - reported) * pace + float(rng.uniform(-12, 25))))
    spread = 5.0 if site.kind in ("shop", "station", "street") else 11.0
    x, y = site.x + float(rng.normal(0, spread)), site.y + float(rng.normal(0, spread * 0.8))
    return Incident(code, x, y, site.address, reported, due, closed, description=pick(rng, category.words))


def _on_top(
    hotspot: Hotspot, sites: list[Site], weights: np.ndarray, table: _Calendar, rng: np.random.Generator
) -> list[Incident]:
    """What a hotspot adds to its background."""
    inside = _inside(hotspot, sites)
    extra = round((hotspot.factor - 1) * _expected(hotspot, sites, weights))
    local = weights[inside] / weights[inside].sum()
    out = []
    for _ in range(extra):
        site = sites[inside[int(rng.choice(len(inside), p=local))]]
        code = pick(rng, list(hotspot.mix), list(hotspot.mix.values()))
        out.append(_incident(site, code, table, rng, hotspot.first, hotspot.until))
    return out


def _inside(hotspot: Hotspot, sites: list[Site]) -> list[int]:
    reach = hotspot.radius**2
    return [i for i, s in enumerate(sites) if (s.x - hotspot.x) ** 2 + (s.y - hotspot.y) ** 2 < reach]


def _expected(hotspot: Hotspot, sites: list[Site], weights: np.ndarray) -> float:
    share = weights[_inside(hotspot, sites)].sum() / weights.sum()
    return float(BACKGROUND * share * (hotspot.until - hotspot.first) / DAYS)


def _measured(hotspot: Hotspot, sites: list[Site], weights: np.ndarray, found: list[Incident]) -> Planted:
    there = [i for i in found if (i.x - hotspot.x) ** 2 + (i.y - hotspot.y) ** 2 < hotspot.radius**2]
    then = [i for i in there if hotspot.first * DAY <= i.reported < hotspot.until * DAY]
    return Planted(hotspot, _expected(hotspot, sites, weights), len(then))


def _finish(found: list[Incident], rng: np.random.Generator) -> None:
    """Numbers, sources, states; some never had a point."""
    for serial, incident in enumerate(found, start=1):
        incident.number = f"LM{serial:06d}"
        incident.source = pick(rng, _SOURCES, _SHARES)
        if incident.source == "frontage_inspection" and incident.category not in _SHOP_CODES:
            incident.source = "patrol"
        draw = rng.random()
        incident.state = "rejected" if draw < 0.018 else "void" if draw < 0.026 else "closed"
    _leave_open(found, rng)
    for i in rng.choice(len(found), WITHOUT_POINT, replace=False):
        found[int(i)].located = False


def _leave_open(found: list[Incident], rng: np.random.Generator) -> None:
    """Exactly so many are open: the latest wait, a few are overdue, the others are under way."""
    late = [i for i in found if -9 * DAY < i.due < -30 and i.reported > -16 * DAY]
    today = [i for i in found if 0 <= i.due < DAY]
    chosen = _sample(late, OVERDUE, rng) + _sample(today, DUE_TODAY, rng)
    taken = {id(i) for i in chosen}
    later = [i for i in found if i.reported > -15 * DAY and id(i) not in taken]
    recency = np.array([2.0 ** (i.reported / DAY / 3) * (4.0 if i.due >= DAY else 1.0) for i in later])
    count = sum(OPEN_STATES.values()) - len(chosen)
    under_way = [later[int(k)] for k in rng.choice(len(later), count, replace=False, p=recency / recency.sum())]
    for incident in under_way:  # the deadline runs from the dispatch, and some were extended
        if incident.due < DAY:
            incident.due = after_working_hours(DAY + incident.reported % DAY, float(rng.uniform(0, 26)))
    chosen += under_way
    for incident in found:  # what is not to stay open is closed before the loading day
        if incident.closed is not None and incident.closed >= -5:
            incident.closed = incident.reported + max(
                6, round((-6 - incident.reported) * float(rng.uniform(0.3, 0.95)))
            )
            incident.closed = min(incident.closed, -1)
    states = [state for state, count in OPEN_STATES.items() for _ in range(count)]
    waiting = {"unverified", "unfiled", "undispatched", "unaccepted"}
    by_age = sorted(chosen, key=lambda i: i.reported)
    rest = [s for s in states if s not in waiting]
    order = [rest[int(k)] for k in rng.permutation(len(rest))] + [s for s in states if s in waiting]
    for incident, state in zip(by_age, order, strict=True):
        incident.state, incident.closed = state, None
        if state == "unverified":
            incident.source = "citizen" if rng.random() < 0.6 else "hotline"


def _sample(pool: list[Incident], count: int, rng: np.random.Generator) -> list[Incident]:
    if len(pool) < count:
        raise AssertionError(f"{len(pool)} candidates for {count} open incidents")
    return [pool[int(i)] for i in rng.choice(len(pool), count, replace=False)]

"""Map clusters of a million incidents, against pandas' groupby over the same columns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import shapely

from service.bench.data import EAST, NORTH, NOW, SOUTH, WEST, Incidents
from service.bench.figures import Context, Figure, figure, in_turn, percentile_in_turn, seconds
from service.geo.clusters import ClusterColumns, Filters
from service.geo.incidentrows import STATES, Span
from service.geo.values import BBox
from service.geo.worldgrid import to_world

_MILLION = 1_000_000
_CELL = 64
_WHOLE = BBox(WEST, SOUTH, EAST, NORTH)
_WHOLE_ZOOM = 13
_EVERY = frozenset(STATES)
_MONTH = 30 * 86_400
_PEER = "pandas"
_FILTERS = {
    "一个类别": Filters(categories=frozenset({7}), states=_EVERY),
    "一个社区": Filters(communities=frozenset({3}), states=_EVERY),
    "一段时间（一年）": Filters(since=NOW - 12 * _MONTH, until=NOW, states=_EVERY),
    "只看超期": Filters(states=frozenset({"late"})),
    "四项一起": Filters(NOW - 12 * _MONTH, NOW, frozenset({7}), frozenset({3}), frozenset({"late"})),
}


def measure(context: Context) -> list[Figure]:
    """Build, memory, whole area, random views, filters, points, small changes."""
    out = []
    for clustered in (False, True):
        label = "聚集" if clustered else "均匀"
        incidents = Incidents.random(context.rng(), context.count(_MILLION), clustered)
        index, frame = incidents.index(), _frame(incidents)
        out += _building(label, incidents, index, frame)
        out += _unfiltered(context, label, incidents, index, frame)
    out += _filtered(context, incidents, index, frame)
    return out + _changes(incidents, index)


def _building(label: str, incidents: Incidents, index: ClusterColumns, frame: pd.DataFrame) -> list[Figure]:
    def tree() -> shapely.STRtree:
        return shapely.STRtree(np.asarray(shapely.points(incidents.lon, incidents.lat)))

    ours, peer = in_turn([incidents.index, tree])
    held = float(frame.memory_usage(deep=True).sum()) / 1e6
    return [
        figure(f"{label}：建立索引", ours, "s", peer="STRtree", peer_value=peer, most=1.5, note="STRtree 只有位置"),
        figure(f"{label}：内存", index.nbytes / 1e6, "MB", peer=_PEER, peer_value=held, most=60),
    ]


def _unfiltered(
    context: Context, label: str, incidents: Incidents, index: ClusterColumns, frame: pd.DataFrame
) -> list[Figure]:
    views = _views(context, incidents, 40)
    asked = Filters()
    whole = [_ask(index, _WHOLE, _WHOLE_ZOOM, asked), _ask_pandas(frame, _WHOLE, _WHOLE_ZOOM, asked)]
    warm, peer = in_turn(whole)
    first = in_turn([_first_of_a_second(index)])[0]
    pairs = [(_ask(index, box, zoom, asked), _ask_pandas(frame, box, zoom, asked)) for box, zoom in views]
    p95, peer95 = percentile_in_turn(pairs, 95)
    box, zoom = _around(incidents.lon[0], incidents.lat[0], 18), 18
    points = in_turn([lambda: index.points(box, NOW, asked, 4_000)])[0]
    differing = _differences(index, frame, [(_WHOLE, _WHOLE_ZOOM), *views], asked)
    return [
        _milliseconds(f"{label}：全域，未办结，一秒内的第一问", first, peer, 10),
        _milliseconds(f"{label}：全域，未办结，其后各问", warm, peer, 10),
        _milliseconds(f"{label}：任意缩放和范围的第 95 百分位", p95, peer95, 50, f"{len(views)} 个随机视图 × 5 轮"),
        _milliseconds(f"{label}：第 {zoom} 级的逐点", points, None, 50),
        figure(f"{label}：答案与 pandas 不同的视图", differing, "个", most=0),
    ]


def _filtered(context: Context, incidents: Incidents, index: ClusterColumns, frame: pd.DataFrame) -> list[Figure]:
    views = [(_WHOLE, zoom) for zoom in range(11, 17)] + _views(context, incidents, 12)
    out = []
    for name, asked in _FILTERS.items():
        pairs = [(_ask(index, box, zoom, asked), _ask_pandas(frame, box, zoom, asked)) for box, zoom in views]
        p95, peer95 = percentile_in_turn(pairs, 95)
        differing = _differences(index, frame, views, asked)
        note = "" if not differing else f"{differing} 个视图的答案与 pandas 不同"
        out.append(_milliseconds(f"聚集：{name}，第 95 百分位", p95, peer95, 0 if differing else 40, note))
    return out


def _changes(incidents: Incidents, index: ClusterColumns) -> list[Figure]:
    """What one worker pays when a few incidents have changed."""
    one, many = (incidents.some(np.arange(0, len(incidents.ids), step)) for step in (len(incidents.ids), 1_000))
    single, thousand = in_turn([lambda: index.patch(*one), lambda: index.patch(*many)])
    build = seconds(incidents.index)
    return [
        figure("改动 1 件", single * 1e3, "ms", peer="重建索引", peer_value=build * 1e3, most=10),
        figure(f"改动 {len(many[0])} 件", thousand * 1e3, "ms", peer="重建索引", peer_value=build * 1e3, most=50),
    ]


def _milliseconds(name: str, ours: float, peer: float | None, most: float, note: str = "") -> Figure:
    known = None if peer is None else peer * 1e3
    return figure(name, ours * 1e3, "ms", peer=_PEER if peer else "", peer_value=known, most=most, note=note)


def _ask(index: ClusterColumns, box: BBox, zoom: int, asked: Filters) -> Callable[[], object]:
    return partial(index.clusters, box, zoom, _CELL, NOW, asked)


def _first_of_a_second(index: ClusterColumns) -> Callable[[], object]:
    """The whole area at a new `now` each time, so that nothing kept from the last second helps."""
    later = iter(range(NOW + 1, NOW + 1_000))
    return lambda: index.clusters(_WHOLE, _WHOLE_ZOOM, _CELL, next(later), Filters())


# The peer ------------------------------------------------------------------------------------------------------------


def _frame(incidents: Incidents) -> pd.DataFrame:
    """The same columns, as narrow as ours."""
    x, y = to_world(incidents.lon, incidents.lat)
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "category": incidents.category.astype(np.uint16),
            "community": incidents.community.astype(np.uint16),
            "calm": np.array([3, 1, 2, 4], np.uint8)[incidents.group],
            "reported": incidents.reported_at.astype(np.uint32),
            "due": incidents.due_at.astype(np.uint32),
            "id": incidents.ids,
        }
    )


def _ask_pandas(
    frame: pd.DataFrame, box: BBox, zoom: int, asked: Filters
) -> Callable[[], tuple[pd.Series, pd.DataFrame]]:
    return partial(_pandas_clusters, frame, box, zoom, asked)


def _pandas_clusters(frame: pd.DataFrame, box: BBox, zoom: int, asked: Filters) -> tuple[pd.Series, pd.DataFrame]:
    """(members by cell and state, mean place by cell), as one would write it with pandas."""
    span = Span.of(box.west, box.south, box.east, box.north)
    keep = (frame.x >= span.west) & (frame.x <= span.east) & (frame.y >= span.north) & (frame.y <= span.south)
    if asked.since is not None:
        keep &= frame.reported >= asked.since
    if asked.until is not None:
        keep &= frame.reported < asked.until
    if asked.categories is not None:
        keep &= frame.category.isin(asked.categories)
    if asked.communities is not None:
        keep &= frame.community.isin(asked.communities)
    if "done" not in asked.states:
        keep &= frame.calm != STATES.index("done")
    found = frame.loc[keep, ["x", "y", "calm", "due"]]
    state = found.calm.where((found.due >= NOW) | (found.calm == STATES.index("done")), 0)
    if "way" not in asked.states:
        found, state = found[state == 0], state[state == 0]
    size = _CELL << (24 - zoom)
    cell = (found.y // size).astype(np.int64) * 2**32 + found.x // size
    return found.groupby([cell, state]).size(), found[["x", "y"]].groupby(cell).mean()


def _differences(index: ClusterColumns, frame: pd.DataFrame, views: list[tuple[BBox, int]], asked: Filters) -> int:
    """Views with another number of members by state, or, at the asked cell size, of cells."""
    differing = 0
    for box, zoom in views:
        found = index.clusters(box, zoom, _CELL, NOW, asked)
        sizes, means = _pandas_clusters(frame, box, zoom, asked)
        by_state = sizes.groupby(level=1).sum().reindex(range(5), fill_value=0).to_numpy()
        cells = found.cell_px != _CELL or len(found.lon) == len(means)
        differing += not (np.array_equal(found.counts.sum(axis=0), by_state) and cells)
    return differing


# Views ---------------------------------------------------------------------------------------------------------------


def _views(context: Context, incidents: Incidents, count: int) -> list[tuple[BBox, int]]:
    """Screens of 1600 by 900 pixels around incidents at zooms 10 to 18; every fourth is any box at any zoom."""
    rng = context.rng()
    out = []
    for i in range(count):
        if i % 4 == 3:
            (west, east), (south, north) = np.sort(rng.uniform(WEST, EAST, 2)), np.sort(rng.uniform(SOUTH, NORTH, 2))
            out.append((BBox(west, south, east, north), int(rng.integers(0, 20))))
        else:
            at, zoom = rng.integers(len(incidents.ids)), int(rng.integers(10, 19))
            out.append((_around(incidents.lon[at], incidents.lat[at], zoom), zoom))
    return out


def _around(lon: float, lat: float, zoom: int) -> BBox:
    wide, high = 800 * 360 / (256 << zoom), 450 * 360 / (256 << zoom) * np.cos(np.radians(lat))
    return BBox(lon - wide, lat - high, lon + wide, lat + high)

"""REST under /api/v1: who is responsible at a point, one or many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import numpy as np
import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from service.errors import InvalidValue, TooMany
from service.geo.crs import parse_crs, to_wgs84
from service.responsibility.lookup import answer, locate_many
from service.web.context import parse_day, require_look, services

bp = Blueprint("api", __name__, url_prefix="/api/v1")
MOST_POINTS = 10_000
M = TypeVar("M", bound=BaseModel)


Ordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class LookupBatch(BaseModel):
    """Body of POST /lookup: longitude before latitude."""

    model_config = ConfigDict(extra="forbid")

    points: list[tuple[Ordinate, Ordinate]]
    crs: str = "EPSG:4326"
    on: date | None = Field(default=None)


def as_json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, content_type="application/json")


@bp.get("/lookup")
def lookup() -> Response:
    """The lookup object at lon, lat."""
    asking, given = require_look(), services()
    asked = dict(parse_qsl(request.query_string.decode("utf-8", "replace")))
    lon, lat = point_of(asked)
    snapshot = given.responsibility.on(parse_day(asked.get("on")), given.seen().token)
    return as_json(answer(snapshot, lon, lat, asking, given.distances))


@bp.post("/lookup")
def lookup_batch() -> Response:
    """Grid and community of up to 10,000 points, in order."""
    require_look()
    body = parsed(LookupBatch)
    if len(body.points) > MOST_POINTS:
        raise TooMany(f"一次最多 {MOST_POINTS} 个点，收到 {len(body.points)} 个。分几次发送。")
    points = np.array(body.points, dtype=float).reshape(-1, 2)
    lon, lat = to_wgs84(points[:, 0], points[:, 1], parse_crs(body.crs))
    _judge(points, lon, lat)
    snapshot = services().responsibility.on(body.on or parse_day(None))
    grids, homes, near = locate_many(snapshot, lon, lat, services().distances)
    return as_json(
        {
            "results": [
                {"grid": grid, "community": home, "near_boundary": close}
                for grid, home, close in zip(grids, homes, near, strict=True)
            ]
        }
    )


def _judge(given: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> None:
    """Raises InvalidValue naming the first point that lies nowhere on earth."""
    bad = np.flatnonzero(~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)))
    if len(bad):
        at = int(bad[0])
        x, y = given[at].tolist()
        raise InvalidValue(
            f"points.{at}", f"第 {at + 1} 个点 [{x:g}, {y:g}] 不是经纬度：经度在前、纬度在后；投影坐标请给 crs。"
        )


def asked_point() -> tuple[float, float]:
    """lon, lat of the query string as WGS-84. Raises InvalidValue naming the field."""
    return point_of(request.args)


def point_of(asked: Mapping[str, str]) -> tuple[float, float]:
    """The same, of any mapping of words."""
    x, y = _number(asked, "lon"), _number(asked, "lat")
    crs = asked.get("crs")
    if crs:
        lons, lats = to_wgs84(np.array([x]), np.array([y]), parse_crs(crs))
        x, y = float(lons[0]), float(lats[0])
    if not -180 <= x <= 180:
        hint = "" if crs else "坐标若是投影的，请给 crs=EPSG:…。"
        raise InvalidValue("lon", f"经度 {x:g} 不在 -180 到 180 之间。{hint}")
    if not -90 <= y <= 90:
        raise InvalidValue("lat", f"纬度 {y:g} 不在 -90 到 90 之间。经度写在 lon，纬度写在 lat，像是对调了。")
    return x, y


def _number(asked: Mapping[str, str], field: str) -> float:
    text = asked.get(field, "").strip()
    if not text:
        raise InvalidValue(field, f"缺少 {field}。请求写成 /api/v1/lookup?lon=109.88&lat=31.07 这样。")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidValue(field, f"{field}=“{text[:40]}”不是数。")
    return value


def parsed(model: type[M]) -> M:
    """The JSON body as a model. Raises InvalidValue naming the first field at fault."""
    body = request.get_data(cache=False)
    most = request.max_content_length
    if request.content_length is None and most is not None and len(body) >= most:
        raise RequestEntityTooLarge  # sent in chunks: what came after the limit is cut off
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as fault:
        first = fault.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidValue(field, f"{field}：{_reason(first)}") from None


def _reason(fault: Any) -> str:
    known = {
        "missing": "缺少这一项。",
        "json_invalid": "请求的内容不是 JSON。",
        "extra_forbidden": "没有这一项，检查拼写。",
        "float_parsing": "不是数。",
        "float_type": "不是数。",
        "tuple_type": "一个点写成 [经度, 纬度]。",
        "finite_number": "不是有限的数。",
        "too_long": "一个点只有 [经度, 纬度] 两个数。",
        "list_type": "要写成列表。",
    }
    return known.get(fault["type"], "值不能用。")

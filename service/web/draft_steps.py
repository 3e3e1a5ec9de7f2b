"""The steps of a draft as they are sent: one model for each kind, and what it does to the state."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import shapely
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

from service.errors import InvalidValue
from service.grids import drawing
from service.grids.draft_rows import State
from service.grids.drawing import Desk, Result

_MOST_VERTICES = 5_000


def _shape(kinds: tuple[str, ...], example: str) -> Callable[[Any], Any]:
    def read(given: Any) -> Any:
        if not isinstance(given, dict) or given.get("type") not in kinds:
            raise ValueError(f"图形要写成 GeoJSON 的 {example}。")
        try:
            geom = shapely.from_geojson(json.dumps(given))
        except (shapely.errors.GEOSException, ValueError, TypeError):
            raise ValueError("图形的坐标读不懂，每个点写成 [经度, 纬度]。") from None
        if geom is None or geom.is_empty:
            raise ValueError("图形是空的。")
        coords = shapely.get_coordinates(geom)
        if len(coords) > _MOST_VERTICES:
            raise ValueError(f"图形的点太多，最多 {_MOST_VERTICES} 个。")
        if not all(math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90 for x, y in coords):
            raise ValueError("图形的坐标不是经纬度：经度在前、纬度在后。")
        return shapely.force_2d(geom)

    return read


Line = Annotated[Any, BeforeValidator(_shape(("LineString",), "LineString"))]
Area = Annotated[Any, BeforeValidator(_shape(("Polygon", "MultiPolygon"), "Polygon"))]
Code = Annotated[str, Field(max_length=64)]
Text = Annotated[str, Field(max_length=4_000)]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    version: int

    def take(self, desk: Desk, state: State) -> Result:
        raise NotImplementedError


class Split(_Step):
    step: Literal["split"]
    code: Code
    line: Line
    keep: Literal["larger", "first", "second"] = "larger"
    new_code: Code | None = None
    new_name: Text | None = None

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.split(desk, state, self.code, self.line, self.keep, self.new_code, self.new_name)


class Merge(_Step):
    step: Literal["merge"]
    codes: Annotated[list[Code], Field(min_length=1, max_length=200)]
    keep: Code

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.merge(desk, state, self.codes, self.keep)


class Reshape(_Step):
    step: Literal["reshape"]
    code: Code
    polygon: Area

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.reshape(desk, state, self.code, self.polygon)


class Border(_Step):
    step: Literal["border"]
    codes: Annotated[list[Code], Field(min_length=2, max_length=2)]
    line: Line

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.border(desk, state, self.codes, self.line)


class Draw(_Step):
    step: Literal["draw"]
    kind: Literal["grid", "special", "micro_grid"]
    polygon: Area
    code: Code | None = None
    name: Text | None = None
    replace: bool = False
    community: Code | None = None

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.draw(
            desk, state, self.kind, self.polygon, self.code or None, self.name, self.replace, self.community
        )


class Rename(_Step):
    step: Literal["rename"]
    code: Code
    name: Text

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.rename(desk, state, self.code, self.name)


class Recode(_Step):
    step: Literal["recode"]
    code: Code | None = None
    new_code: Code | None = None
    codes: Annotated[dict[Code, Code], Field(max_length=2_000)] | None = None

    def take(self, desk: Desk, state: State) -> Result:
        codes = dict(self.codes or {})
        if self.code is not None and self.new_code is not None:
            codes[self.code] = self.new_code
        if not codes:
            raise InvalidValue("codes", '写 code 和 new_code，或 codes：{"旧编码": "新编码"}。')
        return drawing.recode(desk, state, codes)


class Attributes(_Step):
    step: Literal["attributes"]
    code: Code
    households: StrictInt | None = None
    population: StrictInt | None = None
    notes: Text | None = None
    kind: Literal["grid", "special", "micro_grid"] | None = None

    def take(self, desk: Desk, state: State) -> Result:
        given = {name: getattr(self, name) for name in self.model_fields_set - {"version", "step", "code"}}
        if given.get("kind", "") is None:
            del given["kind"]
        return drawing.attributes(desk, state, self.code, given)


class FaultAt(BaseModel):
    """A fault as the answers tell it, found again by a point in it."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["gap", "overlap", "overhang"]
    codes: list[Code] = []
    at: tuple[float, float]


class Mend(_Step):
    step: Literal["mend"]
    fault: FaultAt
    to: Code | None = None

    def take(self, desk: Desk, state: State) -> Result:
        return drawing.mend(desk, state, self.fault.kind, self.fault.at, self.to)


class Assign(_Step):
    step: Literal["assign"]
    grids: Annotated[list[Code], Field(min_length=1, max_length=500)]
    role: Code
    person: Code
    until: date | None = None


class Unassign(_Step):
    step: Literal["unassign"]
    id: int


class CopyDuties(_Step):
    step: Literal["copy_duties"]
    grids: Annotated[list[Code], Field(min_length=1, max_length=500)]


Geometric = Split | Merge | Reshape | Border | Draw | Rename | Recode | Attributes | Mend
AnyStep = Annotated[Geometric | Assign | Unassign | CopyDuties, Field(discriminator="step")]
_READ: TypeAdapter[Any] = TypeAdapter(AnyStep)


def read_step(body: bytes) -> Any:
    """The step that was sent. Raises InvalidValue naming the first field at fault."""
    try:
        return _READ.validate_json(body or b"{}")
    except ValidationError as fault:
        first = fault.errors()[0]
        path = [str(part) for part in first["loc"]]
        field = ".".join(path[1:] if len(path) > 1 else path) or "step"
        raise InvalidValue(field, _reason(first, field)) from None


def _reason(first: Any, field: str) -> str:
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    known = {
        "missing": "缺少这一项。",
        "json_invalid": "请求的内容不是 JSON。",
        "extra_forbidden": "没有这一项，检查拼写。",
        "union_tag_invalid": "没有这种步骤。可用的：split、merge、reshape、border、draw、rename、recode、attributes、"
        "mend、assign、unassign、copy_duties。",
        "union_tag_not_found": "缺少 step：是哪一种步骤。",
        "string_too_long": "太长了。",
        "int_type": "写成整数。",
    }
    return f"{field}：{known.get(first['type'], '值不能用。')}"

"""Column types that mean the same on both stores and that GDAL reads from the GeoPackage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, Float, TypeDecorator, TypeEngine, UserDefinedType


class _DateTimeColumn(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "DATETIME"


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC. On the GeoPackage ISO 8601 with T, milliseconds and Z, as the standard wants it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(_DateTimeColumn())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return iso_ms(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


def iso_ms(value: datetime) -> str:
    """
    >>> iso_ms(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC))
    '2026-11-23T01:02:03.000Z'
    """
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class raw_moment(FunctionElement[Any]):
    """A UtcDateTime for a select, without a call per row; decode with read_moments."""

    type = _DateTimeColumn()
    inherit_cache = True


@compiles(raw_moment, "postgresql")
def _raw_moment_pg(element: Any, compiler: Any, **kw: Any) -> str:
    return f"FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)}) * 1000)::bigint"


@compiles(raw_moment)
def _raw_moment_gpkg(element: Any, compiler: Any, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)  # type: ignore[no-any-return]


_NEVER = np.datetime64("NaT", "ms").astype(np.int64)


def read_moments(raw: Sequence[Any]) -> np.ndarray:
    """Raw moments (ISO 8601 in UTC, or milliseconds since 1970) as datetime64[ms] in UTC, shape (n,); None is NaT.

    >>> read_moments(["2026-11-23T01:02:03.500Z", None]).tolist()
    [datetime.datetime(2026, 11, 23, 1, 2, 3, 500000), None]
    >>> read_moments([1795395723500, None]).tolist()
    [datetime.datetime(2026, 11, 23, 1, 2, 3, 500000), None]
    """
    if any(isinstance(one, str) for one in raw):
        return np.array([None if one is None else one.removesuffix("Z") for one in raw], dtype="datetime64[ms]")
    return np.array([_NEVER if one is None else one for one in raw], np.int64).astype("datetime64[ms]")


class JsonText(TypeDecorator[Any]):
    """JSON kept as text: GDAL drops JSON columns."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class epoch_seconds(FunctionElement[Any]):
    """Seconds since 1970 of a UtcDateTime column, as a number."""

    type = Float()
    inherit_cache = True


@compiles(epoch_seconds, "postgresql")
def _epoch_pg(element: Any, compiler: Any, **kw: Any) -> str:
    return f"EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)})::float8"


@compiles(epoch_seconds)
def _epoch_gpkg(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


class holding(FunctionElement[bool]):
    """Whether a text matches a pattern with % and _, a backslash before those that are meant; whatever its case."""

    type = Boolean()
    inherit_cache = True


@compiles(holding, "postgresql")
def _holding_pg(element: Any, compiler: Any, **kw: Any) -> str:
    return _like("ILIKE", element, compiler, kw)


@compiles(holding)
def _holding_gpkg(element: Any, compiler: Any, **kw: Any) -> str:
    # LIKE there minds no case of its own; SQLAlchemy's ilike() puts lower() around both, a third of the time of a scan.
    return _like("LIKE", element, compiler, kw)


def _like(word: str, element: Any, compiler: Any, kw: Any) -> str:
    text, pattern = (compiler.process(one, **kw) for one in element.clauses)
    return f"({text} {word} {pattern} ESCAPE '\\')"

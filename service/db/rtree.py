"""The R*Tree of a geometry column: made, dropped, and packed at once for a first load."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np

Run = Callable[..., Any]
_SUFFIXES = ("insert", "update1", "update2", "update3", "update4", "update5", "update6", "update7", "delete")
_DEFINITION = "http://www.geopackage.org/spec120/#extension_rtree"
_CELL = np.dtype([("id", ">i8"), ("x0", ">f4"), ("x1", ">f4"), ("y0", ">f4"), ("y1", ">f4")])


def triggers(table: str, column: str, key: str = "id") -> list[str]:
    """The trigger set of GeoPackage 1.4 (update1 and update3 replaced by update6 and update7)."""
    tree, geom, pk = f'"rtree_{table}_{column}"', f'"{column}"', f'"{key}"'
    box = f"ST_MinX(NEW.{geom}), ST_MaxX(NEW.{geom}), ST_MinY(NEW.{geom}), ST_MaxY(NEW.{geom})"
    put = f"INSERT OR REPLACE INTO {tree} VALUES (NEW.{pk}, {box});"
    move = (
        f"UPDATE {tree} SET minx=ST_MinX(NEW.{geom}), maxx=ST_MaxX(NEW.{geom}),"
        f" miny=ST_MinY(NEW.{geom}), maxy=ST_MaxY(NEW.{geom}) WHERE id = NEW.{pk};"
    )
    some = f"(NEW.{geom} NOTNULL AND NOT ST_IsEmpty(NEW.{geom}))"
    none = f"(NEW.{geom} ISNULL OR ST_IsEmpty(NEW.{geom}))"
    was = f"(OLD.{geom} NOTNULL AND NOT ST_IsEmpty(OLD.{geom}))"
    was_not = f"(OLD.{geom} ISNULL OR ST_IsEmpty(OLD.{geom}))"
    same, other = f"OLD.{pk} = NEW.{pk}", f"OLD.{pk} != NEW.{pk}"

    def trigger(suffix: str, when: str, condition: str, body: str) -> str:
        name = f'"rtree_{table}_{column}_{suffix}"'
        return f'CREATE TRIGGER {name} AFTER {when} ON "{table}" WHEN {condition} BEGIN {body} END'

    drop = f"DELETE FROM {tree} WHERE id = OLD.{pk};"
    return [
        trigger("insert", "INSERT", some, put),
        trigger("update6", f"UPDATE OF {geom}", f"{same} AND {some} AND {was_not}", put),
        trigger("update7", f"UPDATE OF {geom}", f"{same} AND {some} AND {was}", move),
        trigger("update2", f"UPDATE OF {geom}", f"{same} AND {none}", drop),
        trigger("update4", "UPDATE", f"{other} AND {none}", f"DELETE FROM {tree} WHERE id IN (OLD.{pk}, NEW.{pk});"),
        trigger("update5", "UPDATE", f"{other} AND {some}", f"{drop} {put}"),
        trigger("delete", "DELETE", f"OLD.{geom} NOT NULL", drop),
    ]


def drop_triggers(run: Run, table: str, column: str) -> None:
    for suffix in _SUFFIXES:
        run(f'DROP TRIGGER IF EXISTS "rtree_{table}_{column}_{suffix}"')


def create_triggers(run: Run, table: str, column: str, key: str = "id") -> None:
    for statement in triggers(table, column, key):
        run(statement)


def fill(run: Run, table: str, column: str, key: str = "id") -> None:
    """From the table's geometries, one by one."""
    run(
        f'INSERT INTO "rtree_{table}_{column}" SELECT "{key}", ST_MinX("{column}"), ST_MaxX("{column}"),'
        f' ST_MinY("{column}"), ST_MaxY("{column}") FROM "{table}"'
        f' WHERE "{column}" NOTNULL AND NOT ST_IsEmpty("{column}")'
    )


def create(run: Run, table: str, column: str, key: str = "id") -> None:
    """Index, triggers and the entry that tells readers of it."""
    run(f'CREATE VIRTUAL TABLE "rtree_{table}_{column}" USING rtree(id, minx, maxx, miny, maxy)')
    fill(run, table, column, key)
    create_triggers(run, table, column, key)
    run(
        "INSERT OR REPLACE INTO gpkg_extensions VALUES"
        f" ('{table}','{column}','gpkg_rtree_index','{_DEFINITION}','write-only')"
    )


def drop(run: Run, table: str, column: str) -> None:
    drop_triggers(run, table, column)
    run(f'DROP TABLE IF EXISTS "rtree_{table}_{column}"')
    run(
        f"DELETE FROM gpkg_extensions WHERE table_name='{table}' AND column_name='{column}'"
        " AND extension_name='gpkg_rtree_index'"
    )


def is_sound(db: sqlite3.Connection, name: str) -> bool:
    """SQLite's own check of the index."""
    return bool(db.execute(f"SELECT rtreecheck('{name}')").fetchone()[0] == "ok")


def pack(
    db: sqlite3.Connection, name: str, ids: np.ndarray, x0: np.ndarray, x1: np.ndarray, y0: np.ndarray, y1: np.ndarray
) -> None:
    """Fill an empty R*Tree by sort-tile-recursive packing straight into SQLite's shadow tables.

    ids: int64 (n,), n ≥ 1; bounds: float64 (n,). Node layout: SQLite's rtree.c (depth and count, then 24-byte cells,
    big endian; bounds are rounded outward to float32).
    """
    page = db.execute("PRAGMA page_size").fetchone()[0]
    size = min(page - 64, 4 + 24 * 51)
    levels = _levels(_cells(ids, x0, x1, y0, y1), (size - 4) // 24)
    base = _numbering(levels)
    db.execute(f'DELETE FROM "{name}_node"')
    for level, (cells, node, first) in enumerate(levels):
        if level:
            cells["id"] = cells["id"] + base[level - 1]
        depth = len(levels) - 1 if level == len(levels) - 1 else 0
        _write_nodes(db, name, cells, first, base[level], depth, size)
        order = np.argsort(cells["id"])
        pairs = zip(cells["id"][order].tolist(), (node[order] + base[level]).tolist(), strict=True)
        target = f'"{name}_parent"(nodeno, parentnode)' if level else f'"{name}_rowid"(rowid, nodeno)'
        db.executemany(f"INSERT INTO {target} VALUES (?,?)", pairs)


def _cells(ids: np.ndarray, x0: np.ndarray, x1: np.ndarray, y0: np.ndarray, y1: np.ndarray) -> np.ndarray:
    down, up = np.float32(-np.inf), np.float32(np.inf)
    cells = np.empty(len(ids), _CELL)
    cells["id"] = ids
    cells["x0"], cells["y0"] = np.nextafter(x0.astype("f4"), down), np.nextafter(y0.astype("f4"), down)
    cells["x1"], cells["y1"] = np.nextafter(x1.astype("f4"), up), np.nextafter(y1.astype("f4"), up)
    return cells


def _levels(cells: np.ndarray, capacity: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Leaves first: (cells in node order, node of each cell, first cell of each node)."""
    levels = []
    while True:
        nodes = -(-len(cells) // capacity)
        strips = int(np.ceil(np.sqrt(nodes)))
        order = np.argsort(cells["x0"], kind="stable")
        strip = np.empty(len(cells), np.int64)
        strip[order] = np.arange(len(cells)) // (strips * capacity)
        cells = cells[np.lexsort((cells["y0"], strip))]
        node = np.arange(len(cells)) * nodes // len(cells)  # even fill: every node at least a third full
        first = np.searchsorted(node, np.arange(nodes))
        levels.append((cells, node, first))
        if nodes == 1:
            return levels
        above = np.empty(nodes, _CELL)
        for name, reduce in (("x0", np.minimum), ("x1", np.maximum), ("y0", np.minimum), ("y1", np.maximum)):
            above[name] = reduce.reduceat(cells[name].astype("f4"), first)
        above["id"] = np.arange(nodes)
        cells = above


def _numbering(levels: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[int]:
    """The number of each level's first node; the root is 1."""
    base, following = [0] * len(levels), 2
    for level in range(len(levels) - 2, -1, -1):
        base[level] = following
        following += len(levels[level][2])
    base[-1] = 1
    return base


def _write_nodes(
    db: sqlite3.Connection, name: str, cells: np.ndarray, first: np.ndarray, base: int, depth: int, size: int
) -> None:
    raw, ends = cells.tobytes(), np.append(first[1:], len(cells))
    rows = (
        (base + k, (depth.to_bytes(2, "big") + (b - a).to_bytes(2, "big") + raw[24 * a : 24 * b]).ljust(size, b"\0"))
        for k, (a, b) in enumerate(zip(first.tolist(), ends.tolist(), strict=True))
    )
    db.executemany(f'INSERT INTO "{name}_node"(nodeno, data) VALUES (?,?)', rows)

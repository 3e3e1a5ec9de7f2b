"""One export of the incidents, timed from inside: `python -m service.bench.export_job OUT`; with `peer` behind it what
pandas makes of the same table. Prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from sqlalchemy import select

from service.clock import local_date, utcnow
from service.config import load_settings
from service.db.engine import Database
from service.db.spatial import raw_geometry, read_points
from service.exporting import export_file
from service.incidents.models import Incident

_COLUMNS = (
    "number",
    "category",
    "category_name",
    "description",
    "address",
    "state",
    "source",
    "reported_at",
    "due_at",
    "closed_at",
    "stated_grid",
    "grid_code",
    "community_code",
)


def main(out: str, peer: bool) -> None:
    target = Path(out)
    job: Callable[[Path], int] = _pandas if peer else _ours
    began = time.perf_counter()
    rows = job(target)
    told = {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time(),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": rows,
    }
    print(json.dumps(told))


def _ours(target: Path) -> int:
    """Masked, with the names of grids and communities, in words that the import reads back."""
    now = utcnow()
    told = export_file(load_settings(), "incidents", target, {}, local_date(now), now, whole=False)
    return int(told["rows"])


def _pandas(target: Path) -> int:
    """The stored values as they are."""
    database = Database(load_settings().store_url)
    wanted = [getattr(Incident, name) for name in _COLUMNS]
    statement = select(*wanted, raw_geometry(Incident.geom).label("geom")).order_by(Incident.reported_at.desc())
    with database.read() as session:
        frame = pd.read_sql(statement, session.connection())
    frame["lon"], frame["lat"] = read_points(frame.pop("geom").tolist())
    frame.to_csv(target, index=False, encoding="utf-8-sig")
    database.close()
    return len(frame)


if __name__ == "__main__":
    main(sys.argv[1], "peer" in sys.argv[2:])

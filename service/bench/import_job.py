"""One import, timed from inside: `python -m service.bench.import_job FILE` (or demo-grids); prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from service.clock import utcnow
from service.config import ROOT, load_settings
from service.db.engine import Database
from service.intake.run import Request, run_import
from service.serving import migrate_store

_DEMO = ROOT / "gis_data" / "demo"


class Timed(Database):
    """A database that remembers how long its longest write transaction was open."""

    longest = 0.0

    @contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            began = time.perf_counter()
            yield session
        self.longest = max(self.longest, time.perf_counter() - began)


def main(job: str) -> None:
    settings = load_settings()
    migrate_store(settings)
    database = Timed(settings.store_url)
    now = utcnow()
    if job == "demo-grids":
        for kind in ("communities", "grids"):
            run_import(database, settings, Request(kind, (_DEMO / f"{kind}.geojson",)), now)
        print(json.dumps({}))
        return
    began = time.perf_counter()
    result = run_import(database, settings, Request("incidents", (Path(job),)), now)
    told = {
        "seconds": time.perf_counter() - began,
        "lock": database.longest,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "unchanged": result.summary["unchanged"],
        "accepted": result.summary["accepted"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])

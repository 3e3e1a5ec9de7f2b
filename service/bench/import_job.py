"""One import, timed from inside: `python -m service.bench.import_job FILE` (or demo-grids); prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from service.bench.stores import Timed
from service.clock import utcnow
from service.config import ROOT, load_settings
from service.intake.run import Request, run_import
from service.serving import migrate_store

_DEMO = ROOT / "gis_data" / "demo"


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

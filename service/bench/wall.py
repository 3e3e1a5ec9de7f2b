"""Responsibility maps of the demo: one sheet at once, all grids as the job prints them, the page without a network."""

from __future__ import annotations

import tempfile
from pathlib import Path

from service.bench.figures import Context, Figure, figure, in_turn
from service.clock import local_date, utcnow
from service.config import load_settings
from service.db.engine import Database
from service.documents.typesetting import typeset_pdf
from service.intake.demo import load_demo
from service.maps.offline import offline_page
from service.people.access import EVERYWHERE
from service.people.rules import Viewer
from service.places.ground import Ground
from service.responsibility.keeper import Responsibility
from service.responsibility.showing import Showing
from service.serving import migrate_store
from service.wall.asked import Asked, ask, choices
from service.wall.offline import offline_data
from service.wall.printing import as_pdf, contents, lay_out
from service.wall.sheets import Setting

_MB = 1024 * 1024


def measure(context: Context) -> list[Figure]:
    """The peer of a sheet is the same program setting a page with nothing on it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), database_url="")
        migrate_store(settings)
        database, now = Database(settings.store_url), utcnow()
        load_demo(database, settings, now)
        day = local_date(now)
        snapshot = Responsibility(database, settings.subdistrict, settings.office_name).on(day)
        ground = Ground(database).data()
        showing = Showing(snapshot, Viewer("admin", area=EVERYWHERE), whole=True)
        setting = Setting(settings.office_name, "https://grid.example", True, "", now, day)

        def pdf(asked: Asked) -> bytes:
            return as_pdf(lay_out(showing, ground, asked, setting), setting)

        def empty() -> bytes:
            return typeset_pdf("wall.typ", {"title": "", "office": "", "sheets": []}, now)

        def page(asked: Asked) -> str:
            told, _ = contents(showing, asked)
            return offline_page(offline_data(snapshot, ground, told, "", setting))

        found = {what: [one.code for one in choices(snapshot, what, EVERYWHERE)] for what in ("community", "grid")}
        grids = found["grid"][: context.count(len(found["grid"]))]
        community = ask("community", found["community"][:1], day, "a3", "phones", "https://grid.example")
        grid = ask("grid", grids[:1], day, "a4", "phones", "https://grid.example")
        everything = ask("grid", grids, day, "a3", "phones", "https://grid.example")
        whole = ask("community", found["community"], day, "a3", "phones", "")
        one, small, nothing, html = in_turn(
            [lambda: pdf(community), lambda: pdf(grid), empty, lambda: page(whole)], rounds=3
        )
        all_grids = in_turn([lambda: pdf(everything)], rounds=1)[0]
        size = len(page(whole).encode()) / _MB
        database.close()
    peer = {"peer": "空白页", "peer_value": nothing * 1000}
    return [
        figure("责任图：一个社区，A3", one * 1000, "ms", most=2000, **peer),  # type: ignore[arg-type]
        figure("责任图：一个网格，A4", small * 1000, "ms", most=2000, **peer),  # type: ignore[arg-type]
        figure(f"责任图：{len(grids)} 个网格，A3，一个 PDF", all_grids, "s", most=20),
        figure("责任图：离线网页，全街道", html * 1000, "ms", most=2000),
        figure("责任图：离线网页的大小", size, "MB", most=3),
    ]

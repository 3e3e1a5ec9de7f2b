"""The demo comes as often as one likes, ends on the day of loading, and goes without taking anything else along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import Connection, event, func, select

from service.clock import SHANGHAI, local_date
from service.config import Settings
from service.db.engine import Database
from service.db.spatial import raw_geometry, read_geometries
from service.duties.models import Duty
from service.files.reader import ReadOptions, read_source
from service.frontages.models import Frontage
from service.grids.draft_models import Draft, DraftGrid, DraftStep
from service.grids.draft_rows import Base
from service.grids.drafting import Drawer, begin, take_step
from service.grids.drawing import Desk, recode
from service.grids.models import Community, Edition, Grid, TilingFault
from service.incidents.models import Incident
from service.intake.demo import FOLDER, load_demo, remove_demo, shift
from service.intake.run import Request, Result, run_import
from service.people.access import EVERYWHERE
from service.people.accounts import create_account, make_token
from service.people.models import Account, Organisation, Person, Token
from service.places.models import Building, Place, Street
from service.records.audit import Actor
from service.records.batches import holds_demo, only_demo, visible
from service.records.models import ImportBatch
from service.responsibility.keeper import Responsibility
from service.responsibility.publishing import Order, publish
from service.serving import prepare
from tests.conftest import MONDAY_NOON, PASSWORD, the_demo
from tests.stores import Stores

REFERENCE = date(2026, 11, 23)
REGISTERS: tuple[Any, ...] = (
    Community,
    Edition,
    Grid,
    TilingFault,
    Person,
    Organisation,
    Duty,
    Street,
    Building,
    Place,
    Frontage,
    Incident,
)
Contents = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def demo(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Database]:
    """A store of one's own with the demo."""
    folder = tmp_path / "demo"
    folder.mkdir()
    with stores.copied(store_kind, the_demo, folder) as url, closing(Database(url)) as database:
        yield database


def contents(database: Database) -> Contents:
    """Every row of every register, but for its id, its import and its revision."""
    out: Contents = {}
    with database.read() as session:
        for model in REGISTERS:
            names = [c.name for c in model.__table__.columns if c.name not in {"id", "batch_id", "revision", "geom"}]
            columns = [getattr(model, name) for name in names if name != "edition_id"]
            shaped = hasattr(model, "geom")
            rows = session.execute(select(*columns, *([raw_geometry(model.geom)] if shaped else []))).all()
            if shaped:
                shapes = shapely.to_wkb(read_geometries([row[-1] for row in rows]), hex=True)
                rows = [(*row[:-1], shape) for row, shape in zip(rows, shapes, strict=True)]  # type: ignore[misc]
            out[model.__tablename__] = sorted(map(tuple, rows), key=repr)
    return out


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {model.__tablename__: session.scalar(select(func.count(model.id))) or 0 for model in REGISTERS}


def bring(database: Database, settings: Settings, kind: str, path: Path, **options: Any) -> Result:
    done = run_import(database, settings, Request(kind=kind, files=(path,), **options), MONDAY_NOON)
    assert done.exit_code == 0, done.messages
    return done


# Loading ------------------------------------------------------------------------------------------------------------


def test_loading_again_changes_nothing(demo: Database, settings: Settings) -> None:
    before = contents(demo)
    again = load_demo(demo, settings, MONDAY_NOON)
    assert contents(demo) == before
    manifest = json.loads((FOLDER / "demo.json").read_text(encoding="utf-8"))["counts"]
    found = counts(demo)
    assert {name: found[name] for name in found.keys() & manifest.keys()} == {
        name: manifest[name] for name in found.keys() & manifest.keys()
    }
    assert again["grids"] == manifest["grids"] and again["people"] == manifest["persons"]
    assert found["tiling_faults"] == 0


NOONS = [pytest.param(MONDAY_NOON + timedelta(days=day), id=f"day {day}") for day in range(8)]
AFTER_MIDNIGHT = pytest.param(datetime(2026, 11, 24, 16, 30, tzinfo=UTC), id="Wednesday half past midnight")
NEXT_YEAR = pytest.param(datetime(2028, 2, 29, 10, tzinfo=UTC), id="a leap day")


@pytest.mark.parametrize("now", [*NOONS, AFTER_MIDNIGHT, NEXT_YEAR])
def test_incidents_end_on_the_day_of_loading_with_their_weekdays(now: datetime) -> None:
    table = read_source(FOLDER / "incidents.csv", ReadOptions())
    raw = {
        number: (float(reported), closed in (None, ""))
        for number, reported, closed in zip(
            *(table.columns[name].tolist() for name in ("number", "reported_offset_minutes", "closed_offset_minutes")),
            strict=True,
        )
    }
    shift(table, REFERENCE.weekday(), now)
    columns = [table.columns[name].tolist() for name in ("number", "reported_at", "closed_at", "due_at")]
    rows = list(zip(*columns, strict=True))
    today = datetime.combine(local_date(now), datetime.min.time(), SHANGHAI)
    made = datetime.combine(REFERENCE, datetime.min.time(), SHANGHAI)
    closed_by, open_by = set(), set()
    for number, reported, _closed, _due in rows:
        minutes, is_open = raw[number]
        (open_by if is_open else closed_by).add(reported - made - timedelta(minutes=minutes))
    assert len(closed_by) == 1, "all moved alike"
    (moved,) = closed_by
    assert moved % timedelta(days=7) == timedelta(0), "by whole weeks"
    assert timedelta(0) <= made + moved - today < timedelta(days=7)
    assert open_by == {today - made}
    latest = max(max(reported, closed or reported) for _, reported, closed, _ in rows)
    assert latest <= now and now - latest < timedelta(days=1, hours=12)
    overdue = sum(closed is None and due < today for _, _, closed, due in rows)
    assert overdue == 14, "open ones are as late as TRUTH.md says, whatever the weekday"
    assert len(raw) - len(rows) < 7 * 35


@pytest.mark.parametrize("now", [MONDAY_NOON + timedelta(days=2, hours=3)])
def test_a_demo_loaded_on_a_wednesday_has_its_people_and_its_open_incidents(
    database: Database, settings: Settings, now: datetime
) -> None:
    stored = load_demo(database, settings, now)
    today = local_date(now)
    keeper = Responsibility(database, settings.subdistrict, settings.office_name)
    acting = keeper.on(today).leader_of("500237002001010")
    assert acting is not None and acting.acting_for is not None
    for day, absent in ((-6, False), (-5, True), (8, True), (9, False)):
        held = keeper.on(today + timedelta(days=day)).leader_of("500237002001010")
        assert held is not None and (held.acting_for is not None) == absent
    with database.read() as session:
        assert session.scalar(select(func.count(Incident.id)).where(Incident.closed_at.is_(None))) == 176
        assert session.scalar(select(func.max(Incident.reported_at))) <= now  # type: ignore[operator]
        assert session.scalar(select(func.count(Incident.id))) == stored["incidents"]


# Removing -----------------------------------------------------------------------------------------------------------

_X, _Y = 109.95, 31.10
_SQUARE = shapely.box(_X, _Y, _X + 0.01, _Y + 0.01)


def _features(path: Path, shape: Any, **properties: Any) -> None:
    feature = {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")


def bring_own(database: Database, settings: Settings, folder: Path) -> None:
    """One row of every kind, and two grids that overlap."""

    def put(register: str, table: str = "", shape: Any = None, **properties: Any) -> None:
        path = folder / f"{register}.{'geojson' if shape is not None else 'csv'}"
        if shape is not None:
            _features(path, shape, **properties)
        else:
            path.write_text(table, encoding="utf-8")
        bring(database, settings, register, path)

    put("organisations", "code,name\nX-O,自己的单位\n")
    put("people", "code,name,phone\nX-P,自己人,13800000000\n")
    put("communities", shape=_SQUARE, code="X", name="自己的社区")
    put("grids", shape=_SQUARE, code="X1", community_code="X")
    put("grids", shape=shapely.box(_X, _Y, _X + 0.001, _Y + 0.01), code="X2", community_code="X")
    put("duties", "code,role,subject_code,person_code\nX-D,网格长,X1,X-P\n")
    put("frontages", shape=shapely.LineString([(_X, _Y), (_X + 1e-4, _Y)]), code="X-F", shop_name="自己的店")
    put("streets", shape=shapely.LineString([(_X, _Y), (_X + 0.01, _Y)]), code="X-S", name="自己的路")
    put("buildings", shape=_SQUARE, code="X-B", name="自己的楼")
    put("places", shape=_SQUARE.centroid, code="X-L", name="自己的市场", kind="农贸市场")
    put("incidents", f"number,reported_at,lon,lat\nX-1,2026-11-20 08:00,{_X + 0.005},{_Y + 0.005}\n")


def test_removing_takes_the_demo_and_nothing_else(demo: Database, settings: Settings, tmp_path: Path) -> None:
    whole = contents(demo)
    bring_own(demo, settings, tmp_path)
    both = contents(demo)
    own = {name: sorted(set(both[name]) - set(whole[name]), key=repr) for name in both}
    assert all(own.values()), "something of every kind"
    with demo.write() as session:
        create_account(session, "own", "admin", PASSWORD, MONDAY_NOON)
        make_token(session, "own", "mine", MONDAY_NOON)
        create_account(session, "shown", "supervisor", None, MONDAY_NOON, demo=True)
    gone = remove_demo(demo, MONDAY_NOON)
    assert contents(demo) == own
    assert gone["grids"] == 81 and gone["communities"] == 4
    with demo.read() as session:
        assert list(session.scalars(select(Account.name))) == ["own"]
        assert session.scalar(select(func.count(Token.id))) == 1
        assert not holds_demo(session)
    assert remove_demo(demo, MONDAY_NOON) == {}


def test_what_was_drawn_from_the_demo_goes_with_it(demo: Database, settings: Settings) -> None:
    """Drafts, the editions published from them, and their duties; it stays a demo meanwhile."""
    head = Drawer(Actor("head", "admin"), EVERYWHERE, MONDAY_NOON, "500237002")
    home = "500237002001"
    desk = Desk(Base({}, (), {}, {}), {}, lambda _home: (), lambda _home: (), lambda _codes: ())
    swap = {f"{home}001": f"{home}003", f"{home}003": f"{home}001"}
    with demo.write() as session:
        draft = begin(session, [home], None, None, head)
        take_step(session, draft.id, 1, "recode", lambda state: recode(desk, state, swap), head)
        publish(session, draft.id, 2, Order(date(2026, 11, 30)), head)
        begin(session, [home], None, None, head)
    with demo.read() as session:
        assert session.scalar(select(func.count(Edition.id)).where(Edition.starts_on.is_not(None))) == 1
        assert only_demo(session)
    remove_demo(demo, MONDAY_NOON)
    with demo.read() as session:
        for model in (Draft, DraftGrid, DraftStep, Edition, Grid, Duty, Community):
            assert session.scalar(select(func.count()).select_from(model)) == 0, model


def test_removing_shows_in_every_workers_next_answer(demo: Database, settings: Settings) -> None:
    other = Database(demo.url)
    keeper = Responsibility(other, settings.subdistrict, settings.office_name)
    assert keeper.on(REFERENCE).leader_of("500237002001010") is not None
    remove_demo(demo, MONDAY_NOON)
    after = keeper.on(REFERENCE)
    assert (after.tiling.zones, after.duties, after.frontages.rows) == ([], {}, [])
    other.close()


def test_a_restart_does_not_bring_a_removed_demo_back(demo: Database, settings: Settings) -> None:
    remove_demo(demo, MONDAY_NOON)
    prepare(demo, settings)
    assert set(counts(demo).values()) == {0}
    assert load_demo(demo, settings, MONDAY_NOON)["grids"] == 81, "asked for, it comes again"
    with demo.read() as session:
        assert holds_demo(session) and only_demo(session)


def test_the_demo_entry_closes_with_the_first_own_row(demo: Database, settings: Settings, tmp_path: Path) -> None:
    with demo.read() as session:
        assert only_demo(session)
    path = tmp_path / "people.csv"
    path.write_text("code,name\nX-P,自己人\n", encoding="utf-8")
    bring(demo, settings, "people", path)
    with demo.read() as session:
        assert holds_demo(session) and not only_demo(session)


# What an own import says again is the office's own -------------------------------------------------------------------

UNCHANGED = [
    ("organisations", "organisations.csv"),
    ("people", "persons.csv"),
    ("communities", "communities.geojson"),
    ("grids", "grids.geojson"),
    ("streets", "streets.geojson"),
    ("buildings", "buildings.geojson"),
    ("places", "places.geojson"),
]


def test_rows_that_an_own_import_repeats_stay(demo: Database, settings: Settings) -> None:
    before = contents(demo)
    for kind, name in UNCHANGED:
        done = bring(demo, settings, kind, FOLDER / name)
        assert (done.summary["updated"], done.summary["unchanged"]) == (0, done.summary["accepted"]), kind
    assert contents(demo) == before
    remove_demo(demo, MONDAY_NOON)
    after = contents(demo)
    kept = {"organisations", "persons", "communities", "editions", "grids", "streets", "buildings", "places"}
    assert {name for name, rows in after.items() if rows} == kept
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    with demo.read() as session:
        own = set(session.scalars(select(ImportBatch.id).where(ImportBatch.demo.is_(False))))
        for model in REGISTERS:
            assert set(session.scalars(select(model.batch_id).distinct())) <= own


def test_only_the_repeated_rows_stay(demo: Database, settings: Settings, tmp_path: Path) -> None:
    """Two grids of one community, one changed: they keep their community and its edition, all else goes."""
    given = json.loads((FOLDER / "grids.geojson").read_text(encoding="utf-8"))
    given["features"] = given["features"][:2]
    given["features"][1]["properties"]["name"] = "改名网格"
    path = tmp_path / "two.geojson"
    path.write_text(json.dumps(given), encoding="utf-8")
    done = bring(demo, settings, "grids", path)
    assert (done.summary["updated"], done.summary["unchanged"]) == (1, 1)
    remove_demo(demo, MONDAY_NOON)
    after = contents(demo)
    assert {name: len(rows) for name, rows in after.items() if rows} == {"communities": 1, "editions": 1, "grids": 2}
    assert "改名网格" in repr(after["grids"])


def test_many_changed_rows_stay_too(
    demo: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than an import writes at once, here in three portions."""
    monkeypatch.setattr("service.intake.applying._AT_ONCE_UPDATES", 200)
    newest = select(Incident.number, Incident.reported_at).order_by(Incident.number.desc()).limit(500)
    with demo.read() as session:
        rows = session.execute(newest).all()
    lines = [f"{number},{at:%Y-%m-%dT%H:%M:%SZ},自己写的地址" for number, at in rows]
    path = tmp_path / "incidents.csv"
    path.write_text("number,reported_at,address\n" + "\n".join(lines) + "\n", encoding="utf-8")
    other, seen = Database(demo.url), []

    @event.listens_for(demo.engine, "begin")
    def look(_connection: Connection) -> None:
        with other.read() as session:
            seen.append(session.scalar(select(func.count(Incident.id)).where(visible(Incident))))

    first = bring(demo, settings, "incidents", path)
    event.remove(demo.engine, "begin", look)
    other.close()
    assert len(seen) > 4 and len(set(seen)) == 1, "no row is out of sight meanwhile"
    assert first.summary["updated"] == len(rows) == 500
    remove_demo(demo, MONDAY_NOON)
    assert {name: count for name, count in counts(demo).items() if count} == {"incidents": len(rows)}
    assert bring(demo, settings, "incidents", path).summary["unchanged"] == len(rows)


def test_loading_the_demo_over_own_rows_does_not_make_them_demo(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    bring(database, settings, "communities", FOLDER / "communities.geojson")
    bring(database, settings, "people", FOLDER / "persons.csv")
    before = contents(database)
    load_demo(database, settings, MONDAY_NOON)
    remove_demo(database, MONDAY_NOON)
    assert contents(database) == before

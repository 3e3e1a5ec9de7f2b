"""What was exported goes back in unchanged: every kind, every format, as every role gets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import shapely
from sqlalchemy import select

from service.clock import local_date
from service.config import Settings
from service.db.engine import Database
from service.db.spatial import encode, raw_geometry, read_geometries
from service.frontages.models import Frontage
from service.grids.models import Community
from service.incidents.columns import IncidentColumns
from service.intake.kinds import KINDS
from service.people.access import EVERYWHERE, Area
from service.people.models import Organisation, Person
from service.people.rules import Viewer
from service.registers.asked import Asked
from service.registers.files import FORMATS, choose, write
from service.responsibility.keeper import Responsibility
from service.responsibility.showing import Showing
from tests.conftest import MONDAY_NOON, the_demo
from tests.intake.conftest import Office, bring, counts
from tests.stores import Stores, settings_of

TODAY = local_date(MONDAY_NOON)
HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3|cmd",
    "@SUM(A1)",
    "'=1",
    "<script>alert(1)</script>",
    "二\n行",
    "e\u0301反",
    'a,"b";c',
]
VIEWERS = {
    "admin": Viewer("admin", area=EVERYWHERE),
    "viewer": Viewer("viewer", area=EVERYWHERE),
    "manager": Viewer("manager", area=Area(communities=frozenset({"500237002001"}))),
}


@pytest.fixture(scope="module")
def full(
    stores: Stores, store_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Settings]]:
    """The demo with hostile texts in it and a boundary too long for one cell; imports into it change nothing."""
    folder = tmp_path_factory.mktemp("full")
    with stores.copied(store_kind, the_demo, folder) as url, closing(Database(url)) as database:
        write_hostile_texts(database)
        yield database, settings_of(url, folder)


def write_hostile_texts(database: Database) -> None:
    with database.write() as session:
        shops = session.scalars(select(Frontage).order_by(Frontage.code).limit(len(HOSTILE))).all()
        for shop, text in zip(shops, HOSTILE, strict=True):
            shop.shop_name, shop.person_name, shop.owner_name = text, text, f"{text}主"
        people = session.scalars(select(Person).order_by(Person.code).limit(len(HOSTILE))).all()
        for person, text in zip(people, HOSTILE, strict=True):
            person.name, person.notes = text, f"{text} 138 1234 5678"
        session.scalars(select(Frontage).order_by(Frontage.code.desc())).first().geom = encode(
            shapely.Point(109.88 + 1e-9, 31.07)
        )  # type: ignore[union-attr]
        first = session.scalars(select(Community).order_by(Community.code)).first()
        assert first is not None
        first.geom = encode(shapely.multipolygons([shapely.Point(109.879, 31.071).buffer(0.004, quad_segs=400)]))
        first.notes = "书记电话13812345678，办公室 023-57681234"
        session.scalars(select(Organisation)).first().phone = "13899998888"  # type: ignore[union-attr]


def export(database: Database, kind: str, target: Path, viewer: Viewer, form: str, **filters: str) -> int:
    snapshot = Responsibility(database, "500237002", "高唐街道").on(TODAY)
    asked = Asked(TODAY, MONDAY_NOON, {name: (word,) for name, word in filters.items()}, area=viewer.area)
    with database.read() as session:
        chosen = choose(session, kind, asked, snapshot, IncidentColumns(database).current)
        return write(session, chosen, form, target, Showing(snapshot, viewer))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("role", list(VIEWERS))
def test_a_workbook_goes_back_in_unchanged(
    full: tuple[Database, Settings], tmp_path: Path, kind: str, role: str
) -> None:
    database, settings = full
    target = tmp_path / f"{kind}.xlsx"
    count = export(database, kind, target, VIEWERS[role], "xlsx")
    assert count > 0
    done = bring(database, settings, kind, target)
    assert counts(done) == (count, count, 0, 0, count), done.summary["warnings"]


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("xlsx", "shp.zip")])
@pytest.mark.parametrize("kind", list(KINDS))
def test_so_does_every_other_format(full: tuple[Database, Settings], tmp_path: Path, kind: str, form: str) -> None:
    database, settings = full
    target = tmp_path / f"{kind}.{form}"
    count = export(database, kind, target, VIEWERS["viewer"], form)
    done = bring(database, settings, kind, target)
    assert counts(done) == (count, count, 0, 0, count), done.summary["warnings"]


def test_a_boundary_longer_than_a_cell_goes_on_in_the_next(full: tuple[Database, Settings], tmp_path: Path) -> None:
    target = tmp_path / "communities.xlsx"
    export(full[0], "communities", target, VIEWERS["admin"], "xlsx")
    header = [cell.value for cell in openpyxl.load_workbook(target).worksheets[0][1]]
    assert header[-2:] == ["图形", "图形（续1）"]


@pytest.fixture
def town(either_office: Office) -> Office:
    """Two persons and a shop with numbers."""
    people = either_office.put("p.csv", "工号,姓名,电话\nL001,李雷,13811110001\nL002,韩梅梅,13822220002\n")
    assert either_office.bring("people", people).exit_code == 0
    shops = either_office.put("f.csv", "编码,店名,责任人,电话,经度,纬度\nS1,甲店,王店长,13833330003,109.8801,31.0701\n")
    assert either_office.bring("frontages", shops).exit_code == 0
    return either_office


def stored(office: Office, model: Any, *names: str) -> list[tuple[Any, ...]]:
    with office.database.read() as session:
        columns = [getattr(model, name) for name in names]
        return [tuple(row) for row in session.execute(select(*columns).order_by(model.code))]


# what comes back: (kind, file, what is stored then, updated, words of the warning)
RETURNS = [
    ("people", "工号,姓名,电话\nL001,李*,138****0001\n", ("李雷", "13811110001"), 0, ""),
    ("people", "工号,姓名,电话\nL001,李*,13899990000\n", ("李雷", "13899990000"), 1, ""),
    ("people", "工号,姓名,电话\nL001,李蕾,138****0001\n", ("李蕾", "13811110001"), 1, ""),
    ("people", "工号,姓名,电话\nL001,王*,139****9999\n", ("李雷", "13811110001"), 0, "对不上"),
    ("people", "工号,姓名,电话\nL001,李雷,\n", ("李雷", None), 1, ""),
]


@pytest.mark.parametrize(("kind", "text", "then", "updated", "words"), RETURNS)
def test_a_masked_cell_leaves_what_it_hides(
    town: Office, kind: str, text: str, then: tuple[Any, ...], updated: int, words: str
) -> None:
    done = town.bring(kind, town.put("back.csv", text))
    assert done.summary["updated"] == updated
    assert stored(town, Person, "name", "phone")[0] == then
    assert any(words in one for one in done.summary["warnings"])


def test_masked_cells_of_new_rows_are_left_out_or_refused(town: Office) -> None:
    shops = "编码,店名,责任人,电话,经度,纬度\nS2,乙店,赵*,139****0004,109.8802,31.0702\n"
    done = town.bring("frontages", town.put("new.csv", shops))
    assert counts(done) == (1, 1, 0, 0, 0) and any("打码" in one for one in done.summary["warnings"])
    assert stored(town, Frontage, "person_name", "phone")[1] == (None, None)
    refused = town.bring("people", town.put("new.csv", "工号,姓名\nL009,周*\nL010,吴十\n"))
    assert counts(refused) == (2, 1, 1, 0, 0)
    assert "写全名" in refused.rejects[0][1].reason


def test_a_point_is_moved_by_its_coordinates_and_a_line_by_its_shape(town: Office) -> None:
    """A row without a shape stands at its longitude and latitude, whatever the other rows have."""
    text = (
        "编码,店名,经度,纬度,图形\nS1,甲店,109.8805,31.0705,\n"
        'S3,丙店,1,1,"LINESTRING (109.8801 31.0701, 109.8802 31.0701)"\nS4,丁店,,,\n'
    )
    done = town.bring("frontages", town.put("moved.csv", text))
    assert counts(done)[:3] == (3, 2, 1)
    with town.database.read() as session:
        raw = session.scalars(select(raw_geometry(Frontage.geom)).order_by(Frontage.code)).all()
    assert [shape.wkt for shape in read_geometries(raw)] == [
        "POINT (109.8805 31.0705)",
        "LINESTRING (109.8801 31.0701, 109.8802 31.0701)",
    ]


def test_codes_of_persons_tell_nothing_and_are_found_again(town: Office) -> None:
    text = "姓名,电话\n张三,13812345678\n李四,\n"
    assert counts(town.bring("people", town.put("new.csv", text))) == (2, 2, 0, 0, 0)
    assert counts(town.bring("people", town.put("new.csv", text))) == (2, 2, 0, 0, 2)
    codes = [code for (code,) in stored(town, Person, "code") if code.startswith("p")]
    assert len(codes) == 2 and not any("张三" in code or "5678" in code for code in codes)

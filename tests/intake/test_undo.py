"""A whole import undone, row by row refused where later work depends on a row; on both stores."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from service.errors import Conflict, NotFound
from service.frontages.models import Frontage
from service.grids.models import Community, Edition, Grid, TilingFault
from service.incidents.models import Incident
from service.intake.undo_plan import examine
from service.intake.undoing import undo, write_verdicts
from service.people.accounts import create_account
from service.people.models import Account, Organisation, Person
from service.records import batches
from service.records.audit import SYSTEM, Subject, append
from service.records.models import Attachment, AuditEntry, ImportBatch, ImportRow
from service.records.rowlog import digest_of, imports_of_row
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.intake.conftest import Office, incidents, square, write

PEOPLE = "工号,姓名,电话,单位\nP1,张三,13800000001,\nP2,李四,13800000002,\n"
CHANGED = "工号,姓名,电话,单位\nP1,张三丰,13900000001,\nP3,王五,13800000003,\n"


def people(office: Office, text: str, name: str = "人员.csv") -> int:
    done = office.bring("people", office.put(name, text))
    assert done.batch_id is not None
    return done.batch_id


def person(office: Office, code: str) -> Any:
    with office.database.read() as session:
        return session.execute(
            select(Person.name, Person.phone, Person.version).where(Person.code == code)
        ).one_or_none()


def state(office: Office, batch_id: int) -> str:
    with office.database.read() as session:
        return session.get_one(ImportBatch, batch_id).state


def take_back(office: Office, batch_id: int) -> tuple[int, int, int]:
    done = undo(office.database, batch_id, SYSTEM, MONDAY_NOON)
    return done.removed, done.restored, done.kept


def refusals(office: Office, batch_id: int) -> dict[str, str]:
    with office.database.read() as session:
        plan = examine(session, session.get_one(ImportBatch, batch_id))
    return {one.code: one.refused for one in plan.verdicts() if one.refused}


def test_new_rows_go_and_changed_rows_regain_their_values(either_office: Office) -> None:
    office = either_office
    people(office, PEOPLE)
    second = people(office, CHANGED, "改过.csv")
    assert person(office, "P1") == ("张三丰", "13900000001", 2)
    assert take_back(office, second) == (1, 1, 0)
    assert person(office, "P1") == ("张三", "13800000001", 3)
    assert person(office, "P3") is None and person(office, "P2") is not None
    assert state(office, second) == batches.UNDONE
    with pytest.raises(Conflict, match="已经撤回过了"):
        take_back(office, second)
    with pytest.raises(NotFound):
        take_back(office, 9_999)


def test_imports_are_undone_one_after_the_other_the_last_first(either_office: Office) -> None:
    """A later import holds an earlier one back until it is undone itself: no trace of it counts as a change."""
    office = either_office
    first = people(office, PEOPLE)
    second = people(office, CHANGED, "改过.csv")
    assert "改过.csv" in refusals(office, first)["P1"] and set(refusals(office, first)) == {"P1"}
    assert take_back(office, second) == (1, 1, 0)
    assert refusals(office, first) == {}
    assert take_back(office, first) == (2, 0, 0)
    assert person(office, "P1") is None


def test_a_row_changed_by_hand_stays_and_can_be_undone_no_more(either_office: Office) -> None:
    office = either_office
    batch = people(office, PEOPLE)
    with office.database.write() as session:
        session.execute(update(Person).where(Person.code == "P1").values(phone="110", version=Person.version + 1))
        append(session, SYSTEM, "person.change", MONDAY_NOON, Subject("people", "P1"), after={"phone": "110"})
    assert refusals(office, batch) == {"P1": "后来有人改过这一行"}
    assert take_back(office, batch) == (1, 0, 1)
    assert state(office, batch) == batches.PARTLY
    assert person(office, "P1") == ("张三", "110", 2) and person(office, "P2") is None
    assert take_back(office, batch) == (0, 0, 1)


def test_the_trail_alone_tells_a_change_of_rows_without_a_version(either_office: Office) -> None:
    office = either_office
    done = office.bring("incidents", office.put("事项.csv", incidents([(109.8805, 31.0705), (109.881, 31.071)])))
    assert done.batch_id is not None
    with office.database.write() as session:
        append(session, SYSTEM, "incident.close", MONDAY_NOON, Subject("incidents", "A1"), after={"state": "closed"})
    assert list(refusals(office, done.batch_id)) == ["A1"]
    assert take_back(office, done.batch_id) == (1, 0, 1)
    assert office.numbers() == ["A1"]


def test_what_later_work_names_stays(either_office: Office) -> None:
    """A duty on a person, people of an organisation, an account's person and unit, a photo."""
    office = either_office
    units = office.bring("organisations", office.put("单位.csv", "编码,名称\nU1,城管办\nU2,环卫所\nU3,空\n")).batch_id
    staff = people(office, "工号,姓名,电话,单位\nP1,张三,,U1\nP2,李四,,\nP3,王五,,\nP4,赵六,,\n")
    duties = "职务,对象编码,责任人\n网格长,500237002001001,P1\n"
    assert office.bring("duties", office.put("责任.csv", duties)).exit_code == 0
    with office.database.write() as session:
        account = create_account(session, "zhang", "unit", PASSWORD, MONDAY_NOON, unit="U2")
        session.execute(update(Account).where(Account.id == account.id).values(person_code="P2"))
        photo = {"sha256": "0", "media_type": "image/jpeg", "size": 1, "width": 1, "height": 1, "made_at": MONDAY_NOON}
        session.add(Attachment(subject_kind="people", subject_code="P3", **photo))
    assert units is not None
    found = refusals(office, staff)
    assert set(found) == {"P1", "P2", "P3"}
    assert "责任" in found["P1"] and "zhang" in found["P2"] and "照片" in found["P3"]
    assert {code: words[:4] for code, words in refusals(office, units).items()} == {"U1": "有人员属", "U2": "有账号属"}
    assert take_back(office, units) == (1, 0, 2)
    with office.database.read() as session:
        assert set(session.scalars(select(Organisation.code))) == {"U1", "U2"}


def test_a_community_stays_while_grids_belong_to_it(either_office: Office) -> None:
    office = either_office
    with office.database.read() as session:
        first = session.scalar(select(ImportBatch.id).where(ImportBatch.kind == "communities"))
        second = session.scalar(select(ImportBatch.id).where(ImportBatch.kind == "grids"))
    assert first is not None and second is not None
    assert "网格" in refusals(office, first)["500237002001"]
    assert take_back(office, first) == (1, 0, 1)
    assert take_back(office, second) == (1, 0, 0)
    with office.database.read() as session:
        assert session.scalar(select(func.count(Edition.id))) == 0
        assert session.scalar(select(func.count(TilingFault.id))) == 0
    assert take_back(office, first) == (1, 0, 0)


def test_micro_grids_of_the_same_file_hold_their_parent_only_when_they_stay(either_office: Office) -> None:
    office = either_office
    columns = {
        "网格编码": ("500237002002001", "500237002002901"),
        "社区": ("500237002002",) * 2,
        "类型": ("网格", "微网格"),
        "上级网格": ("", "500237002002001"),
    }
    path = write(office.folder, "geojson", "UTF-8", columns, [square(0.01), square(0.01, side=0.001)])
    done = office.bring("grids", path)
    assert done.exit_code == 0 and done.batch_id is not None
    assert refusals(office, done.batch_id) == {}
    with office.database.write() as session:
        session.execute(update(Grid).where(Grid.code == "500237002002901").values(version=2))
    assert set(refusals(office, done.batch_id)) == {"500237002002001", "500237002002901"}
    with office.database.write() as session:
        session.execute(update(Grid).where(Grid.code == "500237002002901").values(version=1))
    assert take_back(office, done.batch_id) == (2, 0, 0)


def test_a_corrected_outline_comes_back_with_the_faults_of_its_tiling(either_office: Office) -> None:
    office = either_office
    columns = {"网格编码": ("500237002001001",), "名称": ("聚鹤1网格",)}
    smaller = write(office.folder, "geojson", "UTF-8", columns, [square(0, side=0.0015)])
    done = office.bring("grids", smaller)
    assert done.faults and done.batch_id is not None
    assert take_back(office, done.batch_id) == (0, 1, 0)
    with office.database.read() as session:
        assert session.scalar(select(func.count(TilingFault.id))) == 0
        assert session.scalar(select(Grid.version)) == 3


def test_a_grid_that_another_edition_still_has_is_not_missed(either_office: Office) -> None:
    """Incidents and duties find its code in the edition before."""
    from datetime import date

    office = either_office
    columns = {"网格编码": ("500237002001001",), "名称": ("聚鹤1网格",)}
    path = write(office.folder, "geojson", "UTF-8", columns, [square(0)])
    done = office.bring("grids", path, edition=date(2027, 1, 1))
    office.bring("incidents", office.put("事项.csv", incidents([(109.8805, 31.0705)])))
    assert done.batch_id is not None and refusals(office, done.batch_id) == {}
    assert take_back(office, done.batch_id) == (1, 0, 0)
    with office.database.read() as session:
        assert session.scalar(select(func.count(Edition.id))) == 1
        first = session.scalar(select(ImportBatch.id).where(ImportBatch.kind == "grids"))
    assert first is not None and "事项" in refusals(office, first)["500237002001001"]


def test_a_shop_keeps_its_line(either_office: Office) -> None:
    import shapely

    office = either_office
    columns = {"编码": ("S1", "S2"), "店名": ("甲", "乙")}
    lines = [shapely.LineString([(109.8801, 31.0701), (109.8802, 31.0701)]), shapely.Point(109.8805, 31.0705)]
    office.bring("frontages", write(office.folder, "gpkg", "", columns, lines))
    moved = [shapely.LineString([(109.8811, 31.0711), (109.8812, 31.0711)]), shapely.Point(109.8805, 31.0705)]
    done = office.bring("frontages", write(office.folder, "geojson", "UTF-8", columns, moved))
    assert done.summary["updated"] == 1 and done.batch_id is not None
    assert take_back(office, done.batch_id) == (0, 1, 0)
    with office.database.read() as session:
        wkb = session.scalar(select(func.ST_AsBinary(Frontage.geom)).where(Frontage.code == "S1"))
    assert wkb is not None and shapely.from_wkb(bytes(wkb)).equals_exact(lines[0], 1e-12)


def test_many_rows_go_in_steps(either_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from some thousand rows on: broken off in the middle, it is gone on with."""
    office = either_office
    monkeypatch.setattr("service.intake.undoing._IN_ONE_GO", 10)
    monkeypatch.setattr("service.intake.undoing._AT_ONCE", 20)
    places = [(109.8801 + i * 1e-6, 31.0705) for i in range(70)]
    done = office.bring("incidents", office.put("事项.csv", incidents(places)))
    assert done.batch_id is not None

    def break_off(count: int, _everything: int) -> None:
        if count >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        undo(office.database, done.batch_id, SYSTEM, MONDAY_NOON, break_off)
    assert state(office, done.batch_id) == batches.UNDOING and len(office.numbers()) == 30
    with pytest.raises(Conflict, match="正在撤回"):
        office.bring("incidents", office.put("别的.csv", incidents([(109.8801, 31.0701)])))
    assert take_back(office, done.batch_id) == (70, 0, 0), "what went before it was broken off counts too"
    assert state(office, done.batch_id) == batches.UNDONE and office.numbers() == []


def test_the_trail_keeps_the_count_and_digest_of_the_row_log(either_office: Office) -> None:
    office = either_office
    people(office, PEOPLE)
    batch = people(office, CHANGED, "改过.csv")
    with office.database.read() as session:
        entry = session.scalar(
            select(AuditEntry).where(AuditEntry.action == "import.store", AuditEntry.subject_code == str(batch))
        )
        assert entry is not None and entry.after is not None and entry.subject_name == "改过.csv"
        assert (entry.actor, entry.after["new"], entry.after["updated"]) == ("命令行", 1, 1)
        assert digest_of(session, batch) == (entry.after["log_lines"], entry.after["log_digest"])
        row = session.scalar(select(Person.id).where(Person.code == "P3"))
        assert row is not None and imports_of_row(session, "persons", row) == [batch]
    take_back(office, batch)
    with office.database.write() as session:
        assert digest_of(session, batch) == (entry.after["log_lines"], entry.after["log_digest"])
        undone = session.scalar(select(AuditEntry).where(AuditEntry.action == "import.undo"))
        assert undone is not None and undone.after == {"removed": 1, "restored": 1, "kept": 0}
        session.execute(update(ImportRow).where(ImportRow.batch_id == batch).values(row_id=77))
        assert digest_of(session, batch)[1] != entry.after["log_digest"]


def test_the_list_of_verdicts_opens_in_excel_without_computing(office: Office, tmp_path: Path) -> None:
    batch = people(office, '工号,姓名\n=1+1,"=HYPERLINK(""x"")"\n')
    with office.database.read() as session:
        plan = examine(session, session.get_one(ImportBatch, batch))
    write_verdicts(tmp_path / "o.csv", plan)
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["编码"].startswith("'=") and row["名称"].startswith("'=") and row["结论"] == "可以撤回"


def test_everything_is_as_before(either_office: Office) -> None:
    """But for versions, revisions and the records of the import itself."""
    office = either_office
    people(office, PEOPLE)
    with office.database.read() as session:
        before = sorted(map(tuple, session.execute(select(Person.code, Person.name, Person.phone, Person.revision))))
    take_back(office, people(office, CHANGED, "改过.csv"))
    with office.database.read() as session:
        after = sorted(map(tuple, session.execute(select(Person.code, Person.name, Person.phone, Person.revision))))
        assert session.scalar(select(func.count(Community.id))) == 2
        assert session.scalar(select(func.count(Incident.id))) == 0
    assert before == after
